/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim. */

#ifndef FUZZ_SHIM_LINUX_ERR_H
#define FUZZ_SHIM_LINUX_ERR_H

#include <stdbool.h>

#define MAX_ERRNO	4095

static inline void *ERR_PTR(long error)
{
	return (void *)error;
}

static inline long PTR_ERR(const void *p)
{
	return (long)p;
}

static inline bool IS_ERR(const void *p)
{
	return (unsigned long)p >= -(unsigned long)MAX_ERRNO;
}

#endif /* FUZZ_SHIM_LINUX_ERR_H */
