// SPDX-License-Identifier: GPL-2.0
/* What existing images put into a new layer, see image-source.h. */

#include <string.h>

#include <linux/minmax.h>

#include "image-source.h"
#include "units.h"

static int segment_next(struct lsmt_source *lsmt, struct lsmt_extent *extent)
{
	struct segment_source *s = (struct segment_source *)lsmt;
	const struct segment *segment;

	extent->length = 0;
	if (s->next == s->stack->merged.count)
		return 0;
	segment = &s->stack->merged.segments[s->next++];
	extent->start = segment_start(segment);
	extent->length = segment_end(segment) - extent->start;
	extent->zeroed = segment_is_zeroed(segment);
	lsmt->done = extent->start << SECTOR_SHIFT;
	return 0;
}

static int segment_read(struct lsmt_source *lsmt, void *buffer, u64 sector, u64 sectors)
{
	struct segment_source *s = (struct segment_source *)lsmt;

	return stack_read(s->stack, s->reader, buffer, sector, sectors);
}

/**
 * segment_source_init() - merge layers into one
 * @source: filled in
 * @stack: made with sectors 0, so that all segments can be read
 * @reader: used by one thread at a time
 * @virtual_bytes: what the new layer shall say
 *
 * Zeroed segments are kept: what is below these layers is not known.
 */
void segment_source_init(struct segment_source *source, const struct stack *stack,
			 struct zfile_reader *reader, u64 virtual_bytes)
{
	*source = (struct segment_source) {
		.lsmt = {
			.virtual_bytes = virtual_bytes,
			.total = stack->end << SECTOR_SHIFT,
			.next = segment_next,
			.read = segment_read,
		},
		.stack = stack,
		.reader = reader,
	};
}

static int payload_next(struct lsmt_source *lsmt, struct lsmt_extent *extent)
{
	u64 sectors = lsmt->virtual_bytes >> SECTOR_SHIFT;

	*extent = (struct lsmt_extent) { .length = lsmt->done ? 0 : sectors };
	return 0;
}

static int payload_read(struct lsmt_source *lsmt, void *buffer, u64 sector, u64 sectors)
{
	struct payload_source *s = (struct payload_source *)lsmt;
	u64 offset = sector << SECTOR_SHIFT;
	size_t bytes = sectors << SECTOR_SHIFT;
	size_t there = min((u64)bytes, s->view->bytes - offset);

	lsmt->done = offset + bytes;
	memset((u8 *)buffer + there, 0, bytes - there);
	return view_read(s->view, s->reader, buffer, there, offset);
}

/* A payload becomes a layer; its last sector is completed with zeros. */
void payload_source_init(struct payload_source *source, const struct view *view,
			 struct zfile_reader *reader)
{
	u64 bytes = round_up_to(view->bytes, SECTOR_BYTES);

	*source = (struct payload_source) {
		.lsmt = {
			.virtual_bytes = bytes,
			.total = bytes,
			.next = payload_next,
			.read = payload_read,
		},
		.view = view,
		.reader = reader,
	};
}

static int view_stream_read(struct stream *stream, void *buffer, size_t bytes, size_t *got)
{
	struct view_stream *s = (struct view_stream *)stream;
	int r;

	*got = min((u64)bytes, stream->total - stream->done);
	r = view_read(s->view, s->reader, buffer, *got, stream->done);
	stream->done += *got;
	return r;
}

/* Read all of a view. */
void view_stream_init(struct view_stream *stream, const struct view *view,
		      struct zfile_reader *reader)
{
	*stream = (struct view_stream) {
		.stream = { .read = view_stream_read, .total = view->bytes },
		.view = view,
		.reader = reader,
	};
}

static int layer_stream_read(struct stream *stream, void *buffer, size_t bytes, size_t *got)
{
	struct layer_stream *s = (struct layer_stream *)stream;
	int r;

	*got = min((u64)bytes, stream->total - stream->done);
	r = layer_read(s->layer, s->reader, buffer, *got, stream->done);
	stream->done += *got;
	return r;
}

/* Read all of the LSMT file or payload that a layer is. */
void layer_stream_init(struct layer_stream *stream, const struct layer *layer,
		       struct zfile_reader *reader)
{
	*stream = (struct layer_stream) {
		.stream = { .read = layer_stream_read, .total = layer->content_bytes },
		.layer = layer,
		.reader = reader,
	};
}
