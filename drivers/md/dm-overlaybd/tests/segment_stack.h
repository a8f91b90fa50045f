/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random stacks of layers, and a model that paints them sector by sector, for
 * segment_index_kunit.c and for the user-space unit tests.
 *
 * The model knows no segments: it paints the layers, lowest first, on a canvas
 * of units of some sectors each. The canvas lies anywhere on the device; beside
 * it there is nothing.
 */

#ifndef DM_OVERLAYBD_SEGMENT_STACK_H
#define DM_OVERLAYBD_SEGMENT_STACK_H

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/types.h>

#include "../segment-index.h"

#define STACK_UNITS	160
#define STACK_LAYERS	255
#define STACK_SECTORS	BIT_ULL(50)	/* no device is larger */

struct stack_paint {
	bool covered;	/* else it is a hole */
	bool zeroed;
	u8 layer;
	u64 moffset;
};

struct stack_extent {
	u64 start;
	u64 value;
};

struct stack {
	u64 random;
	u64 base;		/* first sector of the canvas */
	u64 scale;		/* sectors of a unit */
	u64 sectors;		/* size of the device */
	unsigned int layers;
	struct stack_paint canvas[STACK_UNITS];
	struct segment_list lists[STACK_LAYERS];
	/* What the index must be: the runs of the canvas, holes around it. */
	size_t extent_count;
	struct stack_extent extents[STACK_UNITS + 3];
	/* For the report of a failure. */
	u64 where;
};

