/* SPDX-License-Identifier: GPL-2.0 */
/* config.v1.json, the image description of overlaybd's own service. */

#ifndef OBD_CONFIG_H
#define OBD_CONFIG_H

#include <linux/types.h>

/**
 * struct path_list - names of files
 * @paths: each owned, as is the array
 * @count: how many
 */
struct path_list {
	char **paths;
	unsigned int count;
};

int path_list_add(struct path_list *list, const char *path);
void path_list_destroy(struct path_list *list);

int config_detect(const char *path, bool *is_config);
int config_read(const char *path, struct path_list *layers);

#endif /* OBD_CONFIG_H */
