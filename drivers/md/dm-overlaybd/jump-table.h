/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the blocks of a ZFile are.
 *
 * On disk the index is the size of every block. Resident is one offset for every
 * JUMP_TABLE_LEAF_BLOCKS blocks, the anchors; the sizes between two anchors, a
 * leaf, are read when wanted, and stay in the reclaimable cache of the vfile. What
 * is read again is checked again: the sizes add up to the next anchor and those
 * that are used are in range, so that an image that changed under us cannot lead
 * outside of its blocks. But two calls need not find the same. A small index is kept
 * whole.
 *
 * An anchor is 32 bits, relative to the 64-bit base of its group: 16 KiB for a
 * GiB of content in blocks of 4 KiB.
 */

#ifndef DM_OVERLAYBD_JUMP_TABLE_H
#define DM_OVERLAYBD_JUMP_TABLE_H

#include <linux/types.h>

#include "format.h"

struct vfile;

#define JUMP_TABLE_LEAF_BLOCKS	64

/* Anchors that share a base; 512 leaves of the largest blocks are below 4 GiB. */
#define JUMP_TABLE_GROUP_LEAVES	512

/* An index up to this size is kept whole. */
#define JUMP_TABLE_RESIDENT_BYTES	(16 << 10)

/**
 * struct jump_table - the index of one ZFile; immutable once loaded
 * @file: the file the ZFile is in; owned by the ZFile
 * @has_cache: we made the cache of @file
 * @index_offset: bytes from the start of @file to the index
 * @block_count: how many blocks there are
 * @bases: offset in @file of the first block of every group
 * @anchors: offset of every leaf's first block, and at the end of the byte behind
 *	the last block, less the base of its group
 * @sizes: the whole index as on disk, or NULL when leaves are read on demand,
 *	through the cache of @file
 * @min_entry_bytes: what a block takes on disk at least
 * @max_entry_bytes: what a block takes on disk at most
 */
struct jump_table {
	struct vfile *file;
	bool has_cache;
	u64 index_offset;
	u64 block_count;
	u64 *bases;
	u32 *anchors;
	u8 *sizes;
	u32 min_entry_bytes;
	u32 max_entry_bytes;
};

static inline u64 jump_table_leaves(u64 block_count)
{
	return (block_count + JUMP_TABLE_LEAF_BLOCKS - 1) / JUMP_TABLE_LEAF_BLOCKS;
}

static inline u64 jump_table_groups(u64 block_count)
{
	/* One more anchor than leaves. */
	return jump_table_leaves(block_count) / JUMP_TABLE_GROUP_LEAVES + 1;
}

/**
 * jump_table_bytes() - memory a table holds that nothing can reclaim
 * @block_count: how many blocks there are
 *
 * For user space, too.
 *
 * Return: bytes.
 */
static inline u64 jump_table_bytes(u64 block_count)
{
	u64 index_bytes = block_count * ZFILE_INDEX_ENTRY_BYTES;
	u64 bytes = jump_table_groups(block_count) * sizeof(u64) +
		    (jump_table_leaves(block_count) + 1) * sizeof(u32);

	return bytes + (index_bytes <= JUMP_TABLE_RESIDENT_BYTES ? index_bytes : 0);
}

/* Where in the file the entry of a block is, in bytes. */
static inline u64 jump_table_entry_offset(const struct jump_table *table, u64 block)
{
	return table->index_offset + block * ZFILE_INDEX_ENTRY_BYTES;
}

int jump_table_load(struct jump_table *table, struct vfile *file,
		    const struct zfile_info *info, const char **error);
void jump_table_destroy(struct jump_table *table);
void jump_table_forget(const struct jump_table *table);
int jump_table_find(const struct jump_table *table, u64 block,
		    unsigned int count, bool may_wait, u64 *offset, u32 *sizes);

#endif /* DM_OVERLAYBD_JUMP_TABLE_H */
