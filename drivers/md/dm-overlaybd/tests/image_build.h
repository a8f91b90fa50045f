/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Small OverlayBD images for the KUnit suites, made without a compressor: what
 * does not end in a run is stored as literals.
 */

#ifndef DM_OVERLAYBD_IMAGE_BUILD_H
#define DM_OVERLAYBD_IMAGE_BUILD_H

#include <kunit/resource.h>
#include <kunit/test.h>
#include <linux/crc32c.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "../format.h"

#define BLOCK_CRC_SEED	100007

KUNIT_DEFINE_ACTION_WRAPPER(image_free, kvfree, const void *);

/* Zeroed memory, of any length, that ends with the test. */
static inline void *image_alloc(struct kunit *test, size_t bytes)
{
	void *p = kvzalloc(bytes, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, image_free, p));
	return p;
}

static inline u64 next_random(u64 *state)
{
	u64 z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static inline u32 random_below(u64 *state, u32 limit)
{
	return (next_random(state) >> 32) * limit >> 32;
}

static inline void fill_random(u8 *p, size_t bytes, u64 *state)
{
	while (bytes--)
		*p++ = next_random(state) >> 40;
}

/* Random bytes, then in two of three blocks a run of a short pattern. */
static inline void fill_block(u8 *p, u32 bytes, u64 *state)
{
	u32 period = random_below(state, 2) ? 1 : 7;
	u32 run_at = bytes;
	u32 i;

	if (bytes >= 64 && random_below(state, 3))
		run_at = random_below(state, 2) ? period : bytes / 2;
	fill_random(p, run_at, state);
	for (i = run_at; i < bytes; i++)
		p[i] = p[i - period];
}

/* Where the run of this period begins that reaches to the end. */
static inline u32 run_start(const u8 *p, u32 bytes, u32 period)
{
	u32 at = bytes;

	while (at > period && p[at - 1] == p[at - 1 - period])
		at--;
	return at;
}

/* The rest of a length of which 15 are told already. */
static inline u8 *lz4_put_length(u8 *out, u32 length)
{
	for (; length >= 255; length -= 255)
		*out++ = 255;
	*out++ = length;
	return out;
}

static inline u8 *lz4_put_literals(u8 *out, const u8 *src, u32 bytes, u32 match_nibble)
{
	*out++ = min(bytes, 15U) << 4 | match_nibble;
	if (bytes >= 15)
		out = lz4_put_length(out, bytes - 15);
	memcpy(out, src, bytes);
	return out + bytes;
}

/* Returns the length; at most what LZ4_compressBound() says. */
static inline u32 lz4_encode(u8 *dst, const u8 *src, u32 bytes)
{
	u32 period = run_start(src, bytes, 1) < run_start(src, bytes, 7) ? 1 : 7;
	u32 at = run_start(src, bytes, period);
	u32 match;
	u8 *out;

	/* A match is 4 bytes or more, then 5 literals; 12 bytes lie behind it. */
	if (at + 16 > bytes)
		return lz4_put_literals(dst, src, bytes, 0) - dst;
	match = bytes - 5 - at;
	out = lz4_put_literals(dst, src, at, min(match - 4, 15U));
	*out++ = period;
	*out++ = 0;
	if (match - 4 >= 15)
		out = lz4_put_length(out, match - 4 - 15);
	return lz4_put_literals(out, src + bytes - 5, 5, 0) - dst;
}

enum { ZSTD_BLOCK_RAW, ZSTD_BLOCK_RLE };

static inline u8 *zstd_put_block(u8 *out, const u8 *src, u32 bytes, u32 type, bool last)
{
	u32 stored = type == ZSTD_BLOCK_RLE ? 1 : bytes;

	put_unaligned_le24(bytes << 3 | type << 1 | last, out);
	memcpy(out + 3, src, stored);
	return out + 3 + stored;
}

/* One frame of a raw block, a run, or both. */
static inline u32 zstd_encode(u8 *dst, const u8 *src, u32 bytes)
{
	u32 run = run_start(src, bytes, 1);
	u8 *out = dst;

	memcpy(out, "\x28\xb5\x2f\xfd\xa0", 5);	/* single segment, 4 bytes of size */
	put_unaligned_le32(bytes, out + 5);
	out += 9;
	if (bytes - run < 16)
		return zstd_put_block(out, src, bytes, ZSTD_BLOCK_RAW, true) - dst;
	out = zstd_put_block(out, src, run, ZSTD_BLOCK_RAW, false);
	return zstd_put_block(out, src + run, bytes - run, ZSTD_BLOCK_RLE, true) - dst;
}

static inline u32 encode_block(u8 algorithm, u8 *dst, const u8 *src, u32 bytes)
{
	if (algorithm == ZFILE_LZ4)
		return lz4_encode(dst, src, bytes);
	return zstd_encode(dst, src, bytes);
}

struct zfile_image {
	/* What it shall be. */
	u32 block_bytes;
	u8 algorithm;
	bool block_crc;
	bool final_header;
	const u8 *content;
	u64 content_bytes;
	/* Instead of the encoded content, what block @bad_block is on disk. */
	u64 bad_block;
	const u8 *bad_payload;
	u32 bad_bytes;		/* 0: no block is bad */
	/* What it is. */
	u8 *file;
	u64 file_bytes;
	u64 blocks;
};

static inline void zfile_image_put_block(u8 *p, const struct zfile_image *z,
					 u64 index_offset, u32 index_crc, u64 flags)
{
	memset(p, 0, 512);
	memcpy(p, "ZFile\0\1\0tuji.yyf@Alibaba", 24);
	put_unaligned_le32(96, p + 24);
	put_unaligned_le64(flags, p + 32);
	put_unaligned_le64(index_offset, p + 40);
	put_unaligned_le64(z->blocks, p + 48);
	put_unaligned_le64(z->content_bytes, p + 56);
	put_unaligned_le32(index_crc, p + 64);
	put_unaligned_le32(z->block_bytes, p + 72);
	p[76] = z->algorithm;
	p[88] = z->block_crc;
	put_unaligned_le32(crc32c(0, p, 512), p + 28);
}

/* Make @file, which ends with the test. */
static inline void zfile_image_build(struct kunit *test, struct zfile_image *z)
{
	u64 blocks = DIV_ROUND_UP_ULL(z->content_bytes, z->block_bytes);
	u64 room = 1024 + blocks * (4 + z->block_bytes + 400);
	u8 *index, *trailer, *p;
	u64 i;

	z->blocks = blocks;
	z->file = image_alloc(test, room);
	index = image_alloc(test, 4 * blocks);

	p = z->file + 512;
	for (i = 0; i < blocks; i++) {
		const u8 *src = z->content + i * z->block_bytes;
		u32 bytes = min_t(u64, z->block_bytes,
				  z->content_bytes - i * z->block_bytes);

		if (z->bad_bytes && i == z->bad_block) {
			bytes = z->bad_bytes;
			memcpy(p, z->bad_payload, bytes);
		} else {
			bytes = encode_block(z->algorithm, p, src, bytes);
		}
		if (z->block_crc) {
			put_unaligned_le32(crc32c(BLOCK_CRC_SEED, p, bytes), p + bytes);
			bytes += 4;
		}
		put_unaligned_le32(bytes, index + 4 * i);
		p += bytes;
	}
	memcpy(p, index, 4 * blocks);
	trailer = p + 4 * blocks;
	z->file_bytes = trailer + 512 - z->file;
	KUNIT_ASSERT_LE(test, z->file_bytes, room);
	zfile_image_put_block(trailer, z, p - z->file, crc32c(0, index, 4 * blocks), 0x16);
	if (z->final_header)
		zfile_image_put_block(z->file, z, p - z->file,
				      crc32c(0, index, 4 * blocks), 0x1b);
	else
		zfile_image_put_block(z->file, z, 0, 0, 0x13);
}

struct lsmt_image_segment {
	u64 offset;
	u64 moffset;
	u32 length;
	bool zeroed;
};

/*
 * Make a bare layer with sectors 8 to 8 + @data_sectors - 1 of @data; it ends with
 * the test. Every second mapping is an invalid one.
 */
static inline u8 *lsmt_image_build(struct kunit *test, const u8 *data, u32 data_sectors,
				   const struct lsmt_image_segment *segments,
				   u32 count, u64 virtual_bytes, u64 *file_bytes)
{
	u64 index_offset = 4096 + data_sectors * 512;
	u64 trailer = index_offset + round_up(count * 32, 512);
	u8 *file, *p;
	u32 i;

	*file_bytes = trailer + 4096;
	file = image_alloc(test, *file_bytes);
	memcpy(file, "LSMT\0\1\2\0\x65\x7e\x63\xd2\x94\x44\x08\x4c"
	       "\xa2\xd2\xc8\xec\x4f\xcf\xae\x8a", 24);
	memcpy(file + trailer, file, 24);
	put_unaligned_le32(0x07, file + 28);
	put_unaligned_le32(0x06, file + trailer + 28);
	put_unaligned_le64(index_offset, file + trailer + 32);
	put_unaligned_le64(2 * count, file + trailer + 40);
	put_unaligned_le64(virtual_bytes, file + trailer + 48);
	memcpy(file + 4096, data, data_sectors * 512);

	p = file + index_offset;
	for (i = 0; i < count; i++) {
		const struct lsmt_image_segment *s = &segments[i];
		u64 tag = (u64)i << 56;	/* means nothing */

		put_unaligned_le64((1ULL << 50) - 1, p);
		put_unaligned_le64(s->offset | (u64)s->length << 50, p + 16);
		put_unaligned_le64(s->moffset | (u64)s->zeroed << 55 | tag, p + 24);
		p += 32;
	}
	return file;
}

#endif /* DM_OVERLAYBD_IMAGE_BUILD_H */
