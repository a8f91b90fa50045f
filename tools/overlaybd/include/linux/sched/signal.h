/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim: a fatal signal ends the process by itself. */

#ifndef OBD_SHIM_LINUX_SCHED_SIGNAL_H
#define OBD_SHIM_LINUX_SCHED_SIGNAL_H

#include <linux/sched.h>
#include <linux/types.h>

static inline bool fatal_signal_pending(const struct task_struct *task)
{
	(void)task;
	return false;
}

#endif /* OBD_SHIM_LINUX_SCHED_SIGNAL_H */
