/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The read path of compressed blocks.
 */

#ifndef DM_OVERLAYBD_ZFILE_IO_H
#define DM_OVERLAYBD_ZFILE_IO_H

#include <linux/types.h>

struct bio;
struct zfile;

unsigned int zfile_io_bytes(void);
unsigned int zfile_io_opt_bytes(void);
int zfile_io_map(struct zfile *zf, struct bio *bio, sector_t sector, void *per_bio);
int zfile_io_init(void);
void zfile_io_exit(void);

#endif /* DM_OVERLAYBD_ZFILE_IO_H */
