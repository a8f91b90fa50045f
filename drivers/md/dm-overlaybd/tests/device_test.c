// SPDX-License-Identifier: GPL-2.0
/* Mapped devices for the KUnit suites, see device_test.h. */

#include <kunit/test.h>
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/device-mapper.h>
#include <linux/major.h>
#include <linux/sizes.h>

#include "../../dm.h"
#include "device_test.h"
#include "image_build.h"

#define MEM_BYTES	SZ_1M
#define POISON		0x5a

/* A kernel that looks at each access is slow: there, one read of so many is done. */
#if IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KCSAN)
#define ONE_READ_IN	37
#else
#define ONE_READ_IN	1
#endif

/**
 * device_test_is_chosen() - is this one of the reads that are done?
 * @t: the test
 *
 * Return: true always, but on kernels that look at each access.
 */
bool device_test_is_chosen(struct device_test *t)
{
	return !random_below(&t->random, ONE_READ_IN);
}

static void read_end(struct bio *bio)
{
	struct read *read = bio->bi_private;

	read->status = bio->bi_status;
	atomic_inc(&read->ends);
	complete(&read->done);
}

/* Cut a read of this length into pieces of memory. */
static void choose_pieces(struct device_test *t, u32 bytes, enum layout layout)
{
	u32 at = layout == LAYOUT_SHIFTED ? 512 * (1 + random_below(&t->random, 7)) : 0;

	t->piece_count = 0;
	while (bytes) {
		u32 piece = bytes;

		if (layout == LAYOUT_PIECES) {
			at += 512 * random_below(&t->random, 4);
			if (t->piece_count + 1 < MAX_VECS)
				piece = min(bytes, 512 * (1 + random_below(&t->random, 20)));
		}
		t->pieces[t->piece_count++] = (struct piece) { at, piece };
		at += piece;
		bytes -= piece;
	}
}

static struct bio *read_bio(struct device_test *t, struct read *read, sector_t sector,
			    u8 *mem, blk_opf_t flags)
{
	struct bio *bio = bio_alloc(dm_disk(t->md)->part0, MAX_VECS,
				    REQ_OP_READ | flags, GFP_KERNEL);
	unsigned int i;

	for (i = 0; i < t->piece_count; i++) {
		u8 *p = mem + t->pieces[i].offset;

		KUNIT_ASSERT_EQ(t->test, t->pieces[i].bytes,
				bio_add_page(bio, virt_to_page(p), t->pieces[i].bytes,
					     offset_in_page(p)));
	}
	bio->bi_iter.bi_sector = sector;
	bio->bi_private = read;
	bio->bi_end_io = read_end;
	init_completion(&read->done);
	atomic_set(&read->ends, 0);
	return bio;
}

/* Is what was read the model's content, and all around it untouched? */
static bool pieces_right(struct device_test *t, sector_t sector, const u8 *mem,
			 u32 mem_bytes)
{
	const u8 *model = t->model + sector * 512;
	u32 at = 0;
	unsigned int i;

	for (i = 0; i < t->piece_count; i++) {
		const struct piece *p = &t->pieces[i];

		if (memchr_inv(mem + at, POISON, p->offset - at) ||
		    memcmp(mem + p->offset, model, p->bytes))
			return false;
		model += p->bytes;
		at = p->offset + p->bytes;
	}
	return !memchr_inv(mem + at, POISON, mem_bytes - at);
}

/**
 * device_test_read_sectors() - read with one bio and wait for its end
 * @t: the test, with a mapped device
 * @sector: where
 * @sectors: how many
 * @layout: of the memory that is filled
 * @flags: REQ_* of the bio
 * @right: set to whether the content is the model's, and all around it untouched
 *
 * Return: the status of the bio.
 */
blk_status_t device_test_read_sectors(struct device_test *t, sector_t sector, u32 sectors,
				      enum layout layout, blk_opf_t flags, bool *right)
{
	struct read read;
	struct bio *bio;
	u32 touched;

	choose_pieces(t, sectors * 512, layout);
	touched = t->pieces[t->piece_count - 1].offset +
		  t->pieces[t->piece_count - 1].bytes + 512;
	KUNIT_ASSERT_LE(t->test, touched, MEM_BYTES);
	memset(t->mem, POISON, touched);
	bio = read_bio(t, &read, sector, t->mem, flags);
	submit_bio(bio);
	wait_for_completion_io(&read.done);
	bio_put(bio);
	KUNIT_EXPECT_EQ(t->test, 1, atomic_read(&read.ends));
	*right = pieces_right(t, sector, t->mem, touched);
	return read.status;
}

