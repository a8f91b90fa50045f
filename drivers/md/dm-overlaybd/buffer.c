// SPDX-License-Identifier: GPL-2.0
/*
 * Contiguous private memory for one read, recycled per CPU.
 *
 * A read needs its memory for some microseconds, and many kernels clear every
 * page they hand out, which costs more than all else that is done for a small
 * read but the decompression. So each CPU keeps one buffer of each size for the
 * next read. A shrinker takes them back when memory is short.
 */

#include <linux/atomic.h>
#include <linux/percpu.h>
#include <linux/shrinker.h>

#include "buffer.h"

/* Buffers up to this order are kept: 64 KiB with 4 KiB pages. */
#define BUFFER_KEEP_ORDERS	5

/*
 * The kept buffers. A slot is taken and filled with atomic exchanges, as the
 * shrinker comes from another CPU, a completion from an interrupt, and a task may
 * move to another CPU any time.
 */
struct buffer_stash {
	struct page *slots[BUFFER_KEEP_ORDERS];
};

static DEFINE_PER_CPU(struct buffer_stash, buffer_stashes);

static struct shrinker *buffer_shrinker;

/**
 * buffer_alloc() - get memory
 * @b: set to the memory; to nothing on failure
 * @bytes: how much is needed
 * @gfp: GFP_NOWAIT or GFP_NOIO; it is not tried hard either way
 *
 * Sleeps if @gfp allows it. Return: false when there is no memory.
 */
bool buffer_alloc(struct buffer *b, size_t bytes, gfp_t gfp)
{
	b->order = get_order(bytes);
	b->page = NULL;
	if (b->order < BUFFER_KEEP_ORDERS)
		b->page = xchg(&raw_cpu_ptr(&buffer_stashes)->slots[b->order], NULL);
	if (!b->page)
		b->page = alloc_pages(gfp | __GFP_COMP | __GFP_NORETRY |
				      __GFP_NOMEMALLOC | __GFP_NOWARN, b->order);
	return b->page;
}

/**
 * buffer_free() - give memory back
 * @b: the memory, or nothing; nothing afterwards
 *
 * Any context.
 */
void buffer_free(struct buffer *b)
{
	struct page *page = b->page;

	if (!page)
		return;
	b->page = NULL;
	if (b->order < BUFFER_KEEP_ORDERS &&
	    !cmpxchg(&raw_cpu_ptr(&buffer_stashes)->slots[b->order], NULL, page))
		return;
	__free_pages(page, b->order);
}

static unsigned long buffer_shrink_count(struct shrinker *shrinker,
					 struct shrink_control *sc)
{
	unsigned long pages = 0;
	unsigned int order;
	int cpu;

	for_each_possible_cpu(cpu)
		for (order = 0; order < BUFFER_KEEP_ORDERS; order++)
			if (READ_ONCE(per_cpu(buffer_stashes, cpu).slots[order]))
				pages += 1UL << order;
	return pages ?: SHRINK_EMPTY;
}

static unsigned long buffer_stash_drain(unsigned long wanted)
{
	unsigned long pages = 0;
	unsigned int order;
	int cpu;

	for_each_possible_cpu(cpu) {
		for (order = 0; order < BUFFER_KEEP_ORDERS && pages < wanted; order++) {
			struct page *page;

			page = xchg(&per_cpu(buffer_stashes, cpu).slots[order], NULL);
			if (!page)
				continue;
			__free_pages(page, order);
			pages += 1UL << order;
		}
	}
	return pages;
}

static unsigned long buffer_shrink_scan(struct shrinker *shrinker,
					struct shrink_control *sc)
{
	return buffer_stash_drain(sc->nr_to_scan);
}

/**
 * buffer_init() - get ready to recycle, at module load
 *
 * Return: 0 or -ENOMEM.
 */
int buffer_init(void)
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
 * buffer_exit() - undo buffer_init(), when no buffer is in use any more
 */
void buffer_exit(void)
{
	shrinker_free(buffer_shrinker);
	buffer_stash_drain(ULONG_MAX);
}
