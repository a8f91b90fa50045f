// SPDX-License-Identifier: GPL-2.0
/*
 * Compressing a stream into a ZFile: chunks of blocks are compressed by any
 * number of threads and written in order. The index waits in a scratch file
 * when it gets large.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/minmax.h>
#include <linux/unaligned.h>

#include "codec.h"
#include "disk.h"
#include "file.h"
#include "message.h"
#include "pipeline.h"
#include "progress.h"
#include "zfile-write.h"

/* What a thread compresses at a time: at least two blocks. */
#define CHUNK_BYTES	(128U << 10)

#define INDEX_BUFFER_BYTES	(256U << 10)

/**
 * struct chunk - some blocks on their way
 * @in: decompressed
 * @in_bytes: how much of it
 * @out: compressed, each block followed by its CRC
 * @out_bytes: how much of it
 * @sizes: encoded index entries
 * @blocks: how many
 */
struct chunk {
	u8 *in;
	size_t in_bytes;
	u8 *out;
	size_t out_bytes;
	u8 *sizes;
	u32 blocks;
};

/**
 * struct index_buffer - index entries, the older ones perhaps in a scratch file
 * @bytes: the newest
 * @used: how many bytes
 * @fd: scratch file, -1: none yet
 * @spilled: bytes in it
 */
struct index_buffer {
	u8 *bytes;
	size_t used;
	int fd;
	u64 spilled;
};

struct zfile_writer {
	struct output *out;
	struct stream *in;
	const struct zfile_options *options;
	u64 start;	/* of the ZFile in the output */
	struct zfile_info info;
	struct index_buffer index;
	struct compressor *compressors[PIPELINE_MAX_THREADS];
	struct chunk *chunks;
	unsigned int chunk_count;
	bool ended;
};

static u32 block_bytes(const struct zfile_writer *w)
{
	return 1U << w->options->block_shift;
}

static int scratch_failed(const struct zfile_writer *w)
{
	return fail_errno(STATUS_IO, "cannot keep the index of %s", w->out->path);
}

static int index_add(struct zfile_writer *w, const u8 *entries, size_t bytes)
{
	struct index_buffer *index = &w->index;
	int r;

	if (index->used + bytes > INDEX_BUFFER_BYTES) {
		if (index->fd < 0) {
			r = output_scratch(w->out->path, &index->fd);
			if (r)
				return r;
		}
		if (write_fully(index->fd, index->bytes, index->used, index->spilled))
			return scratch_failed(w);
		index->spilled += index->used;
		index->used = 0;
	}
	memcpy(index->bytes + index->used, entries, bytes);
	index->used += bytes;
	return 0;
}

/* A part of the index, in order, goes out. */
static int index_emit(struct zfile_writer *w, const u8 *bytes, size_t count)
{
	w->info.index_crc = zfile_index_crc(w->info.index_crc, bytes, count);
	return output_write(w->out, bytes, count);
}

static int index_write(struct zfile_writer *w)
{
	struct index_buffer *index = &w->index;
	u8 *window = malloc(INDEX_BUFFER_BYTES);
	u64 at = 0;
	int r = window ? 0 : fail_memory();

	while (!r && at < index->spilled) {
		size_t part = min(index->spilled - at, (u64)INDEX_BUFFER_BYTES);

		if (read_fully(index->fd, window, part, at) != (ssize_t)part)
			r = scratch_failed(w);
		else
			r = index_emit(w, window, part);
		at += part;
	}
	if (!r)
		r = index_emit(w, index->bytes, index->used);
	free(window);
	return r;
}

static int produce_chunk(void *context, void *item)
{
	struct zfile_writer *w = context;
	struct chunk *c = item;
	int r;

	if (w->ended)
		return PIPELINE_END;
	r = w->in->read(w->in, c->in, CHUNK_BYTES, &c->in_bytes);
	if (r)
		return r;
	progress_set(w->in->done);
	w->ended = c->in_bytes < CHUNK_BYTES;
	return c->in_bytes ? 0 : PIPELINE_END;
}

static int compress_block(struct zfile_writer *w, struct compressor *compressor,
			  struct chunk *c, const u8 *from, size_t bytes)
{
	u8 *to = c->out + c->out_bytes;
	size_t n = compressor_run(compressor, to, codec_bound(w->options->algorithm, bytes),
				  from, bytes);

	if (!n)
		return fail(STATUS_USAGE, "the %s library failed to compress a block",
			    codec_name(w->options->algorithm));
	if (!w->options->no_crc) {
		put_unaligned_le32(zfile_block_crc(to, n), to + n);
		n += ZFILE_BLOCK_CRC_BYTES;
	}
	put_unaligned_le32(n, c->sizes + c->blocks++ * ZFILE_INDEX_ENTRY_BYTES);
	c->out_bytes += n;
	return 0;
}

static int too_many_blocks(void)
{
	return fail(STATUS_USAGE, "too many blocks for one ZFile: use larger ones");
}

