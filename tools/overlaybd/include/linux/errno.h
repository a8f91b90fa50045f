/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim: <errno.h> of libc ends up here, so it must stay complete. */

#ifndef OBD_SHIM_LINUX_ERRNO_H
#define OBD_SHIM_LINUX_ERRNO_H

#include_next <linux/errno.h>

#endif /* OBD_SHIM_LINUX_ERRNO_H */