/**
 * device_test_read_right() - read, compare, and fail the test if it is wrong
 * @t: the test, with a mapped device
 * @sector: where
 * @sectors: how many
 * @layout: of the memory that is filled
 *
 * Return: whether it was right.
 */
bool device_test_read_right(struct device_test *t, sector_t sector, u32 sectors,
			    enum layout layout)
{
	bool right;
	blk_status_t status = device_test_read_sectors(t, sector, sectors, layout, 0, &right);

	if (status || !right)
		KUNIT_FAIL(t->test, "%u sectors at %llu, layout %u: status %u, %s content",
			   sectors, (u64)sector, layout, status, right ? "right" : "wrong");
	return !status && right;
}

/**
 * device_test_read_window() - every start with every length within a window
 * @t: the test, with a mapped device
 * @first: sector where the window begins
 * @sectors: its length
 */
void device_test_read_window(struct device_test *t, sector_t first, u32 sectors)
{
	u32 start, end;

	for (start = 0; start < sectors; start++) {
		for (end = start + 1; end <= sectors; end++) {
			enum layout layout = (start + end) % LAYOUTS;

			if (device_test_is_chosen(t) &&
			    !device_test_read_right(t, first + start, end - start, layout))
				return;
		}
	}
}

/**
 * device_test_read_edges() - every pair of some sectors near the edges of blocks
 * @t: the test, with a mapped device
 * @block_sectors: length of a block
 */
void device_test_read_edges(struct device_test *t, u32 block_sectors)
{
	u32 points[64];
	unsigned int count = 0, i, k;
	u32 block;

	for (block = 0; block * block_sectors < t->sectors; block++) {
		static const int beside[] = { -2, -1, 0, 1, 7, 8, 100 };

		for (i = 0; i < ARRAY_SIZE(beside) && count < ARRAY_SIZE(points); i++) {
			s64 point = (s64)block * block_sectors + beside[i];

			if (point >= 0 && point < t->sectors)
				points[count++] = point;
		}
	}
	for (i = 0; i < count; i++) {
		for (k = 0; k < count; k++) {
			if (points[k] > points[i] && device_test_is_chosen(t) &&
			    !device_test_read_right(t, points[i], points[k] - points[i],
						    (i + k) % LAYOUTS))
				return;
		}
	}
}

/**
 * device_test_read_anywhere() - random reads, one at a time
 * @t: the test, with a mapped device
 * @reads: how many
 */
void device_test_read_anywhere(struct device_test *t, unsigned int reads)
{
	for (reads = DIV_ROUND_UP(reads, ONE_READ_IN); reads; reads--) {
		sector_t sector = random_below(&t->random, t->sectors);
		u32 most = min_t(sector_t, t->sectors - sector, 600);

		if (!device_test_read_right(t, sector, 1 + random_below(&t->random, most),
					    random_below(&t->random, LAYOUTS)))
			return;
	}
}

/**
 * device_test_read_in_flight() - IN_FLIGHT reads at a time, each into its own memory
 * @t: the test, with a mapped device
 * @sectors: length of each
 */
void device_test_read_in_flight(struct device_test *t, u32 sectors)
{
	u32 bytes = sectors * 512;
	unsigned int i;

	choose_pieces(t, bytes, LAYOUT_WHOLE);
	memset(t->mem, POISON, IN_FLIGHT * bytes);
	for (i = 0; i < IN_FLIGHT; i++) {
		t->at[i] = random_below(&t->random, t->sectors - sectors + 1);
		t->bios[i] = read_bio(t, &t->reads[i], t->at[i], t->mem + i * bytes, 0);
	}
	for (i = 0; i < IN_FLIGHT; i++)
		submit_bio(t->bios[i]);
	for (i = 0; i < IN_FLIGHT; i++) {
		struct read *read = &t->reads[i];

		wait_for_completion_io(&read->done);
		bio_put(t->bios[i]);
		KUNIT_EXPECT_EQ(t->test, 1, atomic_read(&read->ends));
		KUNIT_EXPECT_EQ(t->test, 0, (__force int)read->status);
		KUNIT_EXPECT_TRUE(t->test, pieces_right(t, t->at[i], t->mem + i * bytes,
							bytes));
	}
}

/**
 * device_test_write() - write to the ramdisk
 * @t: the test
 * @sector: where
 * @data: what; the rest of the last sector becomes garbage
 * @bytes: how much
 */
