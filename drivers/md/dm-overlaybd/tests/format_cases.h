/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Valid and refused ZFile and LSMT headers, for format_kunit.c and for the
 * user-space unit tests.
 *
 * Bytes are written at literal offsets, not through format-disk.h: that file is
 * under test too. A case is a valid file with some fields set to other values.
 */

#ifndef DM_OVERLAYBD_FORMAT_CASES_H
#define DM_OVERLAYBD_FORMAT_CASES_H

#include <linux/crc32c.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>

#include "../format.h"

/* A field: its offset and its width, in bytes. */
#define FIELD(offset, bytes)	((offset) << 4 | (bytes))

struct field_patch {
	u32 field;	/* 0 ends the list */
	u64 value;
};

#define CASE_PATCHES	5

static inline void put_field(u8 *block, u32 field, u64 value)
{
	unsigned int bytes = field & 15;
	u8 *p = block + (field >> 4);

	while (bytes--) {
		*p++ = value;
		value >>= 8;
	}
}

static inline void put_fields(u8 *block, const struct field_patch *patch)
{
	unsigned int i;

	for (i = 0; i < CASE_PATCHES && patch[i].field; i++)
		put_field(block, patch[i].field, patch[i].value);
}

#define Z_SIZE		FIELD(24, 4)
#define Z_DIGEST	FIELD(28, 4)
#define Z_FLAGS		FIELD(32, 8)
#define Z_INDEX_OFFSET	FIELD(40, 8)
#define Z_INDEX_SIZE	FIELD(48, 8)
#define Z_ORIGINAL	FIELD(56, 8)
#define Z_INDEX_CRC	FIELD(64, 4)
#define Z_RESERVED0	FIELD(68, 4)
#define Z_BLOCK_SIZE	FIELD(72, 4)
#define Z_ALGORITHM	FIELD(76, 1)
#define Z_LEVEL		FIELD(77, 1)
#define Z_USE_DICT	FIELD(78, 1)
#define Z_PADDING0	FIELD(79, 1)
#define Z_RESERVED1	FIELD(80, 4)
#define Z_DICT_SIZE	FIELD(84, 4)
#define Z_VERIFY	FIELD(88, 1)
#define Z_PADDING1	FIELD(89, 7)
#define Z_RESERVED2	FIELD(96, 8)
#define Z_LAST		FIELD(504, 8)

/* The plain file: three LZ4 blocks of 4 KiB with CRCs, 100 bytes each on disk. */
#define ZC_INDEX_OFFSET	(512 + 3 * 100)
#define ZC_TRAILER	(ZC_INDEX_OFFSET + 3 * 4)
#define ZC_FILE_BYTES	(ZC_TRAILER + 512)
#define ZC_ORIGINAL	10000
#define ZC_INDEX_CRC	0x1a2b3c4d
#define ZC_GARBAGE	0xa5
#define ZC_LZ4_4K	(4096 + 4096 / 255 + 16 + 4)

enum zfile_kind {
	ZC_FINAL,	/* the header was overwritten, digests */
	ZC_STREAMED,	/* the trailer counts, digests */
	ZC_OLD,		/* the trailer counts, no digests, garbage around */
	ZC_OLD_FINAL,	/* the header was overwritten, no digests, garbage */
};

struct zfile_case {
	const char *name;
	enum zfile_kind kind;
	bool patch_other;	/* not the block that counts but the other one */
	bool keep_digest;	/* leave the digest as it was before the patch */
	struct field_patch patch[CASE_PATCHES];
	u64 file_bytes;		/* 0: of the plain file */
	int result;
	const char *error;
	/* of a good file; all 0: as of the plain file */
	struct zfile_info info;
};

static inline bool zfile_kind_is_old(enum zfile_kind kind)
{
	return kind == ZC_OLD || kind == ZC_OLD_FINAL;
}

static inline bool zfile_kind_is_final(enum zfile_kind kind)
{
	return kind == ZC_FINAL || kind == ZC_OLD_FINAL;
}

static inline void zfile_case_digest(u8 *block)
{
	put_field(block, Z_DIGEST, 0);
	put_field(block, Z_DIGEST, crc32c(0, block, 512));
}

static inline void zfile_case_plain_block(u8 *block, enum zfile_kind kind, bool header)
{
	u64 flags = header ? 0x03 : 0x06;
	bool final = zfile_kind_is_final(kind);

	if (zfile_kind_is_old(kind)) {
		memset(block, ZC_GARBAGE, 512);
		flags |= 0xdeadbeefcafeba40ULL;
	} else {
		memset(block, 0, 512);
		flags |= 0x10;
	}
	if (header && final)
		flags |= 0x08;
	memcpy(block, "ZFile\0\1\0tuji.yyf@Alibaba", 24);
	put_field(block, Z_SIZE, 96);
	put_field(block, Z_FLAGS, flags);
	put_field(block, Z_BLOCK_SIZE, 4096);
	put_field(block, Z_ALGORITHM, 1);
	put_field(block, Z_LEVEL, 0);
	put_field(block, Z_USE_DICT, 0);
	put_field(block, Z_DICT_SIZE, 0);
	put_field(block, Z_VERIFY, 1);
	if (header && !final)
		return;
	put_field(block, Z_INDEX_OFFSET, ZC_INDEX_OFFSET);
	put_field(block, Z_INDEX_SIZE, 3);
	put_field(block, Z_ORIGINAL, ZC_ORIGINAL);
	put_field(block, Z_INDEX_CRC, ZC_INDEX_CRC);
}

