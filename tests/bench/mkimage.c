// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the images of the benchmark.
 *
 *	mkimage zfile lz4|zstd BLOCK_BYTES CRC(0|1) CONTENT OUT
 *	mkimage lsmt LAYERS CONTENT OUT_PREFIX
 *	mkimage split LAYERS CONTENT OUT_PREFIX
 *	mkimage segments LAYERS SEGMENTS OUT_PREFIX
 *	mkimage large GIB OUT
 *
 * lsmt spreads segments of 16 KiB over LAYERS layers, OUT_PREFIX.0 (lowest) and
 * up; within a layer the data lies in an order of its own, so that segments do
 * not melt into one: their number is the same for every number of layers. split
 * does the same with sparse raw files instead of layers. segments makes layers of
 * so many segments each that share little data: only opening them is of interest.
 * large makes a ZFile (LZ4, 4 KiB) of so many GiB of zeros.
 */
#include <lz4.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "guest/floor/offsets.h"

#define SEGMENT_BYTES	(16u << 10)
#define SECTOR		512u
#define BLOCK_SEED	100007u
#define MAX_BLOCK	65536u

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static void put64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}

static uint32_t crc32c(uint32_t crc, const uint8_t *p, size_t bytes)
{
	while (bytes--)
		crc = __builtin_ia32_crc32qi(crc, *p++);
	return crc;
}

static uint8_t *read_all(const char *path, size_t *bytes)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data;

	if (!f || fseek(f, 0, SEEK_END))
		die(path);
	*bytes = ftell(f);
	rewind(f);
	data = malloc(*bytes);
	if (!data || fread(data, 1, *bytes, f) != *bytes)
		die(path);
	fclose(f);
	return data;
}

static void put(FILE *f, const void *data, size_t bytes)
{
	if (fwrite(data, 1, bytes, f) != bytes)
		die("write");
}

struct zfile_params {
	bool zstd;
	uint32_t block_bytes;
	bool crc;
};

static uint32_t compress(const struct zfile_params *p, const uint8_t *from,
			 uint32_t bytes, uint8_t *to, uint32_t room)
{
	size_t got = p->zstd ? ZSTD_compress(to, room, from, bytes, 3) :
		(size_t)LZ4_compress_default((const char *)from, (char *)to, bytes, room);

	if (p->zstd ? ZSTD_isError(got) : !got)
		die("compress");
	return got;
}

static void zfile_header(uint8_t *header, const struct zfile_params *p,
			 uint64_t flags, uint64_t content_bytes,
			 uint64_t index_offset, const uint32_t *sizes, uint64_t blocks)
{
	static const uint8_t magic[24] = "ZFile\0\1\0tuji.yyf@Alibaba";

	memset(header, 0, 512);
	memcpy(header, magic, sizeof(magic));
	put32(header + 24, 96);
	put64(header + 32, flags);
	put64(header + 40, index_offset);
	put64(header + 48, blocks);
	put64(header + 56, content_bytes);
	put32(header + 64, crc32c(0, (const uint8_t *)sizes, blocks * 4));
	put32(header + 72, p->block_bytes);
	header[76] = p->zstd ? 2 : 1;
	header[88] = p->crc;
	put32(header + 28, crc32c(0, header, 512));
}

static void write_zfile(const struct zfile_params *p, const uint8_t *content,
			size_t bytes, const char *path)
{
	uint64_t blocks = (bytes + p->block_bytes - 1) / p->block_bytes, at = 512, i;
	uint32_t *sizes = calloc(blocks, sizeof(*sizes));
	static uint8_t block[2 * MAX_BLOCK];
	uint8_t header[512] = {};
	FILE *f = fopen(path, "wb");

	if (!f || !sizes)
		die(path);
	put(f, header, sizeof(header));
	for (i = 0; i < blocks; i++) {
		uint64_t from = i * p->block_bytes;
		uint32_t part = bytes - from < p->block_bytes ? bytes - from : p->block_bytes;

		sizes[i] = compress(p, content + from, part, block, sizeof(block) - 4);
		if (p->crc) {
			put32(block + sizes[i], crc32c(BLOCK_SEED, block, sizes[i]));
			sizes[i] += 4;
		}
		put(f, block, sizes[i]);
		at += sizes[i];
	}
	put(f, sizes, blocks * sizeof(*sizes));
	zfile_header(header, p, 0x16, bytes, at, sizes, blocks);
	put(f, header, sizeof(header));
	rewind(f);
	zfile_header(header, p, 0x1b, bytes, at, sizes, blocks);
	put(f, header, sizeof(header));
	if (fclose(f))
		die(path);
	free(sizes);
}

