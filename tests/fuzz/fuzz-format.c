// SPDX-License-Identifier: GPL-2.0
/*
 * format.c against the rules of the format, written down once more here from
 * their description: it accepts what keeps them and nothing else, and what it
 * reports are the bytes' own values.
 *
 * Input: a byte of options, the length of the file, header, trailer, index.
 */

#include <linux/crc32c.h>
#include <linux/errno.h>
#include <linux/limits.h>

#include "../../drivers/md/dm-overlaybd/format.h"
#include "fuzz.h"

enum {
	OPTION_LSMT = 1,
	OPTION_HEADER_MAGIC = 2,	/* put the right one there */
	OPTION_TRAILER_MAGIC = 4,
	OPTION_HEADER_DIGEST = 8,
	OPTION_TRAILER_DIGEST = 16,
};

/* Of an LSMT header only these bytes are in the input, the rest is zero. */
#define LSMT_INPUT_BYTES	64

static const u8 zfile_magic[24] = "ZFile\0\1\0tuji.yyf@Alibaba";
static const u8 lsmt_magic[24] = {
	'L', 'S', 'M', 'T', 0, 1, 2, 0, 0x65, 0x7e, 0x63, 0xd2, 0x94, 0x44, 0x08,
	0x4c, 0xa2, 0xd2, 0xc8, 0xec, 0x4f, 0xcf, 0xae, 0x8a,
};

static bool is_known_refusal(int r)
{
	return r == -EINVAL || r == -EUCLEAN || r == -EOPNOTSUPP || r == -EFBIG;
}

/* --- ZFile --------------------------------------------------------------- */

static u32 digest_of(const u8 *block)
{
	u8 copy[ZFILE_HEADER_BYTES];

	memcpy(copy, block, sizeof(copy));
	memset(copy + 28, 0, 4);
	return crc32c(0, copy, sizeof(copy));
}

static void repair_digest(u8 *block)
{
	u32 digest = digest_of(block);

	for (int i = 0; i < 4; i++)
		block[28 + i] = digest >> 8 * i;
}

static bool digest_holds(const u8 *block)
{
	return !(block[32] & 16) || digest_of(block) == le(block + 28, 4);
}

static u64 bound(u8 algorithm, u64 n)
{
	return algorithm == 1 ? n + n / 255 + 16 : n + n / 256 + (131072 - n) / 2048;
}

/* Z4 to Z9 of the block that counts. */
static bool zfile_numbers_valid(const u8 *b, u64 file_bytes)
{
	u64 offset = le(b + 40, 8), count = le(b + 48, 8), bytes = le(b + 56, 8);
	u64 block = le(b + 72, 4);

	if (b[76] != 1 && b[76] != 2)
		return false;
	if (block < 512 || block > 65536 || block & (block - 1))
		return false;
	if (b[78] || le(b + 84, 4) || (b[32] & 16 && b[32] & 32))
		return false;
	if (count > 1000000000 || bytes > S64_MAX)
		return false;
	if (count != bytes / block + (bytes % block ? 1 : 0))
		return false;
	return offset >= 512 &&
	       (unsigned __int128)offset + 4 * count <= file_bytes - 512;
}

static bool zfile_valid(const u8 *h, const u8 *t, u64 file_bytes)
{
	if (file_bytes < 1024 || memcmp(h, zfile_magic, 24) || !(h[32] & 1) ||
	    !digest_holds(h))
		return false;
	if (h[32] & 8)
		return zfile_numbers_valid(h, file_bytes);
	return h[32] & 2 && !memcmp(t, zfile_magic, 24) && (t[32] & 7) == 6 && digest_holds(t) &&
	       zfile_numbers_valid(t, file_bytes);
}

static void check_zfile_info(const struct zfile_info *info, const u8 *h, const u8 *t)
{
	bool final = h[32] & 8;
	const u8 *b = final ? h : t;

	CHECK(info->header_is_final == final);
	CHECK(info->has_digest == !!(b[32] & 16));
	CHECK(info->index_offset == le(b + 40, 8));
	CHECK(info->block_count == le(b + 48, 8));
	CHECK(info->original_bytes == le(b + 56, 8));
	CHECK(info->index_crc == le(b + 64, 4));
	CHECK(1ULL << info->block_shift == le(b + 72, 4));
	CHECK(info->algorithm == b[76]);
	CHECK(info->block_crc == !!b[88]);
	CHECK(info->max_entry_bytes ==
	      bound(b[76], 1ULL << info->block_shift) + (b[88] ? 4 : 0));
	CHECK(info->max_entry_bytes <= ZFILE_MAX_ENTRY_BYTES);
}

static void decode_zfile(u8 *h, u8 *t, u64 file_bytes)
{
	bool final = h[32] & 8, valid = zfile_valid(h, t, file_bytes);
	struct zfile_info info;
	const char *error = NULL;
	int r;

	CHECK(zfile_has_magic(h) == (!memcmp(h, zfile_magic, 24) && h[32] & 1));
	CHECK(zfile_header_is_final(h) == final);
	CHECK(zfile_has_digest(h, t) == !!((final ? h : t)[32] & 16));
	/* A trailer that does not count is not looked at. */
	r = zfile_decode(h, final ? NULL : t, file_bytes, &info, &error);
	CHECK((r == 0) == valid);
	if (r) {
		CHECK(is_known_refusal(r) && error && *error);
		return;
	}
	check_zfile_info(&info, h, t);
}