/* Make the first and last 512 bytes of the file of a case; returns its length. */
static inline u64 zfile_case_build(const struct zfile_case *c, u8 *header, u8 *trailer)
{
	bool header_counts = zfile_kind_is_final(c->kind);
	u8 *patched = header_counts != c->patch_other ? header : trailer;

	zfile_case_plain_block(header, c->kind, true);
	zfile_case_plain_block(trailer, c->kind, false);
	if (!zfile_kind_is_old(c->kind)) {
		zfile_case_digest(header);
		zfile_case_digest(trailer);
	}
	put_fields(patched, c->patch);
	if ((patched[32] & 0x10) && !c->keep_digest)
		zfile_case_digest(patched);
	return c->file_bytes ?: ZC_FILE_BYTES;
}

static inline struct zfile_info zfile_case_info(const struct zfile_case *c)
{
	struct zfile_info plain = {
		.index_offset = ZC_INDEX_OFFSET,
		.block_count = 3,
		.original_bytes = ZC_ORIGINAL,
		.max_entry_bytes = ZC_LZ4_4K,
		.index_crc = ZC_INDEX_CRC,
		.block_shift = 12,
		.algorithm = 1,
		.block_crc = true,
		.has_digest = !zfile_kind_is_old(c->kind),
		.header_is_final = zfile_kind_is_final(c->kind),
	};

	return c->info.index_offset ? c->info : plain;
}

/* A good file that differs from the plain one; both kinds with digests. */
#define Z_INFO(offset, blocks, original, entry, shift, algo, crc) { \
	.index_offset = offset, .block_count = blocks, \
	.original_bytes = original, .max_entry_bytes = entry, \
	.index_crc = ZC_INDEX_CRC, .block_shift = shift, .algorithm = algo, \
	.block_crc = crc, .has_digest = true, .header_is_final = true }
#define Z_GOOD(text, ...) { .name = text, .patch = { __VA_ARGS__ } }
#define Z_GOOD_INFO(text, infos, ...) \
	{ .name = text, .patch = { __VA_ARGS__ }, .info = infos }
#define Z_BAD(text, errno_value, message, ...) \
	{ .name = text, .result = -(errno_value), .error = message, \
	  .patch = { __VA_ARGS__ } }
#define Z_BAD_BLOCK_SIZE(size) \
	Z_BAD("block size " #size, EINVAL, \
	      "ZFile block size is not a power of two from 512 to 65536", \
	      { Z_BLOCK_SIZE, size })

