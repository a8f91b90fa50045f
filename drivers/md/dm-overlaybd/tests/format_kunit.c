// SPDX-License-Identifier: GPL-2.0
/*
 * Decoding and validation of headers, trailers and mappings.
 */

#include <kunit/test.h>

#include "format_cases.h"

KUNIT_ARRAY_PARAM_DESC(zfile, zfile_cases, name);

static void coding_desc(const struct zfile_coding *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "algorithm %u, blocks of %u", c->algorithm,
		 c->block_bytes);
}

KUNIT_ARRAY_PARAM(coding, zfile_codings, coding_desc);
KUNIT_ARRAY_PARAM_DESC(lsmt, lsmt_cases, name);
KUNIT_ARRAY_PARAM_DESC(vector, mapping_vectors, name);
KUNIT_ARRAY_PARAM_DESC(mapping, mapping_cases, name);

/* Both ends of a file, of exactly the size that is looked at. */
struct ends {
	u8 *header;
	u8 *trailer;
};

static struct ends ends_alloc(struct kunit *test, size_t bytes)
{
	struct ends e = {
		.header = kunit_kmalloc(test, bytes, GFP_KERNEL),
		.trailer = kunit_kmalloc(test, bytes, GFP_KERNEL),
	};

	KUNIT_ASSERT_NOT_NULL(test, e.header);
	KUNIT_ASSERT_NOT_NULL(test, e.trailer);
	return e;
}

static void expect_text(struct kunit *test, const char *text, const char *expected)
{
	KUNIT_EXPECT_EQ(test, !text, !expected);
	if (text && expected)
		KUNIT_EXPECT_STREQ(test, text, expected);
}

static void expect_zfile_case(struct kunit *test, const struct zfile_case *c)
{
	struct zfile_info info, expected = zfile_case_info(c);
	struct ends e = ends_alloc(test, 512);
	u64 bytes = zfile_case_build(c, e.header, e.trailer);
	bool final = zfile_header_is_final(e.header);
	const char *error = NULL;
	int r;

	memset(&info, 0x77, sizeof(info));
	r = zfile_decode(e.header, final ? NULL : e.trailer, bytes, &info, &error);
	KUNIT_EXPECT_EQ(test, r, c->result);
	expect_text(test, error, c->error);
	if (r || c->result)
		return;
	KUNIT_EXPECT_EQ(test, info.index_offset, expected.index_offset);
	KUNIT_EXPECT_EQ(test, info.block_count, expected.block_count);
	KUNIT_EXPECT_EQ(test, info.original_bytes, expected.original_bytes);
	KUNIT_EXPECT_EQ(test, info.max_entry_bytes, expected.max_entry_bytes);
	KUNIT_EXPECT_LE(test, info.max_entry_bytes, ZFILE_MAX_ENTRY_BYTES);
	KUNIT_EXPECT_EQ(test, info.index_crc, expected.index_crc);
	KUNIT_EXPECT_EQ(test, info.block_shift, expected.block_shift);
	KUNIT_EXPECT_EQ(test, info.algorithm, expected.algorithm);
	KUNIT_EXPECT_EQ(test, info.block_crc, expected.block_crc);
	KUNIT_EXPECT_EQ(test, info.has_digest, expected.has_digest);
	KUNIT_EXPECT_EQ(test, info.header_is_final, expected.header_is_final);
}

static void zfile_decode_test(struct kunit *test)
{
	expect_zfile_case(test, test->param_value);
}

static void zfile_coding_test(struct kunit *test)
{
	const struct zfile_case c = zfile_coding_case(test->param_value);

	expect_zfile_case(test, &c);
}

