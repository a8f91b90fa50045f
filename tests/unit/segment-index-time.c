// SPDX-License-Identifier: GPL-2.0
/*
 * How long it takes from the index of layers, as on disk, to a packed map.
 * Built without sanitizers; the best of some runs counts, in CPU time.
 */

#include "tap.h"

#include <linux/unaligned.h>

#include "../../drivers/md/dm-overlaybd/format.h"
#include "../../drivers/md/dm-overlaybd/segment-index.h"

#define RUNS		7
#define DEVICE_SECTORS	(64ULL << 21)	/* 64 GiB */

struct layers {
	unsigned int count;
	u32 mappings;	/* of each */
	u8 *index;	/* of all, one after the other */
	struct lsmt_info info;
	u64 random;
};

static u32 random_below(struct layers *l, u32 limit)
{
	l->random = l->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (l->random >> 32) * limit >> 32;
}

/* Segments of each layer all over the device, every eighth zeroed. */
static void layers_make(struct layers *l, unsigned int count, u32 mappings)
{
	u32 room = DEVICE_SECTORS / mappings;

	*l = (struct layers) { .count = count, .mappings = mappings };
	l->index = must_alloc((size_t)count * mappings * LSMT_MAPPING_BYTES);
	l->info.index_offset = 1ULL << 50;
	l->info.mapping_count = mappings;
	for (size_t i = 0; i < (size_t)count * mappings; i++) {
		u8 *p = l->index + i * LSMT_MAPPING_BYTES;
		u64 start = i % mappings * room + random_below(l, room / 2);
		u64 length = 1 + random_below(l, room / 2 < 256 ? room / 2 : 256);
		u64 what = 8 + random_below(l, 1U << 31);

		if (!random_below(l, 8))
			what |= 1ULL << 55;
		put_unaligned_le64(start | length << 50, p);
		put_unaligned_le64(what, p + 8);
	}
}

static int decode_layer(const struct layers *l, unsigned int layer,
			struct segment_list *list, const char **error)
{
	const u8 *index = l->index + (size_t)layer * l->mappings * LSMT_MAPPING_BYTES;
	u64 end = 0;
	int r = segment_list_init(list, l->mappings);

	for (u32 i = 0; i < l->mappings && !r; i++) {
		struct lsmt_mapping m;

		if (!lsmt_decode_mapping(index, i, &m))
			continue;
		r = lsmt_check_mapping(&l->info, end, &m, error);
		end = m.offset + m.length;
		segment_list_add(list, m.offset, m.length, m.moffset, m.zeroed, layer);
	}
	return r;
}

static double layers_load(const struct layers *l, size_t *segments, size_t *extents)
{
	static struct segment_list lists[LSMT_MAX_LAYERS];
	struct segment_index index;
	const char *error = "no reason given";
	double start = seconds_now();
	int r = 0;

	for (unsigned int i = 0; i < l->count && !r; i++)
		r = decode_layer(l, i, &lists[i], &error);
	if (!r)
		r = segment_lists_merge(lists, l->count, &error);
	*segments = lists[0].count;
	if (!r)
		r = segment_index_init(&index, &lists[0], DEVICE_SECTORS, &error);
	segment_list_destroy(&lists[0]);
	start = seconds_now() - start;
	if (r) {
		printf("Bail out! %s\n", error);
		exit(1);
	}
	*extents = index.count;
	segment_index_destroy(&index);
	return start;
}

static void test_load(unsigned int count, u32 mappings, double limit)
{
	struct layers l;
	size_t segments = 0, extents = 0;
	double best = 1e9;

	layers_make(&l, count, mappings);
	for (int i = 0; i < RUNS; i++) {
		double t = layers_load(&l, &segments, &extents);

		best = t < best ? t : best;
	}
	ok(best < limit, "%u layers of %u segments in less than %.0f ms", count,
	   mappings, limit * 1e3);
	diag("%.1f ms, %zu merged segments, %zu extents", best * 1e3, segments,
	     extents);
	free(l.index);
}

int main(void)
{
	test_load(1, 1000000, 0.100);
	test_load(2, 500000, 0.100);
	test_load(255, 10000, 0.400);
	return done_testing();
}
