// SPDX-License-Identifier: GPL-2.0
/* Making an LSMT layer, see lsmt-write.h. */

#include <stdlib.h>
#include <string.h>

#include <linux/minmax.h>

#include "lsmt-write.h"
#include "message.h"
#include "units.h"

/* With padding to whole units no more than LSMT_MAX_MAPPINGS. */
#define MAPPINGS_MAX	(LSMT_MAX_MAPPINGS / LSMT_PADDING_UNIT * LSMT_PADDING_UNIT)

enum stage {
	STAGE_HEADER,
	STAGE_DATA,
	STAGE_INDEX,
	STAGE_TRAILER,
	STAGE_END,
};

/* A mapping of any length, to be cut into those that can be written. */
struct run {
	u64 start;
	u64 length;
	u64 moffset;
	bool zeroed;
};

/**
 * struct lsmt_writer - a layer being made
 * @stream: what the bytes are read from
 * @source: where the data comes from
 * @labels: for header and trailer
 * @stage: which part of the file comes next
 * @memory: what of @block or @index is to be handed out next
 * @memory_left: how much of it
 * @block: header or trailer
 * @index: encoded mappings
 * @count: how many
 * @room: for how many
 * @run: the last mapping, which may still grow
 * @extent: what of the last extent's data is to be read next
 * @data_end: sector of the file where the next data goes
 */
struct lsmt_writer {
	struct stream stream;
	struct lsmt_source *source;
	const struct lsmt_labels *labels;
	enum stage stage;
	const u8 *memory;
	size_t memory_left;
	u8 block[LSMT_HEADER_BYTES];
	u8 *index;
	u32 count;
	u32 room;
	struct run run;
	struct lsmt_extent extent;
	u64 data_end;
};

/* Make room for one more mapping; NULL with *r set. */
static u8 *new_mapping(struct lsmt_writer *w, int *r)
{
	if (w->count == w->room) {
		u32 room = w->room ? 2 * w->room : LSMT_PADDING_UNIT;
		u8 *index = realloc(w->index, (size_t)room * LSMT_MAPPING_BYTES);

		if (!index) {
			*r = fail_memory();
			return NULL;
		}
		w->index = index;
		w->room = room;
	}
	return w->index + (size_t)w->count++ * LSMT_MAPPING_BYTES;
}

/* The run is complete: cut it into mappings. */
static int flush_run(struct lsmt_writer *w)
{
	struct run *run = &w->run;
	int r = 0;

	while (run->length) {
		struct lsmt_mapping m = {
			.offset = run->start,
			.moffset = run->moffset,
			.length = min(run->length, (u64)LSMT_WRITE_LENGTH),
			.zeroed = run->zeroed,
		};
		u8 *bytes;

		if (w->count == MAPPINGS_MAX)
			return fail(STATUS_USAGE,
				    "too fragmented: a layer has at most %u segments",
				    MAPPINGS_MAX);
		bytes = new_mapping(w, &r);
		if (!bytes)
			return r;
		lsmt_encode_mapping(bytes, &m);
		run->start += m.length;
		run->length -= m.length;
		if (!run->zeroed)
			run->moffset += m.length;
	}
	return 0;
}

/* Append to the run, or begin a new one. */
static int add_extent(struct lsmt_writer *w, const struct lsmt_extent *e)
{
	struct run *run = &w->run;
	int r = 0;

	if (run->length && run->zeroed == e->zeroed &&
	    run->start + run->length == e->start) {
		run->length += e->length;
	} else {
		r = flush_run(w);
		*run = (struct run) { e->start, e->length, w->data_end, e->zeroed };
	}
	if (!e->zeroed)
		w->data_end += e->length;
	return r;
}

static void begin_memory(struct lsmt_writer *w, enum stage stage, const void *bytes,
			 size_t count)
{
	w->stage = stage;
	w->memory = bytes;
	w->memory_left = count;
}

