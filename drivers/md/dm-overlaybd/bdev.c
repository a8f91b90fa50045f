// SPDX-License-Identifier: GPL-2.0
/*
 * A range of a block device as a vfile. Bios are redirected. Metadata that is
 * wanted once is read with bios of our own: a dm-bufio client costs more to make
 * than what it would read. Metadata that is wanted again and again goes through
 * dm-bufio, where it can be reclaimed.
 */

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/dm-bufio.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "bdev.h"
#include "vfile.h"

/*
 * So much is read at once, or one logical block where that is larger. An allocation
 * of this size practically never fails.
 */
#define BDEV_READ_BYTES		(32U << 10)

#define BDEV_CACHE_BLOCK_BYTES	4096

/**
 * struct bdev_vfile - a range of a block device
 * @vf: the vfile this is
 * @bdev: the device; whoever opened the vfile keeps it open
 * @start: first sector of the range
 * @blocks: caches the device in large blocks; NULL: there is no cache
 * @tail: caches the sectors behind the last whole block, which a read of a
 *	large block would take beyond the end of the device. NULL: there are none
 */
struct bdev_vfile {
	struct vfile vf;
	struct block_device *bdev;
	sector_t start;
	struct dm_bufio_client *blocks;
	struct dm_bufio_client *tail;
};

static struct bdev_vfile *to_bdev(struct vfile *vf)
{
	return container_of(vf, struct bdev_vfile, vf);
}

static u64 bdev_position(const struct bdev_vfile *bv, u64 offset)
{
	return ((u64)bv->start << SECTOR_SHIFT) + offset;
}

/* Read whole logical blocks into contiguous memory. */
static int bdev_read_blocks(struct block_device *bdev, u64 pos, void *memory,
			    unsigned int bytes)
{
	struct bio_vec vec;
	struct bio bio;
	int r;

	bio_init(&bio, bdev, &vec, 1, REQ_OP_READ | REQ_SYNC | REQ_META);
	bio.bi_iter.bi_sector = pos >> SECTOR_SHIFT;
	__bio_add_page(&bio, virt_to_page(memory), bytes, offset_in_page(memory));
	r = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return r;
}

static int bdev_read(struct vfile *vf, void *buf, size_t bytes, u64 offset)
{
	struct bdev_vfile *bv = to_bdev(vf);
	unsigned int unit = bdev_logical_block_size(bv->bdev);
	u64 pos = bdev_position(bv, offset);
	u64 end = pos + bytes;
	size_t room = min_t(u64, max(BDEV_READ_BYTES, unit),
			    round_up(end, unit) - round_down(pos, unit));
	void *memory;
	int r = 0;

	memory = kmalloc(room, GFP_KERNEL);
	if (!memory)
		return -ENOMEM;
	while (pos < end && !r) {
		u64 first = round_down(pos, unit);
		unsigned int head = pos - first;
		size_t got = min_t(u64, room, round_up(end, unit) - first);
		size_t step = min_t(u64, got - head, end - pos);

		r = bdev_read_blocks(bv->bdev, first, memory, got);
		if (!r)
			memcpy(buf, memory + head, step);
		buf += step;
		pos += step;
	}
	kfree(memory);
	return r;
}

static struct dm_bufio_client *bdev_client_create(struct block_device *bdev,
						  unsigned int block_bytes)
{
	/* The cache is looked into where nothing may sleep. */
	return dm_bufio_client_create(bdev, block_bytes, 1, 0, NULL, NULL,
				      DM_BUFIO_CLIENT_NO_SLEEP);
}

static void bdev_cache_end(struct vfile *vf)
{
	struct bdev_vfile *bv = to_bdev(vf);

	dm_bufio_client_destroy(bv->blocks);
	if (bv->tail)
		dm_bufio_client_destroy(bv->tail);
	bv->blocks = NULL;
	bv->tail = NULL;
}

static int bdev_cache_begin(struct vfile *vf)
{
	struct bdev_vfile *bv = to_bdev(vf);
	unsigned int unit = bdev_logical_block_size(bv->bdev);
	unsigned int block_bytes = max_t(unsigned int, BDEV_CACHE_BLOCK_BYTES, unit);
	struct dm_bufio_client *c;

	c = bdev_client_create(bv->bdev, block_bytes);
	if (IS_ERR(c))
		return PTR_ERR(c);
	bv->blocks = c;

	if (!(bdev_nr_bytes(bv->bdev) & (block_bytes - 1)))
		return 0;
	c = bdev_client_create(bv->bdev, unit);
	if (IS_ERR(c)) {
		bdev_cache_end(vf);
		return PTR_ERR(c);
	}
	bv->tail = c;
	return 0;
}

/* The cache block that a byte of the device lies in, and what of it to copy. */
struct bdev_piece {
	struct dm_bufio_client *client;
	sector_t block;
	unsigned int offset;	/* bytes into the block */
	unsigned int bytes;
};

