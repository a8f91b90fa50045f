/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory for tables whose size an image says.
 */

#ifndef DM_OVERLAYBD_EXACT_ALLOC_H
#define DM_OVERLAYBD_EXACT_ALLOC_H

#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

/*
 * Allocate an array, rounded up to pages at most. kvmalloc_array() would round it
 * up to a power of two whenever memory is plentiful, and waste up to half. Its size
 * is an image's wish: it fails rather than have somebody killed for all these pages.
 * May sleep; to be freed with kvfree().
 */
static inline void *exact_alloc_array(size_t n, size_t size)
{
	size_t bytes = array_size(n, size);

	if (bytes <= PAGE_SIZE)
		return kmalloc(bytes, GFP_KERNEL);
	return __vmalloc(bytes, GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
}

#endif /* DM_OVERLAYBD_EXACT_ALLOC_H */
