/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim. */

#ifndef OBD_SHIM_LINUX_SLAB_H
#define OBD_SHIM_LINUX_SLAB_H

#include <stdlib.h>

#include <linux/types.h>

enum gfp { GFP_KERNEL = 0, __GFP_NOWARN = 0, __GFP_RETRY_MAYFAIL = 0 };

static inline void *kmalloc(size_t bytes, enum gfp gfp)
{
	(void)gfp;
	return malloc(bytes);
}

static inline void kvfree(const void *p)
{
	free((void *)p);
}

#endif /* OBD_SHIM_LINUX_SLAB_H */
