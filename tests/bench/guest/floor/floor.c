// SPDX-License-Identifier: GPL-2.0
/*
 * What the work on compressed blocks costs inside the kernel, without any block
 * layer around it: CRC, decompression, a copy of the content. Loading it prints
 * the sums to the kernel log.
 *
 *	insmod floor.ko path=IMAGE.zfile count=N [sequential=1]
 *
 * The blocks are those that reader.c reads.
 */
#include <linux/crc32c.h>
#include <linux/kernel_read_file.h>
#include <linux/lz4.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>
#include <linux/zstd.h>
#include <asm/msr.h>

#include "offsets.h"

#define HEADER_BYTES	512
#define MAX_BLOCK	65536
#define BLOCK_SEED	100007

static char *path;
module_param(path, charp, 0);
static uint count;
module_param(count, uint, 0);
static bool sequential;
module_param(sequential, bool, 0);

struct image {
	u8 *data;
	u64 blocks;
	u32 *sizes;
	u64 *starts;
	u32 block_bytes;
	u32 crc_bytes;
	u64 bytes;
	bool zstd;
};

struct sums {
	u64 crc;
	u64 decompress;
	u64 copy;
	u64 payload_bytes;
	u32 crc_value;
};

static zstd_dctx *dctx;
static void *workspace, *content, *copied;

static int parse(struct image *im, size_t file_bytes)
{
	const u8 *header = im->data + file_bytes - HEADER_BYTES;
	u64 at = HEADER_BYTES, index_offset, i;

	if (file_bytes < 2 * HEADER_BYTES || memcmp(header, "ZFile", 6))
		return -EINVAL;
	index_offset = get_unaligned_le64(header + 40);
	im->blocks = get_unaligned_le64(header + 48);
	im->bytes = get_unaligned_le64(header + 56);
	im->block_bytes = get_unaligned_le32(header + 72);
	im->zstd = header[76] == 2;
	im->crc_bytes = header[88] ? 4 : 0;
	if (im->block_bytes > MAX_BLOCK || index_offset + im->blocks * 4 > file_bytes)
		return -EINVAL;
	im->sizes = kvmalloc_array(im->blocks, sizeof(u32), GFP_KERNEL);
	im->starts = kvmalloc_array(im->blocks, sizeof(u64), GFP_KERNEL);
	if (!im->sizes || !im->starts)
		return -ENOMEM;
	for (i = 0; i < im->blocks; i++) {
		im->sizes[i] = get_unaligned_le32(im->data + index_offset + i * 4);
		im->starts[i] = at;
		at += im->sizes[i];
	}
	return 0;
}

static size_t decompress(const struct image *im, const u8 *payload, u32 bytes, u32 out)
{
	int r;

	if (im->zstd) {
		size_t got = zstd_decompress_dctx(dctx, content, out, payload, bytes);

		return zstd_is_error(got) ? 0 : got;
	}
	r = LZ4_decompress_safe(payload, content, bytes, out);
	return r < 0 ? 0 : r;
}

static int one_block(const struct image *im, u64 block, struct sums *s)
{
	const u8 *payload = im->data + im->starts[block];
	u32 bytes = im->sizes[block] - im->crc_bytes;
	u32 out = min_t(u64, im->block_bytes, im->bytes - block * im->block_bytes);
	u64 t0, t1, t2, t3;
	size_t got;
	u32 crc;

	t0 = rdtsc_ordered();
	crc = crc32c(BLOCK_SEED, payload, bytes);
	t1 = rdtsc_ordered();
	got = decompress(im, payload, bytes, out);
	t2 = rdtsc_ordered();
	memcpy(copied, content, out);
	t3 = rdtsc_ordered();
	if (got != out)
		return -EIO;
	if (im->crc_bytes && crc != get_unaligned_le32(payload + bytes))
		return -EUCLEAN;
	s->crc += t1 - t0;
	s->decompress += t2 - t1;
	s->copy += t3 - t2;
	s->payload_bytes += bytes;
	return 0;
}

static int measure(const struct image *im)
{
	struct offsets offsets;
	struct sums sums = {};
	unsigned int i;
	int r = 0;

	offsets_init(&offsets, im->blocks);
	/* The reader does not measure its first reads either. */
	for (i = 0; i < count / 8 && !sequential && !r; i++)
		r = one_block(im, offsets_next(&offsets), &sums);
	memset(&sums, 0, sizeof(sums));
	for (i = 0; i < count && i < im->blocks && !r; i++)
		r = one_block(im, sequential ? i : offsets_next(&offsets), &sums);
	if (r)
		return r;
	pr_info("floor: %s %u %s blocks %u payload %llu crc %llu decompress %llu copy %llu\n",
		im->zstd ? "zstd" : "lz4", im->block_bytes,
		sequential ? "sequential" : "random", i, sums.payload_bytes,
		sums.crc, sums.decompress, sums.copy);
	return 0;
}

static int __init floor_init(void)
{
	size_t workspace_bytes = zstd_dctx_workspace_bound();
	struct image im = {};
	void *data = NULL;
	ssize_t bytes;
	int r = -ENOMEM;

	bytes = kernel_read_file_from_path(path, 0, &data, INT_MAX, NULL,
					   READING_UNKNOWN);
	if (bytes < 0)
		return bytes;
	im.data = data;
	workspace = vmalloc(workspace_bytes);
	content = kmalloc(MAX_BLOCK, GFP_KERNEL);
	copied = kmalloc(MAX_BLOCK, GFP_KERNEL);
	if (workspace && content && copied) {
		dctx = zstd_init_dctx(workspace, workspace_bytes);
		r = parse(&im, bytes);
		if (!r)
			r = measure(&im);
	}
	kvfree(im.sizes);
	kvfree(im.starts);
	kfree(copied);
	kfree(content);
	vfree(workspace);
	vfree(data);
	return r;
}
module_init(floor_init);

/* Without one a module cannot be unloaded. */
static void __exit floor_exit(void)
{
}
module_exit(floor_exit);

MODULE_DESCRIPTION("What verifying and decompressing costs in the kernel");
MODULE_LICENSE("GPL");
