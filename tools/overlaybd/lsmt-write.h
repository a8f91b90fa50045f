/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Making an LSMT layer: extents of data go in, the bytes of the file come out
 * as a stream. Data is copied while the index builds up, so nothing but the
 * index is held in memory.
 */

#ifndef OBD_LSMT_WRITE_H
#define OBD_LSMT_WRITE_H

#include "disk.h"
#include "stream.h"

/**
 * struct lsmt_extent - a part of the device, in sectors
 * @start: first sector, not before the end of the last extent
 * @length: 0: there are no more
 * @zeroed: reads as zeros and hides lower layers; else it is data
 */
struct lsmt_extent {
	u64 start;
	u64 length;
	bool zeroed;
};

/**
 * struct lsmt_source - what goes into a layer
 * @virtual_bytes: what the layer says of the device's size
 * @total: for the progress bar, bytes
 * @done: the same
 * @next: get the next extent
 * @read: read data of the last extent
 */
struct lsmt_source {
	u64 virtual_bytes;
	u64 total;
	u64 done;
	int (*next)(struct lsmt_source *source, struct lsmt_extent *extent);
	int (*read)(struct lsmt_source *source, void *buffer, u64 sector, u64 sectors);
};

struct lsmt_writer;

int lsmt_writer_new(struct lsmt_writer **writer, struct lsmt_source *source,
		    const struct lsmt_labels *labels);
void lsmt_writer_free(struct lsmt_writer *writer);
struct stream *lsmt_writer_stream(struct lsmt_writer *writer);

#endif /* OBD_LSMT_WRITE_H */
