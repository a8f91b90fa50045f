// SPDX-License-Identifier: GPL-2.0
/* Reads of zfile devices: every start and length that matters, into all kinds of memory. */

#include <kunit/test.h>
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/sizes.h>

#include "../../dm.h"
#include "device_test.h"
#include "image_build.h"

struct zfile_device_case {
	u32 block_bytes;
	u8 algorithm;
	bool block_crc;
	bool final_header;
};

static const struct zfile_device_case zfile_device_cases[] = {
	{ 512, ZFILE_LZ4, true, true },
	{ 1024, ZFILE_LZ4, false, true },
	{ 2048, ZFILE_LZ4, true, false },
	{ 4096, ZFILE_LZ4, true, true },
	{ 8192, ZFILE_LZ4, false, false },
	{ 16384, ZFILE_LZ4, true, true },
	{ 32768, ZFILE_LZ4, true, false },
	{ 65536, ZFILE_LZ4, true, true },
	{ 512, ZFILE_ZSTD, false, false },
	{ 1024, ZFILE_ZSTD, true, true },
	{ 2048, ZFILE_ZSTD, true, false },
	{ 4096, ZFILE_ZSTD, true, true },
	{ 8192, ZFILE_ZSTD, true, true },
	{ 16384, ZFILE_ZSTD, false, true },
	{ 32768, ZFILE_ZSTD, true, false },
	{ 65536, ZFILE_ZSTD, true, true },
};

static void zfile_device_desc(const struct zfile_device_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s, blocks of %u%s%s",
		 c->algorithm == ZFILE_LZ4 ? "lz4" : "zstd", c->block_bytes,
		 c->block_crc ? "" : ", no CRCs",
		 c->final_header ? "" : ", header in the trailer");
}

KUNIT_ARRAY_PARAM(zfile_device, zfile_device_cases, zfile_device_desc);

/* Put a ZFile of the model's content somewhere on the ramdisk and map it. */
static void map_zfile(struct device_test *t, struct zfile_image *z)
{
	sector_t start = random_below(&t->random, 100);
	char line[80];

	z->content = t->model;
	zfile_image_build(t->test, z);
	device_test_write(t, start, z->file, z->file_bytes);
	snprintf(line, sizeof(line), RAMDISK " %llu@%llu", z->file_bytes, (u64)start);
	KUNIT_ASSERT_EQ(t->test, 0,
			device_test_map(t, "zfile", DIV_ROUND_UP_ULL(z->content_bytes, 512),
					BLK_OPEN_READ, line));
}

static void zfile_read_test(struct kunit *test)
{
	const struct zfile_device_case *c = test->param_value;
	struct device_test *t = test->priv;
	struct zfile_image z = {
		.block_bytes = c->block_bytes,
		.algorithm = c->algorithm,
		.block_crc = c->block_crc,
		.final_header = c->final_header,
	};
	u32 block_sectors = c->block_bytes / 512;

	/* More than one bio of the target, and some more blocks. */
	z.content_bytes = max(80 * 512, 4 * c->block_bytes) + c->block_bytes / 2 + 77;
	device_test_make_content(t, z.content_bytes, c->block_bytes);
	map_zfile(t, &z);

	if (block_sectors <= 8)
		device_test_read_window(t, 0, t->sectors);
	else if (block_sectors <= 64)
		device_test_read_window(t, t->sectors - 2 * block_sectors - 5,
					2 * block_sectors + 5);
	else
		device_test_read_edges(t, block_sectors);
	device_test_read_anywhere(t, 200);
	device_test_read_in_flight(t, 8);
	device_test_read_in_flight(t, 60);
}

/* An index too large to keep: parts of it are read while reading. */
static void large_index_test(struct kunit *test)
{
	struct device_test *t = test->priv;
	struct zfile_image z = {
		.block_bytes = 512,
		.algorithm = ZFILE_LZ4,
		.block_crc = true,
		.final_header = true,
		.content_bytes = 9000 * 512 - 100,
	};

	device_test_make_content(t, z.content_bytes, 512);
	map_zfile(t, &z);
	device_test_read_anywhere(t, 800);
	device_test_read_in_flight(t, 60);
}

/*
 * Sectors larger than what metadata is read in at once. Only few kernels allow them,
 * but no reader of the ramdisk asks whether they are true.
 */