static const struct zfile_case zfile_cases[] = {
	{ "final header", ZC_FINAL },
	{ "streamed, the trailer counts", ZC_STREAMED },
	{ "old, garbage around, the trailer counts", ZC_OLD },
	{ "old, garbage around, final header", ZC_OLD_FINAL },

	/* What nobody looks at. */
	Z_GOOD("size field 0", { Z_SIZE, 0 }),
	Z_GOOD("size field at its maximum", { Z_SIZE, U32_MAX }),
	Z_GOOD("level at its maximum", { Z_LEVEL, 255 }),
	Z_GOOD("reserved fields full, lower half",
	       { Z_RESERVED0, U32_MAX }, { Z_RESERVED1, U32_MAX },
	       { Z_PADDING0, 255 }),
	Z_GOOD("reserved fields full, upper half",
	       { Z_PADDING1, U64_MAX }, { Z_RESERVED2, U64_MAX },
	       { Z_LAST, U64_MAX }),
	Z_GOOD("all upper flags set", { Z_FLAGS, 0xffffffffffffffdbULL }),
	Z_GOOD("sealed header", { Z_FLAGS, 0x1f }),
	Z_GOOD("final header not of a data file", { Z_FLAGS, 0x19 }),
	{ "final header, the trailer's magic is broken", ZC_FINAL, true,
	  .patch = { { FIELD(0, 8), 0 } } },
	{ "streamed, the header's index fields are garbage", ZC_STREAMED, true,
	  .patch = { { Z_INDEX_OFFSET, U64_MAX }, { Z_INDEX_SIZE, U64_MAX },
		     { Z_ORIGINAL, U64_MAX } } },
	{ "streamed, the header's coding is garbage", ZC_STREAMED, true,
	  .patch = { { Z_BLOCK_SIZE, 3000 }, { Z_ALGORITHM, 9 },
		     { Z_VERIFY, 0 }, { Z_DICT_SIZE, 1 } } },

	/* Magic and flags. */
	Z_BAD("header magic0", EINVAL, "Not a ZFile: bad magic in the header",
	      { FIELD(7, 1), 1 }),
	Z_BAD("header magic1", EINVAL, "Not a ZFile: bad magic in the header",
	      { FIELD(23, 1), 'b' }),
	Z_BAD("header is none", EINVAL, "Not a ZFile: bad magic in the header",
	      { Z_FLAGS, 0x1a }),
	{ "streamed, header not of a data file", ZC_STREAMED, true, .result = -EINVAL,
	  .error = "ZFile header is not of a data file",
	  .patch = { { Z_FLAGS, 0x11 } } },
	{ "streamed, trailer magic0", ZC_STREAMED, .result = -EINVAL,
	  .error = "Bad magic in the ZFile trailer (wrong length?)",
	  .patch = { { FIELD(0, 1), 'z' } } },
	{ "streamed, trailer magic1", ZC_STREAMED, .result = -EINVAL,
	  .error = "Bad magic in the ZFile trailer (wrong length?)",
	  .patch = { { FIELD(8, 1), 'T' } } },
	{ "streamed, trailer is a header", ZC_STREAMED, .result = -EINVAL,
	  .error = "ZFile trailer says it is a header",
	  .patch = { { Z_FLAGS, 0x17 } } },
	{ "streamed, trailer not of a data file", ZC_STREAMED, .result = -EINVAL,
	  .error = "ZFile trailer is not of a data file",
	  .patch = { { Z_FLAGS, 0x14 } } },
	{ "streamed, not sealed", ZC_STREAMED, .result = -EINVAL,
	  .error = "ZFile is not sealed", .patch = { { Z_FLAGS, 0x12 } } },
	{ "old, not sealed", ZC_OLD, .result = -EINVAL,
	  .error = "ZFile is not sealed", .patch = { { Z_FLAGS, 0x42 } } },
	{ "streamed, trailer says it overwrote", ZC_STREAMED,
	  .patch = { { Z_FLAGS, 0x1e } } },

	/* Digests. */
	{ "final header, stale digest", ZC_FINAL, .keep_digest = true,
	  .result = -EUCLEAN, .error = "ZFile header digest mismatch",
	  .patch = { { Z_LEVEL, 1 } } },
	{ "final header, digest field changed", ZC_FINAL, .keep_digest = true,
	  .result = -EUCLEAN, .error = "ZFile header digest mismatch",
	  .patch = { { Z_DIGEST, 0 } } },
	{ "streamed, stale header digest", ZC_STREAMED, true, true,
	  .result = -EUCLEAN, .error = "ZFile header digest mismatch",
	  .patch = { { Z_LAST, 1 } } },
	{ "streamed, stale trailer digest", ZC_STREAMED, .keep_digest = true,
	  .result = -EUCLEAN, .error = "ZFile trailer digest mismatch",
	  .patch = { { Z_LAST, 1ULL << 63 } } },
	{ "streamed, the header alone has a digest", ZC_STREAMED,
	  .patch = { { Z_FLAGS, 0x06 } },
	  .info = { .index_offset = ZC_INDEX_OFFSET, .block_count = 3,
		    .original_bytes = ZC_ORIGINAL, .max_entry_bytes = ZC_LZ4_4K,
		    .index_crc = ZC_INDEX_CRC, .block_shift = 12, .algorithm = 1,
		    .block_crc = true } },
	{ "streamed, the trailer alone has a digest", ZC_STREAMED, true,
	  .patch = { { Z_FLAGS, 0x03 }, { Z_LAST, 5 } } },

	/* Compressed indexes. */
	Z_BAD("index compressed", EOPNOTSUPP,
	      "Compressed ZFile indexes are not supported", { Z_FLAGS, 0x3b }),
	{ "streamed, index compressed", ZC_STREAMED, .result = -EOPNOTSUPP,
	  .error = "Compressed ZFile indexes are not supported",
	  .patch = { { Z_FLAGS, 0x36 } } },
	{ "old, the flag of a compressed index is garbage", ZC_OLD,
	  .patch = { { Z_FLAGS, 0x66 } } },
	{ "old, final, the flag of a compressed index is garbage", ZC_OLD_FINAL,
	  .patch = { { Z_FLAGS, 0x6b } } },

	/* How it is compressed. */
	Z_BAD("algorithm 0", EOPNOTSUPP, "Unknown ZFile compression algorithm",
	      { Z_ALGORITHM, 0 }),
	Z_BAD("algorithm 3", EOPNOTSUPP, "Unknown ZFile compression algorithm",
	      { Z_ALGORITHM, 3 }),
	Z_BAD("algorithm 255", EOPNOTSUPP, "Unknown ZFile compression algorithm",
	      { Z_ALGORITHM, 255 }),
	Z_BAD_BLOCK_SIZE(0),
	Z_BAD_BLOCK_SIZE(1),
	Z_BAD_BLOCK_SIZE(256),
	Z_BAD_BLOCK_SIZE(511),
	Z_BAD_BLOCK_SIZE(513),
	Z_BAD_BLOCK_SIZE(3000),
	Z_BAD_BLOCK_SIZE(65535),
	Z_BAD_BLOCK_SIZE(65537),
	Z_BAD_BLOCK_SIZE(131072),
	Z_BAD_BLOCK_SIZE(0x80000000),
	Z_BAD_BLOCK_SIZE(0xffffffff),
	Z_BAD("uses a dictionary", EOPNOTSUPP,
	      "ZFile dictionaries are not supported", { Z_USE_DICT, 1 }),
	Z_BAD("uses a dictionary, upper bit", EOPNOTSUPP,
	      "ZFile dictionaries are not supported", { Z_USE_DICT, 128 }),
	Z_BAD("dictionary of 1 byte", EOPNOTSUPP,
	      "ZFile dictionaries are not supported", { Z_DICT_SIZE, 1 }),
	Z_BAD("dictionary of 4 GiB", EOPNOTSUPP,
	      "ZFile dictionaries are not supported", { Z_DICT_SIZE, U32_MAX }),
	Z_GOOD_INFO("no block CRCs",
		    Z_INFO(ZC_INDEX_OFFSET, 3, ZC_ORIGINAL, ZC_LZ4_4K - 4, 12,
			   1, false), { Z_VERIFY, 0 }),
	Z_GOOD("block CRCs, another value", { Z_VERIFY, 255 }),

	/* Number of blocks and length of the content. */
	Z_GOOD_INFO("shortest content of three blocks",
		    Z_INFO(ZC_INDEX_OFFSET, 3, 8193, ZC_LZ4_4K, 12, 1, true),
		    { Z_ORIGINAL, 8193 }),
	Z_GOOD_INFO("longest content of three blocks",
		    Z_INFO(ZC_INDEX_OFFSET, 3, 12288, ZC_LZ4_4K, 12, 1, true),
		    { Z_ORIGINAL, 12288 }),
	Z_GOOD_INFO("one byte", Z_INFO(ZC_INDEX_OFFSET, 1, 1, ZC_LZ4_4K, 12, 1, true),
		    { Z_ORIGINAL, 1 }, { Z_INDEX_SIZE, 1 }),
	{ "empty", .patch = { { Z_ORIGINAL, 0 }, { Z_INDEX_SIZE, 0 },
			      { Z_INDEX_OFFSET, 512 } }, .file_bytes = 1024,
	  .info = Z_INFO(512, 0, 0, ZC_LZ4_4K, 12, 1, true) },
	Z_BAD("content too short for its blocks", EINVAL,
	      "ZFile index does not match the content size", { Z_ORIGINAL, 8192 }),
	Z_BAD("content too long for its blocks", EINVAL,
	      "ZFile index does not match the content size", { Z_ORIGINAL, 12289 }),
	Z_BAD("no content but blocks", EINVAL,
	      "ZFile index does not match the content size", { Z_ORIGINAL, 0 }),
	Z_BAD("content but no blocks", EINVAL,
	      "ZFile index does not match the content size", { Z_INDEX_SIZE, 0 }),
	Z_BAD("one block too few", EINVAL,
	      "ZFile index does not match the content size", { Z_INDEX_SIZE, 2 }),
	Z_BAD("one block too many", EINVAL,
	      "ZFile index does not match the content size", { Z_INDEX_SIZE, 4 }),
	Z_BAD("the block count's lower 32 bits match", EFBIG,
	      "ZFile has too many blocks", { Z_INDEX_SIZE, 0x100000003ULL }),
	{ "most blocks", .file_bytes = 512 + 4000000000ULL + 512,
	  .patch = { { Z_ORIGINAL, 4096000000000ULL }, { Z_INDEX_SIZE, 1000000000 },
		     { Z_INDEX_OFFSET, 512 } },
	  .info = Z_INFO(512, 1000000000, 4096000000000ULL, ZC_LZ4_4K, 12, 1, true) },
	{ "one block more than most", .file_bytes = 1ULL << 40, .result = -EFBIG,
	  .error = "ZFile has too many blocks",
	  .patch = { { Z_ORIGINAL, 4096000000001ULL }, { Z_INDEX_SIZE, 1000000001 },
		     { Z_INDEX_OFFSET, 512 } } },
	Z_BAD("block count that overflows when multiplied", EFBIG,
	      "ZFile has too many blocks", { Z_INDEX_SIZE, 1ULL << 62 }),
	Z_BAD("block count at its maximum", EFBIG, "ZFile has too many blocks",
	      { Z_INDEX_SIZE, U64_MAX }),
	Z_BAD("content length at its maximum as signed", EINVAL,
	      "ZFile index does not match the content size",
	      { Z_ORIGINAL, S64_MAX }),
	Z_BAD("content length negative as signed", EINVAL,
	      "ZFile content size is out of range", { Z_ORIGINAL, 1ULL << 63 }),
	Z_BAD("content length at its maximum", EINVAL,
	      "ZFile content size is out of range", { Z_ORIGINAL, U64_MAX }),

	/* Where the index is. */
	Z_GOOD_INFO("index right behind the header",
		    Z_INFO(512, 3, ZC_ORIGINAL, ZC_LZ4_4K, 12, 1, true),
		    { Z_INDEX_OFFSET, 512 }),
	Z_BAD("index reaches into the header", EINVAL,
	      "ZFile index lies outside the file", { Z_INDEX_OFFSET, 511 }),
	Z_BAD("index at 0", EINVAL, "ZFile index lies outside the file",
	      { Z_INDEX_OFFSET, 0 }),
	Z_BAD("index one byte too far", EINVAL, "ZFile index runs into the trailer",
	      { Z_INDEX_OFFSET, ZC_INDEX_OFFSET + 1 }),
	Z_BAD("index at the trailer", EINVAL, "ZFile index runs into the trailer",
	      { Z_INDEX_OFFSET, ZC_TRAILER }),
	Z_BAD("index in the trailer", EINVAL, "ZFile index lies outside the file",
	      { Z_INDEX_OFFSET, ZC_TRAILER + 1 }),
	Z_BAD("index offset at its maximum", EINVAL,
	      "ZFile index lies outside the file", { Z_INDEX_OFFSET, U64_MAX }),
	Z_GOOD_INFO("empty index at the trailer",
		    Z_INFO(ZC_TRAILER, 0, 0, ZC_LZ4_4K, 12, 1, true),
		    { Z_INDEX_OFFSET, ZC_TRAILER }, { Z_INDEX_SIZE, 0 },
		    { Z_ORIGINAL, 0 }),
	Z_BAD("empty index in the trailer", EINVAL,
	      "ZFile index lies outside the file",
	      { Z_INDEX_OFFSET, ZC_TRAILER + 1 }, { Z_INDEX_SIZE, 0 },
	      { Z_ORIGINAL, 0 }),
	{ "file one byte too short for its index", .file_bytes = ZC_FILE_BYTES - 1,
	  .result = -EINVAL, .error = "ZFile index runs into the trailer" },
	{ "gap between index and trailer", .file_bytes = ZC_FILE_BYTES + 1 },
	{ "longest file", .file_bytes = U64_MAX },
	{ "file of 1023 bytes", .file_bytes = 1023, .result = -EINVAL,
	  .error = "Too short for a ZFile" },
	{ "file of 1 byte", .file_bytes = 1, .result = -EINVAL,
	  .error = "Too short for a ZFile" },
};

