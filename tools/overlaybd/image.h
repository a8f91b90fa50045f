/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An image as the user names it: layer files, tar blobs or block devices from
 * the lowest to the topmost, parts of such as place.h tells, or a config.v1.json
 * that lists them.
 */

#ifndef OBD_IMAGE_H
#define OBD_IMAGE_H

#include "layer.h"

/**
 * struct image - an open image
 * @layers: lowest first
 * @count: 1 to LSMT_MAX_LAYERS
 */
struct image {
	struct layer *layers;
	unsigned int count;
};

/* What to say of the layer that image_is_chained() is false for. */
#define IMAGE_NOT_CHAINED \
	"%s: its parent uuid is not that of the layer below (wrong order?)"

int image_open(struct image *image, int count, char *const *names);
void image_close(struct image *image);
bool image_is_payload(const struct image *image);
u64 image_bytes(const struct image *image);
bool image_is_chained(const struct image *image, unsigned int number);
int image_need_device(const struct image *image, u64 *sectors);

#endif /* OBD_IMAGE_H */
