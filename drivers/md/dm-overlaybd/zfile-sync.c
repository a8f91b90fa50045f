// SPDX-License-Identifier: GPL-2.0
/*
 * Reading the content of a ZFile into kernel memory and waiting for it, which is
 * how the metadata of a layer in a ZFile is loaded.
 */

#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "zfile.h"
#include "zfile-block.h"
#include "zfile-sync.h"

/* How much is read at once: as many blocks as fit, or one. */
#define SYNC_READ_BYTES		(64 << 10)
#define SYNC_READ_BLOCKS	32

/**
 * struct sync_read - a read that waits
 * @zf: the ZFile
 * @buf: where what is still to be read goes
 * @offset: where that is in the content, in bytes
 * @bytes: how much it is
 * @entries: room for SYNC_READ_BYTES of compressed blocks, and any one block
 * @scratch: one decompressed block
 */
struct sync_read {
	struct zfile *zf;
	void *buf;
	u64 offset;
	size_t bytes;
	void *entries;
	void *scratch;
};

static int sync_read_block(struct sync_read *rd,
			   const struct zfile_block *zb)
{
	u32 there = zfile_content_bytes(rd->zf, zb->block);
	u32 from = rd->offset - (zb->block << rd->zf->info.block_shift);
	u32 step = min_t(size_t, rd->bytes, there - from);
	bool whole = step == there;
	int r;

	r = zfile_decode_block(rd->zf, zb, whole ? rd->buf : rd->scratch, true);
	if (r)
		return r;
	if (!whole)
		memcpy(rd->buf, rd->scratch + from, step);
	rd->buf += step;
	rd->offset += step;
	rd->bytes -= step;
	return 0;
}

/* Read as many blocks as are wanted and fit. */
static int sync_read_run(struct sync_read *rd)
{
	unsigned int shift = rd->zf->info.block_shift;
	struct zfile_block zb = {
		.block = rd->offset >> shift,
		.data = rd->entries,
	};
	u64 last = (rd->offset + rd->bytes - 1) >> shift;
	unsigned int i, count = min_t(u64, last - zb.block + 1, SYNC_READ_BLOCKS);
	u32 sizes[SYNC_READ_BLOCKS];
	u32 bytes = 0;
	int r;

	r = jump_table_find(&rd->zf->table, zb.block, count, true,
			    &zb.file_offset, sizes);
	if (r)
		return r;
	for (i = 0; i < count && (!i || bytes + sizes[i] <= SYNC_READ_BYTES); i++)
		bytes += sizes[i];
	count = i;
	r = vfile_read(rd->zf->file, rd->entries, bytes, zb.file_offset);
	for (i = 0; i < count && !r; i++, zfile_next_block(&zb)) {
		zb.bytes = sizes[i];
		r = sync_read_block(rd, &zb);
	}
	return r;
}

/**
 * zfile_sync_read() - read content into kernel memory, waiting for it
 * @zf: the ZFile
 * @buf: where to
 * @bytes: how many
 * @offset: from where; all of it lies within the content
 *
 * For metadata at table load. Sleeps.
 *
 * Return: 0, -EUCLEAN for a corrupt block, -ENOMEM, or what reading gave.
 */
int zfile_sync_read(struct zfile *zf, void *buf, size_t bytes, u64 offset)
{
	size_t entries_bytes = max_t(size_t, SYNC_READ_BYTES,
				     zf->info.max_entry_bytes);
	struct sync_read rd = {
		.zf = zf,
		.buf = buf,
		.offset = offset,
		.bytes = bytes,
	};
	int r = 0;

	rd.entries = kvmalloc(entries_bytes + zfile_block_bytes(zf), GFP_KERNEL);
	if (!rd.entries)
		return -ENOMEM;
	rd.scratch = rd.entries + entries_bytes;
	while (rd.bytes && !r)
		r = sync_read_run(&rd);
	kvfree(rd.entries);
	return r;
}
