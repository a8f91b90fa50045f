/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim. */

#ifndef OBD_SHIM_LINUX_STDDEF_H
#define OBD_SHIM_LINUX_STDDEF_H

#include_next <linux/stddef.h>

#include <stddef.h>

#define offsetofend(type, member) \
	(offsetof(type, member) + sizeof(((type *)0)->member))

#endif /* OBD_SHIM_LINUX_STDDEF_H */
