/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the table lines of both targets have in common: naming layers.
 */

#ifndef DM_OVERLAYBD_LAYER_ARGS_H
#define DM_OVERLAYBD_LAYER_ARGS_H

#include <linux/device-mapper.h>
#include <linux/types.h>

struct layer;

/**
 * struct target_layer - a layer as a table line names it
 * @dev: the device, held open by this target; NULL before that
 * @start: first sector of the layer on @dev
 * @bytes: exact length of the layer
 * @layer: the open layer; NULL before that
 */
struct target_layer {
	struct dm_dev *dev;
	sector_t start;
	u64 bytes;
	struct layer *layer;
};

int obd_target_check_mode(struct dm_target *ti);
bool obd_target_arg_is_count(const char *arg);
int obd_target_layer_open(struct dm_target *ti, struct dm_arg_set *as,
			  struct target_layer *tl);
void obd_target_layer_close(struct dm_target *ti, struct target_layer *tl);
int obd_target_parse_options(struct dm_target *ti, struct dm_arg_set *as);
int obd_target_layer_iterate(struct dm_target *ti, const struct target_layer *tl,
			     iterate_devices_callout_fn fn, void *data);
size_t obd_target_layer_print(const struct target_layer *tl, char *result,
			      size_t maxlen);

#endif /* DM_OVERLAYBD_LAYER_ARGS_H */
