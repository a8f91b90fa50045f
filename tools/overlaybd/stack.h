/* SPDX-License-Identifier: GPL-2.0 */
/* The merged view of some layers: what is where, and reading it. */

#ifndef OBD_STACK_H
#define OBD_STACK_H

#include "image.h"

/**
 * struct stack - layers laid over each other; immutable, for all threads
 * @layers: the lowest
 * @count: how many
 * @merged: segments in order; hole and zeroed kept apart. A segment's layer
 *	counts from 0 for the lowest of the stack
 * @index: the same for lookup
 * @statistics: one per layer
 * @end: sector behind the last segment of the merged view
 */
struct stack {
	const struct layer *layers;
	unsigned int count;
	struct segment_list merged;
	struct segment_index index;
	struct segment_statistics *statistics;
	u64 end;
};

int stack_init(struct stack *stack, const struct layer *layers, unsigned int count,
	       u64 sectors);
void stack_destroy(struct stack *stack);
int stack_read(const struct stack *stack, struct zfile_reader *reader, void *buffer,
	       u64 sector, u64 sectors);

#endif /* OBD_STACK_H */
