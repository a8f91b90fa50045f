/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a range of a device to the vfile of the layer on it.
 */

#ifndef DM_OVERLAYBD_LAYER_H
#define DM_OVERLAYBD_LAYER_H

#include <linux/types.h>

struct block_device;
struct vfile;
struct zfile;
struct layer;

int layer_open(struct block_device *bdev, sector_t start, u64 bytes,
	       struct layer **layer, const char **error);
void layer_close(struct layer *layer);
struct vfile *layer_file(const struct layer *layer);
struct zfile *layer_zfile(const struct layer *layer);

#endif /* DM_OVERLAYBD_LAYER_H */
