// SPDX-License-Identifier: GPL-2.0
/*
 * The "zfile" target: the decompressed content of a ZFile as a block device.
 */

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "dm-audit.h"
#include "codec.h"
#include "layer.h"
#include "layer-args.h"
#include "read-status.h"
#include "target-event.h"
#include "targets.h"
#include "zfile.h"

#define DM_MSG_PREFIX "zfile"

/**
 * struct zfile_c - a zfile target
 * @layer: the ZFile
 * @event: tells of failed reads
 */
struct zfile_c {
	struct target_layer layer;
	struct target_event event;
};

/* Takes a half open target too. */
static void zfile_close(struct dm_target *ti)
{
	struct zfile_c *zc = ti->private;

	obd_target_event_exit(&zc->event);
	obd_target_layer_close(ti, &zc->layer);
	kfree(zc);
}

static void zfile_dtr(struct dm_target *ti)
{
	zfile_close(ti);
	dm_audit_log_dtr(DM_MSG_PREFIX, ti, 1);
}

static int zfile_check(struct dm_target *ti, struct zfile_c *zc)
{
	if (!obd_layer_zfile(zc->layer.layer)) {
		ti->error = "Not a ZFile: bad magic in the header";
		return -EINVAL;
	}
	if (ti->len > DIV_ROUND_UP_ULL(obd_layer_file(zc->layer.layer)->size, SECTOR_SIZE)) {
		ti->error = "Table is longer than the content of the ZFile";
		return -EINVAL;
	}
	return 0;
}

static int zfile_open_target(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct dm_arg_set as = { .argc = argc, .argv = argv };
	struct zfile_c *zc;
	int r;

	r = obd_target_check_mode(ti);
	if (r)
		return r;
	zc = kzalloc(sizeof(*zc), GFP_KERNEL);
	if (!zc) {
		ti->error = "Cannot allocate zfile context";
		return -ENOMEM;
	}
	ti->private = zc;
	obd_target_event_init(&zc->event, ti);

	r = obd_target_layer_open(ti, &as, &zc->layer);
	if (!r)
		r = obd_target_parse_options(ti, &as);
	if (!r)
		r = zfile_check(ti, zc);
	if (r) {
		zfile_close(ti);
		return r;
	}
	ti->per_io_data_size = obd_layer_file(zc->layer.layer)->io_bytes;
	return 0;
}

/*
 * Construct a mapping: <dev> <bytes>[@<start sector>] [<#opt args> <opt>...]
 *
 * <dev>: device the ZFile lies on, path or major:minor
 * <bytes>: exact length of the ZFile
 * <start sector>: where on the device it begins, in 512-byte sectors; default 0
 */
static int zfile_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	int r = zfile_open_target(ti, argc, argv);

	dm_audit_log_ctr(DM_MSG_PREFIX, ti, !r);
	return r;
}

static int zfile_map(struct dm_target *ti, struct bio *bio)
{
	struct zfile_c *zc = ti->private;
	struct vfile *file = obd_layer_file(zc->layer.layer);

	if (unlikely(bio_op(bio) != REQ_OP_READ))
		return DM_MAPIO_KILL;
	return vfile_map(file, bio, dm_target_offset(ti, bio->bi_iter.bi_sector),
			 dm_per_bio_data(bio, file->io_bytes));
}

static int zfile_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error)
{
	struct zfile_c *zc = ti->private;

	if (unlikely(obd_read_has_failed(bio, *error)))
		obd_target_event_failed_read(&zc->event);
	return DM_ENDIO_DONE;
}

static void zfile_status(struct dm_target *ti, status_type_t type,
			 unsigned int status_flags, char *result, unsigned int maxlen)
{
	struct zfile_c *zc = ti->private;
	struct zfile *zf = obd_layer_zfile(zc->layer.layer);
	size_t sz = 0;

	switch (type) {
	case STATUSTYPE_INFO:
		DMEMIT("%s %u %llu %s %zu %llu %llu", zf->codec->name,
		       zfile_block_bytes(zf), zf->info.block_count,
		       zf->info.block_crc ? "crc" : "nocrc",
		       zfile_resident_bytes(zf),
		       (unsigned long long)atomic64_read(&zf->read_errors),
		       (unsigned long long)atomic64_read(&zf->corrupt_blocks));
		break;
	case STATUSTYPE_TABLE:
		sz += obd_target_layer_print(&zc->layer, result, maxlen);
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		DMEMIT(",device_name=%s,start=%llu,bytes=%llu;",
		       zc->layer.dev->name, (unsigned long long)zc->layer.start,
		       zc->layer.bytes);
		break;
	}
}

static int zfile_iterate_devices(struct dm_target *ti,
				 iterate_devices_callout_fn fn, void *data)
{
	struct zfile_c *zc = ti->private;

	return obd_target_layer_iterate(ti, &zc->layer, fn, data);
}

static void zfile_io_hints(struct dm_target *ti, struct queue_limits *limits)
{
	struct zfile_c *zc = ti->private;

	zfile_limits(obd_layer_zfile(zc->layer.layer), limits);
}

struct target_type zfile_target = {
	.name = "zfile",
	.version = {1, 0, 0},
	.features = DM_TARGET_NOWAIT,
	.module = THIS_MODULE,
	.ctr = zfile_ctr,
	.dtr = zfile_dtr,
	.map = zfile_map,
	.end_io = zfile_end_io,
	.status = zfile_status,
	.iterate_devices = zfile_iterate_devices,
	.io_hints = zfile_io_hints,
};
