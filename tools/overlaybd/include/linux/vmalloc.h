/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim. */

#ifndef OBD_SHIM_LINUX_VMALLOC_H
#define OBD_SHIM_LINUX_VMALLOC_H

#include <stdint.h>

#include <linux/slab.h>

static inline void *__vmalloc(size_t bytes, enum gfp gfp)
{
	/* The size of an array that is too large for any. */
	return bytes == SIZE_MAX ? NULL : kmalloc(bytes, gfp);
}

#endif /* OBD_SHIM_LINUX_VMALLOC_H */
