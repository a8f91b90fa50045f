// SPDX-License-Identifier: GPL-2.0
/*
 * A small cache of decompressed blocks, for reads of parts of blocks.
 *
 * Whoever reads a part of a block is likely to come back for the rest: segments
 * begin at any sector, and a 64 KiB block is sixteen pages to a file system.
 * Reads of whole blocks never come here, as the page cache above keeps those.
 *
 * One cache for the module, with a limit and a shrinker. It is split into shards
 * so that CPUs seldom meet at a lock; each is a hash table and a list in order of
 * age. To find a block takes no lock and writes to nothing but that block: it is
 * marked as used, which the next one to trim the shard takes for a second chance.
 */

#include <linux/bits.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "block-cache.h"
#include "format.h"

#define CACHE_MAX_SHARDS	16UL
#define CACHE_HASH_BITS		6

/* So many blocks get a second chance at a time: others wait for the lock. */
#define CACHE_SECOND_CHANCES	16

/* At most this share of the memory, and at most so much. */
#define CACHE_MEMORY_FRACTION	256
#define CACHE_MAX_PAGES		((64UL << 20) >> PAGE_SHIFT)

/* With little memory there are fewer shards, so that one has room for large blocks. */
#define CACHE_SHARD_BLOCKS	4
#define CACHE_SHARD_PAGES	DIV_ROUND_UP(CACHE_SHARD_BLOCKS << ZFILE_BLOCK_SHIFT_MAX, \
					     PAGE_SIZE)

/**
 * struct cache_shard - a part of the cache
 * @lock: of who changes anything here
 * @age: latest first
 * @pages: memory of all blocks here; the shrinker counts it without @lock
 * @heads: the hash table; read under RCU
 */
struct cache_shard {
	spinlock_t lock;	/* see above */
	struct list_head age;
	unsigned long pages;
	struct hlist_head heads[BIT(CACHE_HASH_BITS)];
} ____cacheline_aligned_in_smp;

static struct cache_shard shards[CACHE_MAX_SHARDS];
static unsigned int shard_count;	/* those in use, a power of two */
static unsigned long shard_max_pages;
static struct shrinker *cache_shrinker;

static u32 cache_hash(const struct cache_owner *owner, u64 block)
{
	return hash_64((u64)(unsigned long)owner + block * GOLDEN_RATIO_64,
		       ilog2(CACHE_MAX_SHARDS) + CACHE_HASH_BITS);
}

static struct cache_shard *hash_shard(u32 hash)
{
	return &shards[(hash >> CACHE_HASH_BITS) & (shard_count - 1)];
}

static struct hlist_head *hash_head(u32 hash)
{
	return &hash_shard(hash)->heads[hash & (BIT(CACHE_HASH_BITS) - 1)];
}

/**
 * obd_cached_block_alloc() - get memory for a block
 * @bytes: size of the block
 * @gfp: GFP_NOWAIT or GFP_NOIO; it is not tried hard either way
 *
 * Return: a block that is not cached yet, with one reference, or NULL.
 */
struct cached_block *obd_cached_block_alloc(size_t bytes, gfp_t gfp)
{
	struct cached_block *cb;

	cb = kmalloc(sizeof(*cb), gfp | __GFP_NORETRY | __GFP_NOMEMALLOC | __GFP_NOWARN);
	if (!cb)
		return NULL;
	if (!obd_buffer_alloc(&cb->memory, bytes, gfp)) {
		kfree(cb);
		return NULL;
	}
	refcount_set(&cb->ref, 1);
	cb->used = false;
	return cb;
}

/**
 * obd_cached_block_put() - drop a reference
 * @cb: the block, or NULL
 *
 * Any context.
 */
void obd_cached_block_put(struct cached_block *cb)
{
	if (!cb || !refcount_dec_and_test(&cb->ref))
		return;
	obd_buffer_free(&cb->memory);
	kfree_rcu(cb, rcu);
}

/* Likewise, for memory that shall not be kept for the next reads. */
static void cached_block_put_for_good(struct cached_block *cb)
{
	if (!refcount_dec_and_test(&cb->ref))
		return;
	obd_buffer_free_for_good(&cb->memory);
	kfree_rcu(cb, rcu);
}

/* Under RCU or the shard's lock. */
static struct cached_block *shard_find(u32 hash, const struct cache_owner *owner,
				       u64 block)
{
	struct cached_block *cb;

	hlist_for_each_entry_rcu(cb, hash_head(hash), hash,
				 lockdep_is_held(&hash_shard(hash)->lock))
		if (cb->block == block && cb->owner == owner)
			return cb;
	return NULL;
}

static void shard_remove(struct cache_shard *shard, struct cached_block *cb,
			 void (*put)(struct cached_block *cb))
{
	lockdep_assert_held(&shard->lock);
	hlist_del_rcu(&cb->hash);
	list_del(&cb->age);
	WRITE_ONCE(shard->pages, shard->pages - (1UL << cb->memory.order));
	put(cb);
}