static void lsmt_header(uint8_t *header, uint32_t flags, uint64_t virtual_bytes,
			uint64_t index_offset, uint64_t entries)
{
	static const uint8_t magic[24] = {
		0x4c, 0x53, 0x4d, 0x54, 0x00, 0x01, 0x02, 0x00,
		0x65, 0x7e, 0x63, 0xd2, 0x94, 0x44, 0x08, 0x4c,
		0xa2, 0xd2, 0xc8, 0xec, 0x4f, 0xcf, 0xae, 0x8a,
	};
	static const char uuid[37] = "00000000-0000-0000-0000-000000000000";

	memset(header, 0, 4096);
	memcpy(header, magic, sizeof(magic));
	put32(header + 24, 390);
	put32(header + 28, flags);
	put64(header + 32, index_offset);
	put64(header + 40, entries);
	put64(header + 48, virtual_bytes);
	memcpy(header + 56, uuid, sizeof(uuid));
	memcpy(header + 93, uuid, sizeof(uuid));
	header[132] = header[133] = 1;
}

/* Which layer has a segment, and which place among all has its data. */
struct segment {
	unsigned int layer;
	uint64_t place;
};

static void write_layer(const uint8_t *content, size_t bytes, unsigned int layer,
			const struct segment *segments, const uint64_t *by_place,
			uint64_t nr, const char *path)
{
	uint64_t *moffset = calloc(nr, sizeof(*moffset)), at = 4096, entries = 0, i;
	uint8_t header[4096], entry[16];
	FILE *f = fopen(path, "wb");

	if (!f || !moffset)
		die(path);
	lsmt_header(header, 3, bytes, 0, 0);
	put(f, header, sizeof(header));
	for (i = 0; i < nr; i++) {
		uint64_t s = by_place[i];

		if (segments[s].layer != layer)
			continue;
		moffset[s] = at / SECTOR;
		put(f, content + s * SEGMENT_BYTES, SEGMENT_BYTES);
		at += SEGMENT_BYTES;
	}
	for (i = 0; i < nr; i++) {
		if (segments[i].layer != layer)
			continue;
		put64(entry, i * (SEGMENT_BYTES / SECTOR) |
			     (uint64_t)(SEGMENT_BYTES / SECTOR) << 50);
		put64(entry + 8, moffset[i]);
		put(f, entry, sizeof(entry));
		entries++;
	}
	memset(header, 0, sizeof(header));
	put(f, header, -(entries * 16) & (SECTOR - 1));
	lsmt_header(header, 6, bytes, at, entries);
	put(f, header, sizeof(header));
	if (fclose(f))
		die(path);
	free(moffset);
}

/* A sparse file with what the layer has, where the content has it. */
static void write_sparse(const uint8_t *content, size_t bytes, unsigned int layer,
			 const struct segment *segments, uint64_t nr, const char *path)
{
	FILE *f = fopen(path, "wb");

	if (!f)
		die(path);
	for (uint64_t i = 0; i < nr; i++) {
		if (segments[i].layer != layer)
			continue;
		if (fseek(f, i * SEGMENT_BYTES, SEEK_SET))
			die(path);
		put(f, content + i * SEGMENT_BYTES, SEGMENT_BYTES);
	}
	fflush(f);
	if (ftruncate(fileno(f), bytes) || fclose(f))
		die(path);
}