/* Each coding there is, and the largest output of its compressor. */
struct zfile_coding {
	u32 block_bytes;
	u8 block_shift;
	u8 algorithm;
	u32 bound;
};

static const struct zfile_coding zfile_codings[] = {
	{ 512, 9, 1, 530 },
	{ 1024, 10, 1, 1044 },
	{ 2048, 11, 1, 2072 },
	{ 4096, 12, 1, 4128 },
	{ 8192, 13, 1, 8240 },
	{ 16384, 14, 1, 16464 },
	{ 32768, 15, 1, 32912 },
	{ 65536, 16, 1, 65809 },
	{ 512, 9, 2, 577 },
	{ 1024, 10, 2, 1091 },
	{ 2048, 11, 2, 2119 },
	{ 4096, 12, 2, 4174 },
	{ 8192, 13, 2, 8284 },
	{ 16384, 14, 2, 16504 },
	{ 32768, 15, 2, 32944 },
	{ 65536, 16, 2, 65824 },
};

/* A file of three blocks of a coding, the last of one byte. */
static inline struct zfile_case zfile_coding_case(const struct zfile_coding *c)
{
	return (struct zfile_case) {
		.name = "coding",
		.patch = {
			{ Z_BLOCK_SIZE, c->block_bytes },
			{ Z_ALGORITHM, c->algorithm },
			{ Z_ORIGINAL, 2 * c->block_bytes + 1 },
		},
		.info = Z_INFO(ZC_INDEX_OFFSET, 3, 2 * c->block_bytes + 1,
			       c->bound + 4, c->block_shift, c->algorithm, true),
	};
}