void device_test_write(struct device_test *t, sector_t sector, const u8 *data,
		       u64 bytes)
{
	u8 *page = kunit_kmalloc(t->test, PAGE_SIZE, GFP_KERNEL);
	struct bio_vec vec;
	struct bio bio;

	KUNIT_ASSERT_NOT_NULL(t->test, page);
	KUNIT_ASSERT_LE(t->test, sector * 512 + bytes, bdev_nr_bytes(t->ramdisk));
	while (bytes) {
		u32 step = min_t(u64, bytes, PAGE_SIZE);

		/* The last sector's rest is not ours: what lies there is nothing. */
		memset(page, 0xee, PAGE_SIZE);
		memcpy(page, data, step);
		bio_init(&bio, t->ramdisk, &vec, 1, REQ_OP_WRITE);
		bio.bi_iter.bi_sector = sector;
		__bio_add_page(&bio, virt_to_page(page), round_up(step, 512),
			       offset_in_page(page));
		KUNIT_ASSERT_EQ(t->test, 0, submit_bio_wait(&bio));
		bio_uninit(&bio);
		sector += round_up(step, 512) / 512;
		data += step;
		bytes -= step;
	}
	kunit_kfree(t->test, page);
}

/**
 * device_test_unmap() - remove the mapped device, if there is one
 * @t: the test
 */
void device_test_unmap(struct device_test *t)
{
	if (t->md) {
		dm_put(t->md);
		dm_destroy(t->md);
	}
	t->md = NULL;
}

/**
 * device_test_map() - make a device of one target and bring it to life
 * @t: the test, without a mapped device
 * @target: name of the target
 * @sectors: length of the device
 * @mode: of the table
 * @line: the parameters
 *
 * Return: 0, or the error that the table was refused with.
 */
int device_test_map(struct device_test *t, const char *target, sector_t sectors,
		    blk_mode_t mode, const char *line)
{
	char *params = kunit_kstrdup(t->test, line, GFP_KERNEL);
	struct dm_table *table, *old;
	int r;

	KUNIT_ASSERT_NOT_NULL(t->test, params);
	KUNIT_ASSERT_EQ(t->test, 0, dm_create(DM_ANY_MINOR, &t->md));
	r = dm_table_create(&table, mode, 1, t->md);
	KUNIT_ASSERT_EQ(t->test, 0, r);
	r = dm_table_add_target(table, target, 0, sectors, params);
	if (!r)
		r = dm_table_complete(table);
	if (!r)
		r = dm_setup_md_queue(t->md, table);
	if (r) {
		dm_table_destroy(table);
		device_test_unmap(t);
		return r;
	}
	dm_suspend(t->md, 0);
	old = dm_swap_table(t->md, table);
	KUNIT_ASSERT_FALSE(t->test, IS_ERR(old));
	KUNIT_ASSERT_EQ(t->test, 0, dm_resume(t->md));
	t->sectors = sectors;
	return 0;
}

/**
 * device_test_init() - open the ramdisk; a suite's init
 * @test: gets a struct device_test as its priv
 *
 * Return: 0; the test is skipped if there is no ramdisk.
 */
int device_test_init(struct kunit *test)
{
	struct device_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	t->random = 1;
	t->ramdisk_file = bdev_file_open_by_dev(MKDEV(RAMDISK_MAJOR, 0),
						BLK_OPEN_READ | BLK_OPEN_WRITE,
						NULL, NULL);
	if (IS_ERR(t->ramdisk_file))
		kunit_skip(test, "there is no ramdisk");
	test->priv = t;
	t->ramdisk = file_bdev(t->ramdisk_file);
	t->limits = bdev_get_queue(t->ramdisk)->limits;
	t->mem = alloc_pages_exact(MEM_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->mem);
	return 0;
}

/**
 * device_test_exit() - remove what the test has left; a suite's exit
 * @test: a test of device_test_init()
 */
void device_test_exit(struct kunit *test)
{
	struct device_test *t = test->priv;

	if (!t)
		return;
	device_test_unmap(t);
	bdev_get_queue(t->ramdisk)->limits = t->limits;
	if (t->mem)
		free_pages_exact(t->mem, MEM_BYTES);
	fput(t->ramdisk_file);
}

/**
 * device_test_make_content() - set the model to content for a ZFile
 * @t: the test
 * @bytes: how much; zeros follow up to the end of a sector
 * @block_bytes: length of a block, each is filled in another way
 */
void device_test_make_content(struct device_test *t, u64 bytes, u32 block_bytes)
{
	u64 at;

	t->model = image_alloc(t->test, round_up(bytes, 512));
	for (at = 0; at < bytes; at += block_bytes)
		fill_block(t->model + at, min_t(u64, block_bytes, bytes - at), &t->random);
}
