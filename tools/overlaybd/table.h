/* SPDX-License-Identifier: GPL-2.0 */
/* The device-mapper table line of an image. */

#ifndef OBD_TABLE_H
#define OBD_TABLE_H

#include "image.h"

/**
 * struct table - one line of a device-mapper table
 * @sectors: length of the device
 * @target: "lsmt" or "zfile"
 * @parameters: what the target gets; owned
 */
struct table {
	u64 sectors;
	const char *target;
	char *parameters;
};

int table_init(struct table *table, const struct image *image,
	       const char *const *devices);
int table_init_stacked(struct table *table, const struct image *image,
		       const char *const *devices);
int table_init_zfile(struct table *table, const struct layer *layer, const char *device);
void table_destroy(struct table *table);
int table_escape(const char *text, const char *special, char **escaped);

#endif /* OBD_TABLE_H */
