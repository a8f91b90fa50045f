// SPDX-License-Identifier: GPL-2.0
/* An image as the bytes one gets of it, see view.h. */

#include <string.h>

#include <linux/minmax.h>

#include "message.h"
#include "units.h"
#include "view.h"

static int init_stack(struct view *view, const struct layer *layers, unsigned int count,
		      u64 bytes)
{
	view->bytes = bytes;
	if (!bytes)
		return fail(STATUS_REFUSED, "%s: no layer says how large the device is",
			    layers[count - 1].path);
	return stack_init(&view->stack, layers, count, sectors_up(bytes));
}

/**
 * view_init() - flatten an image
 * @view: filled in; view_destroy() it whatever the outcome
 * @image: must stay open
 *
 * Return: 0 or a status.
 */
int view_init(struct view *view, const struct image *image)
{
	*view = (struct view) { .payload = NULL };
	if (!image_is_payload(image))
		return init_stack(view, image->layers, image->count, image_bytes(image));
	view->payload = &image->layers[0];
	view->bytes = image_bytes(image);
	return 0;
}

/* The same of one layer alone, which is as large as the image if it says no size. */
int view_init_layer(struct view *view, const struct image *image, unsigned int number)
{
	const struct layer *layer = &image->layers[number];

	if (!layer->is_lsmt)
		return view_init(view, image);
	*view = (struct view) { .payload = NULL };
	return init_stack(view, layer, 1, layer->lsmt.virtual_bytes ?
			  layer->lsmt.virtual_bytes : image_bytes(image));
}

void view_destroy(struct view *view)
{
	if (!view->payload)
		stack_destroy(&view->stack);
}

/* How many bytes from here on are zeros, as the indexes tell. */
u64 view_zeros(const struct view *view, u64 offset)
{
	struct segment_extent extent;
	u64 end;

	if (view->payload)
		return 0;
	segment_index_lookup(&view->stack.index, offset >> SECTOR_SHIFT, &extent);
	if (!extent.zeroed)
		return 0;
	end = (((offset >> SECTOR_SHIFT) + extent.sectors) << SECTOR_SHIFT);
	return min(end, view->bytes) - offset;
}

static int read_partial(const struct view *view, struct zfile_reader *reader,
			void *buffer, size_t bytes, u64 sector)
{
	u8 whole[SECTOR_BYTES];
	int r = stack_read(&view->stack, reader, whole, sector, 1);

	memcpy(buffer, whole, bytes);
	return r;
}

/**
 * view_read() - read bytes
 * @view: the view
 * @reader: the calling thread's
 * @buffer: where to
 * @bytes: how many; whole sectors but at the end of the view
 * @offset: from where on, a multiple of a sector
 *
 * Return: 0 or a status.
 */
int view_read(const struct view *view, struct zfile_reader *reader, void *buffer,
	      size_t bytes, u64 offset)
{
	size_t whole = bytes / SECTOR_BYTES * SECTOR_BYTES;
	int r;

	if (view->payload)
		return layer_read(view->payload, reader, buffer, bytes, offset);
	r = stack_read(&view->stack, reader, buffer, offset >> SECTOR_SHIFT,
		       whole >> SECTOR_SHIFT);
	if (!r && bytes > whole)
		r = read_partial(view, reader, (u8 *)buffer + whole, bytes - whole,
				 (offset + whole) >> SECTOR_SHIFT);
	return r;
}

/* Return: 0 or a status; readers_destroy() them whatever the outcome. */
int readers_init(struct readers *readers, unsigned int count)
{
	unsigned int i;

	memset(readers, 0, sizeof(*readers));
	for (i = 0; i < count; i++) {
		readers->of[i] = zfile_reader_new();
		if (!readers->of[i])
			return fail_memory();
	}
	return 0;
}

void readers_destroy(struct readers *readers)
{
	unsigned int i;

	for (i = 0; i < PIPELINE_MAX_THREADS; i++)
		zfile_reader_free(readers->of[i]);
}
