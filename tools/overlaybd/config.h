/* SPDX-License-Identifier: GPL-2.0 */
/* config.v1.json, the image description of overlaybd's own service. */

#ifndef OBD_CONFIG_H
#define OBD_CONFIG_H

#include "place.h"

int config_detect(const char *path, bool *is_config);
int config_read(const char *path, struct place_list *layers);

#endif /* OBD_CONFIG_H */
