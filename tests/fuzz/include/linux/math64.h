/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim. */

#ifndef FUZZ_SHIM_LINUX_MATH64_H
#define FUZZ_SHIM_LINUX_MATH64_H

#define DIV_ROUND_UP_ULL(n, d)	(((unsigned long long)(n) + (d) - 1) / (d))

#endif /* FUZZ_SHIM_LINUX_MATH64_H */
