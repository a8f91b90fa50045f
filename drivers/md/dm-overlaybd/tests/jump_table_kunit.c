// SPDX-License-Identifier: GPL-2.0
/*
 * The jump table, over a file in memory.
 */

#include <kunit/test.h>

#include "../jump-table.h"
#include "../vfile.h"
#include "image_build.h"

#define INDEX_GAP	333	/* the index begins at any byte */

/* A file of which only the index is there. */
struct index_file {
	struct vfile vf;
	u64 index_offset;
	u8 *index;
	u64 index_bytes;
	int read_error;		/* of the next reads */
	bool cached;		/* what is read is at hand */
	bool cache_is_wrong;
	int caches;
	unsigned int reads;
};

static int index_copy(struct vfile *vf, void *buf, size_t bytes, u64 offset)
{
	struct index_file *f = container_of(vf, struct index_file, vf);

	if (f->read_error)
		return f->read_error;
	f->reads++;
	if (offset < f->index_offset ||
	    offset + bytes > f->index_offset + f->index_bytes)
		return -ENXIO;
	memcpy(buf, f->index + (offset - f->index_offset), bytes);
	return 0;
}

static int index_cache_begin(struct vfile *vf)
{
	container_of(vf, struct index_file, vf)->caches++;
	return 0;
}

static void index_cache_end(struct vfile *vf)
{
	container_of(vf, struct index_file, vf)->caches--;
}

static int index_cache_read(struct vfile *vf, void *buf, size_t bytes, u64 offset,
			    bool may_wait)
{
	struct index_file *f = container_of(vf, struct index_file, vf);
	int r;

	if (!may_wait && !f->cached)
		return -EAGAIN;
	r = index_copy(vf, buf, bytes, offset);
	if (f->cache_is_wrong)
		*(u8 *)buf ^= 1;
	return r;
}

static void index_cache_forget(struct vfile *vf, size_t bytes, u64 offset)
{
	container_of(vf, struct index_file, vf)->cache_is_wrong = false;
}

static void index_release(struct vfile *vf)
{
}

static const struct vfile_ops index_ops = {
	.read = index_copy,
	.cache_begin = index_cache_begin,
	.cache_end = index_cache_end,
	.cache_read = index_cache_read,
	.cache_forget = index_cache_forget,
	.release = index_release,
};

struct table_test {
	struct index_file file;
	struct zfile_info info;
	struct jump_table table;
	u64 *offsets;	/* of each block, and the end */
	const char *error;
	u64 random;
};

/* A number of blocks of random sizes between the limits, which both occur. */
static struct table_test *table_test_make(struct kunit *test, u64 blocks)
{
	struct table_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	u64 i, offset = 512;

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	t->random = blocks;
	t->info = (struct zfile_info) {
		.block_count = blocks,
		.max_entry_bytes = 4132,
		.block_crc = true,
		.has_digest = true,
	};
	t->file.index_bytes = blocks * 4;
	t->file.index = kunit_kmalloc(test, blocks * 4, GFP_KERNEL);
	t->offsets = kunit_kmalloc(test, (blocks + 1) * sizeof(u64), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->file.index);
	KUNIT_ASSERT_NOT_NULL(test, t->offsets);
	for (i = 0; i < blocks; i++) {
		u32 size = 5 + random_below(&t->random, 4128);

		if (!random_below(&t->random, 10))
			size = random_below(&t->random, 2) ? 5 : 4132;
		t->offsets[i] = offset;
		put_unaligned_le32(size, t->file.index + i * 4);
		offset += size;
	}
	t->offsets[blocks] = offset;
	t->info.index_offset = offset + INDEX_GAP;
	t->info.index_crc = crc32c(0, t->file.index, blocks * 4);
	t->file.index_offset = t->info.index_offset;
	vfile_init(&t->file.vf, &index_ops, t->info.index_offset + blocks * 4 + 512, 0);
	return t;
}

static int table_test_load(struct table_test *t)
{
	t->error = NULL;
	return jump_table_load(&t->table, &t->file.vf, &t->info, &t->error);
}

