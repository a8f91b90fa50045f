/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim: the kernel's names for the same functions of libzstd. */

#ifndef FUZZ_SHIM_LINUX_ZSTD_H
#define FUZZ_SHIM_LINUX_ZSTD_H

/* For contexts in memory of the caller, which is all that a kernel has. */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "../../faults.h"

typedef ZSTD_DCtx zstd_dctx;

static inline size_t zstd_dctx_workspace_bound(void)
{
	return ZSTD_estimateDCtxSize();
}

static inline zstd_dctx *zstd_init_dctx(void *workspace, size_t bytes)
{
	return fault_now(&fault_allocation) ? NULL : ZSTD_initStaticDCtx(workspace, bytes);
}

static inline size_t zstd_decompress_dctx(zstd_dctx *dctx, void *dst, size_t room,
					  const void *src, size_t src_bytes)
{
	return ZSTD_decompressDCtx(dctx, dst, room, src, src_bytes);
}

#endif /* FUZZ_SHIM_LINUX_ZSTD_H */
