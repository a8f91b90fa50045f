// SPDX-License-Identifier: GPL-2.0
/*
 * The cache of decompressed blocks.
 */

#include <kunit/test.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "../block-cache.h"

#define BLOCK_BYTES	16384

struct owners {
	struct cache_owner a;
	struct cache_owner b;
	struct cache_owner others[4096];	/* more than there are hash buckets */
};

static int cache_test_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct owners), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static void cache_test_exit(struct kunit *test)
{
	struct owners *o = test->priv;

	obd_block_cache_forget(&o->a);
	obd_block_cache_forget(&o->b);
}

/* Cache a block of one byte value and drop our reference. False: no memory. */
static bool try_insert(const struct cache_owner *owner, u64 block, u8 value)
{
	struct cached_block *cb = obd_cached_block_alloc(BLOCK_BYTES, GFP_KERNEL);

	if (!cb)
		return false;
	memset(obd_buffer_data(&cb->memory), value, BLOCK_BYTES);
	obd_block_cache_insert(cb, owner, block, obd_block_cache_generation(owner));
	obd_cached_block_put(cb);
	return true;
}

static void insert(struct kunit *test, const struct cache_owner *owner, u64 block, u8 value)
{
	KUNIT_ASSERT_TRUE(test, try_insert(owner, block, value));
}

/* The byte that all of a block has; -1: there is no block, -2: they differ. */
static int value_of(const struct cached_block *cb)
{
	const u8 *data;

	if (!cb)
		return -1;
	data = obd_buffer_data(&cb->memory);
	return memchr_inv(data, *data, BLOCK_BYTES) ? -2 : *data;
}

static int cached_value(const struct cache_owner *owner, u64 block)
{
	struct cached_block *cb = obd_block_cache_find(owner, block);
	int value = value_of(cb);

	obd_cached_block_put(cb);
	return value;
}

static void find_test(struct kunit *test)
{
	struct owners *o = test->priv;
	unsigned int i;
	u64 block;

	KUNIT_EXPECT_EQ(test, cached_value(&o->a, 0), -1);
	insert(test, &o->a, 0, 10);
	insert(test, &o->b, 0, 20);
	insert(test, &o->a, 1ULL << 32, 30);
	KUNIT_EXPECT_EQ(test, cached_value(&o->a, 0), 10);
	KUNIT_EXPECT_EQ(test, cached_value(&o->b, 0), 20);
	KUNIT_EXPECT_EQ(test, cached_value(&o->a, 1ULL << 32), 30);
	for (block = 1; block < 5000; block++)
		KUNIT_ASSERT_EQ(test, cached_value(&o->a, block), -1);
	for (i = 0; i < ARRAY_SIZE(o->others); i++)
		KUNIT_ASSERT_EQ(test, cached_value(&o->others[i], 0), -1);
	/* Who comes second does not replace the first. */
	insert(test, &o->a, 0, 11);
	KUNIT_EXPECT_EQ(test, cached_value(&o->a, 0), 10);
}

static void forget_test(struct kunit *test)
{
	struct owners *o = test->priv;
	struct cached_block *held;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		insert(test, &o->a, i, i);
		insert(test, &o->b, i, 100 + i);
	}
	held = obd_block_cache_find(&o->a, 3);
	KUNIT_ASSERT_NOT_NULL(test, held);
	obd_block_cache_forget(&o->a);
	for (i = 0; i < 8; i++) {
		KUNIT_EXPECT_EQ(test, cached_value(&o->a, i), -1);
		KUNIT_EXPECT_EQ(test, cached_value(&o->b, i), 100 + i);
	}
	/* Who still reads it keeps it. */
	KUNIT_EXPECT_PTR_EQ(test, NULL,
			    memchr_inv(obd_buffer_data(&held->memory), 3, BLOCK_BYTES));
	obd_cached_block_put(held);
}

