/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A ZFile on a range of a block device, as a vfile of its decompressed content.
 */

#ifndef DM_OVERLAYBD_ZFILE_H
#define DM_OVERLAYBD_ZFILE_H

#include <linux/atomic.h>
#include <linux/blkdev.h>
#include <linux/types.h>

#include "block-cache.h"
#include "format.h"
#include "jump-table.h"
#include "vfile.h"
#include "zfile-reserve.h"

struct block_device;
struct codec;
struct queue_limits;
struct workqueue_struct;

/**
 * struct zfile_ends - both ends of a file as they are on disk
 * @header: the first bytes
 * @trailer: the last ones
 *
 * They identify the content of a ZFile.
 */
struct zfile_ends {
	u8 header[ZFILE_HEADER_BYTES] __aligned(8);
	u8 trailer[ZFILE_HEADER_BYTES] __aligned(8);
};

/**
 * struct zfile - an open ZFile
 * @vf: the vfile this is; its size is the exact length of the content
 * @file: the range the ZFile lies in; one reference is ours
 * @bdev: the device of @file
 * @device_offset: where @file begins on @bdev, in bytes
 * @device_block_bytes: logical block size that @bdev had when the layer was opened.
 *	That of a device-mapper device may grow under us, and the memory that is read
 *	to has the size that this one asks for
 * @info: the decoded header
 * @table: where the blocks are
 * @codec: how to decompress them
 * @wait_queue: runs the reads that had to wait, for memory, for a part of the
 *	jump table, or for the scratch of the reserve. It belongs to this ZFile
 *	alone: one below us in a stack of devices must not stand in line behind us
 * @reserve: with which reading goes on, block by block, when no memory can be had
 * @cached: whose the blocks are in the cache of decompressed blocks
 * @read_errors: how often the device failed to deliver
 * @corrupt_blocks: how often a block failed its CRC or did not decompress
 *
 * All but the content of the reserve and the counters is immutable once opened.
 */
struct zfile {
	struct vfile vf;
	struct vfile *file;
	struct block_device *bdev;
	u64 device_offset;
	unsigned int device_block_bytes;
	struct zfile_info info;
	struct jump_table table;
	const struct codec *codec;
	struct workqueue_struct *wait_queue;
	struct zfile_reserve reserve;
	struct cache_owner cached;
	atomic64_t read_errors;
	atomic64_t corrupt_blocks;
};

static inline u32 zfile_block_bytes(const struct zfile *zf)
{
	return 1U << zf->info.block_shift;
}

/* Has the device got larger blocks than those that we read? */
static inline bool zfile_device_has_grown(const struct zfile *zf)
{
	return bdev_logical_block_size(zf->bdev) > zf->device_block_bytes;
}

int zfile_open(struct vfile *file, unsigned int device_block_bytes,
	       const struct zfile_ends *ends, struct vfile **zfile, const char **error);
struct zfile *vfile_to_zfile(struct vfile *vf);
void zfile_forget(struct zfile *zf);
size_t zfile_resident_bytes(const struct zfile *zf);
void zfile_limits(const struct zfile *zf, struct queue_limits *limits);

#endif /* DM_OVERLAYBD_ZFILE_H */
