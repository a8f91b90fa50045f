// SPDX-License-Identifier: GPL-2.0
/*
 * What all kinds of vfile have in common, see vfile.h.
 */

#include <linux/errno.h>

#include "vfile.h"

/**
 * vfile_init() - set up the common part, with one reference
 * @vf: the vfile
 * @ops: its kind
 * @size: its length in bytes
 * @io_bytes: per-bio data its map needs
 */
void vfile_init(struct vfile *vf, const struct vfile_ops *ops, u64 size,
		unsigned int io_bytes)
{
	vf->ops = ops;
	vf->size = size;
	vf->io_bytes = io_bytes;
	kref_init(&vf->ref);
}

/**
 * vfile_get() - take a reference
 * @vf: a vfile that somebody holds
 *
 * Return: @vf.
 */
struct vfile *vfile_get(struct vfile *vf)
{
	kref_get(&vf->ref);
	return vf;
}

static void vfile_release(struct kref *ref)
{
	struct vfile *vf = container_of(ref, struct vfile, ref);

	vf->ops->release(vf);
}

/**
 * vfile_put() - drop a reference
 * @vf: the vfile, or NULL
 *
 * May sleep. With the last reference no bio may be in flight.
 */
void vfile_put(struct vfile *vf)
{
	if (vf)
		kref_put(&vf->ref, vfile_release);
}

static bool vfile_has_range(const struct vfile *vf, size_t bytes, u64 offset)
{
	return offset <= vf->size && bytes <= vf->size - offset;
}

/**
 * vfile_read() - read bytes, waiting for I/O
 * @vf: the vfile
 * @buf: where to; any kernel memory
 * @bytes: how many
 * @offset: from where, in bytes
 *
 * For metadata, from a thread that loads a table. Sleeps and allocates. What it
 * returns was read from the device just now and is cached nowhere.
 *
 * Return: 0, -ERANGE when not all of it lies within the vfile, or a negative
 * errno.
 */
int vfile_read(struct vfile *vf, void *buf, size_t bytes, u64 offset)
{
	if (!vf->ops->read || !vfile_has_range(vf, bytes, offset))
		return -ERANGE;
	return vf->ops->read(vf, buf, bytes, offset);
}

/**
 * vfile_cache_begin() - set up a reclaimable cache for vfile_cache_read()
 * @vf: the vfile
 *
 * For the one owner of the vfile, once. Sleeps.
 *
 * Return: 0 or a negative errno; -EOPNOTSUPP when this kind has no cache.
 */
int vfile_cache_begin(struct vfile *vf)
{
	return vf->ops->cache_begin ? vf->ops->cache_begin(vf) : -EOPNOTSUPP;
}

/**
 * vfile_cache_end() - give up what vfile_cache_begin() set up
 * @vf: the vfile
 *
 * Sleeps. Nobody reads from the cache any more.
 */
void vfile_cache_end(struct vfile *vf)
{
	vf->ops->cache_end(vf);
}

/**
 * vfile_cache_read() - read bytes through the cache
 * @vf: the vfile, between vfile_cache_begin() and vfile_cache_end()
 * @buf: where to; any kernel memory
 * @bytes: how many
 * @offset: from where, in bytes
 * @may_wait: read what is not in the cache from the device; sleeps, and must not
 *	be used in map or in a completion. Without it nothing sleeps
 *
 * Return: 0, -EAGAIN when it is not all in the cache, -ERANGE when it does not
 * lie within the vfile, or a negative errno.
 */
int vfile_cache_read(struct vfile *vf, void *buf, size_t bytes, u64 offset,
		     bool may_wait)
{
	if (!vfile_has_range(vf, bytes, offset))
		return -ERANGE;
	return vf->ops->cache_read(vf, buf, bytes, offset, may_wait);
}

/**
 * vfile_cache_forget() - have bytes read from the device the next time
 * @vf: the vfile, between vfile_cache_begin() and vfile_cache_end()
 * @bytes: how many
 * @offset: from where, in bytes; all of it lies within the vfile
 *
 * For what was read and is not, or may not be, as it should be. Sleeps.
 */
void vfile_cache_forget(struct vfile *vf, size_t bytes, u64 offset)
{
	vf->ops->cache_forget(vf, bytes, offset);
}