#define L_SIZE		FIELD(24, 4)
#define L_FLAGS		FIELD(28, 4)
#define L_INDEX_OFFSET	FIELD(32, 8)
#define L_INDEX_SIZE	FIELD(40, 8)
#define L_VIRTUAL	FIELD(48, 8)
#define L_UUID		FIELD(56, 8)
#define L_PARENT	FIELD(93, 8)
#define L_RESERVED0	FIELD(130, 2)
#define L_VERSION	FIELD(132, 1)
#define L_SUB_VERSION	FIELD(133, 1)
#define L_TAG		FIELD(134, 8)
#define L_RESERVED1	FIELD(390, 8)
#define L_LAST		FIELD(4088, 8)

/* The plain layer: ten sectors of data, 3 of at most 32 mappings. */
#define LC_INDEX_OFFSET	(4096 + 10 * 512)
#define LC_TRAILER	(LC_INDEX_OFFSET + 512)
#define LC_FILE_BYTES	(LC_TRAILER + 4096)
#define LC_VIRTUAL	1048576

struct lsmt_case {
	const char *name;
	bool patch_header;	/* else the trailer */
	struct field_patch patch[CASE_PATCHES];
	u64 file_bytes;		/* 0: of the plain layer */
	int result;
	const char *error;
	/* of a good layer; all 0: as of the plain layer */
	struct lsmt_info info;
};

