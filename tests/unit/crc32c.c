// SPDX-License-Identifier: GPL-2.0
/* The command's crc32c(): both implementations against one bit at a time. */

#include "../../tools/overlaybd/crc32c.c"

#include "tap.h"

static u32 crc32c_bits(u32 crc, const u8 *p, size_t length)
{
	while (length--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32C_POLYNOMIAL : 0);
	}
	return crc;
}

/* Every length up to 80 at every alignment, ending where the memory ends. */
static bool like_bits(u32 (*function)(u32 crc, const void *data, size_t length))
{
	bool good = true;
	u8 *block = must_alloc(88);

	for (int i = 0; i < 88; i++)
		block[i] = i * 157 + 11;
	for (size_t length = 0; length <= 80; length++) {
		for (int shift = 0; shift < 8; shift++) {
			const u8 *p = block + 88 - length - shift;
			u32 seed = length * 0x9e3779b9;

			good &= function(seed, p, length) ==
				crc32c_bits(seed, p, length);
		}
	}
	free(block);
	return good;
}

int main(void)
{
	ok(crc32c(0, "123456789", 9) == 0x58e3fa20, "seed 0");
	ok(crc32c(100007, "123456789", 9) == 0x3c9bd4e0, "seed 100007");
	ok(crc32c(~0U, "123456789", 9) == ~0xe3069283, "the usual check value");
	ok(crc32c(100007, "\0\0\0\0", 4) == 0xd5b17c5d, "four zeros");
	ok(like_bits(crc32c), "what was chosen at start");
	ok(like_bits(crc32c_table), "the table");
	return done_testing();
}
