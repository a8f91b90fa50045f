/* SPDX-License-Identifier: GPL-2.0 */
/* Bytes that are made one after the other. */

#ifndef OBD_STREAM_H
#define OBD_STREAM_H

#include <linux/types.h>

/**
 * struct stream - where bytes come from
 * @read: fill @buffer, set *got; less than @bytes only at the end
 * @total: for the progress bar: bytes to go through, about
 * @done: for the progress bar: bytes gone through
 */
struct stream {
	int (*read)(struct stream *stream, void *buffer, size_t bytes, size_t *got);
	u64 total;
	u64 done;
};

#endif /* OBD_STREAM_H */