static void large_sectors_test(struct kunit *test)
{
	struct device_test *t = test->priv;
	struct queue_limits *limits = &bdev_get_queue(t->ramdisk)->limits;
	struct zfile_image z = {
		.block_bytes = 512,
		.algorithm = ZFILE_LZ4,
		.block_crc = true,
		.content_bytes = 9000 * 512 - 100,
	};
	char line[80];

	device_test_make_content(t, z.content_bytes, 512);
	z.content = t->model;
	zfile_image_build(test, &z);
	device_test_write(t, 99, z.file, z.file_bytes);
	snprintf(line, sizeof(line), RAMDISK " %llu@99", z.file_bytes);
	limits->logical_block_size = SZ_64K;
	limits->physical_block_size = SZ_64K;
	KUNIT_ASSERT_EQ(test, 0, device_test_map(t, "zfile", 9000, BLK_OPEN_READ, line));
	device_test_read_anywhere(t, 200);
}

/* The table may show less than there is. */
static void shorter_table_test(struct kunit *test)
{
	struct device_test *t = test->priv;
	struct zfile_image z = {
		.block_bytes = 4096,
		.algorithm = ZFILE_LZ4,
		.final_header = true,
		.content_bytes = 40000,
	};
	char line[80];

	device_test_make_content(t, z.content_bytes, 4096);
	map_zfile(t, &z);
	device_test_unmap(t);
	device_test_write(t, 0, z.file, z.file_bytes);
	snprintf(line, sizeof(line), RAMDISK " %llu", z.file_bytes);
	KUNIT_ASSERT_EQ(test, 0, device_test_map(t, "zfile", 19, BLK_OPEN_READ, line));
	device_test_read_window(t, 0, 19);
}

/* A read that must not wait gets the content, or is told to come again. */
static void nowait_test(struct kunit *test)
{
	struct device_test *t = test->priv;
	struct zfile_image z = {
		.block_bytes = 512,
		.algorithm = ZFILE_LZ4,
		.block_crc = true,
		.final_header = true,
		.content_bytes = 5000 * 512,
	};
	unsigned int i, served = 0;

	device_test_make_content(t, z.content_bytes, 512);
	map_zfile(t, &z);
	for (i = 0; i < 500; i++) {
		u32 sectors = 1 + random_below(&t->random, 200);
		bool right;
		blk_status_t status;

		status = device_test_read_sectors(t, random_below(&t->random, 4800), sectors,
						  LAYOUT_PIECES, REQ_NOWAIT, &right);
		if (status == BLK_STS_OK) {
			served++;
			KUNIT_ASSERT_TRUE(test, right);
		} else {
			KUNIT_ASSERT_EQ(test, (__force int)BLK_STS_AGAIN,
					(__force int)status);
		}
	}
	KUNIT_EXPECT_GT(test, served, 0);
}

static void write_test(struct kunit *test)
{
	struct device_test *t = test->priv;
	struct zfile_image z = {
		.block_bytes = 4096,
		.algorithm = ZFILE_LZ4,
		.content_bytes = 8192,
	};
	struct bio_vec vec;
	struct bio bio;

	device_test_make_content(t, z.content_bytes, 4096);
	map_zfile(t, &z);
	bio_init(&bio, dm_disk(t->md)->part0, &vec, 1, REQ_OP_WRITE);
	__bio_add_page(&bio, virt_to_page(t->mem), 4096, 0);
	KUNIT_EXPECT_EQ(test, -EIO, submit_bio_wait(&bio));
	bio_uninit(&bio);
	device_test_read_window(t, 0, 16);
}

static struct kunit_case zfile_device_tests[] = {
	KUNIT_CASE_PARAM_ATTR(zfile_read_test, zfile_device_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE(large_index_test),
	KUNIT_CASE(large_sectors_test),
	KUNIT_CASE(shorter_table_test),
	KUNIT_CASE(nowait_test),
	KUNIT_CASE(write_test),
	{}
};

static struct kunit_suite zfile_device_suite = {
	.name = "dm_overlaybd_zfile_device",
	.init = device_test_init,
	.exit = device_test_exit,
	.test_cases = zfile_device_tests,
};

kunit_test_suite(zfile_device_suite);
