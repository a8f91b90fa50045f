// SPDX-License-Identifier: GPL-2.0
/* Reading a ZFile, see zfile-read.h. */

#include <stdlib.h>
#include <string.h>

#include <linux/minmax.h>

#include "message.h"
#include "zfile-read.h"

/* Compressed blocks are read in runs of up to this many bytes. */
#define RUN_BYTES	(256U << 10)

#define LEAF_BYTES	(ZFILE_LEAF_BLOCKS * ZFILE_INDEX_ENTRY_BYTES)

/**
 * struct zfile_reader - one thread's buffers
 * @codec: decompressor
 * @run: compressed bytes
 * @block: the block read last in part, decompressed
 * @block_of: whose block it is, NULL: none
 * @block_number: which block it is
 * @leaf_of: whose leaf is in @starts, NULL: none
 * @leaf_number: which leaf it is
 * @starts: offset of every block of the leaf, and of what comes behind it
 */
struct zfile_reader {
	struct decompressor *codec;
	u8 *run;
	u8 *block;
	const struct zfile *block_of;
	u64 block_number;
	const struct zfile *leaf_of;
	u64 leaf_number;
	u64 starts[ZFILE_LEAF_BLOCKS + 1];
};

static int refuse_at(const struct zfile *z, u64 at, const char *why)
{
	return fail(STATUS_REFUSED, "%s: at byte %llu: %s", z->file->path,
		    z->offset + at, why);
}

static u64 leaf_count(const struct zfile *z)
{
	return (z->info.block_count + ZFILE_LEAF_BLOCKS - 1) / ZFILE_LEAF_BLOCKS;
}

static u32 leaf_blocks(const struct zfile *z, u64 leaf)
{
	return min(z->info.block_count - leaf * ZFILE_LEAF_BLOCKS,
		   (u64)ZFILE_LEAF_BLOCKS);
}

/* Read one leaf and turn it into offsets, each entry checked. */
static int leaf_load(const struct zfile *z, u64 leaf, u64 start, u8 raw[LEAF_BYTES],
		     u64 starts[ZFILE_LEAF_BLOCKS + 1])
{
	u64 at = z->info.index_offset + leaf * LEAF_BYTES;
	u32 smallest = z->info.block_crc ? ZFILE_BLOCK_CRC_BYTES : 0;
	u32 count = leaf_blocks(z, leaf), i;
	int r;

	r = file_read(z->file, raw, count * ZFILE_INDEX_ENTRY_BYTES, z->offset + at);
	if (r)
		return r;
	for (i = 0; i < count; i++) {
		u32 entry = zfile_decode_entry(raw, i);

		if (entry <= smallest || entry > z->info.max_entry_bytes)
			return refuse_at(z, at + i * ZFILE_INDEX_ENTRY_BYTES,
					 "impossible block size in the ZFile index");
		starts[i] = start;
		start += entry;
	}
	starts[count] = start;
	return 0;
}

static void note_sizes(struct zfile *z, const u64 *starts, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		u32 bytes = starts[i + 1] - starts[i];

		z->largest = max(z->largest, bytes);
		z->smallest = z->smallest ? min(z->smallest, bytes) : bytes;
	}
}

static int index_load(struct zfile *z)
{
	u64 starts[ZFILE_LEAF_BLOCKS + 1], leaf, leaves = leaf_count(z);
	u8 raw[LEAF_BYTES];
	u32 crc = 0;
	int r;

	z->anchors = malloc((leaves + 1) * sizeof(*z->anchors));
	if (!z->anchors)
		return fail_memory();
	z->anchors[0] = ZFILE_HEADER_BYTES;
	for (leaf = 0; leaf < leaves; leaf++) {
		u32 count = leaf_blocks(z, leaf);

		r = leaf_load(z, leaf, z->anchors[leaf], raw, starts);
		if (r)
			return r;
		crc = zfile_index_crc(crc, raw, count * ZFILE_INDEX_ENTRY_BYTES);
		note_sizes(z, starts, count);
		z->anchors[leaf + 1] = starts[count];
	}
	if (z->info.has_digest && crc != z->info.index_crc)
		return refuse_at(z, z->info.index_offset, "ZFile index checksum mismatch");
	if (z->anchors[leaves] > z->info.index_offset)
		return refuse_at(z, z->info.index_offset,
				 "ZFile blocks run into the index");
	return 0;
}

/**
 * zfile_open() - read and check a ZFile's header, trailer and index
 * @z: filled in; zfile_close() it whatever the outcome
 * @file: where it is; must stay open
 * @offset: first byte in @file
 * @bytes: exact length
 *
 * Return: 0 or a status.
 */
int zfile_open(struct zfile *z, const struct file *file, u64 offset, u64 bytes)
{
	const char *why;
	int r;

	*z = (struct zfile) { .file = file, .offset = offset, .bytes = bytes };
	if (bytes < 2 * ZFILE_HEADER_BYTES)
		return refuse_at(z, 0, "too short for a ZFile");
	r = file_read(file, z->header, sizeof(z->header), offset);
	if (!r)
		r = file_read(file, z->trailer, sizeof(z->trailer),
			      offset + bytes - sizeof(z->trailer));
	if (r)
		return r;
	if (zfile_decode(z->header, z->trailer, bytes, &z->info, &why)) {
		bool in_trailer = !zfile_header_is_final(z->header) ||
				  strstr(why, "trailer");

		return refuse_at(z, in_trailer ? bytes - sizeof(z->trailer) : 0, why);
	}
	return index_load(z);
}

