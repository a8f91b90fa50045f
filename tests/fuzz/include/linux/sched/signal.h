/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim: a fatal signal comes when the fuzzer says so. */

#ifndef FUZZ_SHIM_LINUX_SCHED_SIGNAL_H
#define FUZZ_SHIM_LINUX_SCHED_SIGNAL_H

#include <linux/sched.h>
#include <linux/types.h>

#include "../../../faults.h"

static inline bool fatal_signal_pending(const struct task_struct *task)
{
	(void)task;
	return fault_now(&fault_signal);
}

#endif /* FUZZ_SHIM_LINUX_SCHED_SIGNAL_H */