static void table_test_exit(struct kunit *test)
{
	struct table_test *t = test->priv;

	if (t) {
		jump_table_destroy(&t->table);
		KUNIT_EXPECT_EQ(test, t->file.caches, 0);
	}
}

static void set_size(struct table_test *t, u64 block, u32 size)
{
	put_unaligned_le32(size, t->file.index + block * 4);
	t->info.index_crc = crc32c(0, t->file.index, t->file.index_bytes);
}

static bool found_right(struct table_test *t, u64 block, u32 count, bool may_wait)
{
	u32 sizes[200];
	u64 offset = 0;
	u32 i;

	memset(sizes, 0x5a, sizeof(sizes));
	if (jump_table_find(&t->table, block, count, may_wait, &offset, sizes))
		return false;
	if (offset != t->offsets[block])
		return false;
	for (i = 0; i < count; i++) {
		if (sizes[i] != t->offsets[block + i + 1] - t->offsets[block + i])
			return false;
	}
	return sizes[count] == 0x5a5a5a5a;
}

static const u64 block_counts[] = {
	1, 2, 63, 64, 65, 127, 128, 129, 4095, 4096, 4097, 4160, 4161, 16383, 16384,
	16385, 20000, 32704, 32767, 32768, 32769, 40000,
};

static void count_to_desc(const u64 *count, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%llu blocks", *count);
}

KUNIT_ARRAY_PARAM(count, block_counts, count_to_desc);

static void find_test(struct kunit *test)
{
	u64 blocks = *(const u64 *)test->param_value;
	struct table_test *t = table_test_make(test, blocks);
	bool small = blocks * 4 <= JUMP_TABLE_RESIDENT_BYTES;
	u64 leaves = DIV_ROUND_UP_ULL(blocks, JUMP_TABLE_LEAF_BLOCKS);
	unsigned int i, reads;

	KUNIT_ASSERT_EQ(test, 0, table_test_load(t));
	KUNIT_EXPECT_EQ(test, !t->table.sizes, !small);
	KUNIT_EXPECT_EQ(test, jump_table_bytes(t->table.block_count),
			(leaves / 512 + 1) * 8 + (leaves + 1) * 4 +
			(small ? blocks * 4 : 0));
	KUNIT_EXPECT_EQ(test, t->file.caches, !small);

	reads = t->file.reads;
	for (i = 0; i < 5000; i++) {
		u64 block = random_below(&t->random, blocks);
		u32 count = 1 + random_below(&t->random, min(blocks - block, 190ULL));

		/* Near the ends, too. */
		if (!random_below(&t->random, 8))
			block = 0;
		if (!random_below(&t->random, 8))
			block = blocks - count;
		t->file.cached = random_below(&t->random, 2);
		if (!found_right(t, block, count, !t->file.cached)) {
			KUNIT_FAIL(test, "%u blocks from %llu", count, block);
			return;
		}
	}
	if (small)
		KUNIT_EXPECT_EQ(test, reads, t->file.reads);
}

static void wait_test(struct kunit *test)
{
	struct table_test *t = table_test_make(test, 5000);
	u32 sizes[100];
	u64 offset;

	KUNIT_ASSERT_EQ(test, 0, table_test_load(t));
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			jump_table_find(&t->table, 4999, 1, false, &offset, sizes));
	t->file.read_error = -EIO;
	KUNIT_EXPECT_EQ(test, -EIO,
			jump_table_find(&t->table, 4999, 1, true, &offset, sizes));
	t->file.read_error = 0;
	KUNIT_EXPECT_TRUE(test, found_right(t, 4999, 1, true));
}

