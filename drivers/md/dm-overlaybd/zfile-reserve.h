/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory set aside with which a ZFile can be read when no other can be had.
 */

#ifndef DM_OVERLAYBD_ZFILE_RESERVE_H
#define DM_OVERLAYBD_ZFILE_RESERVE_H

#include <linux/mutex.h>
#include <linux/types.h>

struct bio_vec;
struct zfile;
struct zfile_block;

/**
 * struct zfile_reserve - what reading any one block of a ZFile takes
 * @lock: held while the rest is in use
 * @memory: to read a block to
 * @bytes: how large @memory is
 * @vecs: for the bio that reads to it; its pages may lie anywhere
 * @scratch: to decompress a block to
 *
 * All but the content of the memory is immutable once it is allocated.
 */
struct zfile_reserve {
	struct mutex lock;	/* see above */
	void *memory;
	size_t bytes;
	struct bio_vec *vecs;
	void *scratch;
};

int zfile_reserve_alloc(struct zfile *zf, const char **error);
void zfile_reserve_free(struct zfile *zf);
size_t zfile_reserve_bytes(const struct zfile *zf);
int zfile_reserve_fetch(struct zfile *zf, struct zfile_block *zb);

#endif /* DM_OVERLAYBD_ZFILE_RESERVE_H */
