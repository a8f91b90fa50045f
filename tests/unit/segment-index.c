// SPDX-License-Identifier: GPL-2.0
/*
 * Merging and lookup, against a model.
 *
 * SEED=n repeats a run; SEED=n STACKS=1 only its stack with that number.
 */

#include "tap.h"

#include <stdint.h>
#include <unistd.h>

#include "../../drivers/md/dm-overlaybd/format.h"
#include "../../drivers/md/dm-overlaybd/tests/segment_stack.h"

static u64 env_number(const char *name, u64 otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static void test_random_stacks(void)
{
	u64 seed = env_number("SEED", (u64)time(NULL) << 20 ^ (u64)getpid());
	u64 stacks = env_number("STACKS", 20000);
	struct stack *s = calloc(1, sizeof(*s));
	const char *problem = s ? NULL : "out of memory";
	u64 extents = 0, i;

	diag("SEED=%llu", seed);
	for (i = 0; i < stacks && !problem; i++) {
		problem = stack_try(s, seed + i);
		extents += s->extent_count;
	}
	if (ok(!problem, "%llu random stacks are like the model", stacks))
		diag("%llu extents", extents);
	else
		diag("SEED=%llu STACKS=1: %s at %llu; %u layers, canvas %llu+%llu, device %llu",
		     seed + i - 1, problem, s->where, s->layers, s->base,
		     stack_span(s), s->sectors);
	stack_destroy(s);
	free(s);
}

struct piece {
	u64 start;
	u32 length;
	u64 moffset;
	bool zeroed;
	u8 layer;
};

static struct segment_list make_list(const struct piece *p, size_t count)
{
	struct segment_list list;

	if (segment_list_init(&list, count))
		abort();
	for (; count; count--, p++)
		segment_list_add(&list, p->start, p->length, p->moffset, p->zeroed,
				 p->layer);
	return list;
}

static bool list_is(const struct segment_list *list, const struct piece *p, size_t count)
{
	struct segment_list want = make_list(p, count);
	bool same = list->count == count &&
		    !memcmp(list->segments, want.segments, count * sizeof(struct segment));

	segment_list_destroy(&want);
	return same;
}

static void test_fields(void)
{
	const struct piece p[] = {
		{ 0, 1, 0, false, 0 },
		{ 1, 16383, SEGMENT_MOFFSET_MASK, false, 255 },
		{ (1ULL << 50) - 1, 1, 5, true, 254 },
	};
	struct segment_list list = make_list(p, 3);
	const struct segment *s = list.segments;

	ok(segment_start(&s[0]) == 0 && segment_end(&s[0]) == 1 &&
	   !segment_is_zeroed(&s[0]) && s[0].value == 0, "segment: least of all");
	ok(segment_start(&s[1]) == 1 && segment_end(&s[1]) == 16384 &&
	   !segment_is_zeroed(&s[1]) &&
	   s[1].value == (SEGMENT_MOFFSET_MASK | 255ULL << 56),
	   "segment: largest length, moffset and layer");
	ok(segment_start(&s[2]) == (1ULL << 50) - 1 &&
	   segment_end(&s[2]) == 1ULL << 50 && segment_is_zeroed(&s[2]) &&
	   s[2].value == (SEGMENT_ZEROED | 254ULL << 56),
	   "segment: last sector, zeroed without moffset");
	segment_list_destroy(&list);
	ok(!list.count && !list.segments, "list: empty when destroyed");
	segment_list_destroy(&list);
	ok(!segment_list_init(&list, 0) && !list.count, "list: without room");
	segment_list_destroy(&list);
	ok(segment_list_init(&list, SIZE_MAX / 16 + 1) == -ENOMEM && !list.segments,
	   "list: too large to allocate");
}

static void test_partial_merge(void)
{
	const struct piece lower[] = { { 0, 100, 8, false, 0 } };
	const struct piece upper[] = {
		{ 10, 5, 1000, true, 1 }, { 20, 5, 2000, false, 1 },
		{ 95, 10, 3000, true, 1 },
	};
	const struct piece merged[] = {
		{ 0, 10, 8, false, 0 }, { 10, 5, 0, true, 1 },
		{ 15, 5, 23, false, 0 }, { 20, 5, 2000, false, 1 },
		{ 25, 70, 33, false, 0 }, { 95, 10, 0, true, 1 },
	};
	struct segment_list lists[] = { make_list(lower, 1), make_list(upper, 3) };
	const char *error = NULL;

	ok(!segment_lists_merge(lists, 2, &error) && !error &&
	   list_is(&lists[0], merged, 6) && !lists[1].segments,
	   "merge: zeroed segments stay, holes show what is below");
	segment_list_destroy(&lists[0]);
}

static void test_single_and_empty(void)
{
	const struct piece one[] = { { 5, 5, 8, false, 0 } };
	struct segment_list lists[3] = { make_list(one, 1) };
	struct segment_extent e;
	struct segment_index index;
	const char *error = NULL;

	ok(!segment_lists_merge(lists, 1, &error) && list_is(&lists[0], one, 1),
	   "merge: one list stays as it is");
	ok(!segment_lists_merge(lists, 3, &error) && list_is(&lists[0], one, 1),
	   "merge: empty layers change nothing");
	segment_list_destroy(&lists[0]);

	ok(!segment_index_init(&index, &lists[0], 1, &error) && index.count == 1,
	   "index: of nothing, one sector");
	segment_index_lookup(&index, 0, &e);
	ok(e.zeroed && e.sectors == 1, "index: nothing reads as zeros");
	segment_index_destroy(&index);
	ok(!index.starts32 && !index.starts64 && !index.values,
	   "index: empty when destroyed");
	segment_index_destroy(&index);
}

/*
 * Half of the limit less 525 upper segments of one sector, 7999 in each of the
 * first 1049 lower ones, cut those in as many pieces more: with 1050 lower ones
 * the result is just within the limit.
 */
static void test_limit(u32 lower_count, int result, const char *text)
{
	const size_t upper_count = SEGMENTS_MAX / 2 - 525;
	struct segment_list lists[2];
	const char *error = NULL;
	size_t i;
	int r;

	if (segment_list_init(&lists[0], lower_count) ||
	    segment_list_init(&lists[1], upper_count))
		abort();
	for (i = 0; i < lower_count; i++)
		segment_list_add(&lists[0], i * 16000, 16000, 8, false, 0);
	for (i = 0; i < upper_count; i++)
		segment_list_add(&lists[1], i / 7999 * 16000 + i % 7999 * 2 + 1, 1,
				 8, false, 1);
	r = segment_lists_merge(lists, 2, &error);
	if (r)
		ok(r == result && error &&
		   !strcmp(error, "Too many segments in all layers together"),
		   "merge: %s", text);
	else
		ok(!result && lists[0].count == SEGMENTS_MAX, "merge: %s", text);
	segment_list_destroy(&lists[0]);
	segment_list_destroy(&lists[1]);
}

/* Of the sanitizer's library; gcc comes without the header. */
size_t __sanitizer_get_current_allocated_bytes(void);
int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t),
					      void (*)(const volatile void *));

