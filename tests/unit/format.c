// SPDX-License-Identifier: GPL-2.0
/* Decoding and validation of headers, trailers and mappings. */

#include "tap.h"

#include "../../drivers/md/dm-overlaybd/tests/format_cases.h"

/* Blocks of exactly the size the decoders may look at. */
static u8 *zheader, *ztrailer, *lheader, *ltrailer;

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool zfile_info_equal(const struct zfile_info *a, const struct zfile_info *b)
{
	return a->index_offset == b->index_offset &&
	       a->block_count == b->block_count &&
	       a->original_bytes == b->original_bytes &&
	       a->max_entry_bytes == b->max_entry_bytes &&
	       a->index_crc == b->index_crc && a->block_shift == b->block_shift &&
	       a->algorithm == b->algorithm && a->block_crc == b->block_crc &&
	       a->has_digest == b->has_digest &&
	       a->header_is_final == b->header_is_final;
}

static void test_zfile_case(const struct zfile_case *c)
{
	struct zfile_info info, want = zfile_case_info(c);
	u64 bytes = zfile_case_build(c, zheader, ztrailer);
	const char *error = NULL;
	bool final = zfile_header_is_final(zheader);
	int r;

	memset(&info, 0x77, sizeof(info));
	/* A trailer that is not to be looked at is not there. */
	r = zfile_decode(zheader, final ? NULL : ztrailer, bytes, &info, &error);
	if (!ok(r == c->result && same_text(error, c->error) &&
		(r || zfile_info_equal(&info, &want)), "zfile: %s", c->name))
		diag("%d, %s; expected %d, %s", r, error ? error : "no text",
		     c->result, c->error ? c->error : "no text");
}

static void test_zfile_coding(const struct zfile_coding *coding)
{
	const struct zfile_case c = zfile_coding_case(coding);

	test_zfile_case(&c);
}

static void test_lsmt_case(const struct lsmt_case *c)
{
	struct lsmt_info info, want = lsmt_case_info(c);
	u64 bytes = lsmt_case_build(c, lheader, ltrailer);
	const char *error = NULL;
	int r;

	memset(&info, 0x77, sizeof(info));
	r = lsmt_decode(lheader, ltrailer, bytes, &info, &error);
	if (!ok(r == c->result && same_text(error, c->error) &&
		(r || (info.index_offset == want.index_offset &&
		       info.mapping_count == want.mapping_count &&
		       info.virtual_bytes == want.virtual_bytes)),
		"lsmt: %s", c->name))
		diag("%d, %s; expected %d, %s", r, error ? error : "no text",
		     c->result, c->error ? c->error : "no text");
}

/* Whatever bit changes, a digest finds it, and a structure check may. */
static void test_zfile_digest_bits(enum zfile_kind kind, bool other, const char *text)
{
	const struct zfile_case c = { .kind = kind };
	u8 *block = zfile_kind_is_final(kind) != other ? zheader : ztrailer;
	u64 bytes = zfile_case_build(&c, zheader, ztrailer);
	int missed = 0;

	for (unsigned int bit = 0; bit < 512 * 8; bit++) {
		unsigned int byte = bit / 8;
		/* A cleared flag may switch the digest off; tested apart. */
		bool magic = byte < 24, flags = byte >= 32 && byte < 40;
		struct zfile_info info;
		const char *error = NULL;
		int r;

		if (flags)
			continue;
		block[byte] ^= 1 << bit % 8;
		r = zfile_decode(zheader, ztrailer, bytes, &info, &error);
		block[byte] ^= 1 << bit % 8;
		if (r != (magic ? -EINVAL : -EUCLEAN) || !error)
			missed++;
	}
	if (!ok(!missed, "zfile: every changed bit is found, %s", text))
		diag("%d of 4096 bits", missed);
}