/* A leaf was read wrong once: it must not stay wrong in the cache. */
static void wrong_leaf_test(struct kunit *test)
{
	struct table_test *t = table_test_make(test, 5000);
	u32 sizes[100];
	u64 offset;

	KUNIT_ASSERT_EQ(test, 0, table_test_load(t));
	t->file.cached = true;
	t->file.cache_is_wrong = true;
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			jump_table_find(&t->table, 64, 1, false, &offset, sizes));
	KUNIT_EXPECT_TRUE(test, found_right(t, 64, 64, true));
	KUNIT_EXPECT_FALSE(test, t->file.cache_is_wrong);
	KUNIT_EXPECT_TRUE(test, found_right(t, 64, 64, false));
	jump_table_destroy(&t->table);
}

/* The index on disk is not the one that was loaded. */
static void changed_leaf_test(struct kunit *test)
{
	struct table_test *t = table_test_make(test, 5000);
	u32 size = t->offsets[101] - t->offsets[100];
	u32 sizes[100];
	u64 offset;

	KUNIT_ASSERT_EQ(test, 0, table_test_load(t));
	set_size(t, 100, size == 4132 ? size - 1 : size + 1);
	KUNIT_EXPECT_EQ(test, -EUCLEAN,
			jump_table_find(&t->table, 64, 1, true, &offset, sizes));
	KUNIT_EXPECT_EQ(test, -EUCLEAN,
			jump_table_find(&t->table, 10, 100, true, &offset, sizes));
	KUNIT_EXPECT_TRUE(test, found_right(t, 0, 64, true));
	KUNIT_EXPECT_TRUE(test, found_right(t, 128, 64, true));
	set_size(t, 100, size);
	KUNIT_EXPECT_TRUE(test, found_right(t, 64, 64, true));

	/* The sum is right, a size is not. */
	set_size(t, 100, size + t->offsets[102] - t->offsets[101]);
	set_size(t, 101, 0);
	KUNIT_EXPECT_EQ(test, -EUCLEAN,
			jump_table_find(&t->table, 100, 2, true, &offset, sizes));
	set_size(t, 101, 4);
	set_size(t, 100, size + t->offsets[102] - t->offsets[101] - 4);
	KUNIT_EXPECT_EQ(test, -EUCLEAN,
			jump_table_find(&t->table, 100, 2, true, &offset, sizes));
	/* In the last leaf, which is not full. */
	set_size(t, 4999, t->offsets[5000] - t->offsets[4999] == 5 ? 6 : 5);
	KUNIT_EXPECT_EQ(test, -EUCLEAN,
			jump_table_find(&t->table, 4992, 1, true, &offset, sizes));
}

/* If a block is found it lies in its leaf and has a possible size. */
static bool stays_inside(struct table_test *t, u64 block)
{
	u64 first = round_down(block, JUMP_TABLE_LEAF_BLOCKS);
	u64 offset;
	u32 size;

	if (jump_table_find(&t->table, block, 1, true, &offset, &size))
		return true;
	return size >= 5 && size <= 4132 && offset >= t->offsets[first] &&
	       offset + size <= t->offsets[first + JUMP_TABLE_LEAF_BLOCKS];
}

/* One bad size in the second leaf; with it or without, the sizes add up to @sum. */
static void craft_leaf(struct table_test *t, unsigned int bad, u32 size, u32 sum)
{
	u32 rest = size < sum ? sum - size : sum;
	unsigned int i;

	for (i = 64; i < 128; i++)
		set_size(t, i, rest / 63);
	set_size(t, bad == 64 ? 65 : 64, rest - rest / 63 * 62);
	set_size(t, bad, size);
}

/*
 * An impossible size whose place in the sum others take: that block is refused, and
 * no other one leads outside of the leaf.
 */