/**
 * zfile_check_bytes() - refuse at once what would be refused after hours
 * @options: how it is to be compressed
 * @bytes: how much there is
 *
 * Return: 0 or STATUS_USAGE.
 */
int zfile_check_bytes(const struct zfile_options *options, u64 bytes)
{
	return bytes > (u64)ZFILE_MAX_BLOCKS << options->block_shift ? too_many_blocks() : 0;
}

static int compress_chunk(void *context, unsigned int worker, void *item)
{
	struct zfile_writer *w = context;
	struct chunk *c = item;
	size_t at, part;
	int r = 0;

	c->out_bytes = 0;
	c->blocks = 0;
	for (at = 0; !r && at < c->in_bytes; at += part) {
		part = min(c->in_bytes - at, (size_t)block_bytes(w));
		r = compress_block(w, w->compressors[worker], c, c->in + at, part);
	}
	return r;
}

static int consume_chunk(void *context, void *item)
{
	struct zfile_writer *w = context;
	struct chunk *c = item;

	w->info.block_count += c->blocks;
	w->info.original_bytes += c->in_bytes;
	if (w->info.block_count > ZFILE_MAX_BLOCKS)
		return too_many_blocks();
	if (output_write(w->out, c->out, c->out_bytes))
		return STATUS_IO;
	return index_add(w, c->sizes, c->blocks * ZFILE_INDEX_ENTRY_BYTES);
}

static bool chunk_init(const struct zfile_writer *w, struct chunk *c)
{
	u32 blocks = CHUNK_BYTES / block_bytes(w);
	size_t entry = codec_bound(w->options->algorithm, block_bytes(w)) +
		       ZFILE_BLOCK_CRC_BYTES;

	c->in = malloc(CHUNK_BYTES);
	c->out = malloc(blocks * entry);
	c->sizes = malloc(blocks * ZFILE_INDEX_ENTRY_BYTES);
	return c->in && c->out && c->sizes;
}

static int writer_init(struct zfile_writer *w)
{
	unsigned int i;

	w->index.fd = -1;
	w->index.bytes = malloc(INDEX_BUFFER_BYTES);
	w->chunk_count = pipeline_items(w->options->threads);
	w->chunks = calloc(w->chunk_count, sizeof(*w->chunks));
	if (!w->index.bytes || !w->chunks)
		return fail_memory();
	for (i = 0; i < w->chunk_count; i++)
		if (!chunk_init(w, &w->chunks[i]))
			return fail_memory();
	for (i = 0; i < w->options->threads; i++) {
		w->compressors[i] = compressor_new(w->options->algorithm, w->options->level);
		if (!w->compressors[i])
			return fail_memory();
	}
	return 0;
}

static void writer_destroy(struct zfile_writer *w)
{
	unsigned int i;

	for (i = 0; w->chunks && i < w->chunk_count; i++) {
		free(w->chunks[i].in);
		free(w->chunks[i].out);
		free(w->chunks[i].sizes);
	}
	for (i = 0; i < w->options->threads; i++)
		compressor_free(w->compressors[i]);
	free(w->chunks);
	free(w->index.bytes);
	if (w->index.fd >= 0)
		close(w->index.fd);
}

static int write_blocks(struct zfile_writer *w)
{
	const struct pipeline pipeline = {
		.context = w,
		.produce = produce_chunk,
		.work = compress_chunk,
		.consume = consume_chunk,
		.items = w->chunks,
		.item_bytes = sizeof(*w->chunks),
		.item_count = w->chunk_count,
		.threads = w->options->threads,
	};
	int r;

	progress_begin(w->in->total);
	r = pipeline_run(&pipeline);
	progress_end();
	return r;
}

/* Index, trailer and, now that all is known, the header. */
static int write_metadata(struct zfile_writer *w)
{
	u8 bytes[ZFILE_HEADER_BYTES];
	int r;

	w->info.index_offset = w->out->position - w->start;
	r = index_write(w);
	if (r)
		return r;
	zfile_encode(bytes, ZFILE_TRAILER, &w->info);
	r = output_write(w->out, bytes, sizeof(bytes));
	if (r)
		return r;
	zfile_encode(bytes, ZFILE_FINAL_HEADER, &w->info);
	return output_write_at(w->out, bytes, sizeof(bytes), w->start);
}

/**
 * zfile_write() - compress a stream
 * @out: where to; the ZFile begins at its position
 * @in: what
 * @options: how
 *
 * The bytes do not depend on the number of threads. Return: 0 or a status.
 */
int zfile_write(struct output *out, struct stream *in, const struct zfile_options *options)
{
	struct zfile_writer w = {
		.out = out,
		.in = in,
		.options = options,
		.start = out->position,
		.info = {
			.algorithm = options->algorithm,
			.block_shift = options->block_shift,
			.block_crc = !options->no_crc,
		},
	};
	int r = writer_init(&w);

	if (!r)
		r = output_skip(out, ZFILE_HEADER_BYTES);
	if (!r)
		r = write_blocks(&w);
	if (!r)
		r = write_metadata(&w);
	writer_destroy(&w);
	return r;
}