static inline void lsmt_case_plain_block(u8 *block, bool header)
{
	memset(block, 0, 4096);
	memcpy(block, "LSMT\0\1\2\0\x65\x7e\x63\xd2\x94\x44\x08\x4c"
	       "\xa2\xd2\xc8\xec\x4f\xcf\xae\x8a", 24);
	put_field(block, L_SIZE, 390);
	put_field(block, L_FLAGS, header ? 0x07 : 0x06);
	put_field(block, L_VIRTUAL, LC_VIRTUAL);
	put_field(block, L_VERSION, 1);
	put_field(block, L_SUB_VERSION, 1);
	if (header)
		return;
	put_field(block, L_INDEX_OFFSET, LC_INDEX_OFFSET);
	put_field(block, L_INDEX_SIZE, 3);
}

/* Make the first and last 4096 bytes of the layer of a case; returns its length. */
static inline u64 lsmt_case_build(const struct lsmt_case *c, u8 *header, u8 *trailer)
{
	lsmt_case_plain_block(header, true);
	lsmt_case_plain_block(trailer, false);
	put_fields(c->patch_header ? header : trailer, c->patch);
	return c->file_bytes ?: LC_FILE_BYTES;
}

static inline struct lsmt_info lsmt_case_info(const struct lsmt_case *c)
{
	struct lsmt_info plain = {
		.index_offset = LC_INDEX_OFFSET,
		.mapping_count = 3,
		.virtual_bytes = LC_VIRTUAL,
	};

	return c->info.index_offset ? c->info : plain;
}

#define L_GOOD(text, ...) { .name = text, .patch = { __VA_ARGS__ } }
#define L_GOOD_HEADER(text, ...) \
	{ .name = text, .patch_header = true, .patch = { __VA_ARGS__ } }
#define L_GOOD_INFO(text, offset, mappings, size, ...) \
	{ .name = text, .patch = { __VA_ARGS__ }, .info = { \
	  .index_offset = offset, .mapping_count = mappings, \
	  .virtual_bytes = size } }
#define L_BAD(text, errno_value, message, ...) \
	{ .name = text, .result = -(errno_value), .error = message, \
	  .patch = { __VA_ARGS__ } }
#define L_BAD_HEADER(text, message, ...) \
	{ .name = text, .patch_header = true, .result = -EINVAL, \
	  .error = message, .patch = { __VA_ARGS__ } }

