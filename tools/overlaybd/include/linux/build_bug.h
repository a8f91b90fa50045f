/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim. */

#ifndef OBD_SHIM_LINUX_BUILD_BUG_H
#define OBD_SHIM_LINUX_BUILD_BUG_H

#include <assert.h>

/* The kernel's takes the message as an option, C11's does not. */
#undef static_assert
#define static_assert(expr, ...) OBD_STATIC_ASSERT(expr, ##__VA_ARGS__, #expr)
#define OBD_STATIC_ASSERT(expr, text, ...) _Static_assert(expr, text)

#define BUILD_BUG_ON(condition) _Static_assert(!(condition), #condition)

#endif /* OBD_SHIM_LINUX_BUILD_BUG_H */
