/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim. */

#ifndef OBD_SHIM_LINUX_STRING_H
#define OBD_SHIM_LINUX_STRING_H

#include <string.h>

#endif /* OBD_SHIM_LINUX_STRING_H */
