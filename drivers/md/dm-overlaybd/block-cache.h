/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small cache of decompressed blocks, for reads of parts of blocks.
 */

#ifndef DM_OVERLAYBD_BLOCK_CACHE_H
#define DM_OVERLAYBD_BLOCK_CACHE_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "buffer.h"

/**
 * struct cache_owner - whose blocks they are
 * @generation: how often all of them were forgotten
 */
struct cache_owner {
	atomic_t generation;
};

/**
 * struct cached_block - a decompressed block
 * @hash: in its shard's table; changed under the shard's lock, read under RCU
 * @age: in its shard's list; protected by the shard's lock
 * @owner: whose block it is; fixed while cached
 * @block: which block; fixed while cached
 * @memory: the content. Written to only before it is cached, and never by a
 *	reader: it is our own memory
 * @ref: one for the cache and one for everybody who uses it
 * @used: was found since it was inserted or given a second chance; no lock
 * @rcu: frees this; @memory goes with the last reference
 */
struct cached_block {
	struct hlist_node hash;
	struct list_head age;
	const struct cache_owner *owner;
	u64 block;
	struct buffer memory;
	refcount_t ref;
	bool used;
	struct rcu_head rcu;
};

/* To be asked for before a block is fetched, see obd_block_cache_insert(). */
static inline int obd_block_cache_generation(const struct cache_owner *owner)
{
	return atomic_read(&owner->generation);
}

struct cached_block *obd_cached_block_alloc(size_t bytes, gfp_t gfp);
void obd_cached_block_put(struct cached_block *cb);
struct cached_block *obd_block_cache_find(const struct cache_owner *owner, u64 block);
void obd_block_cache_insert(struct cached_block *cb, const struct cache_owner *owner,
			    u64 block, int generation);
void obd_block_cache_forget(struct cache_owner *owner);
int obd_block_cache_init(void);
void obd_block_cache_exit(void);

#endif /* DM_OVERLAYBD_BLOCK_CACHE_H */
