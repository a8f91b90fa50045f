/* SPDX-License-Identifier: GPL-2.0 */
/* Several layers become one. */

#ifndef OBD_MERGE_H
#define OBD_MERGE_H

#include "image.h"
#include "layer-write.h"

int merge_layers(struct layer_options *o, const struct layer *layers, unsigned int count);

#endif /* OBD_MERGE_H */
