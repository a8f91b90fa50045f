// SPDX-License-Identifier: GPL-2.0
/*
 * codec.c, the decompressors of the module, with any frame: one that is accepted
 * has exactly the length expected, as the library and the command say too, and what
 * was in memory before has no say in it. Nothing is written beside the destination,
 * nothing read behind the frame. What the command compresses comes back as it was.
 * Memory for the contexts runs out.
 *
 * The libraries are not instrumented: around what they may touch are pages that
 * nobody can, and of their ways libFuzzer learns from the error and how far it got.
 */

#include <sys/mman.h>

#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/lz4.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/zstd.h>
#include <zstd_errors.h>

#include "../../drivers/md/dm-overlaybd/codec.h"
#include "../../tools/overlaybd/codec.h"
#include "fuzz.h"

#define CONTENT_BYTES	(1U << ZFILE_BLOCK_SHIFT_MAX)
#define ROOM		(CONTENT_BYTES + 4096)
#define AREA_BYTES	(2 * CONTENT_BYTES)	/* whole pages, however large they are */
#define FRONT_BYTES	64
#define FRONT		0x5a
#define LEVELS		13	/* both have these, and they are fast */

struct frame {
	enum zfile_algorithm algorithm;
	const u8 *data;
	u32 bytes;
};

/* Where a frame and a content must not be left. */
static u8 *frame_end, *content_end;

/* Of the command and of the library; making them takes longer than all the rest. */
static struct decompressor *decompressor;
static ZSTD_DCtx *zstd;

unsigned int shim_cpu;

/* By algorithm, error and bytes written; for libFuzzer. */
static u8 progress[2][128][128] __attribute__((section("__libfuzzer_extra_counters")));

/* Return: the end of an area behind which nobody can read or write. */
static u8 *area_new(void)
{
	u8 *p = mmap(NULL, 2 * AREA_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED && !mprotect(p, AREA_BYTES, PROT_READ | PROT_WRITE));
	return p + AREA_BYTES;
}

static bool front_untouched(const u8 *dst)
{
	for (int i = 1; i <= FRONT_BYTES; i++)
		if (dst[-i] != FRONT)
			return false;
	return true;
}

/* Decode to the end of its area, where everything was @stale. */
static int decode(const struct codec *codec, const struct frame *f, u32 expected, u8 stale)
{
	u8 *dst = content_end - expected;
	int r;

	memset(dst - FRONT_BYTES, FRONT, FRONT_BYTES);
	memset(dst, stale, expected);
	r = obd_codec_decompress(codec, f->data, f->bytes, dst, expected);
	CHECK(!r || r == -EUCLEAN);
	CHECK(front_untouched(dst));
	return r;
}

/* Up to 64 Ki: four for each power of two. */
static unsigned int bucket(u32 n)
{
	unsigned int log = n < 4 ? 0 : ilog2(n) - 1;

	return n < 4 ? n : 4 * log + ((n >> (log - 1)) & 3);
}

/*
 * With more room than anything may take.
 *
 * Return: the length of the content, or a negative number that says where or why
 * it went wrong.
 */
static long decode_with_library(const struct frame *f)
{
	static u8 content[ROOM];
	size_t n;

	if (f->algorithm == ZFILE_LZ4) {
		int r = LZ4_decompress_safe((const char *)f->data, (char *)content, f->bytes,
					    ROOM);

		return r < 0 ? -1 - (long)bucket(-r) : r;
	}
	n = ZSTD_decompressDCtx(zstd, content, ROOM, f->data, f->bytes);
	return ZSTD_isError(n) ? -(long)ZSTD_getErrorCode(n) : (long)n;
}

static void check_accepted(const struct codec *codec, const struct frame *f,
			   const u8 *content, u32 expected)
{
	CHECK(decode(codec, f, expected - 1, 0) == -EUCLEAN);
	CHECK(decode(codec, f, expected + 1, 0) == -EUCLEAN);
	CHECK(!decode(codec, f, expected, 0xff));
	CHECK(!memcmp(content, content_end - expected, expected));
}