static struct bdev_piece bdev_piece(const struct bdev_vfile *bv, u64 pos,
				    size_t bytes)
{
	struct bdev_piece p = { .client = bv->blocks };
	unsigned int block_bytes = dm_bufio_get_block_size(p.client);

	if (bv->tail &&
	    pos >= round_down(bdev_nr_bytes(bv->bdev), block_bytes)) {
		p.client = bv->tail;
		block_bytes = dm_bufio_get_block_size(p.client);
	}
	p.block = pos >> ilog2(block_bytes);
	p.offset = pos & (block_bytes - 1);
	p.bytes = min_t(size_t, bytes, block_bytes - p.offset);
	return p;
}

/* What is wanted may straddle blocks, and only one may be held at a time. */
static int bdev_cache_read(struct vfile *vf, void *buf, size_t bytes, u64 offset,
			   bool may_wait)
{
	struct bdev_vfile *bv = to_bdev(vf);
	u64 pos = bdev_position(bv, offset);

	while (bytes) {
		struct bdev_piece p = bdev_piece(bv, pos, bytes);
		struct dm_buffer *buffer;
		void *data;

		data = may_wait ? dm_bufio_read(p.client, p.block, &buffer) :
				  dm_bufio_get(p.client, p.block, &buffer);
		if (!data)
			return -EAGAIN;
		if (IS_ERR(data))
			return may_wait ? PTR_ERR(data) : -EAGAIN;
		memcpy(buf, data + p.offset, p.bytes);
		dm_bufio_release(buffer);
		buf += p.bytes;
		pos += p.bytes;
		bytes -= p.bytes;
	}
	return 0;
}

static void bdev_cache_forget(struct vfile *vf, size_t bytes, u64 offset)
{
	struct bdev_vfile *bv = to_bdev(vf);
	u64 pos = bdev_position(bv, offset);

	while (bytes) {
		struct bdev_piece p = bdev_piece(bv, pos, bytes);

		dm_bufio_forget(p.client, p.block);
		pos += p.bytes;
		bytes -= p.bytes;
		cond_resched();
	}
}

static int bdev_map(struct vfile *vf, struct bio *bio, sector_t sector, void *io)
{
	struct bdev_vfile *bv = to_bdev(vf);

	/* The device may have become one that always waits. */
	if ((bio->bi_opf & REQ_NOWAIT) && !bdev_nowait(bv->bdev)) {
		bio_wouldblock_error(bio);
		return DM_MAPIO_SUBMITTED;
	}
	bio_set_dev(bio, bv->bdev);
	bio->bi_iter.bi_sector = bv->start + sector;
	return DM_MAPIO_REMAPPED;
}

static void bdev_release(struct vfile *vf)
{
	kfree(to_bdev(vf));
}

static const struct vfile_ops bdev_ops = {
	.read = bdev_read,
	.cache_begin = bdev_cache_begin,
	.cache_end = bdev_cache_end,
	.cache_read = bdev_cache_read,
	.cache_forget = bdev_cache_forget,
	.map = bdev_map,
	.release = bdev_release,
};

/**
 * bdev_vfile_open() - make a vfile of a range of a block device
 * @bdev: the device; the caller keeps it open as long as the vfile lives
 * @start: first sector of the range
 * @bytes: exact length of the range
 * @file: set to the vfile, with one reference
 * @error: set to the reason on failure
 *
 * May sleep.
 *
 * Return: 0, -EINVAL when the device is too small, or -ENOMEM.
 */
int bdev_vfile_open(struct block_device *bdev, sector_t start, u64 bytes,
		    struct vfile **file, const char **error)
{
	u64 device_bytes = bdev_nr_bytes(bdev);
	struct bdev_vfile *bv;

	if (start > device_bytes >> SECTOR_SHIFT ||
	    bytes > device_bytes - ((u64)start << SECTOR_SHIFT)) {
		*error = "Device is shorter than the layer";
		return -EINVAL;
	}
	bv = kzalloc(sizeof(*bv), GFP_KERNEL);
	if (!bv) {
		*error = "Cannot allocate device range";
		return -ENOMEM;
	}
	vfile_init(&bv->vf, &bdev_ops, bytes, 0);
	bv->bdev = bdev;
	bv->start = start;
	*file = &bv->vf;
	return 0;
}

/**
 * bdev_vfile_device() - the device a range lies on
 * @vf: a vfile made by bdev_vfile_open()
 *
 * Return: the block device.
 */
struct block_device *bdev_vfile_device(struct vfile *vf)
{
	return to_bdev(vf)->bdev;
}

/**
 * bdev_vfile_start() - where on its device a range begins
 * @vf: a vfile made by bdev_vfile_open()
 *
 * Return: the first sector.
 */
sector_t bdev_vfile_start(struct vfile *vf)
{
	return to_bdev(vf)->start;
}
