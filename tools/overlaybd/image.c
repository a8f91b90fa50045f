// SPDX-License-Identifier: GPL-2.0
/* An image as the user names it, see image.h. */

#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "disk.h"
#include "image.h"
#include "message.h"
#include "units.h"

static int collect_place(const char *name, struct place_list *list)
{
	bool is_config = false;
	struct place place;
	int r = place_parse(name, &place);

	if (!r && !place.is_part)
		r = config_detect(place.path, &is_config);
	if (!r && !is_config)
		return place_list_add(list, &place);
	if (!r)
		r = config_read(place.path, list);
	free(place.path);
	return r;
}

static int collect_places(int count, char *const *names, struct place_list *list)
{
	int i, r = 0;

	for (i = 0; !r && i < count; i++)
		r = collect_place(names[i], list);
	if (!r && list->count > LSMT_MAX_LAYERS)
		r = fail(STATUS_REFUSED, "%u layers: an image has at most %d",
			 list->count, LSMT_MAX_LAYERS);
	return r;
}

static int open_layers(struct image *image, const struct place_list *list)
{
	int r;

	image->layers = calloc(list->count, sizeof(*image->layers));
	if (!image->layers)
		return fail_memory();
	while (image->count < list->count) {
		struct layer *layer = &image->layers[image->count];

		r = layer_open(layer, &list->places[image->count++]);
		if (r)
			return r;
		if (!layer->is_lsmt && list->count > 1)
			return fail(STATUS_REFUSED,
				    "%s: this ZFile holds no LSMT layer and cannot be one of several layers",
				    layer->path);
	}
	return 0;
}

/**
 * image_open() - open all layers of an image
 * @image: filled in; image_close() it whatever the outcome
 * @count: number of names
 * @names: what the user gave
 *
 * Return: 0 or a status.
 */
int image_open(struct image *image, int count, char *const *names)
{
	struct place_list list = { .count = 0 };
	int r;

	*image = (struct image) { .count = 0 };
	if (count < 1)
		return fail(STATUS_USAGE, "no image given");
	r = collect_places(count, names, &list);
	if (!r)
		r = open_layers(image, &list);
	place_list_destroy(&list);
	return r;
}

void image_close(struct image *image)
{
	unsigned int i;

	for (i = 0; i < image->count; i++)
		layer_close(&image->layers[i]);
	free(image->layers);
	*image = (struct image) { .count = 0 };
}

/* A ZFile of something that is not a layer? */
bool image_is_payload(const struct image *image)
{
	return !image->layers[0].is_lsmt;
}

/**
 * image_bytes() - how long the image is when unpacked
 * @image: an open image
 *
 * Return: exact bytes of a payload; else the virtual size of the topmost layer
 * that has one, 0 when none has.
 */
u64 image_bytes(const struct image *image)
{
	unsigned int i;

	if (image_is_payload(image))
		return image->layers[0].content_bytes;
	for (i = image->count; i--; )
		if (image->layers[i].lsmt.virtual_bytes)
			return image->layers[i].lsmt.virtual_bytes;
	return 0;
}

static bool is_unknown(const char *uuid)
{
	return !uuid[strspn(uuid, "0-")];
}

/**
 * image_is_chained() - does a layer say that it belongs on the one below?
 * @image: a stack
 * @number: of the layer, not the lowest
 *
 * Return: true also for a layer that does not say what it belongs on.
 */
bool image_is_chained(const struct image *image, unsigned int number)
{
	struct lsmt_fields below, above;

	lsmt_read_fields(image->layers[number - 1].trailer, &below);
	lsmt_read_fields(image->layers[number].trailer, &above);
	return is_unknown(above.labels.parent_uuid) ||
	       !strcasecmp(below.labels.uuid, above.labels.parent_uuid);
}

/**
 * image_need_device() - refuse an image that cannot be a device
 * @image: an open image
 * @sectors: set to the size of the device
 *
 * The last sector of a payload is filled up with zeros, the last part of a
 * sector of a stack does not exist. Return: 0 or STATUS_REFUSED.
 */
int image_need_device(const struct image *image, u64 *sectors)
{
	u64 bytes = image_bytes(image);

	*sectors = image_is_payload(image) ? sectors_up(bytes) : sectors_down(bytes);
	if (*sectors)
		return 0;
	return fail(STATUS_REFUSED, image_is_payload(image) ?
		    "%s: an empty ZFile is no device" :
		    "%s: no layer says how large the device is",
		    image->layers[image->count - 1].path);
}
