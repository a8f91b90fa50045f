// SPDX-License-Identifier: GPL-2.0
/*
 * Where the blocks of a ZFile are, see jump-table.h.
 */

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "exact-alloc.h"
#include "format.h"
#include "jump-table.h"
#include "vfile.h"

#define LEAF_BYTES	(JUMP_TABLE_LEAF_BLOCKS * ZFILE_INDEX_ENTRY_BYTES)

/* How much of the index is read at once while loading. */
#define LOAD_BYTES	(64 << 10)
#define LOAD_BLOCKS	(LOAD_BYTES / ZFILE_INDEX_ENTRY_BYTES)

static u64 leaf_count(const struct jump_table *t)
{
	return jump_table_leaves(t->block_count);
}

static u64 anchor_get(const struct jump_table *t, u64 leaf)
{
	return t->bases[leaf / JUMP_TABLE_GROUP_LEAVES] + t->anchors[leaf];
}

static void anchor_set(struct jump_table *t, u64 leaf, u64 offset)
{
	if (!(leaf % JUMP_TABLE_GROUP_LEAVES))
		t->bases[leaf / JUMP_TABLE_GROUP_LEAVES] = offset;
	t->anchors[leaf] = offset - t->bases[leaf / JUMP_TABLE_GROUP_LEAVES];
}

static unsigned int leaf_blocks(const struct jump_table *t, u64 leaf)
{
	return min_t(u64, JUMP_TABLE_LEAF_BLOCKS,
		     t->block_count - leaf * JUMP_TABLE_LEAF_BLOCKS);
}

static bool size_in_range(const struct jump_table *t, u32 size)
{
	return size >= t->min_entry_bytes && size <= t->max_entry_bytes;
}

/* Add the blocks whose sizes are in @piece; *offset is where the first lies. */
static int add_blocks(struct jump_table *t, u64 block, const u8 *piece,
		      unsigned int count, u64 *offset)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		u32 size = zfile_decode_entry(piece, i);

		if (!size_in_range(t, size))
			return -EINVAL;
		if (!((block + i) % JUMP_TABLE_LEAF_BLOCKS))
			anchor_set(t, (block + i) / JUMP_TABLE_LEAF_BLOCKS, *offset);
		*offset += size;
	}
	return 0;
}

static int load_pieces(struct jump_table *t, u8 *buf,
		       const struct zfile_info *info, const char **error)
{
	u64 block = 0, offset = ZFILE_HEADER_BYTES;
	u32 crc = 0;
	int r;

	while (block < t->block_count) {
		u64 pos = block * ZFILE_INDEX_ENTRY_BYTES;
		unsigned int count = min_t(u64, LOAD_BLOCKS, t->block_count - block);
		size_t bytes = count * ZFILE_INDEX_ENTRY_BYTES;

		r = vfile_read(t->file, buf, bytes, t->index_offset + pos);
		if (r) {
			*error = "Cannot read ZFile index";
			return r;
		}
		crc = zfile_index_crc(crc, buf, bytes);
		if (t->sizes)
			memcpy(t->sizes + pos, buf, bytes);
		r = add_blocks(t, block, buf, count, &offset);
		if (r) {
			*error = "ZFile index gives a block an impossible size";
			return r;
		}
		block += count;
		cond_resched();
		if (fatal_signal_pending(current)) {
			*error = "Interrupted while reading ZFile index";
			return -EINTR;
		}
	}
	anchor_set(t, leaf_count(t), offset);

	if (info->has_digest && crc != info->index_crc) {
		*error = "ZFile index checksum mismatch";
		return -EUCLEAN;
	}
	if (offset > t->index_offset) {
		*error = "ZFile blocks run into the index";
		return -EINVAL;
	}
	return 0;
}

/**
 * jump_table_load() - read and validate the whole index of a ZFile
 * @table: the table to fill
 * @file: the file the ZFile is in; it must live until jump_table_destroy()
 * @info: the decoded header
 * @error: set to the reason on failure
 *
 * Sleeps; a fatal signal ends it between two reads.
 *
 * Return: 0, -EINVAL, -EUCLEAN, -ENOMEM, -EINTR or what reading gave. The table
 * can be destroyed either way.
 */