static void expect_digest_finds(struct kunit *test, enum zfile_kind kind, bool other)
{
	const struct zfile_case c = { .kind = kind };
	struct ends e = ends_alloc(test, 512);
	u8 *block = zfile_kind_is_final(kind) != other ? e.header : e.trailer;
	u64 bytes = zfile_case_build(&c, e.header, e.trailer);
	unsigned int bit;

	for (bit = 0; bit < 512 * 8; bit++) {
		unsigned int byte = bit / 8;
		struct zfile_info info;
		const char *error;
		int r;

		/* A cleared flag may switch the digest off. */
		if (byte >= 32 && byte < 40)
			continue;
		block[byte] ^= 1 << bit % 8;
		r = zfile_decode(e.header, e.trailer, bytes, &info, &error);
		block[byte] ^= 1 << bit % 8;
		KUNIT_EXPECT_EQ_MSG(test, r, byte < 24 ? -EINVAL : -EUCLEAN,
				    "bit %u", bit);
	}
}

/* Whatever bit changes, it is noticed. */
static void zfile_digest_test(struct kunit *test)
{
	expect_digest_finds(test, ZC_FINAL, false);
	expect_digest_finds(test, ZC_STREAMED, false);
	expect_digest_finds(test, ZC_STREAMED, true);
}

static void zfile_magic_test(struct kunit *test)
{
	const struct zfile_case c = { .kind = ZC_FINAL };
	struct ends e = ends_alloc(test, 512);
	unsigned int i;

	zfile_case_build(&c, e.header, e.trailer);
	KUNIT_EXPECT_TRUE(test, zfile_has_magic(e.header));
	KUNIT_EXPECT_FALSE(test, zfile_has_magic(e.trailer));
	KUNIT_EXPECT_TRUE(test, zfile_header_is_final(e.header));
	for (i = 0; i < 24; i++) {
		e.header[i] ^= 0x80;
		KUNIT_EXPECT_FALSE(test, zfile_has_magic(e.header));
		e.header[i] ^= 0x80;
	}
}

static void lsmt_decode_test(struct kunit *test)
{
	const struct lsmt_case *c = test->param_value;
	struct lsmt_info info, expected = lsmt_case_info(c);
	struct ends e = ends_alloc(test, 4096);
	u64 bytes = lsmt_case_build(c, e.header, e.trailer);
	const char *error = NULL;
	int r;

	memset(&info, 0x77, sizeof(info));
	r = lsmt_decode(e.header, e.trailer, bytes, &info, &error);
	KUNIT_EXPECT_EQ(test, r, c->result);
	expect_text(test, error, c->error);
	if (r || c->result)
		return;
	KUNIT_EXPECT_EQ(test, info.index_offset, expected.index_offset);
	KUNIT_EXPECT_EQ(test, info.mapping_count, expected.mapping_count);
	KUNIT_EXPECT_EQ(test, info.virtual_bytes, expected.virtual_bytes);
}

static void lsmt_magic_test(struct kunit *test)
{
	struct ends e = ends_alloc(test, 4096);
	unsigned int i;
	u8 *start;

	lsmt_case_build(&lsmt_cases[0], e.header, e.trailer);
	start = kunit_kmalloc(test, 24, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, start);
	memcpy(start, e.header, 24);
	KUNIT_EXPECT_TRUE(test, lsmt_has_magic(start));
	for (i = 0; i < 24; i++) {
		start[i] ^= 0x80;
		KUNIT_EXPECT_FALSE(test, lsmt_has_magic(start));
		start[i] ^= 0x80;
	}
}

