/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a layer is: all of a file or device, or a part of one. The user writes
 * the part as FILE,BYTES[@START], in the units of a table line. It is needed
 * where nothing in a layer says how long it is: a bare LSMT layer, or a ZFile
 * without a final header, on a longer device.
 */

#ifndef OBD_PLACE_H
#define OBD_PLACE_H

#include <linux/types.h>

/**
 * struct place - a layer that is not open yet
 * @path: file or block device; owned
 * @is_part: only a part of it, which is exactly a ZFile or LSMT file; else the
 *	layer, or a tar blob with the layer, is all there is
 * @offset: with @is_part, first byte; a multiple of 512
 * @bytes: with @is_part, how many
 */
struct place {
	char *path;
	bool is_part;
	u64 offset;
	u64 bytes;
};

/**
 * struct place_list - places, lowest layer first
 * @places: the array is owned
 * @count: how many
 */
struct place_list {
	struct place *places;
	unsigned int count;
};

int place_parse(const char *argument, struct place *place);
int place_list_add(struct place_list *list, const struct place *place);
int place_list_add_path(struct place_list *list, const char *path);
void place_list_destroy(struct place_list *list);

#endif /* OBD_PLACE_H */
