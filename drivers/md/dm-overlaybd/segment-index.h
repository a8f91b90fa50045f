/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The segment map of a stack of layers: merging and lookup.
 *
 * First every layer's segments are gathered in a segment_list and the lists are
 * merged; there, a hole (no segment) and a zeroed segment (it hides the layers
 * below) are different things. Then the merged list is packed into a
 * segment_index, where both read as zeros and are the same thing.
 *
 * Pure like format.c, and like it compiled into the overlaybd command too: no
 * block layer, no locking. An index is immutable once built, so any number of
 * threads may look up at once, from any context. Everything else allocates,
 * sleeps, and belongs to the one thread that loads the table.
 */

#ifndef DM_OVERLAYBD_SEGMENT_INDEX_H
#define DM_OVERLAYBD_SEGMENT_INDEX_H

#include <linux/bits.h>
#include <linux/types.h>

/*
 * The most segments of all layers together, and of the merged list. Layers of n
 * segments have less than 2n when they are merged, so that while they are, memory for
 * about 4n of 16 bytes is in use at most.
 */
#define SEGMENTS_MAX		(16U << 20)

/* No device is larger, as no segment can begin behind this many sectors. */
#define SEGMENT_DEVICE_SECTORS	BIT_ULL(50)

#define SEGMENT_LENGTH_BITS	14
#define SEGMENT_LENGTH_MASK	((1ULL << SEGMENT_LENGTH_BITS) - 1)

#define SEGMENT_MOFFSET_BITS	55
#define SEGMENT_MOFFSET_MASK	((1ULL << SEGMENT_MOFFSET_BITS) - 1)
#define SEGMENT_ZEROED		BIT_ULL(SEGMENT_MOFFSET_BITS)
#define SEGMENT_LAYER_SHIFT	56

/**
 * struct segment - a range of the virtual device and where its data is
 * @span: first sector (50 bits), then length in sectors (14 bits)
 * @value: sector in the layer (55 bits), zeroed (1 bit), layer (8 bits, 0 is
 *	the lowest)
 */
struct segment {
	u64 span;
	u64 value;
};

static inline u64 segment_start(const struct segment *s)
{
	return s->span >> SEGMENT_LENGTH_BITS;
}

static inline u64 segment_end(const struct segment *s)
{
	return segment_start(s) + (s->span & SEGMENT_LENGTH_MASK);
}

static inline bool segment_is_zeroed(const struct segment *s)
{
	return s->value & SEGMENT_ZEROED;
}

/**
 * struct segment_list - segments in ascending order, none overlapping another
 * @segments: the segments; owned by the list
 * @count: how many there are
 * @capacity: how many there is memory for
 */
struct segment_list {
	struct segment *segments;
	size_t count;
	size_t capacity;
};

int segment_list_init(struct segment_list *list, size_t capacity);
void segment_list_destroy(struct segment_list *list);
void segment_list_add(struct segment_list *list, u64 start, u32 length,
		      u64 moffset, bool zeroed, u8 layer);
int segment_lists_merge(struct segment_list *lists, unsigned int count,
			const char **error);

/**
 * struct segment_index - the packed map of a whole device
 * @sectors: size of the device
 * @count: number of extents; together they cover the device
 * @starts32: first sector of every extent and, at the end, @sectors; NULL when
 *	the device is too large for 32 bits
 * @starts64: the same when it is
 * @values: per extent, as in struct segment; SEGMENT_ZEROED alone where it
 *	reads as zeros
 */
struct segment_index {
	u64 sectors;
	size_t count;
	u32 *starts32;
	u64 *starts64;
	u64 *values;
};

/**
 * struct segment_extent - what a lookup found
 * @sectors: how many sectors from the one looked up on are alike
 * @moffset: where in the layer's file the sector looked up is, in sectors
 * @layer: which layer, 0 is the lowest
 * @zeroed: reads as zeros; @moffset and @layer mean nothing
 */
struct segment_extent {
	u64 sectors;
	u64 moffset;
	u8 layer;
	bool zeroed;
};

int segment_index_init(struct segment_index *index,
		       const struct segment_list *list, u64 sectors,
		       const char **error);
void segment_index_destroy(struct segment_index *index);
size_t segment_index_bytes(const struct segment_index *index);
void segment_index_lookup(const struct segment_index *index, u64 sector,
			  struct segment_extent *extent);

#endif /* DM_OVERLAYBD_SEGMENT_INDEX_H */
