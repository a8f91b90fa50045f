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

int image_open(struct image *image, int count, char *const *names);
void image_close(struct image *image);
bool image_is_payload(const struct image *image);
u64 image_bytes(const struct image *image);
int image_need_device(const struct image *image, u64 *sectors);

#endif /* OBD_IMAGE_H */
