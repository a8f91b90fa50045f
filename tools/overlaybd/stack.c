// SPDX-License-Identifier: GPL-2.0
/* The merged view of some layers, see stack.h. */

#include <stdlib.h>
#include <string.h>

#include <linux/errno.h>
#include <linux/minmax.h>

#include "message.h"
#include "stack.h"
#include "units.h"

static int load_lists(struct stack *stack, struct segment_list *lists)
{
	struct zfile_reader *reader = zfile_reader_new();
	unsigned int i;
	int r = reader ? 0 : fail_memory();

	for (i = 0; !r && i < stack->count; i++)
		r = layer_segments(&stack->layers[i], reader, i, &lists[i],
				   &stack->statistics[i]);
	zfile_reader_free(reader);
	return r;
}

static int merge(struct stack *stack, struct segment_list *lists)
{
	const char *why;

	if (!segment_lists_merge(lists, stack->count, &why))
		return 0;
	return fail(STATUS_REFUSED, "%s: %s", stack->layers[stack->count - 1].path, why);
}

static int pack(struct stack *stack, u64 sectors)
{
	const char *why;

	if (stack->merged.count)
		stack->end = segment_end(&stack->merged.segments[stack->merged.count - 1]);
	if (!sectors)
		sectors = stack->end;
	if (!sectors || !segment_index_init(&stack->index, &stack->merged, sectors, &why))
		return 0;
	return fail(STATUS_USAGE, "%s", why);
}

/**
 * stack_init() - read the indexes of layers and merge them
 * @stack: made here; stack_destroy() it whatever the outcome
 * @layers: the lowest; must stay open. All are LSMT
 * @count: how many
 * @sectors: size of the device, 0: up to the end of the last segment
 *
 * Return: 0 or a status.
 */
int stack_init(struct stack *stack, const struct layer *layers, unsigned int count,
	       u64 sectors)
{
	struct segment_list *lists = calloc(count, sizeof(*lists));
	unsigned int i;
	int r;

	*stack = (struct stack) { .layers = layers, .count = count };
	stack->statistics = calloc(count, sizeof(*stack->statistics));
	r = lists && stack->statistics ? load_lists(stack, lists) : fail_memory();
	if (!r)
		r = merge(stack, lists);
	if (!r) {
		stack->merged = lists[0];
		lists[0] = (struct segment_list) { .count = 0 };
		r = pack(stack, sectors);
	}
	for (i = 0; lists && i < count; i++)
		segment_list_destroy(&lists[i]);
	free(lists);
	return r;
}

void stack_destroy(struct stack *stack)
{
	segment_list_destroy(&stack->merged);
	segment_index_destroy(&stack->index);
	free(stack->statistics);
	stack->statistics = NULL;
}

/**
 * stack_read() - read sectors of the merged view
 * @stack: the stack
 * @reader: the calling thread's
 * @buffer: where to
 * @sector: from where on
 * @sectors: how many; the range lies within the device
 *
 * Return: 0 or a status.
 */
int stack_read(const struct stack *stack, struct zfile_reader *reader, void *buffer,
	       u64 sector, u64 sectors)
{
	u8 *to = buffer;

	while (sectors) {
		struct segment_extent extent;
		size_t bytes;
		u64 part;
		int r = 0;

		segment_index_lookup(&stack->index, sector, &extent);
		part = min(sectors, extent.sectors);
		bytes = part << SECTOR_SHIFT;
		if (extent.zeroed)
			memset(to, 0, bytes);
		else
			r = layer_read(&stack->layers[extent.layer], reader, to, bytes,
				       extent.moffset << SECTOR_SHIFT);
		if (r)
			return r;
		to += bytes;
		sector += part;
		sectors -= part;
	}
	return 0;
}