static void test_zfile_magic(void)
{
	static const struct zfile_case c;
	bool good = true;

	zfile_case_build(&c, zheader, ztrailer);
	ok(zfile_has_magic(zheader), "zfile: magic");
	ok(!zfile_has_magic(ztrailer), "zfile: a trailer is not a header");
	ok(zfile_header_is_final(zheader), "zfile: final header");
	zheader[32] &= ~8;
	ok(!zfile_header_is_final(zheader), "zfile: header not final");
	ok(zfile_has_magic(zheader), "zfile: magic of a header not final");
	for (int i = 0; i < 24; i++) {
		zheader[i] ^= 0x80;
		good &= !zfile_has_magic(zheader);
		zheader[i] ^= 0x80;
	}
	ok(good, "zfile: each byte of the magic counts");
}

static void test_lsmt_magic(void)
{
	u8 *start = must_alloc(24);
	bool good = true;

	lsmt_case_build(&lsmt_cases[0], lheader, ltrailer);
	memcpy(start, lheader, 24);
	ok(lsmt_has_magic(start), "lsmt: magic in 24 bytes");
	for (int i = 0; i < 24; i++) {
		start[i] ^= 0x80;
		good &= !lsmt_has_magic(start);
		start[i] ^= 0x80;
	}
	ok(good, "lsmt: each byte of the magic counts");
	ok(!lsmt_has_magic(zheader), "lsmt: a ZFile is none");
	free(start);
}

static void test_crc_vectors(void)
{
	static const u8 zero[512];
	struct zfile_case c = { .kind = ZC_FINAL };
	u8 block[9 + 9 + 4] = { 0 };

	ok(zfile_index_crc(0, "123456789", 9) == 0x58e3fa20, "crc: seed 0");
	ok(zfile_index_crc(100007, "123456789", 9) == 0x3c9bd4e0, "crc: seed 100007");
	ok(zfile_index_crc(0, zero, 512) == 0, "crc: zeros");
	ok(zfile_index_crc(zfile_index_crc(0, "1234", 4), "56789", 5) == 0x58e3fa20,
	   "crc: in two parts");
	ok(zfile_index_crc(0x12345678, zero, 0) == 0x12345678, "crc: of nothing");

	for (int shift = 0; shift < 9; shift++) {
		bool good;

		memcpy(block + shift, "123456789\xe0\xd4\x9b\x3c", 13);
		good = zfile_block_crc_ok(block + shift, 9);
		for (int i = 0; i < 13; i++) {
			block[shift + i] ^= 1;
			good &= !zfile_block_crc_ok(block + shift, 9);
			block[shift + i] ^= 1;
		}
		ok(good, "crc: of a block at alignment %d", shift);
	}
	memcpy(block, "\0\0\0\0\x5d\x7c\xb1\xd5", 8);
	ok(zfile_block_crc_ok(block, 4), "crc: of a block of four zeros");

	/* The digest of a real header, computed apart from this code. */
	zfile_case_build(&c, zheader, ztrailer);
	ok(!memcmp(zheader + 28, "\xcd\x04\xed\xbd", 4),
	   "crc: digest of the plain header");
}

static void test_entries(void)
{
	u8 *index = must_alloc(4 * 4 + 3);

	for (int shift = 0; shift < 4; shift++) {
		u8 *p = index + shift;

		memcpy(p, "\1\2\3\4\0\0\0\0\xff\xff\xff\xff\x05\0\0\x80", 16);
		ok(zfile_decode_entry(p, 0) == 0x04030201 &&
		   zfile_decode_entry(p, 1) == 0 &&
		   zfile_decode_entry(p, 2) == U32_MAX &&
		   zfile_decode_entry(p, 3) == 0x80000005,
		   "zfile: index entries at alignment %d", shift);
	}
	free(index);
}

/* Any size, in every place of an index of any length. */
static void test_sum_entries(void)
{
	static const u32 sizes[] = { 0, 4, 5, 4132, 1U << 31, U32_MAX };
	u8 *index = must_alloc(10 * 4 + 1);
	u8 *p = index + 1;
	bool good = true;

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		for (u32 at = 0; at < 10; at++) {
			u64 sum = 0;

			for (u32 k = 0; k < 10; k++)
				put_unaligned_le32(k == at ? sizes[i] : 100 + k, p + k * 4);
			for (u32 k = 0; k <= 10; k++) {
				good &= zfile_sum_entries(p, k) == sum;
				sum += k == at ? sizes[i] : 100 + k;
			}
		}
	}
	ok(good, "zfile: sum of index entries");
	put_unaligned_le32(U32_MAX, p);
	put_unaligned_le32(U32_MAX, p + 4);
	ok(zfile_sum_entries(p, 2) == 2ULL * U32_MAX, "zfile: sum beyond 32 bits");
	free(index);
}

