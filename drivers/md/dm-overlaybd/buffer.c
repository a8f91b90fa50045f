// SPDX-License-Identifier: GPL-2.0
/*
 * Contiguous private memory for one read, recycled per CPU.
 *
 * A read needs its memory for some microseconds, and many kernels clear every
 * page they hand out, which costs more than all else that is done for a small
 * read but the decompression. So each CPU keeps some buffers of each size for the
 * next reads. A shrinker takes them back when memory is short.
 */

#include <linux/limits.h>
#include <linux/percpu.h>
#include <linux/shrinker.h>
#include <linux/spinlock.h>

#include "buffer.h"

/* Buffers below this order are kept: up to 64 KiB with 4 KiB pages. */
#define BUFFER_KEEP_ORDERS	5

/* So many of each: what a large read that is cut into pieces has in flight. */
#define BUFFER_KEEP		8

/**
 * struct buffer_stash - the buffers kept by one CPU
 * @lock: protects the rest. Only the shrinker and a task that was moved to
 *	another CPU just now ever meet there
 * @counts: how many of each order there are
 * @pages: them
 */
struct buffer_stash {
	spinlock_t lock;	/* see above */
	unsigned int counts[BUFFER_KEEP_ORDERS];
	struct page *pages[BUFFER_KEEP_ORDERS][BUFFER_KEEP];
};

static DEFINE_PER_CPU(struct buffer_stash, buffer_stashes) = {
	.lock = __SPIN_LOCK_UNLOCKED(buffer_stashes.lock),
};

static struct shrinker *buffer_shrinker;

static struct page *stash_take(struct buffer_stash *stash, unsigned int order)
{
	struct page *page = NULL;
	unsigned long flags;

	spin_lock_irqsave(&stash->lock, flags);
	if (stash->counts[order])
		page = stash->pages[order][--stash->counts[order]];
	spin_unlock_irqrestore(&stash->lock, flags);
	return page;
}

static bool stash_put(struct buffer_stash *stash, unsigned int order,
		      struct page *page)
{
	unsigned long flags;
	bool room;

	spin_lock_irqsave(&stash->lock, flags);
	room = stash->counts[order] < BUFFER_KEEP;
	if (room)
		stash->pages[order][stash->counts[order]++] = page;
	spin_unlock_irqrestore(&stash->lock, flags);
	return room;
}

/**
 * obd_buffer_alloc() - get memory
 * @b: set to the memory; to nothing on failure
 * @bytes: how much is needed
 * @gfp: GFP_NOWAIT or GFP_NOIO; it is not tried hard either way
 *
 * Sleeps if @gfp allows it. What is in it is left over from other reads.
 *
 * Return: false when there is no memory.
 */
bool obd_buffer_alloc(struct buffer *b, size_t bytes, gfp_t gfp)
{
	b->order = get_order(bytes);
	b->page = NULL;
	if (b->order < BUFFER_KEEP_ORDERS)
		b->page = stash_take(raw_cpu_ptr(&buffer_stashes), b->order);
	if (!b->page)
		b->page = alloc_pages(gfp | __GFP_COMP | __GFP_NORETRY |
				      __GFP_NOMEMALLOC | __GFP_NOWARN, b->order);
	return b->page;
}

/**
 * obd_buffer_free() - give memory back
 * @b: the memory, or nothing; nothing afterwards
 *
 * Any context.
 */
void obd_buffer_free(struct buffer *b)
{
	struct page *page = b->page;

	if (!page)
		return;
	b->page = NULL;
	if (b->order < BUFFER_KEEP_ORDERS &&
	    stash_put(raw_cpu_ptr(&buffer_stashes), b->order, page))
		return;
	__free_pages(page, b->order);
}

/**
 * obd_buffer_free_for_good() - give memory back to the kernel
 * @b: the memory
 *
 * Any context.
 */
void obd_buffer_free_for_good(struct buffer *b)
{
	__free_pages(b->page, b->order);
	b->page = NULL;
}

static unsigned long buffer_shrink_count(struct shrinker *shrinker,
					 struct shrink_control *sc)
{
	unsigned long pages = 0;
	unsigned int order;
	int cpu;

	for_each_possible_cpu(cpu)
		for (order = 0; order < BUFFER_KEEP_ORDERS; order++)
			pages += READ_ONCE(per_cpu(buffer_stashes, cpu).counts[order]) << order;
	return pages ?: SHRINK_EMPTY;
}

static unsigned long buffer_stash_drain(struct buffer_stash *stash,
					unsigned long wanted)
{
	unsigned long pages = 0;
	unsigned int order;

	for (order = 0; order < BUFFER_KEEP_ORDERS; order++) {
		while (pages < wanted) {
			struct page *page = stash_take(stash, order);

			if (!page)
				break;
			__free_pages(page, order);
			pages += 1UL << order;
		}
	}
	return pages;
}

static unsigned long buffer_drain(unsigned long wanted)
{
	unsigned long pages = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		if (pages >= wanted)
			break;
		pages += buffer_stash_drain(per_cpu_ptr(&buffer_stashes, cpu),
					    wanted - pages);
	}
	return pages;
}

static unsigned long buffer_shrink_scan(struct shrinker *shrinker,
					struct shrink_control *sc)
{
	return buffer_drain(sc->nr_to_scan);
}

/**
 * obd_buffer_stash_init() - get ready to recycle, at module load
 *
 * Return: 0 or -ENOMEM.
 */
int obd_buffer_stash_init(void)
{
	buffer_shrinker = shrinker_alloc(0, "dm-overlaybd-buffers");
	if (!buffer_shrinker)
		return -ENOMEM;
	buffer_shrinker->count_objects = buffer_shrink_count;
	buffer_shrinker->scan_objects = buffer_shrink_scan;
	shrinker_register(buffer_shrinker);
	return 0;
}

/**
 * obd_buffer_stash_exit() - undo obd_buffer_stash_init(), when no buffer is in use any more
 */
void obd_buffer_stash_exit(void)
{
	shrinker_free(buffer_shrinker);
	buffer_drain(ULONG_MAX);
}
