/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a whole image is packed into one input: the number of layers, from 0 for
 * one, and in the same byte which read fails, if any, and whether the files are
 * devices; for each layer a length of 4 bytes and its file. What is not there is
 * empty.
 */

#ifndef TESTS_FUZZ_IMAGE_INPUT_H
#define TESTS_FUZZ_IMAGE_INPUT_H

#include "fuzz.h"
#include "memory-files.h"

#define IMAGE_MAX_LAYERS	MEMORY_FILES

struct packed_layer {
	const u8 *data;
	size_t bytes;
};

#define IMAGE_OPTIONS		(256 / IMAGE_MAX_LAYERS)
#define IMAGE_FAILING_READ	(IMAGE_OPTIONS / 2 - 1)
#define IMAGE_ON_DEVICES	(IMAGE_OPTIONS / 2)

static inline unsigned int image_options(const u8 *data, size_t size)
{
	return size ? *data / IMAGE_MAX_LAYERS : 0;
}

static inline unsigned int image_unpack(const u8 *data, size_t size,
					struct packed_layer layers[IMAGE_MAX_LAYERS])
{
	struct input in = { data, size };
	unsigned int count = 1 + take_number(&in, 1) % IMAGE_MAX_LAYERS, i;

	for (i = 0; i < count; i++) {
		size_t bytes = take_number(&in, 4);

		if (bytes > in.size)
			bytes = in.size;
		layers[i] = (struct packed_layer) { in.data, bytes };
		in.data += bytes;
		in.size -= bytes;
	}
	return count;
}

#endif /* TESTS_FUZZ_IMAGE_INPUT_H */
