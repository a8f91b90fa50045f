// SPDX-License-Identifier: GPL-2.0
/*
 * The decompressors, with good, short, long and malformed input.
 */

#include <kunit/test.h>

#include "../codec.h"
#include "image_build.h"

#define GUARD_BYTES	64
#define GUARD		0x5a
#define MOST_BYTES	65536

/* Both say this, compressed by the real compressors. */
#define TEXT "overlaybd overlaybd layers layer by layer, block after block, the block after that block\n"
#define TEXT_LINES	6
#define TEXT_BYTES	(TEXT_LINES * (sizeof(TEXT) - 1))

static const u8 lz4_text[] = {
	0xa6, 0x6f, 0x76, 0x65, 0x72, 0x6c, 0x61, 0x79, 0x62, 0x64, 0x20, 0x0a,
	0x00, 0x62, 0x6c, 0x61, 0x79, 0x65, 0x72, 0x73, 0x07, 0x00, 0x32, 0x20,
	0x62, 0x79, 0x09, 0x00, 0xb0, 0x2c, 0x20, 0x62, 0x6c, 0x6f, 0x63, 0x6b,
	0x20, 0x61, 0x66, 0x74, 0x16, 0x00, 0x00, 0x0c, 0x00, 0x52, 0x2c, 0x20,
	0x74, 0x68, 0x65, 0x0b, 0x00, 0x03, 0x17, 0x00, 0x42, 0x74, 0x68, 0x61,
	0x74, 0x11, 0x00, 0x16, 0x0a, 0x4f, 0x00, 0x06, 0x0a, 0x00, 0x01, 0x52,
	0x00, 0x0f, 0x59, 0x00, 0xff, 0x8d, 0x50, 0x6c, 0x6f, 0x63, 0x6b, 0x0a,
};

static const u8 zstd_text[] = {
	0x28, 0xb5, 0x2f, 0xfd, 0x60, 0x16, 0x01, 0x2d, 0x02, 0x00, 0xa4, 0x02,
	0x6f, 0x76, 0x65, 0x72, 0x6c, 0x61, 0x79, 0x62, 0x64, 0x20, 0x6c, 0x61,
	0x79, 0x65, 0x72, 0x73, 0x20, 0x62, 0x79, 0x2c, 0x20, 0x62, 0x6c, 0x6f,
	0x63, 0x6b, 0x20, 0x61, 0x66, 0x74, 0x65, 0x72, 0x2c, 0x20, 0x74, 0x68,
	0x65, 0x74, 0x68, 0x61, 0x74, 0x0a, 0x09, 0x00, 0xa6, 0x5c, 0x50, 0xd0,
	0x82, 0x20, 0x05, 0x78, 0x69, 0x62, 0x44, 0xe7, 0xd1, 0x5e, 0xc6, 0x67,
	0x19, 0x43, 0x65, 0x94, 0x6e, 0x05, 0x09,
};

struct codec_case {
	const char *name;
	enum zfile_algorithm algorithm;
	const u8 *text;
	u32 text_bytes;
};

static const struct codec_case codec_cases_all[] = {
	{ "lz4", ZFILE_LZ4, lz4_text, sizeof(lz4_text) },
	{ "zstd", ZFILE_ZSTD, zstd_text, sizeof(zstd_text) },
};

KUNIT_ARRAY_PARAM_DESC(codec, codec_cases_all, name);

struct codec_test {
	const struct codec_case *c;
	const struct codec *codec;
	u8 *content;
	u8 *src;
	u8 *dst;	/* with a guard on both sides */
};

static int codec_test_init(struct kunit *test)
{
	struct codec_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->content = kunit_kmalloc(test, MOST_BYTES + 8, GFP_KERNEL);
	t->src = kunit_kmalloc(test, ZFILE_MAX_ENTRY_BYTES + 64, GFP_KERNEL);
	t->dst = kunit_kmalloc(test, MOST_BYTES + 2 * GUARD_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->content);
	KUNIT_ASSERT_NOT_NULL(test, t->src);
	KUNIT_ASSERT_NOT_NULL(test, t->dst);
	test->priv = t;
	return 0;
}

static void codec_test_exit(struct kunit *test)
{
	struct codec_test *t = test->priv;

	if (t)
		obd_codec_put(t->codec);
}

static struct codec_test *codec_test_start(struct kunit *test)
{
	const struct codec_case *c = test->param_value;
	struct codec_test *t = test->priv;
	const char *error;

	t->c = c;
	KUNIT_ASSERT_EQ(test, 0, obd_codec_get(c->algorithm, &t->codec, &error));
	KUNIT_EXPECT_STREQ(test, t->codec->name, c->name);
	return t;
}

