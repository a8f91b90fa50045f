/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim. */

#ifndef FUZZ_SHIM_LINUX_LOCAL_LOCK_H
#define FUZZ_SHIM_LINUX_LOCAL_LOCK_H

#include <linux/mutex.h>

typedef struct mutex local_lock_t;

#define INIT_LOCAL_LOCK(name)	{ .held = false }

#define local_lock(lock)	mutex_lock(lock)
#define local_unlock(lock)	mutex_unlock(lock)

#endif /* FUZZ_SHIM_LINUX_LOCAL_LOCK_H */
