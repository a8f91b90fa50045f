// SPDX-License-Identifier: GPL-2.0
/* Tables that are refused. */

#include <kunit/test.h>

#include "device_test.h"
#include "image_build.h"

struct refused_case {
	const char *name;
	const char *target;
	sector_t sectors;
	bool writable;
	const char *line;	/* %llu: length of the file */
};

/* There is a ZFile of 40 sectors at sector 8. */
static const struct refused_case refused_cases[] = {
	{ "writable", "zfile", 40, true, RAMDISK " %llu@8" },
	{ "longer than the content", "zfile", 41, false, RAMDISK " %llu@8" },
	{ "wrong start", "zfile", 40, false, RAMDISK " %llu@9" },
	{ "beyond the device", "zfile", 40, false, RAMDISK " %llu@1000000000" },
	{ "start overflows", "zfile", 40, false, RAMDISK " %llu@36028797018963968" },
	{ "longer than the device", "zfile", 40, false, RAMDISK " 1000000%llu@8" },
	{ "one byte", "zfile", 40, false, RAMDISK " 1@8" },
	{ "no length", "zfile", 40, false, RAMDISK },
	{ "no device", "zfile", 40, false, "" },
	{ "two devices", "zfile", 40, false, RAMDISK " %llu@8 " RAMDISK " 9000" },
	{ "no LSMT in it", "lsmt", 40, false, RAMDISK " %llu@8" },
	{ "no layers", "lsmt", 40, false, "0" },
	{ "half a layer", "lsmt", 40, false, RAMDISK " %llu@8 " RAMDISK },
	{ "unknown option", "zfile", 40, false, RAMDISK " %llu@8 1 fast" },
	{ "negative length", "zfile", 40, false, RAMDISK " -%llu@8" },
};

KUNIT_ARRAY_PARAM_DESC(refused, refused_cases, name);

static void refused_test(struct kunit *test)
{
	const struct refused_case *c = test->param_value;
	struct device_test *t = test->priv;
	struct zfile_image z = {
		.block_bytes = 4096,
		.algorithm = ZFILE_LZ4,
		.block_crc = true,
		.content_bytes = 40 * 512,
	};
	blk_mode_t mode = BLK_OPEN_READ | (c->writable ? BLK_OPEN_WRITE : 0);
	const char *good = RAMDISK " %llu@8 0";
	char line[120];

	device_test_make_content(t, z.content_bytes, 4096);
	z.content = t->model;
	zfile_image_build(test, &z);
	device_test_write(t, 8, z.file, z.file_bytes);
	snprintf(line, sizeof(line), c->line, z.file_bytes);
	KUNIT_EXPECT_EQ(test, -EINVAL, device_test_map(t, c->target, c->sectors, mode, line));
	device_test_unmap(t);

	/* And it was for that reason. */
	snprintf(line, sizeof(line), good, z.file_bytes);
	KUNIT_ASSERT_EQ(test, 0, device_test_map(t, "zfile", 40, BLK_OPEN_READ, line));
	KUNIT_EXPECT_TRUE(test, device_test_read_right(t, 0, 40, LAYOUT_WHOLE));
}

static struct kunit_case table_tests[] = {
	KUNIT_CASE_PARAM(refused_test, refused_gen_params),
	{}
};

static struct kunit_suite table_suite = {
	.name = "dm_overlaybd_table",
	.init = device_test_init,
	.exit = device_test_exit,
	.test_cases = table_tests,
};

kunit_test_suite(table_suite);
