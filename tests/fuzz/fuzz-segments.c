// SPDX-License-Identifier: GPL-2.0
/*
 * segment-index.c against an array with one element per sector: any stack of
 * lists, merged and packed, gives for each sector what the array says, and
 * extents are as long as they can be. Allocations fail, signals come.
 *
 * Only a window of the device is modelled; it may lie anywhere on it.
 */

#include <linux/errno.h>

#include "../../drivers/md/dm-overlaybd/segment-index.h"
#include "fuzz.h"

#define WINDOW		2048	/* sectors */
#define MAX_LAYERS	9
#define MAX_SEGMENTS	48	/* per layer */
#define TAIL		(1ULL << 22)	/* no other segment begins there */
#define TAIL_SEGMENTS	8200	/* a signal is looked for every 8192 */
#define MAX_START	((1ULL << 50) - 1)
#define MAX_MOFFSET	((1ULL << 55) - 9)
#define HOLE		(-1)

struct sector {
	int layer;	/* or HOLE */
	u64 moffset;
	bool zeroed;
};

static struct sector model[WINDOW];

static const u64 window_starts[] = {
	0, 1, (1ULL << 32) - WINDOW, (1ULL << 32) - WINDOW / 2, 1ULL << 32,
	(1ULL << 50) - 4 * WINDOW, (1ULL << 50) - WINDOW,
};

static void paint(u64 from, u32 length, int layer, u64 moffset, bool zeroed)
{
	for (u32 i = 0; i < length && from + i < WINDOW; i++)
		model[from + i] = (struct sector) { layer, moffset + i, zeroed };
}

/* Segments of one layer, ascending, the last ones perhaps behind the window. */
static void make_segments(struct input *in, struct segment_list *list, int layer,
			  u64 base, unsigned int count)
{
	u64 at = 0, moffset = 8;

	while (count--) {
		u32 what = take_number(in, 1);
		u64 length = 1 + take_number(in, 1) % 64;

		at += what & 15;
		if (what & 16)
			length *= 200;
		if (what & 32)
			moffset = 8 + take_number(in, 7) % (MAX_MOFFSET - 8 - length);
		if (base + at >= MAX_START || moffset + length > MAX_MOFFSET)
			return;
		segment_list_add(list, base + at, length, moffset, what & 64, layer);
		paint(at, length, layer, moffset, what & 64);
		at += length;
		moffset += length;
	}
}

/* Behind the window: many segments, or one that hides them. */
static void add_tail(struct segment_list *list, unsigned int kind, int layer, u64 base)
{
	u64 at = base + TAIL, i;

	if (kind == 1)
		for (i = 0; i < TAIL_SEGMENTS; i++)
			segment_list_add(list, at + i, 1, 8, false, layer);
	else if (kind == 2)
		segment_list_add(list, at, 2 * TAIL_SEGMENTS - 1, 8, true, layer);
}

static void make_list(struct input *in, struct segment_list *list, int layer, u64 base)
{
	unsigned int count = take_number(in, 1), tail = count / (MAX_SEGMENTS + 1);

	count %= MAX_SEGMENTS + 1;
	if (base + TAIL + TAIL_SEGMENTS > MAX_START)
		tail = 0;
	if (segment_list_init(list, count + (tail ? TAIL_SEGMENTS : 0)))
		return;
	make_segments(in, list, layer, base, count);
	add_tail(list, tail, layer, base);
}

static void check_merged(const struct segment_list *list)
{
	u64 end = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct segment *s = &list->segments[i];

		CHECK(segment_start(s) >= end);
		CHECK(segment_end(s) > segment_start(s));
		end = segment_end(s);
	}
}

static bool reads_zeros(const struct sector *s)
{
	return s->layer == HOLE || s->zeroed;
}

static bool continues(const struct sector *a, const struct sector *b)
{
	if (reads_zeros(a) || reads_zeros(b))
		return reads_zeros(a) && reads_zeros(b);
	return a->layer == b->layer && a->moffset + 1 == b->moffset;
}

static void check_sector(const struct segment_index *index, u64 base, u64 at, u64 size)
{
	const struct sector *s = &model[at];
	struct segment_extent e = { 0 };

	segment_index_lookup(index, base + at, &e);
	CHECK(e.sectors >= 1 && e.sectors <= size - at);
	CHECK(e.zeroed == reads_zeros(s));
	if (!e.zeroed)
		CHECK(e.layer == s->layer && e.moffset == s->moffset);
	for (u64 i = 1; i < e.sectors && i < 4; i++)
		CHECK(continues(s + i - 1, s + i));
	if (e.sectors < size - at)
		CHECK(!continues(s + e.sectors - 1, s + e.sectors));
}

static void check_index(const struct segment_index *index, u64 base, u64 size)
{
	struct segment_extent e = { 0 };

	CHECK(index->count >= 1);
	CHECK(segment_index_bytes(index) ==
	      index->count * 8 + (index->count + 1) * (index->starts32 ? 4 : 8));
	CHECK(!index->starts32 == (base + size > 0xffffffffULL));
	for (u64 at = 0; at < size; at++)
		check_sector(index, base, at, size);
	if (!base)
		return;
	segment_index_lookup(index, 0, &e);
	CHECK(e.zeroed && e.sectors >= base);
}

static void check_failure(int r, const char *error)
{
	CHECK(error && *error);
	CHECK(r == (fault_allocation.happened ? -ENOMEM : -EINTR));
	CHECK(fault_allocation.happened || fault_signal.happened);
}

static void use_lists(struct segment_list *lists, unsigned int count, u64 base, u64 size)
{
	struct segment_index index = { 0 };
	const char *error = NULL;
	int r;

	r = segment_lists_merge(lists, count, &error);
	if (r) {
		check_failure(r, error);
		return;
	}
	check_merged(&lists[0]);
	for (unsigned int i = 1; i < count; i++)
		CHECK(!lists[i].count && !lists[i].segments);
	r = segment_index_init(&index, &lists[0], base + size, &error);
	if (r)
		check_failure(r, error);
	else
		check_index(&index, base, size);
	segment_index_destroy(&index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct segment_list lists[MAX_LAYERS] = { { 0 } };
	struct input in = { data, size };
	unsigned int what = take_number(&in, 1);
	unsigned int count = 1 + take_number(&in, 1) % MAX_LAYERS;
	u64 base = window_starts[what % (sizeof(window_starts) / sizeof(*window_starts))];
	u64 sectors = 1 + take_number(&in, 2) % WINDOW;
	unsigned int i;

	fault_set(&fault_allocation, take_number(&in, 1) % 64);
	fault_set(&fault_signal, take_number(&in, 1));
	for (i = 0; i < WINDOW; i++)
		model[i] = (struct sector) { HOLE, 0, false };
	for (i = 0; i < count; i++)
		make_list(&in, &lists[i], i, base);
	if (!fault_allocation.happened)
		use_lists(lists, count, base, sectors);
	for (i = 0; i < count; i++)
		segment_list_destroy(&lists[i]);
	return 0;
}
