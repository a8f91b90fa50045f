/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim. */

#ifndef OBD_SHIM_LINUX_OVERFLOW_H
#define OBD_SHIM_LINUX_OVERFLOW_H

#include <linux/types.h>

/* SIZE_MAX, which nobody can allocate, when it overflows. */
static inline size_t array_size(size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? ~(size_t)0 : bytes;
}

#endif /* OBD_SHIM_LINUX_OVERFLOW_H */
