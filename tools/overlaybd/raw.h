/* SPDX-License-Identifier: GPL-2.0 */
/* A raw image to be read: a file with or without holes, a device, a pipe. */

#ifndef OBD_RAW_H
#define OBD_RAW_H

#include "file.h"

/**
 * struct raw - an open raw image
 * @file: the file or device; behind its end are zeros and no data
 * @data_start: the first byte of data not before the last one asked for
 * @data_end: where that data ends
 * @is_spooled: @file is a copy of what came through a pipe
 */
struct raw {
	struct file file;
	u64 data_start;
	u64 data_end;
	bool is_spooled;
};

int raw_open(struct raw *raw, const char *path, bool force, const char *spool_beside);
void raw_close(struct raw *raw);
int raw_read(const struct raw *raw, void *buffer, size_t bytes, u64 offset);
int raw_device_bytes(const struct raw *raw, u64 wanted, u64 *bytes);
bool raw_is_hole(struct raw *raw, u64 start, u64 end);

#endif /* OBD_RAW_H */
