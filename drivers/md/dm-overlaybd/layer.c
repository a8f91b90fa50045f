// SPDX-License-Identifier: GPL-2.0
/*
 * From a range of a device to the vfile of the layer on it.
 *
 * A layer is a ZFile or a bare file, which is found out by looking. An open ZFile
 * is shared by everybody who opens the same range of the same device: a thousand
 * images on one base layer have one jump table, one reserve and one wait queue
 * for it. What is on a device may change between two opens (a loop device gets
 * another file, a logical volume is written to), so the same range is the same
 * ZFile only as long as its header and trailer, and with them the checksum of the
 * index, read the same. An old file without that checksum is not shared.
 */

#include <linux/blkdev.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "bdev.h"
#include "format.h"
#include "layer.h"
#include "vfile.h"
#include "zfile.h"

/**
 * struct layer - an open layer
 * @link: in open_zfiles, or empty when it is not to be found there (any more)
 * @users: obd_layer_open() less obd_layer_close(); protected by layers_mutex
 * @open_mutex: held while @file is opened, so that of several who open the same
 *	layer one does and the others wait for it
 * @file: the content; NULL before it is opened and when that failed
 * @is_zfile: @file is a ZFile
 * @bdev: the device; every user keeps it open
 * @diskseq: the device's sequence number: another one is another medium
 * @block_bytes: the device's logical block size; with a larger one, those who have
 *	the layer open already cannot read it any more
 * @start: first sector of the range
 * @bytes: length of the range
 * @ends: what header and trailer were
 */
struct layer {
	struct list_head link;
	unsigned int users;
	struct mutex open_mutex;	/* see above */
	struct vfile *file;
	bool is_zfile;
	struct block_device *bdev;
	u64 diskseq;
	unsigned int block_bytes;
	sector_t start;
	u64 bytes;
	struct zfile_ends ends;
};

/* Protects open_zfiles and the users of every layer. */
static DEFINE_MUTEX(layers_mutex);
static LIST_HEAD(open_zfiles);

static struct layer *layer_alloc(struct block_device *bdev, sector_t start,
				 u64 bytes)
{
	struct layer *layer = kzalloc(sizeof(*layer), GFP_KERNEL);

	if (!layer)
		return NULL;
	INIT_LIST_HEAD(&layer->link);
	mutex_init(&layer->open_mutex);
	layer->users = 1;
	layer->bdev = bdev;
	layer->diskseq = bdev->bd_disk->diskseq;
	layer->block_bytes = bdev_logical_block_size(bdev);
	layer->start = start;
	layer->bytes = bytes;
	return layer;
}

static bool layer_is_same(const struct layer *a, const struct layer *b)
{
	return a->bdev == b->bdev && a->diskseq == b->diskseq &&
	       a->block_bytes == b->block_bytes && a->start == b->start && a->bytes == b->bytes &&
	       !memcmp(&a->ends, &b->ends, sizeof(a->ends));
}

/* Swap a layer that is not open yet for the shared one, or share it. */
static struct layer *layer_share(struct layer *layer)
{
	struct layer *other;

	mutex_lock(&layers_mutex);
	list_for_each_entry(other, &open_zfiles, link) {
		if (layer_is_same(other, layer)) {
			other->users++;
			mutex_unlock(&layers_mutex);
			obd_layer_close(layer);
			return other;
		}
	}
	list_add(&layer->link, &open_zfiles);
	mutex_unlock(&layers_mutex);
	return layer;
}

static int read_ends(struct vfile *range, struct zfile_ends *ends, const char **error)
{
	int r;

	*error = "Cannot read the layer's header";
	r = vfile_read(range, ends->header, sizeof(ends->header), 0);
	if (r || !zfile_has_magic(ends->header))
		return r;
	*error = "Cannot read the layer's trailer";
	return vfile_read(range, ends->trailer, sizeof(ends->trailer),
			  range->size - sizeof(ends->trailer));
}

static int layer_open_zfile(struct layer *layer, struct vfile *range,
			    const char **error)
{
	int r;

	r = mutex_lock_killable(&layer->open_mutex);
	if (r) {
		*error = "Interrupted while waiting for the layer to be opened";
		return r;
	}
	if (!layer->file)
		r = zfile_open(range, layer->block_bytes, &layer->ends, &layer->file,
			       error);
	else
		zfile_forget(vfile_to_zfile(layer->file));
	mutex_unlock(&layer->open_mutex);
	return r;
}

/**
 * obd_layer_open() - open the layer on a range of a device
 * @bdev: the device; the caller keeps it open until obd_layer_close()
 * @start: first sector of the range
 * @bytes: exact length of the range
 * @layer: set to the layer
 * @error: set to the reason on failure
 *
 * Sleeps; a fatal signal ends it, but not one read that the device does not answer.
 *
 * Return: 0 or a negative errno, as bdev_vfile_open() and zfile_open().
 */
int obd_layer_open(struct block_device *bdev, sector_t start, u64 bytes,
		   struct layer **layer, const char **error)
{
	struct vfile *range;
	struct layer *l;
	int r;

	if (bytes < sizeof(l->ends)) {
		*error = "Layer is too short";
		return -EINVAL;
	}
	r = bdev_vfile_open(bdev, start, bytes, &range, error);
	if (r)
		return r;
	l = layer_alloc(bdev, start, bytes);
	if (!l) {
		*error = "Cannot allocate layer";
		vfile_put(range);
		return -ENOMEM;
	}
	r = read_ends(range, &l->ends, error);
	if (r)
		goto bad;
	if (!zfile_has_magic(l->ends.header)) {
		l->file = range;
		*layer = l;
		return 0;
	}
	l->is_zfile = true;
	if (zfile_has_digest(l->ends.header, l->ends.trailer))
		l = layer_share(l);
	r = layer_open_zfile(l, range, error);
	if (r)
		goto bad;
	vfile_put(range);
	*layer = l;
	return 0;
bad:
	vfile_put(range);
	obd_layer_close(l);
	return r;
}

/**
 * obd_layer_close() - close a layer
 * @layer: the layer, or NULL
 *
 * May sleep. The caller has no bio in flight, and still keeps the device open.
 */
void obd_layer_close(struct layer *layer)
{
	bool last;

	if (!layer)
		return;
	mutex_lock(&layers_mutex);
	last = !--layer->users;
	if (last)
		list_del(&layer->link);
	mutex_unlock(&layers_mutex);
	if (!last)
		return;
	vfile_put(layer->file);
	mutex_destroy(&layer->open_mutex);
	kfree(layer);
}

/**
 * obd_layer_file() - the content of a layer
 * @layer: an open layer
 *
 * Return: the vfile, without a reference of its own.
 */
struct vfile *obd_layer_file(const struct layer *layer)
{
	return layer->file;
}

/**
 * obd_layer_zfile() - the ZFile a layer is
 * @layer: an open layer
 *
 * Return: the ZFile, or NULL when the layer is a bare file.
 */
struct zfile *obd_layer_zfile(const struct layer *layer)
{
	return layer->is_zfile ? vfile_to_zfile(layer->file) : NULL;
}