/* All data is copied: what is in the index is final now. */
static int begin_index(struct lsmt_writer *w)
{
	int r = flush_run(w);

	while (!r && w->count % LSMT_PADDING_UNIT) {
		u8 *bytes = new_mapping(w, &r);

		if (bytes)
			lsmt_encode_padding(bytes);
	}
	begin_memory(w, STAGE_INDEX, w->index, (size_t)w->count * LSMT_MAPPING_BYTES);
	return r;
}

static void begin_trailer(struct lsmt_writer *w)
{
	struct lsmt_info info = {
		.index_offset = w->data_end << SECTOR_SHIFT,
		.mapping_count = w->count,
		.virtual_bytes = w->source->virtual_bytes,
	};

	lsmt_encode_trailer(w->block, &info, w->labels);
	begin_memory(w, STAGE_TRAILER, w->block, sizeof(w->block));
}

/* Hand out what is in memory; at its end the next stage begins. */
static size_t copy_memory(struct lsmt_writer *w, void *buffer, size_t bytes)
{
	size_t part = min(bytes, w->memory_left);

	if (part)
		memcpy(buffer, w->memory, part);
	w->memory += part;
	w->memory_left -= part;
	if (!w->memory_left) {
		if (w->stage == STAGE_HEADER)
			w->stage = STAGE_DATA;
		else if (w->stage == STAGE_INDEX)
			begin_trailer(w);
		else
			w->stage = STAGE_END;
	}
	return part;
}

/* Hand out data of the current extent, or get the next one. */
static int copy_data(struct lsmt_writer *w, void *buffer, size_t bytes, size_t *part)
{
	struct lsmt_extent *e = &w->extent;
	u64 sectors;
	int r;

	*part = 0;
	if (!e->length) {
		r = w->source->next(w->source, e);
		if (r)
			return r;
		if (!e->length)
			return begin_index(w);
		r = add_extent(w, e);
		if (e->zeroed)
			e->length = 0;
		return r;
	}
	sectors = min(e->length, (u64)bytes >> SECTOR_SHIFT);
	r = w->source->read(w->source, buffer, e->start, sectors);
	e->start += sectors;
	e->length -= sectors;
	*part = sectors << SECTOR_SHIFT;
	return r;
}

/* @bytes is a multiple of a sector. */
static int lsmt_stream_read(struct stream *stream, void *buffer, size_t bytes, size_t *got)
{
	struct lsmt_writer *w = (struct lsmt_writer *)stream;
	int r = 0;

	*got = 0;
	while (!r && *got < bytes && w->stage != STAGE_END) {
		u8 *to = (u8 *)buffer + *got;
		size_t part;

		if (w->stage == STAGE_DATA)
			r = copy_data(w, to, bytes - *got, &part);
		else
			part = copy_memory(w, to, bytes - *got);
		*got += part;
	}
	stream->done = w->source->done;
	return r;
}

/**
 * lsmt_writer_new() - begin a layer
 * @writer: set; lsmt_writer_free() it whatever the outcome
 * @source: what goes into it; its size is final
 * @labels: for header and trailer
 *
 * Return: 0 or a status.
 */
int lsmt_writer_new(struct lsmt_writer **writer, struct lsmt_source *source,
		    const struct lsmt_labels *labels)
{
	struct lsmt_writer *w = calloc(1, sizeof(*w));

	*writer = w;
	if (!w)
		return fail_memory();
	w->stream.read = lsmt_stream_read;
	w->stream.total = source->total;
	w->source = source;
	w->labels = labels;
	w->data_end = LSMT_HEADER_BYTES >> SECTOR_SHIFT;
	lsmt_encode_header(w->block, source->virtual_bytes, labels);
	begin_memory(w, STAGE_HEADER, w->block, sizeof(w->block));
	return 0;
}

void lsmt_writer_free(struct lsmt_writer *writer)
{
	if (!writer)
		return;
	free(writer->index);
	free(writer);
}

struct stream *lsmt_writer_stream(struct lsmt_writer *writer)
{
	return &writer->stream;
}