static void crc_test(struct kunit *test)
{
	static const u8 zero[512];
	u8 block[9 + 9 + 4] = { 0 };
	unsigned int shift, i;

	KUNIT_EXPECT_EQ(test, zfile_index_crc(0, "123456789", 9), 0x58e3fa20);
	KUNIT_EXPECT_EQ(test, zfile_index_crc(100007, "123456789", 9), 0x3c9bd4e0);
	KUNIT_EXPECT_EQ(test, zfile_index_crc(0, zero, 512), 0);
	KUNIT_EXPECT_EQ(test, zfile_index_crc(zfile_index_crc(0, "1234", 4),
					      "56789", 5), 0x58e3fa20);

	for (shift = 0; shift < 9; shift++) {
		memcpy(block + shift, "123456789\xe0\xd4\x9b\x3c", 13);
		KUNIT_EXPECT_TRUE(test, zfile_block_crc_ok(block + shift, 9));
		for (i = 0; i < 13; i++) {
			block[shift + i] ^= 1;
			KUNIT_EXPECT_FALSE(test, zfile_block_crc_ok(block + shift, 9));
			block[shift + i] ^= 1;
		}
	}
	memcpy(block, "\0\0\0\0\x5d\x7c\xb1\xd5", 8);
	KUNIT_EXPECT_TRUE(test, zfile_block_crc_ok(block, 4));
}

static void zfile_entry_test(struct kunit *test)
{
	u8 index[16 + 3];
	unsigned int shift;

	for (shift = 0; shift < 4; shift++) {
		memcpy(index + shift, "\1\2\3\4\0\0\0\0\xff\xff\xff\xff\5\0\0\x80", 16);
		KUNIT_EXPECT_EQ(test, zfile_decode_entry(index + shift, 0), 0x04030201);
		KUNIT_EXPECT_EQ(test, zfile_decode_entry(index + shift, 1), 0);
		KUNIT_EXPECT_EQ(test, zfile_decode_entry(index + shift, 2), U32_MAX);
		KUNIT_EXPECT_EQ(test, zfile_decode_entry(index + shift, 3), 0x80000005);
	}
}

static void lsmt_mapping_vector_test(struct kunit *test)
{
	const struct mapping_vector *v = test->param_value;
	u8 index[3 * 16 + 7];
	unsigned int shift, i;

	for (shift = 0; shift < 8; shift++) {
		for (i = 0; i < 3; i++) {
			struct lsmt_mapping m;

			memset(index, 0x5a, sizeof(index));
			memset(&m, 0x77, sizeof(m));
			memcpy(index + shift + i * 16, v->bytes, 16);
			KUNIT_EXPECT_EQ(test, v->valid,
					lsmt_decode_mapping(index + shift, i, &m));
			KUNIT_EXPECT_EQ(test, m.offset, v->mapping.offset);
			KUNIT_EXPECT_EQ(test, m.length, v->mapping.length);
			KUNIT_EXPECT_EQ(test, m.moffset, v->mapping.moffset);
			KUNIT_EXPECT_EQ(test, m.zeroed, v->mapping.zeroed);
		}
	}
}

static void lsmt_check_mapping_test(struct kunit *test)
{
	const struct mapping_case *c = test->param_value;
	const struct lsmt_info info = { .index_offset = c->index_offset };
	const char *error = NULL;
	int r = lsmt_check_mapping(&info, c->previous_end, &c->mapping, &error);

	KUNIT_EXPECT_EQ(test, r, c->error ? -EINVAL : 0);
	expect_text(test, error, c->error);
}

static struct kunit_case format_cases[] = {
	KUNIT_CASE_PARAM(zfile_decode_test, zfile_gen_params),
	KUNIT_CASE_PARAM(zfile_coding_test, coding_gen_params),
	KUNIT_CASE(zfile_digest_test),
	KUNIT_CASE(zfile_magic_test),
	KUNIT_CASE_PARAM(lsmt_decode_test, lsmt_gen_params),
	KUNIT_CASE(lsmt_magic_test),
	KUNIT_CASE(crc_test),
	KUNIT_CASE(zfile_entry_test),
	KUNIT_CASE_PARAM(lsmt_mapping_vector_test, vector_gen_params),
	KUNIT_CASE_PARAM(lsmt_check_mapping_test, mapping_gen_params),
	{}
};

static struct kunit_suite format_suite = {
	.name = "dm_overlaybd_format",
	.test_cases = format_cases,
};

kunit_test_suite(format_suite);