static size_t peak_bytes;

static void note_peak(const volatile void *memory, size_t bytes)
{
	size_t now = __sanitizer_get_current_allocated_bytes();

	(void)memory;
	(void)bytes;
	if (now > peak_bytes)
		peak_bytes = now;
}

static void note_nothing(const volatile void *memory)
{
	(void)memory;
}

/*
 * Many short segments over a few long ones, which they cut in pieces, over layers
 * with next to nothing: so many pieces as can be, and each merge could give more.
 */
static void test_memory(unsigned int layers)
{
	enum { SHORT = 400000, LONG = SHORT * 2 / 16383 + 1 };
	struct segment_list lists[LSMT_MAX_LAYERS];
	size_t before = __sanitizer_get_current_allocated_bytes();
	size_t i, n = SHORT + LONG + layers - 2;
	const char *error = NULL;
	int r;

	peak_bytes = 0;
	for (i = 0; i < layers - 2; i++) {
		if (segment_list_init(&lists[i], 1))
			abort();
		segment_list_add(&lists[i], 0, 1, 8, false, i);
	}
	if (segment_list_init(&lists[layers - 2], LONG) ||
	    segment_list_init(&lists[layers - 1], SHORT))
		abort();
	for (i = 0; i < LONG; i++)
		segment_list_add(&lists[layers - 2], i * 16383, 16383, 8, false, 6);
	for (i = 0; i < SHORT; i++)
		segment_list_add(&lists[layers - 1], i * 2, 1, 8, false, 7);
	r = segment_lists_merge(lists, layers, &error);
	ok(!r && lists[0].count >= 2 * SHORT, "memory: %zu segments of %u layers merged", n,
	   layers);
	ok(peak_bytes - before <= 64 * n + (1 << 20), "memory: %zu bytes for each at most",
	   (peak_bytes - before) / n);
	for (i = 0; i < layers; i++)
		segment_list_destroy(&lists[i]);
}

int main(void)
{
	test_fields();
	test_partial_merge();
	test_single_and_empty();
	test_random_stacks();
	if (__sanitizer_install_malloc_and_free_hooks(note_peak, note_nothing) <= 0)
		abort();
	for (unsigned int layers = 4; layers <= 254; layers += 10)
		test_memory(layers);
	test_limit(1050, 0, "as many segments as allowed");
	test_limit(1051, -EFBIG, "one segment more than allowed");
	return done_testing();
}