static void test_has_digest(void)
{
	static const struct zfile_case final = { .kind = ZC_FINAL },
		streamed = { .kind = ZC_STREAMED }, old = { .kind = ZC_OLD },
		old_final = { .kind = ZC_OLD_FINAL };

	zfile_case_build(&final, zheader, ztrailer);
	ok(zfile_has_digest(zheader, ztrailer), "zfile: digest of the header");
	zfile_case_build(&streamed, zheader, ztrailer);
	ok(zfile_has_digest(zheader, ztrailer), "zfile: digest of the trailer");
	ztrailer[32] &= ~0x10;
	ok(!zfile_has_digest(zheader, ztrailer),
	   "zfile: a header's digest does not cover the index in its trailer");
	zfile_case_build(&old, zheader, ztrailer);
	ok(!zfile_has_digest(zheader, ztrailer), "zfile: no digest");
	zfile_case_build(&old_final, zheader, ztrailer);
	ztrailer[32] |= 0x10;
	ok(!zfile_has_digest(zheader, ztrailer), "zfile: no digest of a final header");
}

static void test_mapping_vector(const struct mapping_vector *v)
{
	struct lsmt_mapping m;
	u8 *index = must_alloc(3 * 16 + 7);
	bool good = true;

	for (int shift = 0; shift < 8; shift++) {
		for (int i = 0; i < 3; i++) {
			memset(index, 0x5a, 3 * 16 + 7);
			memset(&m, 0x77, sizeof(m));
			memcpy(index + shift + i * 16, v->bytes, 16);
			good &= lsmt_decode_mapping(index + shift, i, &m) == v->valid &&
				m.offset == v->mapping.offset &&
				m.length == v->mapping.length &&
				m.moffset == v->mapping.moffset &&
				m.zeroed == v->mapping.zeroed;
		}
	}
	ok(good, "mapping: %s", v->name);
	free(index);
}

static void test_mapping_case(const struct mapping_case *c)
{
	const struct lsmt_info info = { .index_offset = c->index_offset };
	const char *error = NULL;
	int r = lsmt_check_mapping(&info, c->previous_end, &c->mapping, &error);

	if (!ok(r == (c->error ? -EINVAL : 0) && same_text(error, c->error),
		"mapping: %s", c->name))
		diag("%d, %s; expected %s", r, error ? error : "no text",
		     c->error ? c->error : "no text");
}

#define FOR_EACH(function, array) do { \
	for (size_t i_ = 0; i_ < sizeof(array) / sizeof(*(array)); i_++) \
		function(&(array)[i_]); \
} while (0)

int main(void)
{
	zheader = must_alloc(512);
	ztrailer = must_alloc(512);
	lheader = must_alloc(4096);
	ltrailer = must_alloc(4096);

	FOR_EACH(test_zfile_case, zfile_cases);
	FOR_EACH(test_zfile_coding, zfile_codings);
	test_zfile_digest_bits(ZC_FINAL, false, "final header");
	test_zfile_digest_bits(ZC_STREAMED, false, "trailer that counts");
	test_zfile_digest_bits(ZC_STREAMED, true, "header of such a file");
	test_zfile_magic();
	FOR_EACH(test_lsmt_case, lsmt_cases);
	test_lsmt_magic();
	test_crc_vectors();
	test_entries();
	test_sum_entries();
	test_has_digest();
	FOR_EACH(test_mapping_vector, mapping_vectors);
	FOR_EACH(test_mapping_case, mapping_cases);

	free(zheader);
	free(ztrailer);
	free(lheader);
	free(ltrailer);
	return done_testing();
}
