/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contiguous private memory for one read, recycled per CPU.
 */

#ifndef DM_OVERLAYBD_BUFFER_H
#define DM_OVERLAYBD_BUFFER_H

#include <linux/gfp_types.h>
#include <linux/mm.h>
#include <linux/types.h>

/**
 * struct buffer - contiguous memory
 * @page: the first page; NULL: none
 * @order: log2 of the number of pages
 */
struct buffer {
	struct page *page;
	unsigned int order;
};

static inline void *obd_buffer_data(const struct buffer *b)
{
	return b->page ? page_address(b->page) : NULL;
}

bool obd_buffer_alloc(struct buffer *b, size_t bytes, gfp_t gfp);
void obd_buffer_free(struct buffer *b);
void obd_buffer_free_for_good(struct buffer *b);
int obd_buffer_stash_init(void);
void obd_buffer_stash_exit(void);

#endif /* DM_OVERLAYBD_BUFFER_H */
