/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim: allocations that fail when the fuzzer says so. */

#ifndef FUZZ_SHIM_LINUX_SLAB_H
#define FUZZ_SHIM_LINUX_SLAB_H

#include <stdlib.h>

#include <linux/err.h>
#include <linux/string.h>
#include <linux/types.h>

#include "../../faults.h"

enum gfp { GFP_KERNEL = 0, __GFP_NOWARN = 0, __GFP_RETRY_MAYFAIL = 0 };

static inline void *kmalloc(size_t bytes, enum gfp gfp)
{
	(void)gfp;
	return fault_now(&fault_allocation) ? NULL : malloc(bytes);
}

static inline void *kvmalloc(size_t bytes, enum gfp gfp)
{
	return kmalloc(bytes, gfp);
}

static inline void *kvmalloc_node(size_t bytes, enum gfp gfp, int node)
{
	(void)node;
	return kmalloc(bytes, gfp);
}

static inline void kvfree(const void *p)
{
	free((void *)p);
}

static inline void kfree(const void *p)
{
	free((void *)p);
}

#endif /* FUZZ_SHIM_LINUX_SLAB_H */
