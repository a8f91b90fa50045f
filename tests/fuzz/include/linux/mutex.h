/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim: with one thread, a lock that is held stays so. */

#ifndef FUZZ_SHIM_LINUX_MUTEX_H
#define FUZZ_SHIM_LINUX_MUTEX_H

#include <assert.h>
#include <stdbool.h>

struct mutex {
	bool held;
};

#define DEFINE_MUTEX(name)	struct mutex name

static inline void mutex_lock(struct mutex *mutex)
{
	assert(!mutex->held);
	mutex->held = true;
}

static inline void mutex_unlock(struct mutex *mutex)
{
	assert(mutex->held);
	mutex->held = false;
}

#endif /* FUZZ_SHIM_LINUX_MUTEX_H */
