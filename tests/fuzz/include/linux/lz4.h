/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim: the kernel's decoder has the name and the arguments of liblz4's. */

#ifndef FUZZ_SHIM_LINUX_LZ4_H
#define FUZZ_SHIM_LINUX_LZ4_H

#include <lz4.h>

#endif /* FUZZ_SHIM_LINUX_LZ4_H */