/* Decompress from memory of exactly the length given, between guards. */
static int decompress(struct kunit *test, const u8 *src, u32 src_bytes, u32 dst_bytes)
{
	struct codec_test *t = test->priv;
	u8 *exact = kmemdup(src, src_bytes, GFP_KERNEL);
	int r;

	KUNIT_ASSERT_NOT_NULL(test, exact);
	memset(t->dst, GUARD, GUARD_BYTES);
	memset(t->dst + GUARD_BYTES + dst_bytes, GUARD, GUARD_BYTES);
	r = obd_codec_decompress(t->codec, exact, src_bytes, t->dst + GUARD_BYTES, dst_bytes);
	kfree(exact);
	if (memchr_inv(t->dst, GUARD, GUARD_BYTES) ||
	    memchr_inv(t->dst + GUARD_BYTES + dst_bytes, GUARD, GUARD_BYTES))
		KUNIT_FAIL(test, "wrote beside its destination");
	if (r && r != -EUCLEAN)
		KUNIT_FAIL(test, "unexpected error %d", r);
	return r;
}

static void expect_good(struct kunit *test, const u8 *src, u32 src_bytes,
			const u8 *content, u32 bytes)
{
	struct codec_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, 0, decompress(test, src, src_bytes, bytes));
	KUNIT_EXPECT_EQ_MSG(test, 0, memcmp(t->dst + GUARD_BYTES, content, bytes),
			    "wrong content of %u bytes", bytes);
}

static void make_text(u8 *p)
{
	unsigned int i;

	for (i = 0; i < TEXT_LINES; i++)
		memcpy(p + i * strlen(TEXT), TEXT, strlen(TEXT));
}

/* What a real compressor wrote; one byte less or more is refused. */
static void real_output_test(struct kunit *test)
{
	struct codec_test *t = codec_test_start(test);
	u32 bytes;

	make_text(t->content);
	expect_good(test, t->c->text, t->c->text_bytes, t->content, TEXT_BYTES);
	for (bytes = 0; bytes < t->c->text_bytes; bytes++)
		KUNIT_EXPECT_EQ(test, -EUCLEAN,
				decompress(test, t->c->text, bytes, TEXT_BYTES));
	for (bytes = 0; bytes < TEXT_BYTES; bytes++)
		KUNIT_EXPECT_EQ(test, -EUCLEAN,
				decompress(test, t->c->text, t->c->text_bytes, bytes));
	KUNIT_EXPECT_EQ(test, -EUCLEAN, decompress(test, t->c->text, t->c->text_bytes,
						   TEXT_BYTES + 1));
	memcpy(t->src, t->c->text, t->c->text_bytes);
	t->src[t->c->text_bytes] = 0;
	KUNIT_EXPECT_EQ(test, -EUCLEAN, decompress(test, t->src, t->c->text_bytes + 1,
						   TEXT_BYTES));
}

/* Literals and runs of all lengths near the limits of how they are told. */
static void lengths_test(struct kunit *test)
{
	static const u32 lengths[] = {
		1, 2, 5, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 64, 269, 270, 271,
		511, 512, 513, 1000, 4095, 4096, 4097, 65535, 65536,
	};
	struct codec_test *t = codec_test_start(test);
	u64 random = 1;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		u32 bytes = lengths[i];

		for (k = 0; k < 8; k++) {
			u32 src_bytes;

			fill_block(t->content, bytes, &random);
			src_bytes = encode_block(t->c->algorithm, t->src, t->content, bytes);
			expect_good(test, t->src, src_bytes, t->content, bytes);
			KUNIT_EXPECT_EQ(test, -EUCLEAN,
					decompress(test, t->src, src_bytes, bytes - 1));
			KUNIT_EXPECT_EQ(test, -EUCLEAN,
					decompress(test, t->src, src_bytes - 1, bytes));
		}
	}
}

/*
 * Decompress twice, over different bytes. What was in memory before must not show
 * in the content: it may be of another process.
 */
static int decompress_twice(struct kunit *test, const u8 *src, u32 src_bytes,
			    u32 dst_bytes)
{
	struct codec_test *t = test->priv;
	u8 *dst = t->dst + GUARD_BYTES;
	int r, again;

	memset(dst, 0x00, dst_bytes);
	r = decompress(test, src, src_bytes, dst_bytes);
	memcpy(t->content, dst, dst_bytes);
	memset(dst, 0xff, dst_bytes);
	again = decompress(test, src, src_bytes, dst_bytes);
	KUNIT_EXPECT_EQ(test, r, again);
	if (!r && memcmp(t->content, dst, dst_bytes))
		KUNIT_FAIL(test, "stale memory in the output");
	return r;
}

/* The decoder takes a match at offset 0, which there is not. */
static void lz4_offset_0_test(struct kunit *test)
{
	static const u8 src[] = { 0x1f, 'a', 0, 0, 71, 0x50, '1', '2', '3', '4', '5' };
	struct codec_test *t = test->priv;
	const char *error;

	KUNIT_ASSERT_EQ(test, 0, obd_codec_get(ZFILE_LZ4, &t->codec, &error));
	decompress_twice(test, src, sizeof(src), 96);
}

