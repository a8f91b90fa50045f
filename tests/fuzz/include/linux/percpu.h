/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim: the CPU that runs is the one the fuzzer says. */

#ifndef FUZZ_SHIM_LINUX_PERCPU_H
#define FUZZ_SHIM_LINUX_PERCPU_H

#include <linux/cpumask.h>

extern unsigned int shim_cpu;

/* An array could not have the initializer that follows. */
#define DEFINE_PER_CPU(type, name) \
	type name##_of_others[SHIM_CPUS - 1], name

#define per_cpu_ptr(ptr, cpu) \
	((cpu) ? *(ptr##_of_others) + (cpu) - 1 : (ptr))

#define this_cpu_ptr(ptr)	per_cpu_ptr(ptr, shim_cpu)

#endif /* FUZZ_SHIM_LINUX_PERCPU_H */
