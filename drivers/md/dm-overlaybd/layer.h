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

int obd_layer_open(struct block_device *bdev, sector_t start, u64 bytes,
		   struct layer **layer, const char **error);
void obd_layer_close(struct layer *layer);
struct vfile *obd_layer_file(const struct layer *layer);
struct zfile *obd_layer_zfile(const struct layer *layer);

#endif /* DM_OVERLAYBD_LAYER_H */
