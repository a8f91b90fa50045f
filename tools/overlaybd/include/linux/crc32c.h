/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim, implemented in crc32c.c of the overlaybd command. */

#ifndef OBD_SHIM_LINUX_CRC32C_H
#define OBD_SHIM_LINUX_CRC32C_H

#include <linux/types.h>

u32 crc32c(u32 crc, const void *data, size_t length);

#endif /* OBD_SHIM_LINUX_CRC32C_H */
