// SPDX-License-Identifier: GPL-2.0
/*
 * The strictest validator, see check.h. Opening an image has checked headers,
 * trailers, digests and the ZFile index; what is left is what a reader need not
 * look at, the segments, and all the data.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/minmax.h>

#include "check.h"
#include "disk.h"
#include "message.h"
#include "progress.h"
#include "view.h"

static int PRINTF_LIKE(2, 3) odd(struct check_result *result, const char *format, ...)
{
	char **warnings = realloc(result->warnings,
				  (result->warning_count + 1) * sizeof(*warnings));
	va_list args;
	int n;

	if (!warnings)
		return fail_memory();
	result->warnings = warnings;
	va_start(args, format);
	n = vasprintf(&warnings[result->warning_count], format, args);
	va_end(args);
	if (n < 0)
		return fail_memory();
	result->warning_count++;
	return 0;
}

void check_result_destroy(struct check_result *result)
{
	while (result->warning_count)
		free(result->warnings[--result->warning_count]);
	free(result->warnings);
	result->warnings = NULL;
}

/* The reader took the header: the trailer has to be good and to agree. */
static int check_unused_trailer(const struct layer *layer)
{
	const struct zfile *z = &layer->zfile;
	u64 at = z->offset + z->bytes - ZFILE_HEADER_BYTES;
	u8 header[ZFILE_HEADER_BYTES] __attribute__((aligned(8)));
	struct zfile_info info;
	const char *why;

	/* A header that is not final makes zfile_decode() use the trailer. */
	zfile_encode(header, ZFILE_FIRST_HEADER, &z->info);
	if (zfile_decode(header, z->trailer, z->bytes, &info, &why))
		return fail(STATUS_REFUSED, "%s: at byte %llu: %s", layer->path, at, why);
	if (!zfile_parts_agree(z->header, z->trailer))
		return fail(STATUS_REFUSED,
			    "%s: at byte %llu: ZFile trailer and header disagree",
			    layer->path, at);
	return 0;
}

static int check_zfile(const struct layer *layer, struct check_result *result)
{
	const struct zfile *z = &layer->zfile;
	u64 leaves = (z->info.block_count + ZFILE_LEAF_BLOCKS - 1) / ZFILE_LEAF_BLOCKS;
	u64 blocks_end = z->anchors[leaves];
	u64 index_end = z->info.index_offset + z->info.block_count * ZFILE_INDEX_ENTRY_BYTES;
	struct zfile_fields header, trailer;
	int r = 0;

	if (z->info.header_is_final)
		r = check_unused_trailer(layer);
	if (!r && blocks_end != z->info.index_offset)
		r = odd(result, "%s: %llu unused bytes before the ZFile index at byte %llu",
			layer->path, z->info.index_offset - blocks_end,
			z->offset + blocks_end);
	if (!r && index_end != z->bytes - ZFILE_HEADER_BYTES)
		r = odd(result, "%s: %llu unused bytes behind the ZFile index at byte %llu",
			layer->path, z->bytes - ZFILE_HEADER_BYTES - index_end,
			z->offset + index_end);
	zfile_read_fields(z->header, &header);
	zfile_read_fields(z->trailer, &trailer);
	if (!r && z->info.has_digest && (header.reserved_used || trailer.reserved_used))
		r = odd(result, "%s: reserved bytes of ZFile header or trailer are not zero",
			layer->path);
	if (!r && !z->info.block_crc)
		r = odd(result, "%s: no block CRCs: only damage that does not decode is found",
			layer->path);
	return r;
}

static int check_lsmt(const struct layer *layer, struct check_result *result)
{
	struct lsmt_fields header, trailer;
	int r = 0;

	lsmt_read_fields(layer->header, &header);
	lsmt_read_fields(layer->trailer, &trailer);
	if (header.virtual_size != trailer.virtual_size ||
	    memcmp(&header.labels, &trailer.labels, sizeof(header.labels)))
		r = odd(result, "%s: LSMT header and trailer disagree", layer->path);
	if (!r && (trailer.version != 1 || trailer.sub_version != 1))
		r = odd(result, "%s: LSMT version %u.%u, 1.1 is expected", layer->path,
			trailer.version, trailer.sub_version);
	if (!r && (header.reserved_used || trailer.reserved_used))
		r = odd(result, "%s: reserved bytes of LSMT header or trailer are not zero",
			layer->path);
	return r;
}

/* Behind the payload of a tar blob there are zeros only. */
static int check_tar(const struct layer *layer, struct check_result *result)
{
	u64 at = layer->offset + layer->bytes;
	u8 buffer[4096];

	while (at < layer->file.bytes) {
		size_t part = min(layer->file.bytes - at, (u64)sizeof(buffer));
		int r = file_read(&layer->file, buffer, part, at);

		if (r)
			return r;
		if (!is_zero(buffer, part))
			return odd(result, "%s: bytes behind the tar member from byte %llu on",
				   layer->path, at);
		at += part;
	}
	return 0;
}

