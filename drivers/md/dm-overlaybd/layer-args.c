// SPDX-License-Identifier: GPL-2.0
/*
 * What the table lines of both targets have in common: naming layers.
 */

#include <linux/blkdev.h>
#include <linux/kstrtox.h>
#include <linux/string.h>

#include "layer.h"
#include "layer-args.h"

/**
 * obd_target_check_mode() - refuse a table that could be written to
 * @ti: the target
 *
 * Return: 0 or -EINVAL with ti->error set.
 */
int obd_target_check_mode(struct dm_target *ti)
{
	if (dm_table_get_mode(ti->table) & ~BLK_OPEN_READ) {
		ti->error = "Device must be readonly (use dmsetup create --readonly)";
		return -EINVAL;
	}
	return 0;
}

/**
 * obd_target_arg_is_count() - does the list of optional arguments begin here?
 * @arg: a word of the table line
 *
 * Return: true when @arg is made of decimal digits only, which no device is.
 */
bool obd_target_arg_is_count(const char *arg)
{
	return *arg && arg[strspn(arg, "0123456789")] == '\0';
}

/* Digits only: no sign, no blank, no prefix, and no more than fit. */
static int parse_number(const char *arg, unsigned long long *number)
{
	if (!obd_target_arg_is_count(arg))
		return -EINVAL;
	return kstrtoull(arg, 10, number);
}

/* Parse <bytes>[@<start sector>], taking @arg apart. */
static int parse_extent(char *arg, struct target_layer *tl)
{
	unsigned long long bytes, start = 0;
	char *at = strchr(arg, '@');

	if (at) {
		*at = '\0';
		if (parse_number(at + 1, &start))
			return -EINVAL;
	}
	if (parse_number(arg, &bytes))
		return -EINVAL;
	if (!bytes || start != (sector_t)start)
		return -EINVAL;
	tl->bytes = bytes;
	tl->start = start;
	return 0;
}

/**
 * obd_target_layer_open() - take <dev> <bytes>[@<start sector>] and open that layer
 * @ti: the target
 * @as: the words left of the table line
 * @tl: all zeros; filled in
 *
 * For constructors.
 *
 * Return: 0, or a negative errno with ti->error set; then
 * obd_target_layer_close() must still be called.
 */
int obd_target_layer_open(struct dm_target *ti, struct dm_arg_set *as,
			  struct target_layer *tl)
{
	const char *path = dm_shift_arg(as);
	char *extent = (char *)dm_shift_arg(as);
	int r;

	if (!path || !extent) {
		ti->error = "A layer needs a device and a length";
		return -EINVAL;
	}
	if (parse_extent(extent, tl)) {
		ti->error = "Invalid layer length, expected <bytes>[@<start sector>]";
		return -EINVAL;
	}
	r = dm_get_device(ti, path, BLK_OPEN_READ, &tl->dev);
	if (r) {
		tl->dev = NULL;
		ti->error = "Device lookup failed";
		return r;
	}
	return obd_layer_open(tl->dev->bdev, tl->start, tl->bytes, &tl->layer,
			  (const char **)&ti->error);
}

/**
 * obd_target_layer_close() - undo obd_target_layer_open(), also a failed one
 * @ti: the target
 * @tl: the layer
 */
void obd_target_layer_close(struct dm_target *ti, struct target_layer *tl)
{
	obd_layer_close(tl->layer);
	if (tl->dev)
		dm_put_device(ti, tl->dev);
}

/**
 * obd_target_parse_options() - take [<#opt args> <opt>...], the end of the line
 * @ti: the target
 * @as: the words left of the table line
 *
 * There is no option yet.
 *
 * Return: 0, or -EINVAL with ti->error set.
 */
int obd_target_parse_options(struct dm_target *ti, struct dm_arg_set *as)
{
	static const struct dm_arg counts[] = {
		{0, UINT_MAX, "Invalid number of optional arguments"},
	};
	unsigned long long number;
	unsigned int count = 0;
	int r;

	if (as->argc) {
		/* Device-mapper takes what is left of it in 32 bits. */
		if (parse_number(as->argv[0], &number) || number > UINT_MAX) {
			ti->error = counts[0].error;
			return -EINVAL;
		}
		r = dm_read_arg_group(counts, as, &count, &ti->error);
		if (r)
			return r;
	}
	if (count) {
		ti->error = "Unrecognized optional argument";
		return -EINVAL;
	}
	if (as->argc) {
		ti->error = "Unexpected words at the end of the table line";
		return -EINVAL;
	}
	return 0;
}

/**
 * obd_target_layer_iterate() - call a function for the device of a layer
 * @ti: the target
 * @tl: the layer
 * @fn: called with all of the device, in whole blocks of it, and all of the layer
 * @data: passed on
 *
 * Not with the range of the layer: where it begins means nothing to who reads the
 * target, but device-mapper would warn that it is not aligned like that of the next.
 * It does check that the device has not got too short.
 *
 * Return: what @fn returned.
 */
int obd_target_layer_iterate(struct dm_target *ti, const struct target_layer *tl,
			     iterate_devices_callout_fn fn, void *data)
{
	struct block_device *bdev = tl->dev->bdev;
	unsigned int unit = bdev_logical_block_size(bdev) >> SECTOR_SHIFT;
	sector_t end = tl->start + DIV_ROUND_UP_ULL(tl->bytes, SECTOR_SIZE);

	end = max(round_up(end, unit), round_down(bdev_nr_sectors(bdev), unit));
	return fn(ti, tl->dev, 0, end, data);
}

/**
 * obd_target_layer_print() - print a layer as a table line names it
 * @tl: the layer
 * @result: where to
 * @maxlen: room there
 *
 * Return: how much was printed.
 */
size_t obd_target_layer_print(const struct target_layer *tl, char *result,
			      size_t maxlen)
{
	size_t sz = 0;

	DMEMIT("%s %llu", tl->dev->name, tl->bytes);
	if (tl->start)
		DMEMIT("@%llu", (unsigned long long)tl->start);
	return sz;
}
