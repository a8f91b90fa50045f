// SPDX-License-Identifier: GPL-2.0
/*
 * The reserve of a ZFile, see zfile-reserve.h.
 */

#include <linux/bio.h>
#include <linux/highmem.h>
#include <linux/lockdep.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "zfile.h"
#include "zfile-block.h"
#include "zfile-reserve.h"

/* The memory may begin anywhere in a page. */
static unsigned int reserve_vecs(const struct zfile_reserve *reserve)
{
	return DIV_ROUND_UP(reserve->bytes, PAGE_SIZE) + 1;
}

/**
 * zfile_reserve_alloc() - set memory aside
 * @zf: a ZFile whose header is decoded and whose device is known
 * @error: set to the reason on failure
 *
 * Sleeps. What was allocated before a failure is freed by zfile_reserve_free().
 *
 * Return: 0 or -ENOMEM.
 */
int zfile_reserve_alloc(struct zfile *zf, const char **error)
{
	struct zfile_reserve *reserve = &zf->reserve;
	unsigned int unit = zf->device_block_bytes;

	/* A block may begin and end anywhere in those of the device. */
	reserve->bytes = round_up(zf->info.max_entry_bytes + 2 * (unit - 1), unit);
	reserve->memory = kvmalloc(reserve->bytes, GFP_KERNEL);
	reserve->vecs = kmalloc_array(reserve_vecs(reserve), sizeof(*reserve->vecs),
				      GFP_KERNEL);
	reserve->scratch = kvmalloc(zfile_block_bytes(zf), GFP_KERNEL);
	if (!reserve->memory || !reserve->vecs || !reserve->scratch) {
		*error = "Cannot allocate ZFile reserve";
		return -ENOMEM;
	}
	return 0;
}

/**
 * zfile_reserve_free() - give the memory back
 * @zf: a ZFile without reads, whose reserve may be allocated, in part or not at all
 */
void zfile_reserve_free(struct zfile *zf)
{
	kvfree(zf->reserve.memory);
	kfree(zf->reserve.vecs);
	kvfree(zf->reserve.scratch);
}

/**
 * zfile_reserve_bytes() - memory that is set aside
 * @zf: an open ZFile
 *
 * Return: bytes.
 */
size_t zfile_reserve_bytes(const struct zfile *zf)
{
	const struct zfile_reserve *reserve = &zf->reserve;

	return reserve->bytes + zfile_block_bytes(zf) +
	       reserve_vecs(reserve) * sizeof(*reserve->vecs);
}

static void reserve_add_pages(struct bio *bio, void *memory, unsigned int bytes)
{
	while (bytes) {
		unsigned int offset = offset_in_page(memory);
		unsigned int step = min_t(unsigned int, bytes, PAGE_SIZE - offset);

		__bio_add_page(bio, is_vmalloc_addr(memory) ?
				    vmalloc_to_page(memory) : virt_to_page(memory),
			       step, offset);
		memory += step;
		bytes -= step;
	}
}

/**
 * zfile_reserve_fetch() - read one block into the reserve
 * @zf: the ZFile
 * @zb: which block, where it is and how long; its data is set
 *
 * Sleeps, but not for memory. The caller holds the lock of the reserve. The read has
 * not the cgroup and the priority of the one that it serves: who is throttled would
 * hold up all others that need the reserve.
 *
 * Return: 0, or what reading gave, which has been counted.
 */
int zfile_reserve_fetch(struct zfile *zf, struct zfile_block *zb)
{
	struct zfile_reserve *reserve = &zf->reserve;
	struct device_range range = zfile_device_range(zf, zb->file_offset, zb->bytes);
	struct bio bio;
	int r;

	lockdep_assert_held(&reserve->lock);
	bio_init(&bio, zf->bdev, reserve->vecs, reserve_vecs(reserve), REQ_OP_READ);
	bio.bi_iter.bi_sector = range.sector;
	reserve_add_pages(&bio, reserve->memory, range.bytes);
	r = submit_bio_wait(&bio);
	bio_uninit(&bio);
	if (is_vmalloc_addr(reserve->memory))
		invalidate_kernel_vmap_range(reserve->memory, range.bytes);
	if (r)
		atomic64_inc(&zf->read_errors);
	zb->data = reserve->memory + range.head;
	return r;
}
