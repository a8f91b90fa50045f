// SPDX-License-Identifier: GPL-2.0
/*
 * The "lsmt" target: a stack of LSMT layers as one block device.
 */

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/module.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "dm-audit.h"
#include "format.h"
#include "layer.h"
#include "layer-args.h"
#include "lsmt.h"
#include "read-status.h"
#include "target-event.h"
#include "targets.h"
#include "zfile.h"

#define DM_MSG_PREFIX "lsmt"

/* No layer takes more in what IMA measures. */
#define IMA_LAYER_BYTES	128

/**
 * struct lsmt_c - an lsmt target
 * @file: the merged view; NULL before it is open
 * @event: tells of failed reads
 * @layer_count: elements of @layers
 * @layers: the layers, lowest first
 */
struct lsmt_c {
	struct vfile *file;
	struct target_event event;
	unsigned int layer_count;
	struct target_layer layers[] __counted_by(layer_count);
};

/* Takes a half open target too. */
static void lsmt_close(struct dm_target *ti)
{
	struct lsmt_c *lc = ti->private;
	unsigned int i;

	obd_target_event_exit(&lc->event);
	vfile_put(lc->file);
	for (i = 0; i < lc->layer_count; i++)
		obd_target_layer_close(ti, &lc->layers[i]);
	kvfree(lc);
}

static void lsmt_dtr(struct dm_target *ti)
{
	lsmt_close(ti);
	dm_audit_log_dtr(DM_MSG_PREFIX, ti, 1);
}

/* How many layers the table line names: pairs up to the optional arguments. */
static unsigned int count_layers(unsigned int argc, char **argv)
{
	unsigned int n = 0;

	while (n < argc && !obd_target_arg_is_count(argv[n]))
		n += 2;
	return DIV_ROUND_UP(min(n, argc), 2);
}

/*
 * A bare layer is only redirected to, so its device must be able to read any
 * sector. A ZFile reads whole blocks of its device anyway.
 */
static int check_sector_size(struct dm_target *ti, const struct target_layer *tl)
{
	if (obd_layer_zfile(tl->layer) ||
	    bdev_logical_block_size(tl->dev->bdev) == SECTOR_SIZE)
		return 0;
	ti->error = "Device of an uncompressed layer must have 512-byte sectors";
	return -EINVAL;
}

static void report_bad_layer(struct dm_target *ti, unsigned int i,
			     const struct target_layer *tl)
{
	DMERR("layer %u (%s): %s", i, tl->dev ? tl->dev->name : "?", ti->error);
}

static int open_layers(struct dm_target *ti, struct dm_arg_set *as,
		       struct lsmt_c *lc)
{
	unsigned int i;
	int r;

	for (i = 0; i < lc->layer_count; i++) {
		struct target_layer *tl = &lc->layers[i];

		r = obd_target_layer_open(ti, as, tl);
		if (!r)
			r = check_sector_size(ti, tl);
		if (r) {
			report_bad_layer(ti, i, tl);
			return r;
		}
	}
	return 0;
}

static int open_stack(struct dm_target *ti, struct lsmt_c *lc)
{
	struct vfile **files;
	int bad_layer;
	unsigned int i;
	int r;

	files = kcalloc(lc->layer_count, sizeof(*files), GFP_KERNEL);
	if (!files) {
		ti->error = "Cannot allocate list of layers";
		return -ENOMEM;
	}
	for (i = 0; i < lc->layer_count; i++)
		files[i] = obd_layer_file(lc->layers[i].layer);
	r = lsmt_open(files, lc->layer_count, &lc->file, &bad_layer,
		      (const char **)&ti->error);
	kfree(files);
	if (r && bad_layer >= 0)
		report_bad_layer(ti, bad_layer, &lc->layers[bad_layer]);
	if (r)
		return r;
	if (ti->len > lc->file->size >> SECTOR_SHIFT) {
		ti->error = "Table is longer than the image";
		return -EINVAL;
	}
	return 0;
}

static int lsmt_open_target(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct dm_arg_set as = { .argc = argc, .argv = argv };
	unsigned int layer_count = count_layers(argc, argv);
	struct lsmt_c *lc;
	int r;

	r = obd_target_check_mode(ti);
	if (r)
		return r;
	if (!layer_count) {
		ti->error = "At least one layer is needed";
		return -EINVAL;
	}
	if (layer_count > LSMT_MAX_LAYERS) {
		ti->error = "More than 255 layers";
		return -EINVAL;
	}
	lc = kvzalloc(struct_size(lc, layers, layer_count), GFP_KERNEL);
	if (!lc) {
		ti->error = "Cannot allocate lsmt context";
		return -ENOMEM;
	}
	lc->layer_count = layer_count;
	ti->private = lc;
	obd_target_event_init(&lc->event, ti);

	r = open_layers(ti, &as, lc);
	if (!r)
		r = obd_target_parse_options(ti, &as);
	if (!r)
		r = open_stack(ti, lc);
	if (r) {
		lsmt_close(ti);
		return r;
	}
	ti->per_io_data_size = lc->file->io_bytes;
	return 0;
}