int jump_table_load(struct jump_table *table, struct vfile *file,
		    const struct zfile_info *info, const char **error)
{
	u64 index_bytes = info->block_count * ZFILE_INDEX_ENTRY_BYTES;
	u8 *buf;
	int r;

	*table = (struct jump_table) {
		.file = file,
		.index_offset = info->index_offset,
		.block_count = info->block_count,
		.min_entry_bytes = 1 + (info->block_crc ? ZFILE_BLOCK_CRC_BYTES : 0),
		.max_entry_bytes = info->max_entry_bytes,
	};
	*error = "Cannot allocate ZFile jump table";
	table->bases = exact_alloc_array(jump_table_groups(table->block_count), sizeof(u64));
	table->anchors = exact_alloc_array(leaf_count(table) + 1, sizeof(u32));
	if (!table->bases || !table->anchors)
		return -ENOMEM;
	if (index_bytes <= JUMP_TABLE_RESIDENT_BYTES) {
		table->sizes = kmalloc(index_bytes, GFP_KERNEL);
		if (!table->sizes)
			return -ENOMEM;
	} else {
		r = vfile_cache_begin(file);
		if (r) {
			*error = "Cannot create a cache for the ZFile index";
			return r;
		}
		table->has_cache = true;
	}
	buf = kvmalloc(LOAD_BYTES, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	r = load_pieces(table, buf, info, error);
	kvfree(buf);
	return r;
}

/**
 * jump_table_destroy() - free what a table holds
 * @table: a loaded, half loaded or all-zero table
 */
void jump_table_destroy(struct jump_table *table)
{
	if (table->has_cache)
		vfile_cache_end(table->file);
	kvfree(table->bases);
	kvfree(table->anchors);
	kfree(table->sizes);
	table->has_cache = false;
	table->bases = NULL;
	table->anchors = NULL;
	table->sizes = NULL;
}

/**
 * jump_table_forget() - have what is not resident read from the device again
 * @table: a loaded table
 *
 * What somebody is reading just now may stay. May sleep.
 */
void jump_table_forget(const struct jump_table *table)
{
	if (table->has_cache)
		vfile_cache_forget(table->file,
				   table->block_count * ZFILE_INDEX_ENTRY_BYTES,
				   table->index_offset);
}

static u64 leaf_position(u64 leaf)
{
	return leaf * LEAF_BYTES;
}

static size_t leaf_bytes(const struct jump_table *t, u64 leaf)
{
	return leaf_blocks(t, leaf) * ZFILE_INDEX_ENTRY_BYTES;
}

/* Get a leaf's entries: in place, or copied into @copy. */
static const u8 *leaf_get(const struct jump_table *t, u64 leaf, bool may_wait,
			  u8 *copy)
{
	u64 pos = leaf_position(leaf);
	int r;

	if (t->sizes)
		return t->sizes + pos;
	r = vfile_cache_read(t->file, copy, leaf_bytes(t, leaf),
			     t->index_offset + pos, may_wait);
	return r ? ERR_PTR(r) : copy;
}

/*
 * Find where block @i of a leaf begins. Unless it never left memory, all of the
 * leaf is summed up: if that gives the next anchor, every block lies between the
 * two, whatever the single sizes are.
 */
static int leaf_offset(const struct jump_table *t, u64 leaf, const u8 *entries,
		       unsigned int i, u64 *offset)
{
	const u8 *rest = entries + i * ZFILE_INDEX_ENTRY_BYTES;

	*offset = anchor_get(t, leaf) + zfile_sum_entries(entries, i);
	if (t->sizes)
		return 0;
	if (*offset + zfile_sum_entries(rest, leaf_blocks(t, leaf) - i) !=
	    anchor_get(t, leaf + 1))
		return -EUCLEAN;
	return 0;
}

/* Get where block @i of a leaf begins and the sizes of @count blocks from there on. */
static int leaf_decode(const struct jump_table *t, u64 leaf, unsigned int i,
		       unsigned int count, bool may_wait, u64 *offset, u32 *sizes)
{
	u8 copy[LEAF_BYTES];
	const u8 *entries = leaf_get(t, leaf, may_wait, copy);
	unsigned int n;
	int r;

	if (IS_ERR(entries))
		return PTR_ERR(entries);
	r = leaf_offset(t, leaf, entries, i, offset);
	if (r)
		return r;
	for (n = 0; n < count; n++) {
		sizes[n] = zfile_decode_entry(entries, i + n);
		if (!size_in_range(t, sizes[n]))
			return -EUCLEAN;
	}
	return 0;
}

/*
 * Likewise. What was read wrong is read once more, where that may be waited for: it
 * must not stay wrong in the cache.
 */
static int leaf_find(const struct jump_table *t, u64 leaf, unsigned int i,
		     unsigned int count, bool may_wait, u64 *offset, u32 *sizes)
{
	int r = leaf_decode(t, leaf, i, count, may_wait, offset, sizes);

	if (r != -EUCLEAN)
		return r;
	if (!may_wait)
		return -EAGAIN;
	vfile_cache_forget(t->file, leaf_bytes(t, leaf),
			   t->index_offset + leaf_position(leaf));
	return leaf_decode(t, leaf, i, count, may_wait, offset, sizes);
}

/**
 * jump_table_find() - find where consecutive blocks are
 * @table: the table
 * @block: the first block
 * @count: how many; all of them exist
 * @may_wait: the caller may sleep and wait for I/O
 * @offset: set to the offset of the first block in the file, in bytes
 * @sizes: filled with the on-disk size of each block, CRC included; the blocks
 *	lie back to back
 *
 * Without @may_wait it may be called from map.
 *
 * Return: 0; -EAGAIN when it must be called again with @may_wait; -EUCLEAN when
 * the index on disk is not the one that was loaded; or what reading gave.
 */
int jump_table_find(const struct jump_table *table, u64 block,
		    unsigned int count, bool may_wait, u64 *offset, u32 *sizes)
{
	unsigned int found = 0;

	while (found < count) {
		u64 leaf = (block + found) / JUMP_TABLE_LEAF_BLOCKS;
		unsigned int i = (block + found) % JUMP_TABLE_LEAF_BLOCKS;
		unsigned int here = min(count - found, JUMP_TABLE_LEAF_BLOCKS - i);
		u64 first;
		int r;

		r = leaf_find(table, leaf, i, here, may_wait, &first, sizes + found);
		if (r)
			return r;
		if (!found)
			*offset = first;
		found += here;
	}
	return 0;
}
