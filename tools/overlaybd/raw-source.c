// SPDX-License-Identifier: GPL-2.0
/* What a raw image, or the difference of two, puts into a layer. */

#include <stdlib.h>
#include <string.h>

#include <linux/minmax.h>

#include "message.h"
#include "raw-source.h"
#include "units.h"

/* What is looked at as a whole: most file systems have blocks of this size. */
#define UNIT_BYTES	4096
#define WINDOW_UNITS	64
#define WINDOW_BYTES	(WINDOW_UNITS * UNIT_BYTES)

enum kind {
	KIND_NONE,	/* the layer says nothing */
	KIND_DATA,
	KIND_ZEROED,
};

/**
 * struct raw_source - where the walk through the images is
 * @lsmt: what lsmt-write.c sees
 * @new: the image
 * @old: what it differs from, NULL: from nothing, a hole everywhere
 * @zero_detect: data that is all zeros counts as a hole
 * @at: first byte not yet handed out
 * @window_end: up to where @kinds says what is there
 * @window_start: from where on
 * @kinds: one per unit
 * @new_bytes: the window of @new
 * @old_bytes: the window of @old
 */
struct raw_source {
	struct lsmt_source lsmt;
	struct raw *new;
	struct raw *old;
	bool zero_detect;
	u64 at;
	u64 window_start;
	u64 window_end;
	enum kind kinds[WINDOW_UNITS];
	u8 new_bytes[WINDOW_BYTES];
	u8 old_bytes[WINDOW_BYTES];
};

/* The sectors of the device, up to which both images are looked at. */
static u64 source_end(const struct raw_source *s)
{
	return round_up_to(s->lsmt.virtual_bytes, SECTOR_BYTES);
}

static enum kind classify(struct raw_source *s, u64 start, u32 within, u32 bytes)
{
	bool hole = raw_is_hole(s->new, start, start + bytes);
	const u8 *new = s->new_bytes + within;

	if (!s->old) {
		if (hole || (s->zero_detect && is_zero(new, bytes)))
			return KIND_NONE;
		return KIND_DATA;
	}
	if (!memcmp(new, s->old_bytes + within, bytes))
		return KIND_NONE;
	if (hole || (s->zero_detect && is_zero(new, bytes)))
		return KIND_ZEROED;
	return KIND_DATA;
}

/* How far both images are holes from here on, in whole units. */
static u64 skip_holes(struct raw_source *s, u64 at)
{
	u64 end = source_end(s), data;

	if (!raw_is_hole(s->new, at, at + UNIT_BYTES))
		return at;
	data = s->new->data_start;
	if (s->old) {
		if (!raw_is_hole(s->old, at, at + UNIT_BYTES))
			return at;
		data = min(data, s->old->data_start);
	}
	return min(data / UNIT_BYTES * UNIT_BYTES, end);
}

static int read_window(struct raw_source *s, size_t bytes)
{
	int r = 0;

	/* Without anything to compare with, holes are all that matters. */
	if (s->old || s->zero_detect)
		r = raw_read(s->new, s->new_bytes, bytes, s->window_start);
	if (!r && s->old)
		r = raw_read(s->old, s->old_bytes, bytes, s->window_start);
	return r;
}

static int load_window(struct raw_source *s)
{
	u64 end = source_end(s);
	size_t bytes, within;
	int r;

	s->at = skip_holes(s, s->at);
	s->window_start = s->at;
	bytes = min(end - s->at, (u64)WINDOW_BYTES);
	s->window_end = s->at + bytes;
	r = read_window(s, bytes);
	for (within = 0; !r && within < bytes; within += UNIT_BYTES)
		s->kinds[within / UNIT_BYTES] =
			classify(s, s->window_start + within, within,
				 min(bytes - within, (size_t)UNIT_BYTES));
	return r;
}

/* Hand out what is alike within the window; the writer joins neighbours. */
static void take_extent(struct raw_source *s, struct lsmt_extent *extent)
{
	u64 start = s->at;
	enum kind kind = s->kinds[(start - s->window_start) / UNIT_BYTES];

	while (s->at < s->window_end &&
	       s->kinds[(s->at - s->window_start) / UNIT_BYTES] == kind)
		s->at = min(s->at + UNIT_BYTES, s->window_end);
	if (kind == KIND_NONE)
		return;
	extent->start = start >> SECTOR_SHIFT;
	extent->length = (s->at - start) >> SECTOR_SHIFT;
	extent->zeroed = kind == KIND_ZEROED;
}

static int raw_next(struct lsmt_source *lsmt, struct lsmt_extent *extent)
{
	struct raw_source *s = (struct raw_source *)lsmt;
	u64 end = source_end(s);
	int r;

	extent->length = 0;
	while (!extent->length && s->at < end) {
		if (s->at >= s->window_end) {
			r = load_window(s);
			if (r)
				return r;
		}
		if (s->at < s->window_end)
			take_extent(s, extent);
	}
	lsmt->done = s->at;
	return 0;
}

static int raw_source_read(struct lsmt_source *lsmt, void *buffer, u64 sector, u64 sectors)
{
	struct raw_source *s = (struct raw_source *)lsmt;

	return raw_read(s->new, buffer, sectors << SECTOR_SHIFT, sector << SECTOR_SHIFT);
}

/**
 * raw_source_new() - make a layer's content of raw images
 * @source: set; raw_source_free() it whatever the outcome
 * @new: the image
 * @old: what it differs from; NULL: all of @new but its holes
 * @virtual_bytes: size of the device, at least that of @new
 * @zero_detect: data that is all zeros counts as a hole
 *
 * Where @old has data and @new a hole the layer gets a zeroed segment.
 *
 * Return: 0 or a status.
 */
int raw_source_new(struct raw_source **source, struct raw *new, struct raw *old,
		   u64 virtual_bytes, bool zero_detect)
{
	struct raw_source *s = calloc(1, sizeof(*s));

	*source = s;
	if (!s)
		return fail_memory();
	s->lsmt = (struct lsmt_source) {
		.virtual_bytes = virtual_bytes,
		.total = virtual_bytes,
		.next = raw_next,
		.read = raw_source_read,
	};
	s->new = new;
	s->old = old;
	s->zero_detect = zero_detect;
	return 0;
}

void raw_source_free(struct raw_source *source)
{
	free(source);
}

struct lsmt_source *raw_source_lsmt(struct raw_source *source)
{
	return &source->lsmt;
}