static inline u64 stack_random(struct stack *s)
{
	u64 z = (s->random += 0x9e3779b97f4a7c15ULL);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static inline u32 stack_below(struct stack *s, u32 limit)
{
	return (stack_random(s) >> 32) * limit >> 32;
}

static inline u64 stack_span(const struct stack *s)
{
	return STACK_UNITS * s->scale;
}

/* Where the canvas is and how large the device; often at a limit. */
static inline void stack_choose_place(struct stack *s)
{
	static const u32 scales[] = { 1, 1, 1, 2, 7, 8, 511, 1000 };
	u64 end;

	s->scale = scales[stack_below(s, 8)];
	switch (stack_below(s, 6)) {
	case 0:
		s->base = (1ULL << 32) - stack_below(s, stack_span(s));
		break;
	case 1:
		s->base = STACK_SECTORS - stack_span(s);
		break;
	case 2:
		s->base = stack_random(s) % (STACK_SECTORS - stack_span(s));
		break;
	default:
		s->base = stack_below(s, 2) * stack_below(s, 50);
	}

	end = s->base + stack_span(s);
	switch (stack_below(s, 8)) {
	case 0:		/* ends within the canvas */
	case 1:
		s->sectors = s->base + 1 + stack_below(s, stack_span(s));
		break;
	case 2:		/* all of the canvas lies behind it */
		s->sectors = 1 + stack_random(s) % (s->base + 1);
		break;
	case 3:
		s->sectors = max(end, (u64)U32_MAX);
		break;
	case 4:
		s->sectors = max(end, (u64)U32_MAX + 1);
		break;
	case 5:
		s->sectors = STACK_SECTORS;
		break;
	default:
		s->sectors = end;
	}
}

static inline void stack_choose_layers(struct stack *s)
{
	switch (stack_below(s, 128)) {
	case 0:
		s->layers = STACK_LAYERS;
		break;
	case 1:
		s->layers = 9 + stack_below(s, STACK_LAYERS - 9);
		break;
	default:
		s->layers = 1 + stack_below(s, 8);
	}
}

static inline void stack_paint(struct stack *s, u32 unit, u32 units, u64 moffset,
			       bool zeroed, u8 layer)
{
	u32 i;

	for (i = 0; i < units; i++) {
		s->canvas[unit + i] = (struct stack_paint) {
			.covered = true,
			.zeroed = zeroed,
			.layer = layer,
			.moffset = moffset + i * s->scale,
		};
	}
}

static inline u64 stack_choose_moffset(struct stack *s)
{
	u64 most = SEGMENT_MOFFSET_MASK - STACK_UNITS * 1000;

	switch (stack_below(s, 8)) {
	case 0:
		return most;
	case 1:
		return 8;
	case 2:
		return stack_random(s) % most;
	default:
		return 8 + stack_below(s, 100000);
	}
}

/* One layer: its segments, and the same on the canvas. */
static inline int stack_add_layer(struct stack *s, u8 layer)
{
	struct segment_list *list = &s->lists[layer];
	u32 longest = min(1 + stack_below(s, 40), 16383 / (u32)s->scale);
	u32 widest_gap = 1 + stack_below(s, 40);
	u32 zeroed_of_8 = stack_below(s, 8);
	u64 moffset = stack_choose_moffset(s);
	u32 unit = 0;
	int r;

	if (!stack_below(s, 8))
		return segment_list_init(list, 0);
	r = segment_list_init(list, STACK_UNITS);
	if (r)
		return r;
	for (;;) {
		u32 units = 1 + stack_below(s, longest);
		bool zeroed = stack_below(s, 8) < zeroed_of_8;

		if (stack_below(s, 2))
			unit += stack_below(s, widest_gap);
		if (unit >= STACK_UNITS)
			return 0;
		units = min(units, STACK_UNITS - unit);
		/* Often the data continues what is before it. */
		if (!stack_below(s, 4))
			moffset = stack_choose_moffset(s);
		segment_list_add(list, s->base + unit * s->scale, units * s->scale,
				 moffset, zeroed, layer);
		stack_paint(s, unit, units, moffset, zeroed, layer);
		unit += units;
		moffset += units * s->scale;
	}
}

/* Note that from @start on it reads like @value, unless that goes on as before. */
static inline void stack_add_extent(struct stack *s, u64 start, u64 value)
{
	const struct stack_extent *last;

	if (start >= s->sectors)
		return;
	if (s->extent_count) {
		last = &s->extents[s->extent_count - 1];
		if (value == SEGMENT_ZEROED && last->value == SEGMENT_ZEROED)
			return;
		if (value != SEGMENT_ZEROED && last->value != SEGMENT_ZEROED &&
		    value - last->value == start - last->start &&
		    value >> SEGMENT_LAYER_SHIFT ==
		    last->value >> SEGMENT_LAYER_SHIFT)
			return;
	}
	s->extents[s->extent_count++] = (struct stack_extent) { start, value };
}

static inline void stack_expect(struct stack *s)
{
	u32 unit;

	s->extent_count = 0;
	if (s->base)
		stack_add_extent(s, 0, SEGMENT_ZEROED);
	for (unit = 0; unit < STACK_UNITS; unit++) {
		const struct stack_paint *p = &s->canvas[unit];
		u64 value = p->moffset | (u64)p->layer << SEGMENT_LAYER_SHIFT;

		if (!p->covered || p->zeroed)
			value = SEGMENT_ZEROED;
		stack_add_extent(s, s->base + unit * s->scale, value);
	}
	stack_add_extent(s, s->base + stack_span(s), SEGMENT_ZEROED);
}

static inline void stack_destroy(struct stack *s)
{
	unsigned int i;

	for (i = 0; i < STACK_LAYERS; i++)
		segment_list_destroy(&s->lists[i]);
}

/* Make a stack; @s is all zero or was used before. Return: 0 or -ENOMEM. */
static inline int stack_make(struct stack *s, u64 seed)
{
	unsigned int i;
	int r;

	stack_destroy(s);
	s->random = seed;
	memset(s->canvas, 0, sizeof(s->canvas));
	stack_choose_place(s);
	stack_choose_layers(s);
	for (i = 0; i < s->layers; i++) {
		r = stack_add_layer(s, i);
		if (r)
			return r;
	}
	stack_expect(s);
	return 0;
}

/*
 * Merge all, half of the time in two parts of which each is merged before. The
 * result is in lists[0].
 */
static inline int stack_merge(struct stack *s, const char **error)
{
	unsigned int cut = stack_below(s, s->layers);
	struct segment_list parts[2];
	int r;

	if (!cut || stack_below(s, 2))
		return segment_lists_merge(s->lists, s->layers, error);
	r = segment_lists_merge(s->lists, cut, error);
	if (r)
		return r;
	r = segment_lists_merge(s->lists + cut, s->layers - cut, error);
	if (r)
		return r;
	parts[0] = s->lists[0];
	parts[1] = s->lists[cut];
	r = segment_lists_merge(parts, 2, error);
	s->lists[0] = parts[0];
	s->lists[cut] = parts[1];
	return r;
}

/* Compare one merged segment with the canvas. */
static inline const char *stack_check_segment(struct stack *s, u64 start, u64 end,
					      u64 value)
{
	u64 first = start - s->base, last = end - s->base, unit;

	if (start < s->base || first % s->scale || last % s->scale ||
	    last > stack_span(s))
		return "a merged segment is where no layer has an edge";
	for (unit = first / s->scale; unit < last / s->scale; unit++) {
		const struct stack_paint *p = &s->canvas[unit];

		s->where = s->base + unit * s->scale;
		if (!p->covered)
			return "a merged segment covers a hole";
		if (p->zeroed != !!(value & SEGMENT_ZEROED))
			return "data and zeroed are mixed up in the merged list";
		if (p->layer != value >> SEGMENT_LAYER_SHIFT)
			return "a merged segment is of the wrong layer";
		if (p->zeroed && value & SEGMENT_MOFFSET_MASK)
			return "a merged segment is zeroed but has data";
		if (!p->zeroed && p->moffset != (value & SEGMENT_MOFFSET_MASK) +
						s->where - start)
			return "a merged segment has the wrong data";
	}
	return NULL;
}

/* Compare the merged list with the canvas. Return: NULL or what is wrong. */
static inline const char *stack_check_list(struct stack *s)
{
	const struct segment_list *list = &s->lists[0];
	u64 end = 0, covered = 0, painted = 0;
	const char *problem;
	size_t i;

	for (i = 0; i < list->count; i++) {
		u64 start = list->segments[i].span >> 14;
		u64 length = list->segments[i].span & 16383;

		s->where = start;
		if (start < end || !length)
			return "merged segments overlap or are empty";
		end = start + length;
		covered += length;
		problem = stack_check_segment(s, start, end, list->segments[i].value);
		if (problem)
			return problem;
	}
	for (i = 0; i < STACK_UNITS; i++)
		painted += s->canvas[i].covered ? s->scale : 0;
	s->where = painted;
	if (covered != painted)
		return "the merged list has lost segments";
	for (i = 1; i < s->layers; i++) {
		if (s->lists[i].count || s->lists[i].segments)
			return "a list is left over from merging";
	}
	return NULL;
}

static inline const char *stack_check_lookup(struct stack *s,
					     const struct segment_index *index,
					     u64 sector, size_t extent)
{
	const struct stack_extent *e = &s->extents[extent];
	u64 end = extent + 1 < s->extent_count ? e[1].start : s->sectors;
	bool zeroed = e->value == SEGMENT_ZEROED;
	struct segment_extent found;

	memset(&found, 0x5a, sizeof(found));
	segment_index_lookup(index, sector, &found);
	s->where = sector;
	if (found.sectors != end - sector)
		return "lookup: wrong length";
	if (found.zeroed != zeroed)
		return "lookup: data and zeros are mixed up";
	if (found.zeroed)
		return NULL;
	if (found.layer != e->value >> SEGMENT_LAYER_SHIFT)
		return "lookup: wrong layer";
	if (found.moffset != (e->value & SEGMENT_MOFFSET_MASK) + sector - e->start)
		return "lookup: wrong data";
	return NULL;
}

/* At both ends of an extent, one sector beside them, and somewhere within. */
static inline const char *stack_check_lookups(struct stack *s,
					      const struct segment_index *index)
{
	size_t i;

	for (i = 0; i < s->extent_count; i++) {
		u64 start = s->extents[i].start;
		u64 end = i + 1 < s->extent_count ? s->extents[i + 1].start :
						    s->sectors;
		u64 at[] = { start, min(start + 1, end - 1), end - 1,
			     max(end - 1, start + 1) - 1,
			     start + stack_random(s) % (end - start) };
		unsigned int k;

		for (k = 0; k < 5; k++) {
			const char *problem = stack_check_lookup(s, index, at[k], i);

			if (problem)
				return problem;
		}
	}
	return NULL;
}

/* Compare the index with the runs of the canvas. */
static inline const char *stack_check_index(struct stack *s,
					    const struct segment_index *index)
{
	bool wide = s->sectors > U32_MAX;
	size_t i;

	s->where = index->count;
	if (index->sectors != s->sectors)
		return "the index has the wrong size";
	if (index->count != s->extent_count)
		return "neighbours are not coalesced, or too much is";
	if (!index->starts32 != wide || !index->starts64 == wide)
		return "the index has the wrong width";
	if (segment_index_bytes(index) !=
	    (index->count + 1) * (wide ? 8 : 4) + index->count * 8)
		return "the index tells the wrong size in memory";
	for (i = 0; i <= index->count; i++) {
		u64 start = wide ? index->starts64[i] : index->starts32[i];

		s->where = start;
		if (start != (i < index->count ? s->extents[i].start : s->sectors))
			return "an extent has the wrong start";
		if (i < index->count && index->values[i] != s->extents[i].value)
			return "an extent has the wrong value";
	}
	return stack_check_lookups(s, index);
}

/*
 * Make the random stack of a seed, merge it, pack it and compare all with the
 * model. Return: NULL, or what is wrong and in @s where.
 */
static inline const char *stack_try(struct stack *s, u64 seed)
{
	struct segment_index index;
	const char *problem = "no reason given";

	if (stack_make(s, seed))
		return "out of memory";
	if (stack_merge(s, &problem))
		return problem;
	problem = stack_check_list(s);
	if (problem)
		return problem;
	problem = "no reason given";
	if (!segment_index_init(&index, &s->lists[0], s->sectors, &problem))
		problem = stack_check_index(s, &index);
	segment_index_destroy(&index);
	return problem;
}

#endif /* DM_OVERLAYBD_SEGMENT_STACK_H */
