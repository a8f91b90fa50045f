/* SPDX-License-Identifier: GPL-2.0 */
/* The strictest validator: every byte that can be checked is. */

#ifndef OBD_CHECK_H
#define OBD_CHECK_H

#include "image.h"

/**
 * struct check_result - what was found besides a failure
 * @blocks: compressed blocks read and verified
 * @bytes: bytes of layers read
 * @segments: of all layers
 * @warnings: what is odd but legal; owned texts
 * @warning_count: how many
 */
struct check_result {
	u64 blocks;
	u64 bytes;
	u64 segments;
	char **warnings;
	unsigned int warning_count;
};

int check_image(const struct image *image, bool quick, unsigned int threads,
		struct check_result *result);
void check_result_destroy(struct check_result *result);

#endif /* OBD_CHECK_H */
