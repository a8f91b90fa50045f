/* SPDX-License-Identifier: GPL-2.0 */
/* User-space shim: nobody here counts references from two threads. */

#ifndef FUZZ_SHIM_LINUX_KREF_H
#define FUZZ_SHIM_LINUX_KREF_H

#include <stddef.h>

#include <linux/types.h>

typedef u64 sector_t;

#define container_of(p, type, member) \
	((type *)((char *)(p) - offsetof(type, member)))

struct kref {
	unsigned int count;
};

static inline void kref_init(struct kref *ref)
{
	ref->count = 1;
}

static inline void kref_get(struct kref *ref)
{
	ref->count++;
}

static inline void kref_put(struct kref *ref, void (*release)(struct kref *ref))
{
	if (!--ref->count)
		release(ref);
}

#endif /* FUZZ_SHIM_LINUX_KREF_H */
