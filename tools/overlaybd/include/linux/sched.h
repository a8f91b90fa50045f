/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim: the system preempts us without being asked. */

#ifndef OBD_SHIM_LINUX_SCHED_H
#define OBD_SHIM_LINUX_SCHED_H

#include <stddef.h>

struct task_struct;

static struct task_struct *const current __attribute__((unused)) = NULL;

static inline void cond_resched(void)
{
}

#endif /* OBD_SHIM_LINUX_SCHED_H */
