/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading the content of a ZFile into kernel memory and waiting for it.
 */

#ifndef DM_OVERLAYBD_ZFILE_SYNC_H
#define DM_OVERLAYBD_ZFILE_SYNC_H

#include <linux/types.h>

struct zfile;

int zfile_sync_read(struct zfile *zf, void *buf, size_t bytes, u64 offset);

#endif /* DM_OVERLAYBD_ZFILE_SYNC_H */
