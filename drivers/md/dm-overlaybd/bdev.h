/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A range of a block device as a vfile.
 */

#ifndef DM_OVERLAYBD_BDEV_H
#define DM_OVERLAYBD_BDEV_H

#include <linux/types.h>

struct block_device;
struct vfile;

int bdev_vfile_open(struct block_device *bdev, sector_t start, u64 bytes,
		    struct vfile **file, const char **error);
struct block_device *bdev_vfile_device(struct vfile *vf);
sector_t bdev_vfile_start(struct vfile *vf);

#endif /* DM_OVERLAYBD_BDEV_H */
