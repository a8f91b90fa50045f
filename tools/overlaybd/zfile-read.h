/* SPDX-License-Identifier: GPL-2.0 */
/* Reading a ZFile: its metadata once, its blocks by any number of threads. */

#ifndef OBD_ZFILE_READ_H
#define OBD_ZFILE_READ_H

#include "../../drivers/md/dm-overlaybd/format.h"
#include "codec.h"
#include "file.h"

/* Blocks per leaf of the index; where each leaf's blocks begin stays in memory. */
#define ZFILE_LEAF_BLOCKS	1024

/**
 * struct zfile - an open and checked ZFile; immutable, for all threads
 * @file: where it is; not owned
 * @offset: first byte in @file
 * @bytes: exact length
 * @info: what format.c found
 * @anchors: per leaf, offset of its first block from the start of the ZFile;
 *	one more at the end
 * @smallest: entry in the index
 * @largest: entry in the index
 * @header: first bytes as they stand
 * @trailer: last bytes as they stand
 */
struct zfile {
	const struct file *file;
	u64 offset;
	u64 bytes;
	struct zfile_info info;
	u64 *anchors;
	u32 smallest;
	u32 largest;
	u8 header[ZFILE_HEADER_BYTES] __attribute__((aligned(8)));
	u8 trailer[ZFILE_HEADER_BYTES] __attribute__((aligned(8)));
};

/* What one thread needs to read ZFiles; shared by all its ZFiles. */
struct zfile_reader;

int zfile_open(struct zfile *z, const struct file *file, u64 offset, u64 bytes);
void zfile_close(struct zfile *z);
u32 zfile_block_bytes(const struct zfile *z, u64 block);

struct zfile_reader *zfile_reader_new(void);
void zfile_reader_free(struct zfile_reader *reader);
int zfile_read(const struct zfile *z, struct zfile_reader *reader, void *buffer,
	       size_t bytes, u64 offset);

#endif /* OBD_ZFILE_READ_H */
