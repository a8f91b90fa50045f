/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stack of LSMT layers as one vfile.
 */

#ifndef DM_OVERLAYBD_LSMT_H
#define DM_OVERLAYBD_LSMT_H

#include <linux/types.h>

#include "segment-index.h"
#include "vfile.h"

/**
 * struct lsmt - an open stack of layers; immutable
 * @vf: the vfile this is; its size is that of the virtual device
 * @index: which layer has which sector, and where
 * @layer_count: how many layers there are
 * @layers: the layers, lowest first; one reference to each is ours
 */
struct lsmt {
	struct vfile vf;
	struct segment_index index;
	unsigned int layer_count;
	struct vfile *layers[] __counted_by(layer_count);
};

int lsmt_open(struct vfile **layers, unsigned int layer_count,
	      struct vfile **file, int *bad_layer, const char **error);
struct lsmt *vfile_to_lsmt(struct vfile *vf);

#endif /* DM_OVERLAYBD_LSMT_H */