void zfile_close(struct zfile *z)
{
	free(z->anchors);
	z->anchors = NULL;
}

/* How much a block decompresses to. */
u32 zfile_block_bytes(const struct zfile *z, u64 block)
{
	u64 start = block << z->info.block_shift;

	return min(z->info.original_bytes - start, 1ULL << z->info.block_shift);
}

/* Return: NULL when out of memory. */
struct zfile_reader *zfile_reader_new(void)
{
	struct zfile_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->codec = decompressor_new();
	reader->run = malloc(RUN_BYTES);
	reader->block = malloc(1 << ZFILE_BLOCK_SHIFT_MAX);
	if (!reader->codec || !reader->run || !reader->block) {
		zfile_reader_free(reader);
		return NULL;
	}
	return reader;
}

void zfile_reader_free(struct zfile_reader *reader)
{
	if (!reader)
		return;
	decompressor_free(reader->codec);
	free(reader->run);
	free(reader->block);
	free(reader);
}

/* Have the leaf of a block in the reader. */
static int reader_leaf(const struct zfile *z, struct zfile_reader *reader, u64 block)
{
	u64 leaf = block / ZFILE_LEAF_BLOCKS;
	u8 raw[LEAF_BYTES];
	int r;

	if (reader->leaf_of == z && reader->leaf_number == leaf)
		return 0;
	reader->leaf_of = NULL;
	r = leaf_load(z, leaf, z->anchors[leaf], raw, reader->starts);
	if (r)
		return r;
	if (reader->starts[leaf_blocks(z, leaf)] != z->anchors[leaf + 1])
		return refuse_at(z, z->info.index_offset + leaf * LEAF_BYTES,
				 "ZFile index changed while it was being read");
	reader->leaf_of = z;
	reader->leaf_number = leaf;
	return 0;
}

/* Check and decompress one block that lies in memory. */
static int block_decode(const struct zfile *z, struct zfile_reader *reader, u64 block,
			const u8 *entry, u32 entry_bytes, void *to)
{
	u64 at = reader->starts[block % ZFILE_LEAF_BLOCKS];
	u32 payload = entry_bytes;
	const char *why = NULL;

	if (z->info.block_crc) {
		payload -= ZFILE_BLOCK_CRC_BYTES;
		if (!zfile_block_crc_ok(entry, payload))
			why = "CRC mismatch";
	}
	if (!why && !decompressor_run(reader->codec, z->info.algorithm, to,
				      zfile_block_bytes(z, block), entry, payload))
		why = "does not decompress to its length";
	if (!why)
		return 0;
	return fail(STATUS_REFUSED, "%s: at byte %llu: ZFile block %llu of %llu: %s",
		    z->file->path, z->offset + at, block, z->info.block_count, why);
}

/*
 * Decompress up to @count whole blocks of one leaf, as many as fit the run
 * buffer; at least one does.
 */
static int blocks_decode(const struct zfile *z, struct zfile_reader *reader, u64 block,
			 u64 count, u8 *to, u64 *done)
{
	u32 first = block % ZFILE_LEAF_BLOCKS, n = 1, i;
	const u64 *starts;
	int r;

	r = reader_leaf(z, reader, block);
	if (r)
		return r;
	count = min(count, (u64)leaf_blocks(z, block / ZFILE_LEAF_BLOCKS) - first);
	starts = reader->starts + first;
	while (n < count && starts[n + 1] - starts[0] <= RUN_BYTES)
		n++;
	r = file_read(z->file, reader->run, starts[n] - starts[0], z->offset + starts[0]);
	for (i = 0; !r && i < n; i++)
		r = block_decode(z, reader, block + i,
				 reader->run + (starts[i] - starts[0]),
				 starts[i + 1] - starts[i],
				 to + ((u64)i << z->info.block_shift));
	*done = n;
	return r;
}

/* Have a block decompressed in the reader: only a part of it is wanted. */
static int reader_block(const struct zfile *z, struct zfile_reader *reader, u64 block)
{
	u64 done;
	int r;

	if (reader->block_of == z && reader->block_number == block)
		return 0;
	reader->block_of = NULL;
	r = blocks_decode(z, reader, block, 1, reader->block, &done);
	if (r)
		return r;
	reader->block_of = z;
	reader->block_number = block;
	return 0;
}

/**
 * zfile_read() - read decompressed bytes
 * @z: the ZFile
 * @reader: the calling thread's
 * @buffer: where to
 * @bytes: how many
 * @offset: from where on; the range lies within the content
 *
 * Return: 0 or a status.
 */
int zfile_read(const struct zfile *z, struct zfile_reader *reader, void *buffer,
	       size_t bytes, u64 offset)
{
	u8 *to = buffer;

	while (bytes) {
		u64 block = offset >> z->info.block_shift;
		u64 within = offset - (block << z->info.block_shift);
		u32 length = zfile_block_bytes(z, block);
		size_t part = min(bytes, (size_t)(length - within));
		int r;

		if (part == length) {
			u64 whole = bytes >> z->info.block_shift, done;

			r = blocks_decode(z, reader, block, max(whole, 1ULL), to, &done);
			if (r)
				return r;
			part = min((u64)bytes, done << z->info.block_shift);
		} else {
			r = reader_block(z, reader, block);
			if (r)
				return r;
			memcpy(to, reader->block + within, part);
		}
		to += part;
		offset += part;
		bytes -= part;
	}
	return 0;
}
