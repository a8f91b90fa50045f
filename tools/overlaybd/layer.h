/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One layer: a file or device, perhaps a tar wrapper, perhaps a ZFile, and in
 * them an LSMT layer - or, in a ZFile standing alone, anything at all.
 */

#ifndef OBD_LAYER_H
#define OBD_LAYER_H

#include "../../drivers/md/dm-overlaybd/format.h"
#include "../../drivers/md/dm-overlaybd/segment-index.h"
#include "file.h"
#include "place.h"
#include "zfile-read.h"

/**
 * struct layer - an open layer; immutable, for all threads
 * @path: owned
 * @file: the file or device
 * @is_part: the user said which part of the file it is
 * @in_tar: wrapped in tar
 * @offset: first byte of the ZFile or LSMT file in @file; a multiple of 512
 * @bytes: exact length of the ZFile or LSMT file
 * @is_zfile: compressed
 * @zfile: with @is_zfile
 * @content_bytes: length of what is compressed, or @bytes
 * @is_lsmt: the content is an LSMT layer
 * @lsmt: with @is_lsmt
 * @header: with @is_lsmt, first bytes as they stand
 * @trailer: with @is_lsmt, last bytes as they stand
 */
struct layer {
	char *path;
	struct file file;
	bool is_part;
	bool in_tar;
	u64 offset;
	u64 bytes;
	bool is_zfile;
	struct zfile zfile;
	u64 content_bytes;
	bool is_lsmt;
	struct lsmt_info lsmt;
	u8 header[LSMT_HEADER_BYTES] __attribute__((aligned(8)));
	u8 trailer[LSMT_HEADER_BYTES] __attribute__((aligned(8)));
};

/**
 * struct segment_statistics - what is in the index of a layer
 * @data: segments with data
 * @zeroed: segments without
 * @padding: invalid mappings
 * @longest: sectors
 * @data_sectors: sum of the lengths of @data
 * @zeroed_sectors: sum of the lengths of @zeroed
 * @end: sector behind the last segment
 */
struct segment_statistics {
	u32 data;
	u32 zeroed;
	u32 padding;
	u32 longest;
	u64 data_sectors;
	u64 zeroed_sectors;
	u64 end;
};

int layer_open(struct layer *layer, const struct place *place);
void layer_close(struct layer *layer);
int layer_read(const struct layer *layer, struct zfile_reader *reader, void *buffer,
	       size_t bytes, u64 offset);
int layer_segments(const struct layer *layer, struct zfile_reader *reader, u8 number,
		   struct segment_list *list, struct segment_statistics *statistics);

#endif /* OBD_LAYER_H */