/* Remove the oldest until @pages or less are left, and not what was used lately. */
static unsigned long shard_trim(struct cache_shard *shard, unsigned long pages,
				void (*put)(struct cached_block *cb))
{
	unsigned int chances = CACHE_SECOND_CHANCES;
	unsigned long before = shard->pages;

	lockdep_assert_held(&shard->lock);
	while (shard->pages > pages) {
		struct cached_block *cb = list_last_entry(&shard->age,
							  struct cached_block, age);

		if (READ_ONCE(cb->used) && chances) {
			chances--;
			WRITE_ONCE(cb->used, false);
			list_move(&cb->age, &shard->age);
		} else {
			shard_remove(shard, cb, put);
		}
	}
	return before - shard->pages;
}

/**
 * obd_block_cache_find() - look for a block
 * @owner: whose
 * @block: which
 *
 * Any context; takes no lock.
 *
 * Return: the block with a reference for the caller, or NULL.
 */
struct cached_block *obd_block_cache_find(const struct cache_owner *owner, u64 block)
{
	struct cached_block *cb;

	rcu_read_lock();
	cb = shard_find(cache_hash(owner, block), owner, block);
	if (cb && !refcount_inc_not_zero(&cb->ref))
		cb = NULL;
	rcu_read_unlock();
	if (cb && !READ_ONCE(cb->used))
		WRITE_ONCE(cb->used, true);
	return cb;
}

/**
 * obd_block_cache_insert() - cache a block
 * @cb: the block, with its content; the caller keeps its reference
 * @owner: whose it is; until obd_block_cache_forget()
 * @block: which it is
 * @generation: obd_block_cache_generation() before it was fetched
 *
 * Does nothing when its owner has forgotten all blocks since, when it is there
 * already, or when there is no room for such blocks. Not from interrupts.
 */
void obd_block_cache_insert(struct cached_block *cb, const struct cache_owner *owner,
			    u64 block, int generation)
{
	u32 hash = cache_hash(owner, block);
	struct cache_shard *shard = hash_shard(hash);
	unsigned long pages = 1UL << cb->memory.order;

	if (pages > shard_max_pages)
		return;
	cb->owner = owner;
	cb->block = block;
	spin_lock(&shard->lock);
	/* Under the lock: who forgets comes here after this, or counted before it. */
	if (obd_block_cache_generation(owner) == generation &&
	    !shard_find(hash, owner, block)) {
		/* The other way round, this one would go if all others are in use. */
		shard_trim(shard, shard_max_pages - pages, obd_cached_block_put);
		refcount_inc(&cb->ref);
		hlist_add_head_rcu(&cb->hash, hash_head(hash));
		list_add(&cb->age, &shard->age);
		WRITE_ONCE(shard->pages, shard->pages + pages);
	}
	spin_unlock(&shard->lock);
}

/**
 * obd_block_cache_forget() - drop all blocks of an owner
 * @owner: whose
 *
 * Those that are being fetched will not be inserted either. Not from interrupts.
 */
void obd_block_cache_forget(struct cache_owner *owner)
{
	unsigned int i;

	atomic_inc(&owner->generation);
	for (i = 0; i < shard_count; i++) {
		struct cache_shard *shard = &shards[i];
		struct cached_block *cb, *next;

		spin_lock(&shard->lock);
		list_for_each_entry_safe(cb, next, &shard->age, age)
			if (cb->owner == owner)
				shard_remove(shard, cb, cached_block_put_for_good);
		spin_unlock(&shard->lock);
	}
}

static unsigned long cache_shrink_count(struct shrinker *shrinker,
					struct shrink_control *sc)
{
	unsigned long pages = 0;
	unsigned int i;

	for (i = 0; i < shard_count; i++)
		pages += READ_ONCE(shards[i].pages);
	return pages ?: SHRINK_EMPTY;
}

static unsigned long cache_shrink_scan(struct shrinker *shrinker,
				       struct shrink_control *sc)
{
	unsigned long each = DIV_ROUND_UP(sc->nr_to_scan, shard_count);
	unsigned long freed = 0;
	unsigned int i;

	for (i = 0; i < shard_count; i++) {
		struct cache_shard *shard = &shards[i];

		spin_lock(&shard->lock);
		freed += shard_trim(shard, shard->pages - min(shard->pages, each),
				    cached_block_put_for_good);
		spin_unlock(&shard->lock);
	}
	return freed;
}

/**
 * obd_block_cache_init() - make the empty cache, at module load
 *
 * Return: 0 or -ENOMEM.
 */
int obd_block_cache_init(void)
{
	unsigned long pages = min(totalram_pages() / CACHE_MEMORY_FRACTION,
				  CACHE_MAX_PAGES);
	unsigned int i;

	cache_shrinker = shrinker_alloc(0, "dm-overlaybd-blocks");
	if (!cache_shrinker)
		return -ENOMEM;
	for (i = 0; i < CACHE_MAX_SHARDS; i++) {
		spin_lock_init(&shards[i].lock);
		INIT_LIST_HEAD(&shards[i].age);
	}
	shard_count = rounddown_pow_of_two(clamp(pages / CACHE_SHARD_PAGES, 1UL,
						 CACHE_MAX_SHARDS));
	shard_max_pages = pages / shard_count;
	cache_shrinker->count_objects = cache_shrink_count;
	cache_shrinker->scan_objects = cache_shrink_scan;
	shrinker_register(cache_shrinker);
	return 0;
}

/**
 * obd_block_cache_exit() - undo obd_block_cache_init(), when all owners have forgotten
 */
void obd_block_cache_exit(void)
{
	shrinker_free(cache_shrinker);
}