static void use_index(const u8 *index, size_t bytes)
{
	size_t count = bytes / 4, half = bytes / 2, i;
	u64 sum = 0;
	u32 crc;

	for (i = 0; i < count; i++) {
		CHECK(zfile_decode_entry(index, i) == le(index + 4 * i, 4));
		sum += le(index + 4 * i, 4);
	}
	CHECK(zfile_sum_entries(index, count) == sum);
	crc = zfile_index_crc(zfile_index_crc(0, index, half), index + half, bytes - half);
	CHECK(crc == crc32c(0, index, bytes));
	if (bytes >= 4)
		CHECK(zfile_block_crc_ok(index, bytes - 4) ==
		      (crc32c(100007, index, bytes - 4) == le(index + bytes - 4, 4)));
}

/* --- LSMT ---------------------------------------------------------------- */

static bool lsmt_valid(const u8 *h, const u8 *t, u64 file_bytes)
{
	u64 offset = le(t + 32, 8), count = le(t + 40, 8);

	return file_bytes >= 8192 && !memcmp(h, lsmt_magic, 24) && (h[28] & 3) == 3 &&
	       !memcmp(t, lsmt_magic, 24) && (t[28] & 7) == 6 && count <= 1000000 &&
	       offset >= 4096 && offset % 512 == 0 &&
	       (unsigned __int128)offset + 16 * count <= file_bytes - 4096 &&
	       le(t + 48, 8) <= 1ULL << 59;
}

static bool mapping_valid(const u8 *p, u64 data_end, u64 previous_end)
{
	u64 where = le(p, 8), what = le(p + 8, 8);
	u64 offset = where & ((1ULL << 50) - 1), length = where >> 50;
	u64 moffset = what & ((1ULL << 55) - 1);

	if (!length || offset < previous_end)
		return false;
	return what >> 55 & 1 || (moffset >= 8 && moffset + length <= data_end);
}

/* The segments of a layer, up to the first that is refused. */
static void use_mappings(const struct lsmt_info *info, const u8 *index, size_t bytes)
{
	u64 data_end = info->index_offset / 512, end = 0;

	for (size_t i = 0; i < bytes / 16; i++) {
		const u8 *p = index + 16 * i;
		const char *error = NULL;
		struct lsmt_mapping m;
		bool invalid = (le(p, 8) & ((1ULL << 50) - 1)) == (1ULL << 50) - 1;
		int r;

		CHECK(lsmt_decode_mapping(index, i, &m) == !invalid);
		if (invalid)
			continue;
		CHECK(m.offset == (le(p, 8) & ((1ULL << 50) - 1)));
		CHECK(m.length == le(p, 8) >> 50 && m.length <= LSMT_MAX_LENGTH);
		CHECK(m.moffset == (le(p + 8, 8) & ((1ULL << 55) - 1)));
		CHECK(m.zeroed == (le(p + 8, 8) >> 55 & 1));
		r = lsmt_check_mapping(info, end, &m, &error);
		CHECK((r == 0) == mapping_valid(p, data_end, end));
		if (r) {
			CHECK(r == -EINVAL && error && *error);
			return;
		}
		end = m.offset + m.length;
	}
}

static void decode_lsmt(u8 *h, u8 *t, u64 file_bytes, const u8 *index, size_t bytes)
{
	bool valid = lsmt_valid(h, t, file_bytes);
	struct lsmt_info info;
	const char *error = NULL;
	int r;

	CHECK(lsmt_has_magic(h) == !memcmp(h, lsmt_magic, 24));
	r = lsmt_decode(h, t, file_bytes, &info, &error);
	CHECK((r == 0) == valid);
	if (r) {
		CHECK(is_known_refusal(r) && error && *error);
		return;
	}
	CHECK(info.index_offset == le(t + 32, 8));
	CHECK(info.mapping_count == le(t + 40, 8));
	CHECK(info.virtual_bytes == le(t + 48, 8));
	use_mappings(&info, index, bytes);
}

/* --- input ---------------------------------------------------------------- */

static void take_block(struct input *in, u8 *block, size_t bytes, const u8 *magic,
		       bool repair_magic)
{
	memset(block, 0, LSMT_HEADER_BYTES);
	take(in, block, bytes);
	if (repair_magic)
		memcpy(block, magic, 24);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static u8 header[LSMT_HEADER_BYTES] __attribute__((aligned(8)));
	static u8 trailer[LSMT_HEADER_BYTES] __attribute__((aligned(8)));
	struct input in = { data, size };
	u8 options = take_number(&in, 1);
	bool is_lsmt = options & OPTION_LSMT;
	u64 file_bytes = take_number(&in, 8);
	const u8 *magic = is_lsmt ? lsmt_magic : zfile_magic;
	size_t bytes = is_lsmt ? LSMT_INPUT_BYTES : ZFILE_HEADER_BYTES;
	u8 *index;

	take_block(&in, header, bytes, magic, options & OPTION_HEADER_MAGIC);
	take_block(&in, trailer, bytes, magic, options & OPTION_TRAILER_MAGIC);
	index = must_alloc(in.size + 1);
	bytes = in.size;
	take(&in, index + 1, bytes);	/* at an odd address: any must do */
	if (is_lsmt) {
		decode_lsmt(header, trailer, file_bytes, index + 1, bytes);
	} else {
		if (options & OPTION_HEADER_DIGEST)
			repair_digest(header);
		if (options & OPTION_TRAILER_DIGEST)
			repair_digest(trailer);
		decode_zfile(header, trailer, file_bytes);
		use_index(index + 1, bytes);
	}
	free(index);
	return 0;
}
