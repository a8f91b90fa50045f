/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim. */

#ifndef OBD_SHIM_LINUX_LOG2_H
#define OBD_SHIM_LINUX_LOG2_H

#include <linux/types.h>

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

static inline int ilog2(u64 n)
{
	return 63 - __builtin_clzll(n);
}

#endif /* OBD_SHIM_LINUX_LOG2_H */
