// SPDX-License-Identifier: GPL-2.0
/*
 * A range of a block device as a vfile: bios are redirected, metadata is read
 * through dm-bufio.
 */

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/dm-bufio.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "bdev.h"
#include "vfile.h"

#define BDEV_CACHE_BLOCK_BYTES	4096
#define BDEV_PREFETCH_BLOCKS	32

/**
 * struct bdev_vfile - a range of a block device
 * @vf: the vfile this is
 * @bdev: the device; whoever opened the vfile keeps it open
 * @start: first sector of the range
 * @lock: protects @readers and who makes and destroys the clients
 * @readers: vfile_read_begin() less vfile_read_end(); the clients exist while
 *	it is not 0, as each of them pins memory and threads of its own
 * @blocks: caches the device in large blocks
 * @tail: caches the sectors behind the last whole block, which a read of a
 *	large block would take beyond the end of the device. NULL: there are none
 */
struct bdev_vfile {
	struct vfile vf;
	struct block_device *bdev;
	sector_t start;
	struct mutex lock;
	unsigned int readers;
	struct dm_bufio_client *blocks;
	struct dm_bufio_client *tail;
};

static struct bdev_vfile *to_bdev(struct vfile *vf)
{
	return container_of(vf, struct bdev_vfile, vf);
}

static unsigned int bdev_cache_block_bytes(struct block_device *bdev)
{
	return max_t(unsigned int, BDEV_CACHE_BLOCK_BYTES,
		     bdev_logical_block_size(bdev));
}

static struct dm_bufio_client *bdev_client_create(struct block_device *bdev,
						  unsigned int block_bytes)
{
	/* vfile_peek() is called where nothing may sleep. */
	return dm_bufio_client_create(bdev, block_bytes, 1, 0, NULL, NULL,
				      DM_BUFIO_CLIENT_NO_SLEEP);
}

static void bdev_clients_destroy(struct bdev_vfile *bv)
{
	if (bv->blocks)
		dm_bufio_client_destroy(bv->blocks);
	if (bv->tail)
		dm_bufio_client_destroy(bv->tail);
	bv->blocks = NULL;
	bv->tail = NULL;
}

static int bdev_clients_create(struct bdev_vfile *bv)
{
	unsigned int block_bytes = bdev_cache_block_bytes(bv->bdev);
	struct dm_bufio_client *c;

	c = bdev_client_create(bv->bdev, block_bytes);
	if (IS_ERR(c))
		return PTR_ERR(c);
	bv->blocks = c;

	if (!(bdev_nr_bytes(bv->bdev) & (block_bytes - 1)))
		return 0;
	c = bdev_client_create(bv->bdev, bdev_logical_block_size(bv->bdev));
	if (IS_ERR(c)) {
		bdev_clients_destroy(bv);
		return PTR_ERR(c);
	}
	bv->tail = c;
	return 0;
}

static int bdev_read_begin(struct vfile *vf)
{
	struct bdev_vfile *bv = to_bdev(vf);
	int r = 0;

	mutex_lock(&bv->lock);
	if (!bv->readers)
		r = bdev_clients_create(bv);
	if (!r)
		bv->readers++;
	mutex_unlock(&bv->lock);
	return r;
}

static void bdev_read_end(struct vfile *vf)
{
	struct bdev_vfile *bv = to_bdev(vf);

	mutex_lock(&bv->lock);
	if (!--bv->readers)
		bdev_clients_destroy(bv);
	mutex_unlock(&bv->lock);
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
	u64 device_bytes = bdev_nr_bytes(bv->bdev);
	struct bdev_piece p = { .client = bv->blocks };
	unsigned int block_bytes;

	block_bytes = dm_bufio_get_block_size(p.client);
	if (bv->tail && pos >= round_down(device_bytes, block_bytes)) {
		p.client = bv->tail;
		block_bytes = dm_bufio_get_block_size(p.client);
	}
	p.block = pos >> ilog2(block_bytes);
	p.offset = pos & (block_bytes - 1);
	p.bytes = min_t(size_t, bytes, block_bytes - p.offset);
	return p;
}

/* Start reading what comes behind a piece, as far as it is wanted. */
static void bdev_prefetch(const struct bdev_piece *p, size_t bytes)
{
	unsigned int block_bytes = dm_bufio_get_block_size(p->client);
	size_t blocks = (p->offset + bytes) / block_bytes;

	if (!(p->block % BDEV_PREFETCH_BLOCKS) && blocks > 1)
		dm_bufio_prefetch(p->client, p->block,
				  min_t(size_t, blocks, BDEV_PREFETCH_BLOCKS));
}

static int bdev_read(struct vfile *vf, void *buf, size_t bytes, u64 offset)
{
	struct bdev_vfile *bv = to_bdev(vf);
	u64 pos = ((u64)bv->start << SECTOR_SHIFT) + offset;

	while (bytes) {
		struct bdev_piece p = bdev_piece(bv, pos, bytes);
		struct dm_buffer *buffer;
		void *data;

		if (p.client == bv->blocks)
			bdev_prefetch(&p, bytes);
		data = dm_bufio_read(p.client, p.block, &buffer);
		if (IS_ERR(data))
			return PTR_ERR(data);
		memcpy(buf, data + p.offset, p.bytes);
		dm_bufio_release(buffer);
		buf += p.bytes;
		pos += p.bytes;
		bytes -= p.bytes;
	}
	return 0;
}

static int bdev_peek(struct vfile *vf, void *buf, size_t bytes, u64 offset)
{
	struct bdev_vfile *bv = to_bdev(vf);
	u64 pos = ((u64)bv->start << SECTOR_SHIFT) + offset;

	while (bytes) {
		struct bdev_piece p = bdev_piece(bv, pos, bytes);
		struct dm_buffer *buffer;
		void *data;

		data = dm_bufio_get(p.client, p.block, &buffer);
		if (IS_ERR_OR_NULL(data))
			return -EAGAIN;
		memcpy(buf, data + p.offset, p.bytes);
		dm_bufio_release(buffer);
		buf += p.bytes;
		pos += p.bytes;
		bytes -= p.bytes;
	}
	return 0;
}

static int bdev_map(struct vfile *vf, struct bio *bio, sector_t sector, void *io)
{
	struct bdev_vfile *bv = to_bdev(vf);

	bio_set_dev(bio, bv->bdev);
	bio->bi_iter.bi_sector = bv->start + sector;
	return DM_MAPIO_REMAPPED;
}

static void bdev_release(struct vfile *vf)
{
	struct bdev_vfile *bv = to_bdev(vf);

	mutex_destroy(&bv->lock);
	kfree(bv);
}

static const struct vfile_ops bdev_ops = {
	.read_begin = bdev_read_begin,
	.read_end = bdev_read_end,
	.read = bdev_read,
	.peek = bdev_peek,
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
 * May sleep. Return: 0, -EINVAL when the device is too small, or -ENOMEM.
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
	mutex_init(&bv->lock);
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