/* A block that was fetched before all were forgotten does not get into the cache. */
static void late_test(struct kunit *test)
{
	struct owners *o = test->priv;
	int before = obd_block_cache_generation(&o->a);
	struct cached_block *cb = obd_cached_block_alloc(BLOCK_BYTES, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, cb);
	memset(obd_buffer_data(&cb->memory), 1, BLOCK_BYTES);
	obd_block_cache_forget(&o->a);
	obd_block_cache_insert(cb, &o->a, 7, before);
	KUNIT_EXPECT_EQ(test, cached_value(&o->a, 7), -1);
	obd_block_cache_insert(cb, &o->b, 7, obd_block_cache_generation(&o->b));
	obd_cached_block_put(cb);
	KUNIT_EXPECT_EQ(test, cached_value(&o->b, 7), 1);
	insert(test, &o->a, 7, 2);
	KUNIT_EXPECT_EQ(test, cached_value(&o->a, 7), 2);
}

/* The cache is bounded, and what is in use outlives what is not. */
static void limit_test(struct kunit *test)
{
	struct owners *o = test->priv;
	unsigned long most = min(totalram_pages() / 256, (64UL << 20) >> PAGE_SHIFT) >>
			     get_order(BLOCK_BYTES);
	unsigned long blocks = 4 * most + 200, found = 0, i;

	insert(test, &o->b, 77, 77);
	for (i = 0; i < blocks; i++) {
		insert(test, &o->a, i, i);
		KUNIT_ASSERT_EQ(test, cached_value(&o->b, 77), 77);
	}
	KUNIT_EXPECT_EQ(test, cached_value(&o->a, blocks - 1), (blocks - 1) & 255);
	for (i = 0; i < blocks; i++)
		found += cached_value(&o->a, i) >= 0;
	KUNIT_EXPECT_LE(test, found, most);
	KUNIT_EXPECT_GE(test, found, most / 4);
}

/* A large block is cached, even where there is little memory. */
static void large_test(struct kunit *test)
{
	struct owners *o = test->priv;
	size_t bytes = 64 << 10;
	u64 block;

	for (block = 0; block < 16; block++) {
		struct cached_block *cb = obd_cached_block_alloc(bytes, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, cb);
		memset(obd_buffer_data(&cb->memory), block, bytes);
		obd_block_cache_insert(cb, &o->a, block, obd_block_cache_generation(&o->a));
		obd_cached_block_put(cb);
		KUNIT_EXPECT_EQ(test, cached_value(&o->a, block), block);
		/* What is next to it goes on being read, too. */
		if (block)
			KUNIT_EXPECT_EQ(test, cached_value(&o->a, block - 1), block - 1);
	}
}

#define RACE_BLOCKS	64

/* Drops blocks and caches them again until it is told to stop. */
static int replace_blocks(void *data)
{
	struct owners *o = data;
	unsigned int i;

	while (!kthread_should_stop()) {
		obd_block_cache_forget(&o->a);
		for (i = 0; i < RACE_BLOCKS; i++)
			try_insert(&o->a, i, i);
		cond_resched();
	}
	return 0;
}

/* Blocks come and go while others look for them, and while others use them. */
static void race_test(struct kunit *test)
{
	struct owners *o = test->priv;
	unsigned long found = 0, lost = 0, i;
	unsigned long end = jiffies + 10 * HZ;
	struct task_struct *task = kthread_run(replace_blocks, o, "replace_blocks");

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (i = 0; i < 20000 || ((!found || !lost) && time_before(jiffies, end)); i++) {
		struct cached_block *cb = obd_block_cache_find(&o->a, i % RACE_BLOCKS);

		/* That one is dropped meanwhile, many times. */
		if (cb && found % 256 == 0)
			schedule_timeout_uninterruptible(1);
		if (!cb)
			lost++;
		else if (value_of(cb) == i % RACE_BLOCKS)
			found++;
		obd_cached_block_put(cb);
		cond_resched();
	}
	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, found + lost, i);
	KUNIT_EXPECT_GT(test, found, 0);
	KUNIT_EXPECT_GT(test, lost, 0);
}

static struct kunit_case block_cache_cases[] = {
	KUNIT_CASE(find_test),
	KUNIT_CASE(forget_test),
	KUNIT_CASE(late_test),
	KUNIT_CASE(limit_test),
	KUNIT_CASE(large_test),
	KUNIT_CASE(race_test),
	{}
};

static struct kunit_suite block_cache_suite = {
	.name = "dm_overlaybd_block_cache",
	.init = cache_test_init,
	.exit = cache_test_exit,
	.test_cases = block_cache_cases,
};

kunit_test_suite(block_cache_suite);