/* Nothing that is changed leads outside, whatever else comes of it. */
static void mutation_test(struct kunit *test)
{
	struct codec_test *t = codec_test_start(test);
	u64 random = 2;
	unsigned int i, refused = 0;

	for (i = 0; i < 20000; i++) {
		u32 changes = 1 + random_below(&random, 4);

		memcpy(t->src, t->c->text, t->c->text_bytes);
		while (changes--)
			t->src[random_below(&random, t->c->text_bytes)] =
				next_random(&random);
		refused += !!decompress_twice(test, t->src, t->c->text_bytes, TEXT_BYTES);
	}
	KUNIT_EXPECT_GT(test, refused, 5000);
}

struct malformed {
	const char *name;
	enum zfile_algorithm algorithm;
	u32 dst_bytes;
	u32 src_bytes;
	u8 src[32];
};

static const struct malformed malformed_cases[] = {
	{ "lz4, nothing", ZFILE_LZ4, 16, 0 },
	{ "lz4, literals beyond the input", ZFILE_LZ4, 16, 3, { 0xf0, 0x01, 'a' } },
	{ "lz4, length without end", ZFILE_LZ4, 512, 4, { 0xf0, 255, 255, 255 } },
	{ "lz4, offset before the output", ZFILE_LZ4, 16, 10,
	  { 0x16, 'a', 2, 0, 0x50, '1', '2', '3', '4', '5' } },
	{ "lz4, match without literals before", ZFILE_LZ4, 16, 9,
	  { 0x07, 1, 0, 0x50, '1', '2', '3', '4', '5' } },
	{ "lz4, match beyond the output", ZFILE_LZ4, 16, 11,
	  { 0x1f, 'a', 1, 0, 200, 0x50, '1', '2', '3', '4', '5' } },
	{ "lz4, offset cut off", ZFILE_LZ4, 16, 3, { 0x16, 'a', 1 } },
	{ "lz4, of a zstd frame", ZFILE_LZ4, 4, 13,
	  { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, 0x21, 0, 0, 'a', 'b', 'c', 'd' } },
	{ "zstd, nothing", ZFILE_ZSTD, 16, 0 },
	{ "zstd, bad magic", ZFILE_ZSTD, 4, 13,
	  { 0x29, 0xb5, 0x2f, 0xfd, 0x20, 4, 0x21, 0, 0, 'a', 'b', 'c', 'd' } },
	{ "zstd, reserved block type", ZFILE_ZSTD, 4, 13,
	  { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, 0x27, 0, 0, 'a', 'b', 'c', 'd' } },
	{ "zstd, no last block", ZFILE_ZSTD, 4, 13,
	  { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, 0x20, 0, 0, 'a', 'b', 'c', 'd' } },
	{ "zstd, run beyond the output", ZFILE_ZSTD, 4, 10,
	  { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, 0x2b, 0, 0, 'a' } },
	{ "zstd, less than the frame says", ZFILE_ZSTD, 4, 12,
	  { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, 0x19, 0, 0, 'a', 'b', 'c' } },
	{ "zstd, wants a dictionary", ZFILE_ZSTD, 4, 14,
	  { 0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 4, 0x21, 0, 0, 'a', 'b', 'c', 'd' } },
	{ "zstd, skippable frame", ZFILE_ZSTD, 4, 12,
	  { 0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 'a', 'b', 'c', 'd' } },
	{ "zstd, bytes behind the frame", ZFILE_ZSTD, 4, 14,
	  { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, 0x21, 0, 0, 'a', 'b', 'c', 'd', 0 } },
};

KUNIT_ARRAY_PARAM_DESC(malformed, malformed_cases, name);

static void malformed_test(struct kunit *test)
{
	const struct malformed *m = test->param_value;
	struct codec_test *t = test->priv;
	const char *error;

	KUNIT_ASSERT_EQ(test, 0, obd_codec_get(m->algorithm, &t->codec, &error));
	KUNIT_EXPECT_EQ(test, -EUCLEAN,
			decompress(test, m->src, m->src_bytes, m->dst_bytes));
}

/* The workspaces are there as long as anybody has the codec. */
static void nested_get_test(struct kunit *test)
{
	struct codec_test *t = codec_test_start(test);
	const struct codec *again;
	const char *error;

	KUNIT_ASSERT_EQ(test, 0, obd_codec_get(t->c->algorithm, &again, &error));
	KUNIT_EXPECT_PTR_EQ(test, again, t->codec);
	obd_codec_put(again);
	make_text(t->content);
	expect_good(test, t->c->text, t->c->text_bytes, t->content, TEXT_BYTES);
	obd_codec_put(NULL);
}

static struct kunit_case codec_cases[] = {
	KUNIT_CASE_PARAM(real_output_test, codec_gen_params),
	KUNIT_CASE_PARAM(lengths_test, codec_gen_params),
	KUNIT_CASE_PARAM(mutation_test, codec_gen_params),
	KUNIT_CASE_PARAM(malformed_test, malformed_gen_params),
	KUNIT_CASE(lz4_offset_0_test),
	KUNIT_CASE_PARAM(nested_get_test, codec_gen_params),
	{}
};

static struct kunit_suite codec_suite = {
	.name = "dm_overlaybd_codec",
	.init = codec_test_init,
	.exit = codec_test_exit,
	.test_cases = codec_cases,
};

kunit_test_suite(codec_suite);
