// SPDX-License-Identifier: GPL-2.0
/*
 * A whole image through the command's reader: opened, checked, flattened, read
 * as a whole and in odd pieces; whatever way it is read, it reads the same.
 *
 * Input: see image-input.h.
 */

#include "../../tools/overlaybd/check.h"
#include "../../tools/overlaybd/message.h"
#include "../../tools/overlaybd/units.h"
#include "../../tools/overlaybd/view.h"
#include <linux/minmax.h>

#include "image-input.h"

/* What is read of an image at most, in each of the ways. */
#define READ_BYTES	(256U << 10)

static struct zfile_reader *reader, *other_reader;

/* Only what the bytes of an image can cause, and a failing read. */
static int good_status(int r)
{
	CHECK(r == 0 || r == STATUS_REFUSED || (r == STATUS_IO && fault_read.happened));
	CHECK(!r || *failure_text());
	return r;
}

/* The extents cover the device, each leads to data that is there. */
static void walk(const struct stack *stack)
{
	u64 sector = 0, steps = 0;

	while (sector < stack->index.sectors) {
		const struct layer *layer;
		struct segment_extent e;

		segment_index_lookup(&stack->index, sector, &e);
		CHECK(e.sectors && e.sectors <= stack->index.sectors - sector);
		sector += e.sectors;
		CHECK(++steps <= stack->index.count);
		if (e.zeroed)
			continue;
		CHECK(e.layer < stack->count);
		layer = &stack->layers[e.layer];
		CHECK(e.moffset >= 8 &&
		      e.moffset + e.sectors <= layer->lsmt.index_offset / SECTOR_BYTES);
	}
	CHECK(steps == stack->index.count);
}

/* Read a range at once, then in small pieces from its end to its beginning. */
static void read_range(const struct view *view, u64 offset, size_t bytes)
{
	static u8 whole[READ_BYTES], part[READ_BYTES];
	size_t step = 3 * SECTOR_BYTES, at = bytes;
	int r;

	r = good_status(view_read(view, reader, whole, bytes, offset));
	while (at) {
		size_t length = at % step ? at % step : step;

		at -= length;
		if (good_status(view_read(view, other_reader, part, length, offset + at)))
			CHECK(r || fault_read.happened);
		else if (!r)
			CHECK(!memcmp(whole + at, part, length));
	}
	if (!r && view_zeros(view, offset))
		CHECK(is_zero(whole, min_t(u64, view_zeros(view, offset), bytes)));
}

static void read_view(const struct view *view)
{
	u64 last = view->bytes > READ_BYTES ? view->bytes - READ_BYTES : 0;

	if (!view->payload)
		walk(&view->stack);
	read_range(view, 0, min_t(u64, view->bytes, READ_BYTES));
	last = round_up_to(last, SECTOR_BYTES);
	if (last)
		read_range(view, last, view->bytes - last);
}

/* What the index of a ZFile leads to lies before the index. */
static void check_zfile(const struct zfile *z)
{
	u64 leaves = (z->info.block_count + ZFILE_LEAF_BLOCKS - 1) / ZFILE_LEAF_BLOCKS, i;

	CHECK(z->largest <= z->info.max_entry_bytes);
	CHECK(z->anchors[0] == ZFILE_HEADER_BYTES);
	CHECK(z->anchors[leaves] <= z->info.index_offset);
	for (i = 0; i < leaves; i++)
		CHECK(z->anchors[i] < z->anchors[i + 1]);
}

static void use_image(const struct image *image)
{
	struct check_result result;
	struct view view;
	unsigned int i;
	int checked;
	u64 sectors;

	reader = zfile_reader_new();
	other_reader = zfile_reader_new();
	CHECK(reader && other_reader);
	for (i = 0; i < image->count; i++)
		if (image->layers[i].is_zfile)
			check_zfile(&image->layers[i].zfile);
	checked = good_status(check_image(image, true, 1, &result));
	check_result_destroy(&result);
	good_status(image_need_device(image, &sectors));
	if (!good_status(view_init(&view, image)))
		read_view(&view);
	else
		CHECK(checked || fault_read.happened);
	view_destroy(&view);
	good_status(view_init_layer(&view, image, image->count - 1));
	view_destroy(&view);
	zfile_reader_free(reader);
	zfile_reader_free(other_reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *const names[] = { "0", "1", "2", "3" };
	struct packed_layer layers[IMAGE_MAX_LAYERS];
	unsigned int count = image_unpack(data, size, layers), i;
	unsigned int options = image_options(data, size);
	struct image image;

	message_quiet();
	for (i = 0; i < count; i++)
		memory_file_add(layers[i].data, layers[i].bytes);
	memory_files_are_devices(options & IMAGE_ON_DEVICES);
	fault_set(&fault_read, options & IMAGE_FAILING_READ);
	if (!good_status(image_open(&image, count, names)))
		use_image(&image);
	image_close(&image);
	memory_files_remove();
	return 0;
}
