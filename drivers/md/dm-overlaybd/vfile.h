/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vfile is a sequence of bytes that bios can be mapped to: a range of a block
 * device, a ZFile on such a range, or a stack of LSMT layers. It never stands
 * for a file of a file system, and it is read-only.
 */

#ifndef DM_OVERLAYBD_VFILE_H
#define DM_OVERLAYBD_VFILE_H

#include <linux/kref.h>
#include <linux/types.h>

struct bio;
struct vfile;

/**
 * struct vfile_ops - what each kind of vfile does in its own way
 * @read: see vfile_read(). NULL: it is only ever mapped
 * @cache_begin: see vfile_cache_begin(). NULL: it has no cache
 * @cache_end: see vfile_cache_end(). NULL: it has no cache
 * @cache_read: see vfile_cache_read(). NULL: it has no cache
 * @cache_forget: see vfile_cache_forget(). NULL: it has no cache
 * @map: see vfile_map()
 * @release: free it; called once, from a thread that may sleep
 */
struct vfile_ops {
	int (*read)(struct vfile *vf, void *buf, size_t bytes, u64 offset);
	int (*cache_begin)(struct vfile *vf);
	void (*cache_end)(struct vfile *vf);
	int (*cache_read)(struct vfile *vf, void *buf, size_t bytes, u64 offset,
			  bool may_wait);
	void (*cache_forget)(struct vfile *vf, size_t bytes, u64 offset);
	int (*map)(struct vfile *vf, struct bio *bio, sector_t sector, void *io);
	void (*release)(struct vfile *vf);
};

/**
 * struct vfile - the common part of all kinds
 * @ops: what kind it is
 * @size: length in bytes, any number
 * @io_bytes: per-bio data that @ops->map needs
 * @ref: references; the last one releases it
 */
struct vfile {
	const struct vfile_ops *ops;
	u64 size;
	unsigned int io_bytes;
	struct kref ref;
};

void vfile_init(struct vfile *vf, const struct vfile_ops *ops, u64 size,
		unsigned int io_bytes);
struct vfile *vfile_get(struct vfile *vf);
void vfile_put(struct vfile *vf);
int vfile_read(struct vfile *vf, void *buf, size_t bytes, u64 offset);
int vfile_cache_begin(struct vfile *vf);
void vfile_cache_end(struct vfile *vf);
int vfile_cache_read(struct vfile *vf, void *buf, size_t bytes, u64 offset,
		     bool may_wait);
void vfile_cache_forget(struct vfile *vf, size_t bytes, u64 offset);

/**
 * vfile_map() - serve a bio, in device-mapper's way
 * @vf: what to read from
 * @bio: a read, and always the very clone that dm handed to the target: it may
 *	be shortened with dm_accept_partial_bio()
 * @sector: where in @vf it begins; the whole bio lies within @vf, whose size
 *	counts as rounded up to sectors
 * @io: @vf->io_bytes of the target's per-bio data, used by at most one vfile
 *
 * Called from a target's map function, never sleeps for memory or I/O.
 *
 * Return: DM_MAPIO_REMAPPED when the bio was redirected, DM_MAPIO_SUBMITTED when
 * it was taken over and will be ended, DM_MAPIO_KILL when it must fail.
 */
static inline int vfile_map(struct vfile *vf, struct bio *bio, sector_t sector,
			    void *io)
{
	return vf->ops->map(vf, bio, sector, io);
}

#endif /* DM_OVERLAYBD_VFILE_H */
