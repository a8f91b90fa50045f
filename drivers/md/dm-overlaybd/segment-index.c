// SPDX-License-Identifier: GPL-2.0
/*
 * The segment map of a stack of layers: merging and lookup, see
 * segment-index.h.
 */

#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "exact-alloc.h"
#include "segment-index.h"

/* Loops over segments look this often at whether they should stop or yield. */
#define SEGMENTS_PER_BREATH	8192

static int breathe(size_t i)
{
	if (i % SEGMENTS_PER_BREATH)
		return 0;
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/**
 * segment_list_init() - make an empty list
 * @list: the list
 * @capacity: how many segments will be added at most
 *
 * May sleep.
 *
 * Return: 0 or -ENOMEM. The list can be destroyed either way.
 */
int segment_list_init(struct segment_list *list, size_t capacity)
{
	list->count = 0;
	list->capacity = capacity;
	list->segments = NULL;
	if (!capacity)
		return 0;
	list->segments = exact_alloc_array(capacity, sizeof(*list->segments));
	return list->segments ? 0 : -ENOMEM;
}

/**
 * segment_list_destroy() - free what a list holds
 * @list: an initialized or all-zero list; empty afterwards
 */
void segment_list_destroy(struct segment_list *list)
{
	kvfree(list->segments);
	list->segments = NULL;
	list->count = 0;
	list->capacity = 0;
}

/**
 * segment_list_add() - append a segment
 * @list: a list with room for it
 * @start: first sector, not before the end of the last segment, below 2^50
 * @length: sectors, from 1 to 16383; what lies behind the largest device is left
 *	out
 * @moffset: sector of the data in the layer's file, below 2^55
 * @zeroed: it has no data; @moffset is not used
 * @layer: which layer, 0 is the lowest
 */
void segment_list_add(struct segment_list *list, u64 start, u32 length,
		      u64 moffset, bool zeroed, u8 layer)
{
	struct segment *s = &list->segments[list->count++];

	length = min_t(u64, length, SEGMENT_DEVICE_SECTORS - start);
	s->span = start << SEGMENT_LENGTH_BITS | length;
	s->value = (u64)layer << SEGMENT_LAYER_SHIFT;
	s->value |= zeroed ? SEGMENT_ZEROED : moffset;
}

/* Where a merge writes to, or with segments == NULL only counts. */
struct merge_output {
	struct segment *segments;
	size_t count;
};

static void merge_emit(struct merge_output *out, const struct segment *s)
{
	if (out->segments)
		out->segments[out->count] = *s;
	out->count++;
}

static void segment_cut_front(struct segment *s, u64 new_start)
{
	u64 cut = new_start - segment_start(s);

	s->span += cut << SEGMENT_LENGTH_BITS;
	s->span -= cut;
	if (!segment_is_zeroed(s))
		s->value += cut;
}

/* What of a lower layer's list is not yet merged: @now, then list[next...]. */
struct merge_cursor {
	const struct segment_list *list;
	size_t next;
	bool done;
	struct segment now;
};

static void merge_advance(struct merge_cursor *c)
{
	c->done = c->next == c->list->count;
	if (!c->done)
		c->now = c->list->segments[c->next++];
}

/* Emit the rest of the lower list that lies before sector @limit. */
static int merge_lower_before(struct merge_cursor *c, u64 limit,
			      struct merge_output *out)
{
	while (!c->done && segment_start(&c->now) < limit) {
		struct segment piece = c->now;
		int r = breathe(c->next);

		if (r)
			return r;
		if (segment_end(&piece) <= limit) {
			merge_emit(out, &piece);
			merge_advance(c);
			continue;
		}
		piece.span -= segment_end(&piece) - limit;
		merge_emit(out, &piece);
		segment_cut_front(&c->now, limit);
	}
	return 0;
}

/* Drop what of the lower list lies before sector @limit: it is hidden. */
static int merge_hide_before(struct merge_cursor *c, u64 limit)
{
	while (!c->done && segment_end(&c->now) <= limit) {
		int r = breathe(c->next);

		if (r)
			return r;
		merge_advance(c);
	}
	if (!c->done && segment_start(&c->now) < limit)
		segment_cut_front(&c->now, limit);
	return 0;
}

static int merge_pass(const struct segment_list *upper,
		      const struct segment_list *lower, struct merge_output *out)
{
	struct merge_cursor c = { .list = lower };
	size_t i;
	int r;

	merge_advance(&c);
	for (i = 0; i < upper->count; i++) {
		const struct segment *s = &upper->segments[i];

		r = breathe(i);
		if (!r)
			r = merge_lower_before(&c, segment_start(s), out);
		if (r)
			return r;
		merge_emit(out, s);
		r = merge_hide_before(&c, segment_end(s));
		if (r)
			return r;
	}
	return merge_lower_before(&c, U64_MAX, out);
}

/*
 * How many segments laying one list over another can give. Each one of @upper may
 * cut one of @lower in two; only where there is no @room for so many are they counted,
 * which takes as long as merging them.
 */
static int merge_capacity(const struct segment_list *upper,
			  const struct segment_list *lower, size_t room,
			  size_t *capacity)
{
	struct merge_output out = { .segments = NULL };
	int r;

	*capacity = 2 * upper->count + lower->count;
	if (*capacity <= room)
		return 0;
	r = merge_pass(upper, lower, &out);
	*capacity = out.count;
	if (!r && out.count > SEGMENTS_MAX)
		r = -EFBIG;
	return r;
}

static int merge_into(const struct segment_list *upper,
		      const struct segment_list *lower, size_t room,
		      struct segment_list *merged)
{
	struct merge_output out;
	size_t capacity;
	int r;

	r = merge_capacity(upper, lower, room, &capacity);
	if (!r)
		r = segment_list_init(merged, capacity);
	if (r || !capacity)
		return r;
	out = (struct merge_output) { .segments = merged->segments };
	r = merge_pass(upper, lower, &out);
	merged->count = out.count;
	return r;
}

/* Lay @upper over @lower; the result replaces @lower, @upper gets empty. */
static int merge_two(struct segment_list *upper, struct segment_list *lower,
		     size_t room, const char **error)
{
	struct segment_list merged = { .segments = NULL };
	int r;

	r = merge_into(upper, lower, room, &merged);
	if (r) {
		segment_list_destroy(&merged);
		*error = r == -EFBIG ? "Too many segments in all layers together" :
			 r == -ENOMEM ? "Cannot allocate merged segments" :
			 "Interrupted while merging layers";
		return r;
	}
	segment_list_destroy(upper);
	segment_list_destroy(lower);
	*lower = merged;
	return 0;
}

static size_t lists_capacity(const struct segment_list *lists, unsigned int count)
{
	size_t sum = 0;

	while (count--)
		sum += lists[count].capacity;
	return sum;
}

/**
 * segment_lists_merge() - lay the lists of all layers over each other
 * @lists: one per layer, lowest first; the result replaces lists[0], the others
 *	get empty. On failure some may be merged already: destroy them all
 * @count: how many layers
 * @error: set to the reason on failure
 *
 * Neighbours are merged in pairs, then the results in pairs: n segments in k
 * layers take O(n log k). Zeroed segments are kept. May sleep; a fatal signal
 * ends it.
 *
 * Return: 0, -ENOMEM, -EFBIG beyond SEGMENTS_MAX, or -EINTR.
 */
int segment_lists_merge(struct segment_list *lists, unsigned int count,
			const char **error)
{
	size_t n = lists_capacity(lists, count);
	unsigned int step, i;
	int r;

	for (step = 1; step < count; step *= 2) {
		for (i = 0; i + step < count; i += 2 * step) {
			/* Guesses may make all lists twice as large as they were, no more. */
			size_t used = lists_capacity(lists, count);
			size_t room = min_t(size_t, SEGMENTS_MAX, 2 * n - min(used, 2 * n));

			r = merge_two(&lists[i + step], &lists[i], room, error);
			if (r)
				return r;
		}
	}
	return 0;
}

/* Where packing writes to, or with index->values == NULL only counts. */
struct pack_state {
	struct segment_index *index;
	size_t count;
	u64 start;	/* of the last extent */
	u64 value;	/* of the last extent */
};

static bool pack_continues(const struct pack_state *p, u64 start, u64 value)
{
	if (!p->count)
		return false;
	if (p->value & SEGMENT_ZEROED)
		return value & SEGMENT_ZEROED;
	return value == p->value + (start - p->start);
}

static void pack_emit(struct pack_state *p, u64 start, u64 value)
{
	struct segment_index *index = p->index;

	if (value & SEGMENT_ZEROED)
		value = SEGMENT_ZEROED;
	if (pack_continues(p, start, value))
		return;
	p->start = start;
	p->value = value;
	if (index->values) {
		if (index->starts32)
			index->starts32[p->count] = start;
		else
			index->starts64[p->count] = start;
		index->values[p->count] = value;
	}
	p->count++;
}

static int pack_pass(struct pack_state *p, const struct segment_list *list)
{
	u64 end = 0, sectors = p->index->sectors;
	size_t i;

	for (i = 0; i < list->count; i++) {
		const struct segment *s = &list->segments[i];
		int r = breathe(i);

		if (r)
			return r;
		/* Legal after a resize, and never read. */
		if (segment_start(s) >= sectors)
			break;
		if (segment_start(s) > end)
			pack_emit(p, end, SEGMENT_ZEROED);
		pack_emit(p, segment_start(s), s->value);
		end = segment_end(s);
	}
	if (end < sectors)
		pack_emit(p, end, SEGMENT_ZEROED);
	return 0;
}

static int segment_index_alloc(struct segment_index *index)
{
	size_t n = index->count;

	if (index->sectors <= U32_MAX) {
		index->starts32 = exact_alloc_array(n + 1, sizeof(u32));
		if (!index->starts32)
			return -ENOMEM;
		index->starts32[n] = index->sectors;
	} else {
		index->starts64 = exact_alloc_array(n + 1, sizeof(u64));
		if (!index->starts64)
			return -ENOMEM;
		index->starts64[n] = index->sectors;
	}
	index->values = exact_alloc_array(n, sizeof(u64));
	return index->values ? 0 : -ENOMEM;
}

/**
 * segment_index_init() - pack a merged list for lookup
 * @index: the index to make
 * @list: the merged list; not needed afterwards
 * @sectors: size of the device, not 0; segments behind it are left out
 * @error: set to the reason on failure
 *
 * Holes and zeroed segments become extents of zeros, and neighbours that
 * continue each other become one extent of any length. May sleep; a fatal
 * signal ends it.
 *
 * Return: 0, -ENOMEM or -EINTR. The index can be destroyed either way.
 */
int segment_index_init(struct segment_index *index,
		       const struct segment_list *list, u64 sectors,
		       const char **error)
{
	struct pack_state p = { .index = index };
	int r;

	*index = (struct segment_index) { .sectors = sectors };
	r = pack_pass(&p, list);
	if (!r) {
		index->count = p.count;
		r = segment_index_alloc(index);
		if (r) {
			*error = "Cannot allocate segment index";
			return r;
		}
		p = (struct pack_state) { .index = index };
		r = pack_pass(&p, list);
	}
	if (r)
		*error = "Interrupted while packing segments";
	return r;
}

/**
 * segment_index_destroy() - free what an index holds
 * @index: an initialized or all-zero index
 */
void segment_index_destroy(struct segment_index *index)
{
	kvfree(index->starts32);
	kvfree(index->starts64);
	kvfree(index->values);
	*index = (struct segment_index) { .sectors = 0 };
}

/**
 * segment_index_bytes() - memory an index holds
 * @index: the index
 *
 * Return: bytes.
 */
size_t segment_index_bytes(const struct segment_index *index)
{
	size_t start = index->starts32 ? sizeof(u32) : sizeof(u64);

	return (index->count + 1) * start + index->count * sizeof(u64);
}

/*
 * Both searches find the last start not beyond the sector. There is always one
 * as the first is 0. No branch depends on the comparison: it would be
 * mispredicted every second time.
 */
static size_t search32(const u32 *starts, size_t count, u32 sector)
{
	const u32 *base = starts;

	while (count > 1) {
		size_t half = count / 2;

		base = base[half] <= sector ? base + half : base;
		count -= half;
	}
	return base - starts;
}

static size_t search64(const u64 *starts, size_t count, u64 sector)
{
	const u64 *base = starts;

	while (count > 1) {
		size_t half = count / 2;

		base = base[half] <= sector ? base + half : base;
		count -= half;
	}
	return base - starts;
}

/**
 * segment_index_lookup() - find where a sector's data is
 * @index: the index
 * @sector: the sector, below index->sectors
 * @extent: filled in
 *
 * Any context; takes no lock.
 */
void segment_index_lookup(const struct segment_index *index, u64 sector,
			  struct segment_extent *extent)
{
	u64 start, end, value;
	size_t i;

	if (index->starts32) {
		i = search32(index->starts32, index->count, sector);
		start = index->starts32[i];
		end = index->starts32[i + 1];
	} else {
		i = search64(index->starts64, index->count, sector);
		start = index->starts64[i];
		end = index->starts64[i + 1];
	}
	value = index->values[i];
	extent->sectors = end - sector;
	extent->moffset = (value & SEGMENT_MOFFSET_MASK) + (sector - start);
	extent->layer = value >> SEGMENT_LAYER_SHIFT;
	extent->zeroed = value & SEGMENT_ZEROED;
}
