// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's crc32c() for user space: raw CRC-32C, the seed is the register
 * and nothing is inverted.
 */

#ifdef __x86_64__
#include <nmmintrin.h>
#endif

#include <linux/crc32c.h>
#include <linux/unaligned.h>

#define CRC32C_POLYNOMIAL	0x82f63b78U	/* reflected */

static u32 table[8][256];
static u32 (*implementation)(u32 crc, const void *data, size_t length);

static u32 crc32c_table(u32 crc, const void *data, size_t length)
{
	const u8 *p = data;

	for (; length >= 8; length -= 8, p += 8) {
		u32 low = crc ^ get_unaligned_le32(p);

		crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^
		      table[5][low >> 16 & 0xff] ^ table[4][low >> 24] ^
		      table[3][p[4]] ^ table[2][p[5]] ^
		      table[1][p[6]] ^ table[0][p[7]];
	}
	while (length--)
		crc = crc >> 8 ^ table[0][(crc ^ *p++) & 0xff];
	return crc;
}

static void fill_table(void)
{
	for (u32 i = 0; i < 256; i++) {
		u32 crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32C_POLYNOMIAL : 0);
		table[0][i] = crc;
	}
	for (int slice = 1; slice < 8; slice++) {
		for (int i = 0; i < 256; i++) {
			u32 crc = table[slice - 1][i];

			table[slice][i] = crc >> 8 ^ table[0][crc & 0xff];
		}
	}
}

#ifdef __x86_64__
__attribute__((target("sse4.2")))
static u32 crc32c_sse42(u32 crc, const void *data, size_t length)
{
	const u8 *p = data;
	u64 wide = crc;

	for (; length >= 8; length -= 8, p += 8)
		wide = _mm_crc32_u64(wide, get_unaligned_le64(p));
	crc = wide;
	while (length--)
		crc = _mm_crc32_u8(crc, *p++);
	return crc;
}
#endif

__attribute__((constructor))
static void choose_implementation(void)
{
	fill_table();
	implementation = crc32c_table;
#ifdef __x86_64__
	__builtin_cpu_init();
	if (__builtin_cpu_supports("sse4.2"))
		implementation = crc32c_sse42;
#endif
}

/**
 * crc32c() - raw CRC-32C
 * @crc: the seed, or what the call for the bytes before returned
 * @data: the bytes, any alignment
 * @length: how many
 *
 * Return: the checksum.
 */
u32 crc32c(u32 crc, const void *data, size_t length)
{
	return implementation(crc, data, length);
}