/*
 * Construct a mapping:
 *	<dev> <bytes>[@<start sector>] [<dev> <bytes>[@<start sector>]]...
 *	[<#opt args> <opt>...]
 *
 * For each layer, lowest first:
 * <dev>: device it lies on, path or major:minor
 * <bytes>: exact length of the LSMT file, or of the ZFile that holds it
 * <start sector>: where on the device it begins, in 512-byte sectors; default 0
 */
static int lsmt_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	int r = lsmt_open_target(ti, argc, argv);

	dm_audit_log_ctr(DM_MSG_PREFIX, ti, !r);
	return r;
}

static int lsmt_map(struct dm_target *ti, struct bio *bio)
{
	struct lsmt_c *lc = ti->private;

	if (unlikely(bio_op(bio) != REQ_OP_READ))
		return DM_MAPIO_KILL;
	return vfile_map(lc->file, bio, dm_target_offset(ti, bio->bi_iter.bi_sector),
			 dm_per_bio_data(bio, lc->file->io_bytes));
}

static int lsmt_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error)
{
	struct lsmt_c *lc = ti->private;

	*error = obd_read_status(bio, *error);
	if (unlikely(obd_read_has_failed(bio, *error)))
		obd_target_event_failed_read(&lc->event);
	return DM_ENDIO_DONE;
}

/* What the status line says of all layers together. */
struct lsmt_totals {
	unsigned int compressed_layers;
	u64 read_errors;
	u64 corrupt_blocks;
};

/* The same layer may be there twice. */
static bool is_below(const struct lsmt_c *lc, unsigned int i)
{
	struct layer *layer = lc->layers[i].layer;

	while (i--)
		if (lc->layers[i].layer == layer)
			return true;
	return false;
}

static struct lsmt_totals lsmt_totals(const struct lsmt_c *lc)
{
	struct lsmt_totals totals = { 0 };
	unsigned int i;

	for (i = 0; i < lc->layer_count; i++) {
		struct zfile *zf = obd_layer_zfile(lc->layers[i].layer);

		if (!zf)
			continue;
		totals.compressed_layers++;
		if (is_below(lc, i))
			continue;
		totals.read_errors += atomic64_read(&zf->read_errors);
		totals.corrupt_blocks += atomic64_read(&zf->corrupt_blocks);
	}
	return totals;
}

static void lsmt_status(struct dm_target *ti, status_type_t type,
			unsigned int status_flags, char *result, unsigned int maxlen)
{
	struct lsmt_c *lc = ti->private;
	const struct segment_index *index = &vfile_to_lsmt(lc->file)->index;
	struct lsmt_totals totals;
	size_t sz = 0;
	unsigned int i;

	switch (type) {
	case STATUSTYPE_INFO:
		totals = lsmt_totals(lc);
		DMEMIT("%u %u %llu %zu %zu %llu %llu", lc->layer_count,
		       totals.compressed_layers, index->sectors, index->count,
		       segment_index_bytes(index), totals.read_errors,
		       totals.corrupt_blocks);
		break;
	case STATUSTYPE_TABLE:
		for (i = 0; i < lc->layer_count; i++) {
			if (i)
				DMEMIT(" ");
			sz += obd_target_layer_print(&lc->layers[i], result + sz,
						 maxlen - sz);
		}
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		DMEMIT(",layers=%u", lc->layer_count);
		/* The topmost decides first: if there is no room, the lowest are left out. */
		for (i = lc->layer_count; i-- && sz + IMA_LAYER_BYTES < maxlen; )
			DMEMIT(",layer_%u=%s,start_%u=%llu,bytes_%u=%llu", i,
			       lc->layers[i].dev->name, i,
			       (unsigned long long)lc->layers[i].start, i,
			       lc->layers[i].bytes);
		DMEMIT(";");
		break;
	}
}

static int lsmt_iterate_devices(struct dm_target *ti,
				iterate_devices_callout_fn fn, void *data)
{
	struct lsmt_c *lc = ti->private;
	unsigned int i;
	int r = 0;

	for (i = 0; i < lc->layer_count && !r; i++)
		r = obd_target_layer_iterate(ti, &lc->layers[i], fn, data);
	return r;
}

static void lsmt_io_hints(struct dm_target *ti, struct queue_limits *limits)
{
	struct lsmt_c *lc = ti->private;
	unsigned int i;

	/* Where the data of a sector begins is another place each time. */
	limits->alignment_offset = 0;
	limits->flags &= ~BLK_FLAG_MISALIGNED;
	for (i = 0; i < lc->layer_count; i++) {
		struct zfile *zf = obd_layer_zfile(lc->layers[i].layer);

		if (zf)
			zfile_limits(zf, limits);
	}
}

struct target_type lsmt_target = {
	.name = "lsmt",
	.version = {1, 0, 0},
	.features = DM_TARGET_NOWAIT,
	.module = THIS_MODULE,
	.ctr = lsmt_ctr,
	.dtr = lsmt_dtr,
	.map = lsmt_map,
	.end_io = lsmt_end_io,
	.status = lsmt_status,
	.iterate_devices = lsmt_iterate_devices,
	.io_hints = lsmt_io_hints,
};