static void crafted_leaf_test(struct kunit *test)
{
	static const u32 bad_sizes[] = { 0, 4, 4133, U32_MAX };
	struct table_test *t = table_test_make(test, 5000);
	unsigned int bad, i, sum;
	u32 sizes[100];
	u64 offset;

	for (i = 64; i < 128; i++)
		set_size(t, i, 1000);
	for (i = 64; i < 5000; i++)
		t->offsets[i + 1] = t->offsets[i] + get_unaligned_le32(t->file.index + i * 4);
	t->info.index_offset = t->offsets[5000];
	t->file.index_offset = t->info.index_offset;
	KUNIT_ASSERT_EQ(test, 0, table_test_load(t));
	t->file.cached = true;

	for (bad = 64; bad < 128; bad += 63) {
		for (i = 0; i < ARRAY_SIZE(bad_sizes); i++) {
			/* The others: all of the leaf, one more, one less. */
			for (sum = 63999; sum <= 64001; sum++) {
				unsigned int k;

				craft_leaf(t, bad, bad_sizes[i], sum);
				KUNIT_EXPECT_EQ(test, -EUCLEAN,
						jump_table_find(&t->table, bad, 1, true,
								&offset, sizes));
				for (k = 64; k < 128; k++)
					KUNIT_EXPECT_TRUE(test, stays_inside(t, k));
			}
		}
	}
}

static void refuse_test(struct kunit *test)
{
	u64 blocks = *(const u64 *)test->param_value;
	struct table_test *t = table_test_make(test, blocks);
	u32 last = t->offsets[blocks] - t->offsets[blocks - 1];
	static const u32 bad_sizes[] = { 0, 1, 4, 4133, 65536, U32_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad_sizes); i++) {
		set_size(t, blocks - 1, bad_sizes[i]);
		KUNIT_EXPECT_EQ(test, -EINVAL, table_test_load(t));
		KUNIT_EXPECT_STREQ(test, t->error,
				   "ZFile index gives a block an impossible size");
		jump_table_destroy(&t->table);
	}
	set_size(t, blocks - 1, last);

	t->info.index_crc ^= 1;
	KUNIT_EXPECT_EQ(test, -EUCLEAN, table_test_load(t));
	KUNIT_EXPECT_STREQ(test, t->error, "ZFile index checksum mismatch");
	jump_table_destroy(&t->table);
	t->info.has_digest = false;
	KUNIT_EXPECT_EQ(test, 0, table_test_load(t));
	jump_table_destroy(&t->table);

	t->info.index_offset = t->offsets[blocks];
	t->file.index_offset = t->info.index_offset;
	KUNIT_EXPECT_EQ(test, 0, table_test_load(t));
	jump_table_destroy(&t->table);
	t->info.index_offset--;
	t->file.index_offset--;
	KUNIT_EXPECT_EQ(test, -EINVAL, table_test_load(t));
	KUNIT_EXPECT_STREQ(test, t->error, "ZFile blocks run into the index");
	jump_table_destroy(&t->table);

	t->file.read_error = -EIO;
	KUNIT_EXPECT_EQ(test, -EIO, table_test_load(t));
	KUNIT_EXPECT_STREQ(test, t->error, "Cannot read ZFile index");
}

/* Without block CRCs one byte is enough. */
static void smallest_block_test(struct kunit *test)
{
	struct table_test *t = table_test_make(test, 1);

	t->info.block_crc = false;
	set_size(t, 0, 1);
	t->offsets[1] = t->offsets[0] + 1;
	KUNIT_ASSERT_EQ(test, 0, table_test_load(t));
	KUNIT_EXPECT_TRUE(test, found_right(t, 0, 1, false));
	jump_table_destroy(&t->table);
	set_size(t, 0, 0);
	KUNIT_EXPECT_EQ(test, -EINVAL, table_test_load(t));
}

static struct kunit_case jump_table_cases[] = {
	KUNIT_CASE_PARAM(find_test, count_gen_params),
	KUNIT_CASE(wait_test),
	KUNIT_CASE(wrong_leaf_test),
	KUNIT_CASE(changed_leaf_test),
	KUNIT_CASE(crafted_leaf_test),
	KUNIT_CASE_PARAM(refuse_test, count_gen_params),
	KUNIT_CASE(smallest_block_test),
	{}
};

static struct kunit_suite jump_table_suite = {
	.name = "dm_overlaybd_jump_table",
	.exit = table_test_exit,
	.test_cases = jump_table_cases,
};

kunit_test_suite(jump_table_suite);
