// SPDX-License-Identifier: GPL-2.0
/*
 * Merging and lookup of segments, against a model.
 */

#include <kunit/test.h>
#include <linux/moduleparam.h>
#include <linux/random.h>

#include "segment_stack.h"

/* A kernel that checks itself, in an emulator, takes minutes for all of them. */
#define RANDOM_STACKS	(IS_ENABLED(CONFIG_KASAN) ? 200 : 12000)

static unsigned long long kunit_seed;
module_param(kunit_seed, ullong, 0444);
MODULE_PARM_DESC(kunit_seed, "Repeat the random tests of this seed");

static void free_stack(void *stack)
{
	stack_destroy(stack);
	kvfree(stack);
}

static void random_stacks_test(struct kunit *test)
{
	u64 seed = kunit_seed ?: get_random_u64();
	const char *problem = NULL;
	struct stack *s;
	unsigned int i;

	s = kvzalloc(sizeof(*s), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_stack, s));

	kunit_info(test, "kunit_seed=%llu\n", seed);
	for (i = 0; i < RANDOM_STACKS && !problem; i++)
		problem = stack_try(s, seed + i);
	if (problem)
		KUNIT_FAIL(test, "seed %llu: %s at %llu; %u layers, canvas %llu+%llu of %llu",
			   seed + i - 1, problem, s->where, s->layers, s->base,
			   stack_span(s), s->sectors);
}

static void add(struct kunit *test, struct segment_list *list, u64 start, u32 length,
		u64 moffset, bool zeroed, u8 layer)
{
	segment_list_add(list, start, length, moffset, zeroed, layer);
	KUNIT_EXPECT_EQ(test, segment_start(&list->segments[list->count - 1]), start);
	KUNIT_EXPECT_EQ(test, segment_end(&list->segments[list->count - 1]),
			start + length);
	KUNIT_EXPECT_EQ(test, segment_is_zeroed(&list->segments[list->count - 1]),
			zeroed);
}

/* A zeroed segment hides what is below, a hole does not. */
static void zeroed_and_hole_test(struct kunit *test)
{
	struct segment_list lists[2];
	struct segment_index index;
	struct segment_extent e;
	const char *error;

	KUNIT_ASSERT_EQ(test, 0, segment_list_init(&lists[0], 1));
	KUNIT_ASSERT_EQ(test, 0, segment_list_init(&lists[1], 1));
	add(test, &lists[0], 0, 100, 8, false, 0);
	add(test, &lists[1], 10, 20, 500, true, 255);
	KUNIT_ASSERT_EQ(test, 0, segment_lists_merge(lists, 2, &error));
	KUNIT_ASSERT_EQ(test, lists[0].count, 3);
	KUNIT_EXPECT_TRUE(test, segment_is_zeroed(&lists[0].segments[1]));
	KUNIT_EXPECT_PTR_EQ(test, lists[1].segments, NULL);

	KUNIT_ASSERT_EQ(test, 0, segment_index_init(&index, &lists[0], 110, &error));
	segment_index_lookup(&index, 9, &e);
	KUNIT_EXPECT_FALSE(test, e.zeroed);
	KUNIT_EXPECT_EQ(test, e.moffset, 17);
	KUNIT_EXPECT_EQ(test, e.sectors, 1);
	segment_index_lookup(&index, 10, &e);
	KUNIT_EXPECT_TRUE(test, e.zeroed);
	KUNIT_EXPECT_EQ(test, e.sectors, 20);
	segment_index_lookup(&index, 30, &e);
	KUNIT_EXPECT_FALSE(test, e.zeroed);
	KUNIT_EXPECT_EQ(test, e.moffset, 38);
	KUNIT_EXPECT_EQ(test, e.sectors, 70);
	segment_index_lookup(&index, 100, &e);
	KUNIT_EXPECT_TRUE(test, e.zeroed);
	KUNIT_EXPECT_EQ(test, e.sectors, 10);
	segment_index_destroy(&index);
	segment_list_destroy(&lists[0]);
}

static void empty_test(struct kunit *test)
{
	struct segment_list list;
	struct segment_index index;
	struct segment_extent e;
	const char *error;

	KUNIT_ASSERT_EQ(test, 0, segment_list_init(&list, 0));
	KUNIT_ASSERT_EQ(test, 0, segment_lists_merge(&list, 1, &error));
	KUNIT_ASSERT_EQ(test, 0, segment_index_init(&index, &list, 1ULL << 50, &error));
	KUNIT_EXPECT_EQ(test, index.count, 1);
	segment_index_lookup(&index, (1ULL << 50) - 1, &e);
	KUNIT_EXPECT_TRUE(test, e.zeroed);
	KUNIT_EXPECT_EQ(test, e.sectors, 1);
	segment_index_destroy(&index);
	segment_list_destroy(&list);
}

static struct kunit_case segment_index_cases[] = {
	KUNIT_CASE(zeroed_and_hole_test),
	KUNIT_CASE(empty_test),
	KUNIT_CASE_SLOW(random_stacks_test),
	{}
};

static struct kunit_suite segment_index_suite = {
	.name = "dm_overlaybd_segment_index",
	.test_cases = segment_index_cases,
};

kunit_test_suite(segment_index_suite);
