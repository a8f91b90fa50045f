/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Work on a sequence of items with several threads, in and out in order.
 *
 * All threads are alike: each takes the next item, works on it, and whoever is
 * free hands the oldest finished one on. What comes out does not depend on the
 * number of threads; of several failures the one of the earliest item is kept.
 */

#ifndef OBD_PIPELINE_H
#define OBD_PIPELINE_H

#include <stddef.h>

#define PIPELINE_MAX_THREADS	64

/* What produce() returns instead of a status when nothing is left. */
#define PIPELINE_END		(-1)

/**
 * struct pipeline - what to do
 * @context: passed to the functions
 * @produce: fill an item; one thread at a time, in order
 * @work: process an item; any number of threads. @worker is from 0 to threads-1
 * @consume: hand an item on; one thread at a time, in order
 * @items: the array of items
 * @item_bytes: size of one
 * @item_count: how many may be under way; pipeline_items() is a good number
 * @threads: how many, the caller's included
 */
struct pipeline {
	void *context;
	int (*produce)(void *context, void *item);
	int (*work)(void *context, unsigned int worker, void *item);
	int (*consume)(void *context, void *item);
	void *items;
	size_t item_bytes;
	unsigned int item_count;
	unsigned int threads;
};

unsigned int pipeline_default_threads(void);
unsigned int pipeline_items(unsigned int threads);
int pipeline_run(const struct pipeline *pipeline);

#endif /* OBD_PIPELINE_H */