static const struct lsmt_case lsmt_cases[] = {
	{ "plain" },

	/* What nobody looks at. */
	L_GOOD_HEADER("header's index fields full", { L_SIZE, U32_MAX },
		      { L_INDEX_OFFSET, U64_MAX }, { L_INDEX_SIZE, U64_MAX },
		      { L_VIRTUAL, U64_MAX }),
	L_GOOD_HEADER("header's texts and reserved fields full",
		      { L_UUID, U64_MAX }, { L_PARENT, U64_MAX },
		      { L_RESERVED0, U64_MAX }, { L_TAG, U64_MAX },
		      { L_LAST, U64_MAX }),
	L_GOOD_HEADER("header's version 9", { L_VERSION, 9 }, { L_SUB_VERSION, 255 }),
	L_GOOD("trailer's version 0", { L_VERSION, 0 }, { L_SUB_VERSION, 0 }),
	L_GOOD("trailer's texts and reserved fields full", { L_SIZE, 0 },
	       { L_UUID, U64_MAX }, { L_RESERVED0, U64_MAX },
	       { L_RESERVED1, U64_MAX }, { L_LAST, U64_MAX }),

	/* Magic and flags. */
	L_BAD_HEADER("header magic0", "Not an LSMT layer: bad magic in the header",
		     { FIELD(6, 1), 3 }),
	L_BAD_HEADER("header magic1", "Not an LSMT layer: bad magic in the header",
		     { FIELD(23, 1), 0 }),
	L_BAD("trailer magic0", EINVAL,
	      "No LSMT trailer: wrong length, or a writable layer", { FIELD(0, 1), 0 }),
	L_BAD("trailer magic1", EINVAL,
	      "No LSMT trailer: wrong length, or a writable layer", { FIELD(8, 1), 0 }),
	L_BAD_HEADER("header is a trailer", "LSMT header says it is a trailer",
		     { L_FLAGS, 0x06 }),
	L_BAD_HEADER("header of an index file",
		     "LSMT file is the index of a writable layer", { L_FLAGS, 0x05 }),
	L_GOOD_HEADER("header not sealed", { L_FLAGS, 0x03 }),
	L_GOOD_HEADER("header of a sparse layer", { L_FLAGS, 0x13 }),
	L_GOOD_HEADER("header with all flags", { L_FLAGS, U32_MAX }),
	L_BAD("trailer is a header", EINVAL, "LSMT trailer says it is a header",
	      { L_FLAGS, 0x07 }),
	L_BAD("trailer of an index file", EINVAL,
	      "LSMT trailer is not of a data file", { L_FLAGS, 0x04 }),
	L_BAD("not sealed", EINVAL, "LSMT layer is not sealed", { L_FLAGS, 0x02 }),
	L_GOOD("trailer of a sparse layer", { L_FLAGS, 0x16 }),
	L_GOOD("trailer with all flags", { L_FLAGS, U32_MAX - 1 }),

	/* Where the index is. */
	L_GOOD_INFO("no data", 4096, 3, LC_VIRTUAL, { L_INDEX_OFFSET, 4096 }),
	L_BAD("index in the header", EINVAL, "LSMT index lies outside the file",
	      { L_INDEX_OFFSET, 4095 }),
	L_BAD("index one sector into the header", EINVAL,
	      "LSMT index lies outside the file", { L_INDEX_OFFSET, 3584 }),
	L_BAD("index at 0", EINVAL, "LSMT index lies outside the file",
	      { L_INDEX_OFFSET, 0 }),
	L_BAD("index one byte off", EINVAL, "LSMT index is not aligned to a sector",
	      { L_INDEX_OFFSET, LC_INDEX_OFFSET - 511 }),
	L_BAD("index half a sector off", EINVAL,
	      "LSMT index is not aligned to a sector",
	      { L_INDEX_OFFSET, LC_INDEX_OFFSET - 256 }),
	L_BAD("index at the trailer", EINVAL, "LSMT index runs into the trailer",
	      { L_INDEX_OFFSET, LC_TRAILER }),
	L_BAD("index in the trailer", EINVAL, "LSMT index lies outside the file",
	      { L_INDEX_OFFSET, LC_TRAILER + 512 }),
	L_BAD("index offset at its maximum", EINVAL,
	      "LSMT index lies outside the file", { L_INDEX_OFFSET, U64_MAX }),
	L_GOOD_INFO("empty index at the trailer", LC_TRAILER, 0, LC_VIRTUAL,
		    { L_INDEX_OFFSET, LC_TRAILER }, { L_INDEX_SIZE, 0 }),
	{ "empty layer", .file_bytes = 8192,
	  .patch = { { L_INDEX_OFFSET, 4096 }, { L_INDEX_SIZE, 0 } },
	  .info = { 4096, 0, LC_VIRTUAL } },
	{ "file of 8191 bytes", .file_bytes = 8191, .result = -EINVAL,
	  .error = "Too short for an LSMT layer" },
	{ "file of 1 byte", .file_bytes = 1, .result = -EINVAL,
	  .error = "Too short for an LSMT layer" },
	{ "longest file", .file_bytes = U64_MAX },

	/* How many mappings. */
	L_GOOD_INFO("no mappings", LC_INDEX_OFFSET, 0, LC_VIRTUAL,
		    { L_INDEX_SIZE, 0 }),
	L_GOOD_INFO("index up to the trailer", LC_INDEX_OFFSET, 32, LC_VIRTUAL,
		    { L_INDEX_SIZE, 32 }),
	L_BAD("one mapping in the trailer", EINVAL,
	      "LSMT index runs into the trailer", { L_INDEX_SIZE, 33 }),
	{ "file ends in the middle of a mapping", .file_bytes = LC_FILE_BYTES - 1,
	  .patch = { { L_INDEX_SIZE, 32 } }, .result = -EINVAL,
	  .error = "LSMT index runs into the trailer" },
	{ "most mappings", .file_bytes = LC_INDEX_OFFSET + 16000000 + 4096,
	  .patch = { { L_INDEX_SIZE, 1000000 } },
	  .info = { LC_INDEX_OFFSET, 1000000, LC_VIRTUAL } },
	{ "one mapping more than most", .file_bytes = 1ULL << 40,
	  .patch = { { L_INDEX_SIZE, 1000001 } }, .result = -EFBIG,
	  .error = "LSMT layer has too many segments" },
	L_BAD("the mapping count's lower 32 bits match", EFBIG,
	      "LSMT layer has too many segments", { L_INDEX_SIZE, 0x100000003ULL }),
	L_BAD("mapping count that overflows when multiplied", EFBIG,
	      "LSMT layer has too many segments", { L_INDEX_SIZE, 1ULL << 60 }),
	L_BAD("mapping count at its maximum", EFBIG,
	      "LSMT layer has too many segments", { L_INDEX_SIZE, U64_MAX }),

	/* Size of the device. */
	L_GOOD_INFO("size not given", LC_INDEX_OFFSET, 3, 0, { L_VIRTUAL, 0 }),
	L_GOOD_INFO("size of one byte", LC_INDEX_OFFSET, 3, 1, { L_VIRTUAL, 1 }),
	L_GOOD_INFO("largest size", LC_INDEX_OFFSET, 3, 1ULL << 59,
		    { L_VIRTUAL, 1ULL << 59 }),
	L_BAD("size one byte too large", EINVAL, "LSMT virtual size is out of range",
	      { L_VIRTUAL, (1ULL << 59) + 1 }),
	L_BAD("size at its maximum", EINVAL, "LSMT virtual size is out of range",
	      { L_VIRTUAL, U64_MAX }),
};

struct mapping_vector {
	const char *name;
	u8 bytes[16];
	bool valid;
	struct lsmt_mapping mapping;
};

