/* SPDX-License-Identifier: GPL-2.0 */
/* Compressing a stream into a ZFile. */

#ifndef OBD_ZFILE_WRITE_H
#define OBD_ZFILE_WRITE_H

#include "output.h"
#include "stream.h"

/**
 * struct zfile_options - how to compress
 * @algorithm: one of enum zfile_algorithm
 * @level: 0: the default
 * @block_shift: log2 of the bytes per block
 * @no_crc: leave the CRC of the blocks out
 * @threads: how many
 */
struct zfile_options {
	u8 algorithm;
	int level;
	u8 block_shift;
	bool no_crc;
	unsigned int threads;
};

int zfile_check_bytes(const struct zfile_options *options, u64 bytes);
int zfile_write(struct output *out, struct stream *in, const struct zfile_options *options);

#endif /* OBD_ZFILE_WRITE_H */
