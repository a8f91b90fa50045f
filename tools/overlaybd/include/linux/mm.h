/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim: kvfree() is all anybody wants of it. */

#ifndef OBD_SHIM_LINUX_MM_H
#define OBD_SHIM_LINUX_MM_H

#include <linux/slab.h>

#define PAGE_SIZE	4096UL

#endif /* OBD_SHIM_LINUX_MM_H */
