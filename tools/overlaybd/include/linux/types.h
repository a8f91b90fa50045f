/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim: the kernel's short names for integer types. */

#ifndef OBD_SHIM_LINUX_TYPES_H
#define OBD_SHIM_LINUX_TYPES_H

#include_next <linux/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <linux/stddef.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

#endif /* OBD_SHIM_LINUX_TYPES_H */