static void write_stack(unsigned int layers, const uint8_t *content, size_t bytes,
			const char *prefix, bool sparse)
{
	uint64_t nr = bytes / SEGMENT_BYTES, i;
	struct segment *segments = calloc(nr, sizeof(*segments));
	uint64_t *by_place = calloc(nr, sizeof(*by_place));
	struct offsets order;
	char path[4096];

	if (!segments || !by_place)
		die("memory");
	offsets_init(&order, nr);
	for (i = 0; i < nr; i++) {
		by_place[i] = offsets_next(&order);
		segments[by_place[i]].place = i;
	}
	/* Neighbours do not share a layer when there are several. */
	for (i = 0; i < nr; i++) {
		segments[i].layer = segments[i].place * 2654435761u % layers;
		if (i && layers > 1 && segments[i].layer == segments[i - 1].layer)
			segments[i].layer = (segments[i].layer + 1) % layers;
	}
	for (i = 0; i < layers; i++) {
		snprintf(path, sizeof(path), "%s.%u", prefix, (unsigned int)i);
		if (sparse)
			write_sparse(content, bytes, i, segments, nr, path);
		else
			write_layer(content, bytes, i, segments, by_place, nr, path);
	}
}

/* Entry i of layer l begins at sector 8 * (i * layers + l): no two overlap. */
static void write_segments(unsigned int layers, unsigned int layer, uint64_t nr,
			   const char *path)
{
	uint64_t virtual_bytes = nr * layers * 4096, end = 4096 + 8 * 4096, i;
	uint8_t block[4096] = {}, entry[16];
	FILE *f = fopen(path, "wb");

	if (!f)
		die(path);
	lsmt_header(block, 3, virtual_bytes, 0, 0);
	put(f, block, sizeof(block));
	memset(block, 0, sizeof(block));
	for (i = 0; i < 8; i++)
		put(f, block, sizeof(block));
	for (i = 0; i < nr; i++) {
		put64(entry, 8 * (i * layers + layer) | 8ull << 50);
		put64(entry + 8, 8 + i % 8 * 8);
		put(f, entry, sizeof(entry));
	}
	put(f, block, -(nr * 16) & (SECTOR - 1));
	lsmt_header(block, 6, virtual_bytes, end, nr);
	put(f, block, sizeof(block));
	if (fclose(f))
		die(path);
}

static void write_large(uint64_t gib, const char *path)
{
	const struct zfile_params p = { .block_bytes = 4096, .crc = true };
	uint64_t blocks = gib << 18, at = 512, i;
	uint32_t *sizes = calloc(blocks, sizeof(*sizes)), bytes;
	uint8_t header[512] = {}, zeros[4096] = {}, block[8192];
	FILE *f = fopen(path, "wb");

	if (!f || !sizes)
		die(path);
	bytes = compress(&p, zeros, sizeof(zeros), block, sizeof(block));
	put32(block + bytes, crc32c(BLOCK_SEED, block, bytes));
	bytes += 4;
	put(f, header, sizeof(header));
	for (i = 0; i < blocks; i++) {
		put(f, block, bytes);
		sizes[i] = bytes;
		at += bytes;
	}
	put(f, sizes, blocks * sizeof(*sizes));
	zfile_header(header, &p, 0x16, gib << 30, at, sizes, blocks);
	put(f, header, sizeof(header));
	rewind(f);
	zfile_header(header, &p, 0x1b, gib << 30, at, sizes, blocks);
	put(f, header, sizeof(header));
	if (fclose(f))
		die(path);
}

int main(int argc, char **argv)
{
	size_t bytes;

	if (argc == 7 && !strcmp(argv[1], "zfile")) {
		struct zfile_params p = {
			.zstd = !strcmp(argv[2], "zstd"),
			.block_bytes = atoi(argv[3]),
			.crc = atoi(argv[4]),
		};
		uint8_t *content = read_all(argv[5], &bytes);

		if (!p.block_bytes || p.block_bytes > MAX_BLOCK)
			return 2;
		write_zfile(&p, content, bytes, argv[6]);
	} else if (argc == 5 && (!strcmp(argv[1], "lsmt") || !strcmp(argv[1], "split"))) {
		uint8_t *content = read_all(argv[3], &bytes);

		write_stack(atoi(argv[2]), content, bytes, argv[4], argv[1][0] == 's');
	} else if (argc == 5 && !strcmp(argv[1], "segments")) {
		char path[4096];

		for (int i = 0; i < atoi(argv[2]); i++) {
			snprintf(path, sizeof(path), "%s.%d", argv[4], i);
			write_segments(atoi(argv[2]), i, atoi(argv[3]), path);
		}
	} else if (argc == 4 && !strcmp(argv[1], "large")) {
		write_large(atoi(argv[2]), argv[3]);
	} else {
		return 2;
	}
	return 0;
}