/**
 * struct scan - reading all of a layer
 * @layer: which
 * @at: next byte of the content
 * @buffers: one per thread
 */
struct scan {
	const struct layer *layer;
	u64 at;
	u64 done_before;
	struct readers readers;
	u8 *buffers[PIPELINE_MAX_THREADS];
};

struct range {
	u64 offset;
	size_t bytes;
};

static int produce(void *context, void *item)
{
	struct scan *s = context;
	struct range *range = item;

	if (s->at == s->layer->content_bytes)
		return PIPELINE_END;
	progress_set(s->done_before + s->at);
	range->offset = s->at;
	range->bytes = min(s->layer->content_bytes - s->at, (u64)VIEW_CHUNK_BYTES);
	s->at += range->bytes;
	return 0;
}

static int work(void *context, unsigned int worker, void *item)
{
	struct scan *s = context;
	struct range *range = item;

	return layer_read(s->layer, s->readers.of[worker], s->buffers[worker],
			  range->bytes, range->offset);
}

static int consume(void *context, void *item)
{
	(void)context;
	(void)item;
	return 0;
}

static int scan_layer(struct scan *s, const struct layer *layer, unsigned int threads)
{
	struct range ranges[2 * PIPELINE_MAX_THREADS + 1];
	const struct pipeline pipeline = {
		.context = s,
		.produce = produce,
		.work = work,
		.consume = consume,
		.items = ranges,
		.item_bytes = sizeof(*ranges),
		.item_count = pipeline_items(threads),
		.threads = threads,
	};
	int r;

	s->layer = layer;
	s->at = 0;
	r = pipeline_run(&pipeline);
	s->done_before += layer->content_bytes;
	return r;
}

static int scan_init(struct scan *s, unsigned int threads)
{
	unsigned int i;
	int r;

	memset(s, 0, sizeof(*s));
	r = readers_init(&s->readers, threads);
	for (i = 0; !r && i < threads; i++) {
		s->buffers[i] = malloc(VIEW_CHUNK_BYTES);
		if (!s->buffers[i])
			r = fail_memory();
	}
	return r;
}

static void scan_destroy(struct scan *s)
{
	unsigned int i;

	for (i = 0; i < PIPELINE_MAX_THREADS; i++)
		free(s->buffers[i]);
	readers_destroy(&s->readers);
}

static int check_metadata(const struct image *image, struct check_result *result)
{
	struct view view;
	unsigned int i;
	int r = 0;

	for (i = 0; !r && i < image->count; i++) {
		const struct layer *layer = &image->layers[i];

		if (layer->is_zfile)
			r = check_zfile(layer, result);
		if (!r && layer->is_lsmt)
			r = check_lsmt(layer, result);
		if (!r && layer->in_tar)
			r = check_tar(layer, result);
	}
	if (r || image_is_payload(image))
		return r;
	/* No reader cares, so it is no error. */
	for (i = 1; !r && i < image->count; i++)
		if (!image_is_chained(image, i))
			r = odd(result, IMAGE_NOT_CHAINED, image->layers[i].path);
	if (r)
		return r;
	r = view_init(&view, image);
	for (i = 0; !r && i < image->count; i++)
		result->segments += view.stack.statistics[i].data +
				    view.stack.statistics[i].zeroed;
	view_destroy(&view);
	return r;
}

static int check_data(const struct image *image, unsigned int threads,
		      struct check_result *result)
{
	struct scan scan;
	u64 total = 0;
	unsigned int i;
	int r = scan_init(&scan, threads);

	for (i = 0; i < image->count; i++)
		total += image->layers[i].content_bytes;
	progress_begin(total);
	for (i = 0; !r && i < image->count; i++) {
		const struct layer *layer = &image->layers[i];

		r = scan_layer(&scan, layer, threads);
		result->bytes += layer->content_bytes;
		if (layer->is_zfile)
			result->blocks += layer->zfile.info.block_count;
	}
	progress_end();
	scan_destroy(&scan);
	return r;
}

/**
 * check_image() - check an open image
 * @image: the image
 * @quick: only the metadata, not the data
 * @threads: how many
 * @result: filled in; check_result_destroy() it whatever the outcome
 *
 * Return: 0; or a status, and the failure says what is wrong first.
 */
int check_image(const struct image *image, bool quick, unsigned int threads,
		struct check_result *result)
{
	int r;

	memset(result, 0, sizeof(*result));
	r = check_metadata(image, result);
	if (!r && !quick)
		r = check_data(image, threads, result);
	return r;
}
