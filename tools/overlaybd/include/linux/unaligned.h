/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim. */

#ifndef OBD_SHIM_LINUX_UNALIGNED_H
#define OBD_SHIM_LINUX_UNALIGNED_H

#include <string.h>

#include <linux/byteorder/generic.h>
#include <linux/types.h>

static inline u32 get_unaligned_le32(const void *p)
{
	__le32 v;

	memcpy(&v, p, sizeof(v));
	return le32_to_cpu(v);
}

static inline u64 get_unaligned_le64(const void *p)
{
	__le64 v;

	memcpy(&v, p, sizeof(v));
	return le64_to_cpu(v);
}

static inline void put_unaligned_le32(u32 value, void *p)
{
	__le32 v = cpu_to_le32(value);

	memcpy(p, &v, sizeof(v));
}

static inline void put_unaligned_le64(u64 value, void *p)
{
	__le64 v = cpu_to_le64(value);

	memcpy(p, &v, sizeof(v));
}

#endif /* OBD_SHIM_LINUX_UNALIGNED_H */
