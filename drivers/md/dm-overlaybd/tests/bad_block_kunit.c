// SPDX-License-Identifier: GPL-2.0
/* Reads of a zfile device with a block that is bad. */

#include <kunit/test.h>

#include "device_test.h"
#include "image_build.h"

/* Block 2 of four is bad in some way. */
struct bad_block_case {
	const char *name;
	u8 algorithm;
	void (*make)(struct device_test *t, u8 *payload, u32 *bytes);
	bool break_crc;
};

static void bad_nothing(struct device_test *t, u8 *payload, u32 *bytes)
{
}

static void bad_flip(struct device_test *t, u8 *payload, u32 *bytes)
{
	payload[*bytes / 2] ^= 4;
}

static void bad_garbage(struct device_test *t, u8 *payload, u32 *bytes)
{
	fill_random(payload, *bytes, &t->random);
}

static void bad_truncated(struct device_test *t, u8 *payload, u32 *bytes)
{
	*bytes -= 1;
}

static void bad_one_byte(struct device_test *t, u8 *payload, u32 *bytes)
{
	*bytes = 1;
}

static void bad_largest(struct device_test *t, u8 *payload, u32 *bytes)
{
	*bytes = 4096 + 4096 / 255 + 16;
	memset(payload, 0xff, *bytes);
}

static void bad_lz4_short(struct device_test *t, u8 *payload, u32 *bytes)
{
	*bytes = lz4_encode(payload, t->model + 2 * 4096, 4095);
}

static void bad_lz4_long(struct device_test *t, u8 *payload, u32 *bytes)
{
	*bytes = lz4_encode(payload, t->model + 2 * 4096, 4097);
}

static void bad_zstd_short(struct device_test *t, u8 *payload, u32 *bytes)
{
	*bytes = zstd_encode(payload, t->model + 2 * 4096, 4095);
}

static void bad_zstd_long(struct device_test *t, u8 *payload, u32 *bytes)
{
	*bytes = zstd_encode(payload, t->model + 2 * 4096, 4097);
}

static const struct bad_block_case bad_block_cases[] = {
	{ "lz4, changed payload", ZFILE_LZ4, bad_flip, true },
	{ "lz4, changed checksum", ZFILE_LZ4, bad_nothing, true },
	{ "lz4, garbage", ZFILE_LZ4, bad_garbage },
	{ "lz4, truncated", ZFILE_LZ4, bad_truncated },
	{ "lz4, one byte", ZFILE_LZ4, bad_one_byte },
	{ "lz4, as large as can be", ZFILE_LZ4, bad_largest },
	{ "lz4, content too short", ZFILE_LZ4, bad_lz4_short },
	{ "lz4, content too long", ZFILE_LZ4, bad_lz4_long },
	{ "zstd, changed payload", ZFILE_ZSTD, bad_flip, true },
	{ "zstd, changed checksum", ZFILE_ZSTD, bad_nothing, true },
	{ "zstd, garbage", ZFILE_ZSTD, bad_garbage },
	{ "zstd, truncated", ZFILE_ZSTD, bad_truncated },
	{ "zstd, one byte", ZFILE_ZSTD, bad_one_byte },
	{ "zstd, as large as can be", ZFILE_ZSTD, bad_largest },
	{ "zstd, content too short", ZFILE_ZSTD, bad_zstd_short },
	{ "zstd, content too long", ZFILE_ZSTD, bad_zstd_long },
};

KUNIT_ARRAY_PARAM_DESC(bad_block, bad_block_cases, name);

/* The checksum lies behind the payload of block 2. */
static void break_checksum(struct device_test *t, const struct zfile_image *z)
{
	const u8 *index = z->file + get_unaligned_le64(z->file + 40);
	u64 end = 512 + get_unaligned_le32(index) + get_unaligned_le32(index + 4) +
		  get_unaligned_le32(index + 8);

	z->file[end - 1] ^= 0x80;
}

static void map_bad_zfile(struct device_test *t, const struct bad_block_case *c,
			  bool block_crc)
{
	struct zfile_image z = {
		.block_bytes = 4096,
		.algorithm = c->algorithm,
		.block_crc = block_crc,
		.final_header = true,
		.content_bytes = 4 * 4096,
		.bad_block = 2,
	};
	u8 *payload = image_alloc(t->test, 8192);
	char line[80];

	device_test_make_content(t, z.content_bytes, 4096);
	z.bad_bytes = encode_block(c->algorithm, payload, t->model + 2 * 4096, 4096);
	c->make(t, payload, &z.bad_bytes);
	z.bad_payload = payload;
	z.content = t->model;
	zfile_image_build(t->test, &z);
	if (c->break_crc)
		break_checksum(t, &z);
	device_test_write(t, 0, z.file, z.file_bytes);
	snprintf(line, sizeof(line), RAMDISK " %llu", z.file_bytes);
	KUNIT_ASSERT_EQ(t->test, 0, device_test_map(t, "zfile", 32, BLK_OPEN_READ, line));
}

/* Every bio that wants a byte of the bad block fails; all others are right. */
static void expect_bad_block(struct device_test *t)
{
	u32 start, end;

	for (start = 0; start < 32; start++) {
		for (end = start + 1; end <= 32; end++) {
			bool right, touched = start < 24 && end > 16;
			blk_status_t status;

			if (!device_test_is_chosen(t))
				continue;
			status = device_test_read_sectors(t, start, end - start,
							  (start + end) % LAYOUTS, 0, &right);
			KUNIT_ASSERT_EQ_MSG(t->test, (__force int)status,
					    touched ? (__force int)BLK_STS_IOERR : 0,
					    "sectors %u to %u", start, end);
			if (!touched)
				KUNIT_ASSERT_TRUE(t->test, right);
		}
	}
}

static void bad_block_test(struct kunit *test)
{
	const struct bad_block_case *c = test->param_value;
	struct device_test *t = test->priv;

	map_bad_zfile(t, c, true);
	expect_bad_block(t);
	device_test_unmap(t);
	if (!c->break_crc) {
		map_bad_zfile(t, c, false);
		expect_bad_block(t);
	}
}

static struct kunit_case bad_block_tests[] = {
	KUNIT_CASE_PARAM(bad_block_test, bad_block_gen_params),
	{}
};

static struct kunit_suite bad_block_suite = {
	.name = "dm_overlaybd_bad_block",
	.init = device_test_init,
	.exit = device_test_exit,
	.test_cases = bad_block_tests,
};

kunit_test_suite(bad_block_suite);
