// SPDX-License-Identifier: GPL-2.0
/*
 * Opening and closing a ZFile, see zfile.h.
 */

#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "bdev.h"
#include "block-cache.h"
#include "codec.h"
#include "zfile.h"
#include "zfile-io.h"
#include "zfile-sync.h"

/**
 * vfile_to_zfile() - get from a vfile to the ZFile it is
 * @vf: a vfile made by zfile_open()
 *
 * Return: the ZFile.
 */
struct zfile *vfile_to_zfile(struct vfile *vf)
{
	return container_of(vf, struct zfile, vf);
}

static int zfile_read(struct vfile *vf, void *buf, size_t bytes, u64 offset)
{
	return zfile_sync_read(vfile_to_zfile(vf), buf, bytes, offset);
}

static int zfile_map(struct vfile *vf, struct bio *bio, sector_t sector, void *io)
{
	return zfile_io_map(vfile_to_zfile(vf), bio, sector, io);
}

/* Takes a half open ZFile too. */
static void zfile_release(struct vfile *vf)
{
	struct zfile *zf = vfile_to_zfile(vf);

	obd_block_cache_forget(&zf->cached);
	if (zf->wait_queue)
		destroy_workqueue(zf->wait_queue);
	zfile_reserve_free(zf);
	jump_table_destroy(&zf->table);
	obd_codec_put(zf->codec);
	vfile_put(zf->file);
	mutex_destroy(&zf->reserve.lock);
	kfree(zf);
}

static const struct vfile_ops zfile_ops = {
	.read = zfile_read,
	.map = zfile_map,
	.release = zfile_release,
};

static int zfile_load(struct zfile *zf, const struct zfile_ends *ends,
		      const char **error)
{
	int r;

	r = zfile_decode(ends->header, ends->trailer, zf->file->size, &zf->info, error);
	if (r)
		return r;
	if (!zf->info.original_bytes) {
		*error = "ZFile is empty";
		return -EINVAL;
	}
	r = jump_table_load(&zf->table, zf->file, &zf->info, error);
	if (r)
		return r;
	return obd_codec_get(zf->info.algorithm, &zf->codec, error);
}

/* Out of memory they wait for each other, and each one has a thread while it does. */
#define ZFILE_MAX_WAITING	32

static int zfile_create_queue(struct zfile *zf, const char **error)
{
	zf->wait_queue = alloc_workqueue("dm_zfile/%pg", WQ_MEM_RECLAIM | WQ_UNBOUND,
					 ZFILE_MAX_WAITING, zf->bdev);
	if (!zf->wait_queue) {
		*error = "Cannot create ZFile workqueue";
		return -ENOMEM;
	}
	return 0;
}

/**
 * zfile_open() - open the ZFile on a range of a block device
 * @file: a vfile made by bdev_vfile_open(); a reference of its own is taken
 * @device_block_bytes: the logical block size to read with, that of the device or a
 *	larger one
 * @ends: header and trailer, as they were read from @file
 * @zfile: set to the vfile of the content, with one reference
 * @error: set to the reason on failure
 *
 * Validates all metadata, and reads what is left to be read of it. Both ends are
 * the caller's, who knows the ZFile by them: were they read again here, they could
 * be those of another one by now. Sleeps; a fatal signal ends it, but not one read that
 * the device does not answer.
 *
 * Return: 0, -EINVAL, -EUCLEAN, -EOPNOTSUPP or -EFBIG for an image that is
 * refused, -ENOMEM, -EINTR, or what reading gave.
 */
int zfile_open(struct vfile *file, unsigned int device_block_bytes,
	       const struct zfile_ends *ends, struct vfile **zfile, const char **error)
{
	struct zfile *zf;
	int r;

	zf = kzalloc(sizeof(*zf), GFP_KERNEL);
	if (!zf) {
		*error = "Cannot allocate ZFile context";
		return -ENOMEM;
	}
	vfile_init(&zf->vf, &zfile_ops, 0, zfile_io_bytes());
	zf->file = vfile_get(file);
	zf->bdev = bdev_vfile_device(file);
	zf->device_offset = (u64)bdev_vfile_start(file) << SECTOR_SHIFT;
	zf->device_block_bytes = device_block_bytes;
	mutex_init(&zf->reserve.lock);

	r = zfile_load(zf, ends, error);
	if (!r)
		r = zfile_reserve_alloc(zf, error);
	if (!r)
		r = zfile_create_queue(zf, error);
	if (r) {
		vfile_put(&zf->vf);
		return r;
	}
	zf->vf.size = zf->info.original_bytes;
	*zfile = &zf->vf;
	return 0;
}

/**
 * zfile_forget() - have an open ZFile read from its device again
 * @zf: the ZFile
 *
 * For who opens a ZFile that is open already: nothing vouches for its blocks still
 * being those that were read. A part of the jump table that somebody is reading just
 * now may stay, which is checked again anyway. May sleep.
 */
void zfile_forget(struct zfile *zf)
{
	obd_block_cache_forget(&zf->cached);
	jump_table_forget(&zf->table);
}

/**
 * zfile_resident_bytes() - memory an open ZFile holds that nothing can reclaim
 * @zf: the ZFile
 *
 * Return: bytes, without those that all ZFiles share and those of the kernel's own
 * objects: a workqueue, and what dm-bufio keeps.
 */
size_t zfile_resident_bytes(const struct zfile *zf)
{
	return sizeof(*zf) + jump_table_bytes(zf->table.block_count) +
	       zfile_reserve_bytes(zf);
}

/**
 * zfile_limits() - make known how a ZFile is best read
 * @zf: the ZFile
 * @limits: limits of a device that reads from it
 *
 * Any sector can be read, whatever the device below can do, but a part of a block
 * costs as much as the whole. What that device says of places in it means nothing, and
 * who polls would not find its bio there.
 */
void zfile_limits(const struct zfile *zf, struct queue_limits *limits)
{
	limits->logical_block_size = SECTOR_SIZE;
	limits->physical_block_size = max(limits->physical_block_size,
					  zfile_block_bytes(zf));
	limits->io_min = limits->physical_block_size;
	limits->io_opt = max(zfile_io_opt_bytes(), limits->physical_block_size);
	limits->chunk_sectors = 0;
	limits->alignment_offset = 0;
	limits->flags &= ~BLK_FLAG_MISALIGNED;
	limits->features &= ~BLK_FEAT_POLL;
}
