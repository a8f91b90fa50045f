/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel says of zfile and lsmt devices. This is the only place that
 * knows the words of their table and status lines; dm-overlaybd.rst has them.
 */

#ifndef OBD_TARGET_LINE_H
#define OBD_TARGET_LINE_H

#include <stdbool.h>
#include <sys/types.h>

#include <linux/types.h>

/**
 * struct target_layer - a layer in a table
 * @device: where it is
 * @bytes: its exact length
 * @start: first sector on the device
 */
struct target_layer {
	dev_t device;
	u64 bytes;
	u64 start;
};

/**
 * struct target_status - what a status line says
 * @algorithm: zfile: of the compression
 * @block_bytes: zfile
 * @blocks: zfile
 * @crc: zfile: blocks are verified
 * @layers: lsmt
 * @compressed: lsmt: how many of them
 * @sectors: lsmt: size of the image
 * @extents: lsmt: entries of the merged map
 * @memory: bytes of the map or of the index of the ZFile
 * @read_errors: reads that failed below
 * @corrupt_blocks: blocks that failed their CRC or did not decompress
 */
struct target_status {
	char algorithm[16];
	unsigned int block_bytes;
	u64 blocks;
	bool crc;
	unsigned int layers;
	unsigned int compressed;
	u64 sectors;
	u64 extents;
	u64 memory;
	u64 read_errors;
	u64 corrupt_blocks;
};

bool target_is_ours(const char *target);
int target_parse_table(const char *text, struct target_layer **layers, unsigned int *count);
int target_parse_status(const char *target, const char *text, struct target_status *status);

#endif /* OBD_TARGET_LINE_H */
