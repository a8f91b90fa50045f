// SPDX-License-Identifier: GPL-2.0
/* Reads of lsmt devices: random layers, plain and compressed. */

#include <kunit/test.h>

#include "device_test.h"
#include "image_build.h"

#define STACK_LAYERS	6
#define STACK_SECTORS	400
#define LAYER_DATA	300	/* sectors */
#define LAYER_SEGMENTS	40

/* What a layer is made of: a bare file, or a ZFile of this kind. */
static const struct {
	u32 block_bytes;	/* 0: bare */
	u8 algorithm;
} stack_layers[STACK_LAYERS] = {
	{ 0 },
	{ 4096, ZFILE_LZ4 },
	{ 0 },
	{ 512, ZFILE_ZSTD },
	{ 16384, ZFILE_LZ4 },
	{ 4096, ZFILE_ZSTD },
};

/* Random segments with random data; the same painted on the model. */
static u32 make_segments(struct device_test *t, const u8 *data,
			 struct lsmt_image_segment *segments)
{
	u32 at = random_below(&t->random, 20), count = 0;

	while (count < LAYER_SEGMENTS && at < STACK_SECTORS) {
		struct lsmt_image_segment *s = &segments[count++];
		u32 i;

		s->offset = at;
		s->length = 1 + random_below(&t->random, 24);
		s->zeroed = !random_below(&t->random, 4);
		s->moffset = 8 + random_below(&t->random, LAYER_DATA - s->length + 1);
		/* What continues the data before it may be looked up as one. */
		if (count > 1 && random_below(&t->random, 2) &&
		    s[-1].moffset + s[-1].length + s->length <= 8 + LAYER_DATA)
			s->moffset = s[-1].moffset + s[-1].length;
		for (i = 0; i < s->length && at + i < STACK_SECTORS; i++) {
			u8 *sector = t->model + (at + i) * 512;

			if (s->zeroed)
				memset(sector, 0, 512);
			else
				memcpy(sector, data + (s->moffset - 8 + i) * 512, 512);
		}
		at += s->length;
		if (random_below(&t->random, 2))
			at += random_below(&t->random, 40);
	}
	return count;
}

/* Write one layer to the ramdisk and add it to the table line. */
static void add_layer(struct device_test *t, unsigned int i, sector_t *start,
		      char *line, size_t room)
{
	struct lsmt_image_segment segments[LAYER_SEGMENTS];
	u8 *data = image_alloc(t->test, LAYER_DATA * 512);
	struct zfile_image z = {
		.block_bytes = stack_layers[i].block_bytes,
		.algorithm = stack_layers[i].algorithm,
		.block_crc = true,
		.final_header = true,
	};
	u32 count;
	u8 *file;

	fill_random(data, LAYER_DATA * 512, &t->random);
	count = make_segments(t, data, segments);
	/* The topmost size that is given counts. */
	file = lsmt_image_build(t->test, data, LAYER_DATA, segments, count,
				i == 4 ? STACK_SECTORS * 512 + 511 :
				i == 5 ? 0 : 1234567, &z.file_bytes);
	if (z.block_bytes) {
		z.content = file;
		z.content_bytes = z.file_bytes;
		zfile_image_build(t->test, &z);
		file = z.file;
	}
	device_test_write(t, *start, file, z.file_bytes);
	snprintf(line + strlen(line), room - strlen(line), "%s" RAMDISK " %llu@%llu",
		 i ? " " : "", z.file_bytes, (u64)*start);
	*start += DIV_ROUND_UP_ULL(z.file_bytes, 512) + random_below(&t->random, 9);
}

static void map_stack(struct device_test *t, unsigned int layers)
{
	char line[STACK_LAYERS * 32] = "";
	bool resized = layers > 4;
	sector_t start = 3;
	unsigned int i;

	t->model = image_alloc(t->test, STACK_SECTORS * 512);
	for (i = 0; i < layers; i++)
		add_layer(t, i, &start, line, sizeof(line));
	KUNIT_EXPECT_EQ(t->test, resized ? -EINVAL : 0,
			device_test_map(t, "lsmt", STACK_SECTORS + 1, BLK_OPEN_READ, line));
	device_test_unmap(t);
	KUNIT_ASSERT_EQ(t->test, 0,
			device_test_map(t, "lsmt", STACK_SECTORS, BLK_OPEN_READ, line));
}

static void lsmt_stack_test(struct kunit *test)
{
	struct device_test *t = test->priv;
	unsigned int layers;

	for (layers = 1; layers <= STACK_LAYERS; layers++) {
		t->random = layers;
		map_stack(t, layers);
		device_test_read_window(t, 0, 40);
		device_test_read_window(t, STACK_SECTORS - 40, 40);
		device_test_read_anywhere(t, 300);
		device_test_read_in_flight(t, 40);
		device_test_unmap(t);
	}
}

static struct kunit_case lsmt_device_tests[] = {
	KUNIT_CASE(lsmt_stack_test),
	{}
};

static struct kunit_suite lsmt_device_suite = {
	.name = "dm_overlaybd_lsmt_device",
	.init = device_test_init,
	.exit = device_test_exit,
	.test_cases = lsmt_device_tests,
};

kunit_test_suite(lsmt_device_suite);