static void check_others(const struct frame *f, bool accepted, const u8 *content,
			 u32 expected)
{
	static u8 other[CONTENT_BYTES];
	bool command = decompressor_run(decompressor, f->algorithm, other, expected,
					f->data, f->bytes);

	if (accepted)
		CHECK(command && !memcmp(content, other, expected));
	else	/* Debian's libzstd also reads what there was before 1.0. */
		CHECK(!command || f->algorithm == ZFILE_ZSTD);
}

static u32 common_bytes(const u8 *a, const u8 *b, u32 bytes)
{
	u32 n = 0;

	while (n < bytes && a[n] == b[n])
		n++;
	return n;
}

static void try_frame(const struct codec *codec, const struct frame *f, u32 expected)
{
	static u8 content[CONTENT_BYTES];
	int r = decode(codec, f, expected, 0x00);
	long n = decode_with_library(f);
	u32 written;

	memcpy(content, content_end - expected, expected);
	CHECK(decode(codec, f, expected, 0xff) == r);
	written = common_bytes(content, content_end - expected, expected);
	progress[f->algorithm == ZFILE_ZSTD][n < 0 ? -n : 0][bucket(written)] = 1;
	CHECK(r || n == expected);
	check_others(f, !r, content, expected);
	if (!r)
		check_accepted(codec, f, content, expected);
}

/* Copies of what came before, and what the input has between them. */
static void make_content(struct input *in, u8 *to, u32 bytes)
{
	u32 at = 0, length, i;

	for (; at < bytes && in->size; at += length) {
		u32 distance = take_number(in, 2);

		length = min_t(u32, 1 + take_number(in, 1), bytes - at);
		if (distance && distance <= at)
			for (i = at; i < at + length; i++)
				to[i] = to[i - distance];
		else
			take(in, to + at, length);
	}
	memset(to + at, 0, bytes - at);
}

static void round_trip(const struct codec *codec, enum zfile_algorithm algorithm,
		       struct input *in, u32 bytes)
{
	static u8 content[CONTENT_BYTES], compressed[AREA_BYTES];
	struct compressor *compressor = compressor_new(algorithm, take_number(in, 1) % LEVELS);
	struct frame f = { algorithm };

	CHECK(compressor && codec_bound(algorithm, bytes) <= ZFILE_MAX_ENTRY_BYTES);
	make_content(in, content, bytes);
	f.bytes = compressor_run(compressor, compressed, codec_bound(algorithm, bytes),
				 content, bytes);
	CHECK(f.bytes);
	f.data = memcpy(frame_end - f.bytes, compressed, f.bytes);
	CHECK(!decode(codec, &f, bytes, 0x00));
	CHECK(!memcmp(content, content_end - bytes, bytes));
	check_accepted(codec, &f, content, bytes);
	compressor_free(compressor);
}

static const struct codec *get_codec(enum zfile_algorithm algorithm)
{
	const struct codec *codec = NULL;
	const char *error = NULL;
	int r = obd_codec_get(algorithm, &codec, &error);

	if (r) {
		CHECK(r == -ENOMEM && fault_allocation.happened);
		CHECK(!codec && error && *error);
		CHECK(!obd_codec_get(algorithm, &codec, &error));
	} else {
		CHECK(!fault_allocation.happened);
	}
	CHECK(codec);
	return codec;
}

static void prepare(void)
{
	if (frame_end)
		return;
	frame_end = area_new();
	content_end = area_new();
	decompressor = decompressor_new();
	zstd = ZSTD_createDCtx();
	CHECK(decompressor && zstd);
}

/*
 * The first byte says the algorithm, the CPU, which allocation fails, and whether
 * there is a round trip after it; the next two the length expected.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned int what = take_number(&in, 1);
	u32 expected = 1 + take_number(&in, 2);
	struct frame f = { what & 1 ? ZFILE_ZSTD : ZFILE_LZ4 };
	const struct codec *codec;

	prepare();
	shim_cpu = what >> 1 & 1;
	fault_set(&fault_allocation, what >> 2 & 3);
	codec = get_codec(f.algorithm);
	f.bytes = min_t(size_t, in.size, ZFILE_MAX_ENTRY_BYTES);
	f.data = memcpy(frame_end - f.bytes, in.data, f.bytes);
	try_frame(codec, &f, expected);
	if (what & 16)
		round_trip(codec, f.algorithm, &in, expected);
	obd_codec_put(codec);
	return 0;
}
