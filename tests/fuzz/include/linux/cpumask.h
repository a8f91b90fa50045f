/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim: two CPUs, of one node. */

#ifndef FUZZ_SHIM_LINUX_CPUMASK_H
#define FUZZ_SHIM_LINUX_CPUMASK_H

#define SHIM_CPUS	2

#define for_each_possible_cpu(cpu) \
	for ((cpu) = 0; (cpu) < SHIM_CPUS; (cpu)++)

#define cpu_to_node(cpu)	((void)(cpu), 0)

#endif /* FUZZ_SHIM_LINUX_CPUMASK_H */