static const struct mapping_vector mapping_vectors[] = {
	{ "data",
	  { 0x08, 0, 0, 0, 0, 0, 0x40, 0, 0x08 }, true,
	  { .offset = 8, .length = 16, .moffset = 8 } },
	{ "invalid",
	  { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x03, 0 }, false,
	  { .offset = (1ULL << 50) - 1 } },
	{ "invalid, the other fields full",
	  { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, false,
	  { .offset = (1ULL << 50) - 1, .length = 16383,
	    .moffset = (1ULL << 55) - 1, .zeroed = true } },
	{ "zeroed",
	  { 0x50, 0x20, 0, 0, 0, 0, 0xe0, 0x01, 0x58, 0x20, 0, 0, 0, 0, 0x80, 0 },
	  true,
	  { .offset = 8272, .length = 120, .moffset = 8280, .zeroed = true } },
	{ "zeroed, longest, with a tag",
	  { 0x04, 0x7f, 0xff, 0x07, 0, 0, 0xfc, 0xff,
	    0x18, 0x25, 0x10, 0, 0, 0, 0x80, 0x03 }, true,
	  { .offset = 134184708, .length = 16383, .moffset = 1058072,
	    .zeroed = true } },
	{ "all zero", { 0 }, true, { .offset = 0 } },
	{ "last offset, no length",
	  { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x03, 0 }, true,
	  { .offset = (1ULL << 50) - 2 } },
	{ "length 1", { 0, 0, 0, 0, 0, 0, 0x04, 0 }, true, { .length = 1 } },
	{ "largest moffset, all tag bits",
	  { 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff },
	  true, { .moffset = (1ULL << 55) - 1 } },
	{ "zeroed alone, lowest tag bit",
	  { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x01 }, true,
	  { .zeroed = true } },
};

struct mapping_case {
	const char *name;
	u64 index_offset;
	u64 previous_end;
	struct lsmt_mapping mapping;
	const char *error;	/* NULL: it is good */
};

/* A layer with data in sectors 8 to 99. */
#define MC_END	(100 * 512)

static const struct mapping_case mapping_cases[] = {
	{ "all of the data", MC_END, 0, { 0, 8, 92, false } },
	{ "first sector of data", MC_END, 0, { 0, 8, 1, false } },
	{ "last sector of data", MC_END, 0, { 0, 99, 1, false } },
	{ "begins where the one before ended", MC_END, 50, { 50, 8, 1, false } },
	{ "begins behind the one before", MC_END, 50, { 51, 8, 1, false } },
	{ "begins in the one before", MC_END, 50, { 49, 8, 1, false },
	  "LSMT segments overlap or are out of order" },
	{ "far before the one before", MC_END, 1ULL << 49, { 0, 8, 1, false },
	  "LSMT segments overlap or are out of order" },
	{ "zeroed, begins in the one before", MC_END, 50, { 49, 8, 1, true },
	  "LSMT segments overlap or are out of order" },
	{ "no length", MC_END, 0, { 0, 8, 0, false }, "LSMT segment has no length" },
	{ "zeroed, no length", MC_END, 0, { 0, 8, 0, true },
	  "LSMT segment has no length" },
	{ "data in the header", MC_END, 0, { 0, 7, 1, false },
	  "LSMT segment points into the header" },
	{ "data at 0", MC_END, 0, { 0, 0, 1, false },
	  "LSMT segment points into the header" },
	{ "one sector into the index", MC_END, 0, { 0, 99, 2, false },
	  "LSMT segment points beyond the data" },
	{ "data at the index", MC_END, 0, { 0, 100, 1, false },
	  "LSMT segment points beyond the data" },
	{ "data behind the index", MC_END, 0, { 0, 101, 1, false },
	  "LSMT segment points beyond the data" },
	{ "data at the largest moffset", MC_END, 0,
	  { 0, (1ULL << 55) - 1, 16383, false },
	  "LSMT segment points beyond the data" },
	{ "longest, exactly fits", (8 + 16383) * 512, 0, { 0, 8, 16383, false } },
	{ "longest, one too long", (8 + 16382) * 512, 0, { 0, 8, 16383, false },
	  "LSMT segment points beyond the data" },
	{ "zeroed, moffset 0", MC_END, 0, { 0, 0, 16383, true } },
	{ "zeroed, moffset wild", MC_END, 0, { 0, (1ULL << 55) - 1, 1, true } },
	{ "a layer without data", 4096, 0, { 0, 8, 1, false },
	  "LSMT segment points beyond the data" },
	{ "a layer without data, zeroed", 4096, 0, { 0, 8, 1, true } },
	{ "ends where the largest device ends", MC_END, 0,
	  { (1ULL << 50) - 92, 8, 92, false } },
	{ "ends one sector behind the largest device", MC_END, 0,
	  { (1ULL << 50) - 91, 8, 92, false } },
	{ "zeroed, last offset, longest", MC_END, 0,
	  { (1ULL << 50) - 2, 8, 16383, true } },
	{ "data of the largest file", 512 * ((1ULL << 55) - 1), 0,
	  { 0, (1ULL << 55) - 2, 1, false } },
};

#endif /* DM_OVERLAYBD_FORMAT_CASES_H */
