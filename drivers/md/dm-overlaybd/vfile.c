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

/**
 * vfile_read_begin() - get ready for vfile_read() and vfile_peek()
 * @vf: the vfile
 *
 * Nests, and may be called by several threads at once. May sleep.
 *
 * Return: 0 or a negative errno.
 */
int vfile_read_begin(struct vfile *vf)
{
	return vf->ops->read_begin ? vf->ops->read_begin(vf) : 0;
}

/**
 * vfile_read_end() - undo one vfile_read_begin()
 * @vf: the vfile
 *
 * Caches that only reading needed are given up with the last one. May sleep.
 */
void vfile_read_end(struct vfile *vf)
{
	if (vf->ops->read_end)
		vf->ops->read_end(vf);
}

static bool vfile_has_range(const struct vfile *vf, size_t bytes, u64 offset)
{
	return offset <= vf->size && bytes <= vf->size - offset;
}

/**
 * vfile_read() - read bytes, waiting for I/O
 * @vf: the vfile, after vfile_read_begin()
 * @buf: where to; any kernel memory
 * @bytes: how many
 * @offset: from where, in bytes
 *
 * Sleeps; for metadata, from a thread that loads a table or a work item that
 * may wait for I/O. Never from map or a completion.
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
 * vfile_peek() - read bytes only if that needs no I/O
 * @vf: the vfile, after vfile_read_begin()
 * @buf: where to; any kernel memory
 * @bytes: how many
 * @offset: from where, in bytes
 *
 * Never sleeps; may be called from map.
 *
 * Return: 0, or -EAGAIN when vfile_read() must be used.
 */
int vfile_peek(struct vfile *vf, void *buf, size_t bytes, u64 offset)
{
	if (!vf->ops->peek || !vfile_has_range(vf, bytes, offset))
		return -EAGAIN;
	return vf->ops->peek(vf, buf, bytes, offset);
}
