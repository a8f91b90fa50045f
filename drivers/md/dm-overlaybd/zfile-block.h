/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One compressed block: verifying and decompressing it.
 */

#ifndef DM_OVERLAYBD_ZFILE_BLOCK_H
#define DM_OVERLAYBD_ZFILE_BLOCK_H

#include <linux/blkdev.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/types.h>

#include "zfile.h"

/**
 * struct zfile_block - a block as it is on disk, in memory
 * @block: which one
 * @file_offset: where in the file it was, in bytes
 * @data: its bytes, which nobody else may be able to change
 * @bytes: how many, its CRC included
 */
struct zfile_block {
	u64 block;
	u64 file_offset;
	const void *data;
	u32 bytes;
};

/* Bytes of content in a block: the last one may be short. */
static inline u32 zfile_content_bytes(const struct zfile *zf, u64 block)
{
	u64 left = zf->info.original_bytes - (block << zf->info.block_shift);

	return min_t(u64, left, zfile_block_bytes(zf));
}

/* A range of the file, widened to what its device can read. */
struct device_range {
	sector_t sector;
	unsigned int bytes;
	unsigned int head;	/* bytes before what was asked for */
};

/* Where blocks are to be read that take these bytes of the file. */
static inline struct device_range zfile_device_range(const struct zfile *zf,
						     u64 file_offset, u32 bytes)
{
	unsigned int unit = zf->device_block_bytes;
	u64 first = zf->device_offset + file_offset;
	u64 start = round_down(first, unit);

	return (struct device_range) {
		.sector = start >> SECTOR_SHIFT,
		.bytes = round_up(first + bytes, unit) - start,
		.head = first - start,
	};
}

/* Step to the next of blocks that lie back to back. */
static inline void zfile_next_block(struct zfile_block *zb)
{
	zb->block++;
	zb->file_offset += zb->bytes;
	zb->data += zb->bytes;
}

int zfile_decode_block(struct zfile *zf, const struct zfile_block *zb, void *dst,
		       bool dst_is_ours);
void zfile_report_corrupt(struct zfile *zf, u64 block, u64 file_offset,
			  const char *what);

#endif /* DM_OVERLAYBD_ZFILE_BLOCK_H */
