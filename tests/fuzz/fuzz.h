/* SPDX-License-Identifier: GPL-2.0 */
/* What the fuzz targets share: taking numbers out of the input, and judging. */

#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "faults.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input is. */
#define CHECK(condition) do { \
	if (!(condition)) { \
		fprintf(stderr, "%s:%d: does not hold: %s\n", \
			__FILE__, __LINE__, #condition); \
		abort(); \
	} \
} while (0)

/* The part of the input that is not yet used. */
struct input {
	const u8 *data;
	size_t size;
};

/* Behind the end of the input everything is zero. */
static inline void take(struct input *in, void *to, size_t bytes)
{
	size_t part = bytes < in->size ? bytes : in->size;

	memset(to, 0, bytes);
	if (part)
		memcpy(to, in->data, part);
	in->data += part;
	in->size -= part;
}

static inline u64 take_number(struct input *in, size_t bytes)
{
	u8 raw[8] = { 0 };
	u64 number = 0;

	take(in, raw, bytes);
	while (bytes--)
		number = number << 8 | raw[bytes];
	return number;
}

static inline void *must_alloc(size_t bytes)
{
	void *p = malloc(bytes);

	if (!p)
		abort();
	return p;
}

static inline u64 le(const void *p, size_t bytes)
{
	struct input in = { p, bytes };

	return take_number(&in, bytes);
}

#endif /* TESTS_FUZZ_FUZZ_H */
