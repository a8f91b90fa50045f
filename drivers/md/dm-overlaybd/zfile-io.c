// SPDX-License-Identifier: GPL-2.0
/*
 * The read path of compressed blocks: fetch, verify, decompress, complete.
 *
 * A bio covers a run of blocks that lie back to back on the device. map fetches
 * all of them with one bio of its own into private memory, and when that ends
 * every block is verified and decompressed, straight into the reader's pages
 * where a whole block lands in contiguous memory.
 *
 * Nothing here may wait in map. A read that has to, for memory or for a part of
 * the jump table, goes to the wait queue of its ZFile. When even there no memory
 * can be had it is served block by block from the reserve of its ZFile. So reads
 * complete as long as the device below does, however little memory is left and
 * however deep devices are stacked; only that of a corrupt block may have to wait for
 * memory, for its audit record.
 */

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/cacheflush.h>
#include <linux/cpumask.h>
#include <linux/device-mapper.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

#include "dm-audit.h"
#include "block-cache.h"
#include "buffer.h"
#include "read-status.h"
#include "zfile.h"
#include "zfile-block.h"
#include "zfile-io.h"
#include "zfile-reserve.h"

#define DM_MSG_PREFIX "zfile"

/*
 * A bio is cut where a multiple of this many bytes of content ends. Larger, and
 * one CPU decompresses what several could; smaller, and there are more bios.
 */
#define ZFILE_IO_MAX_BYTES	(64 << 10)

/* ... or after this many blocks, whose sizes must fit the per-bio data. */
#define ZFILE_IO_MAX_BLOCKS	32

/*
 * A completion that runs in a task decompresses up to this much at once. Handing
 * it to the queue costs as much as decompressing 2 KiB; beyond this size the
 * other CPUs, if there are any, may as well help.
 */
#define ZFILE_IO_INLINE_BYTES	(16 << 10)

/* What our bio inherits from the one it serves. */
#define ZFILE_IO_OPF	(REQ_SYNC | REQ_META | REQ_PRIO | REQ_RAHEAD | REQ_IDLE | \
			 REQ_BACKGROUND | REQ_NOWAIT)

/*
 * Decompresses what the completing context should not. A work item on it never
 * waits for I/O or memory, so all ZFiles can share it.
 */
static struct workqueue_struct *decompress_queue;

/*
 * Ends reads of corrupt blocks. Their audit records may have to wait for memory or for
 * auditd, for which no other read shall.
 */
static struct workqueue_struct *corrupt_queue;

/**
 * struct zfile_io - a bio being served; in the per-bio data of the target
 * @zf: the ZFile
 * @bio: dm's clone, ours until it is ended
 * @data: the bio that fetches the compressed blocks
 * @data_vec: its only segment
 * @work: to go on elsewhere, on one of the queues
 * @compressed: where @data reads to
 * @scratch: takes a block that does not land in contiguous memory; may be none
 * @partial: takes the first block when only a part of it is wanted, and is cached
 *	then; NULL when all of it is wanted. Of the other blocks all is wanted
 * @offset: where in the content @bio begins, in bytes
 * @first_block: the block that contains @offset; in the end the one that is corrupt
 * @file_offset: where in the file @first_block begins, in bytes
 * @blocks: how many blocks @bio touches
 * @generation: that of the cached blocks of @zf before these were fetched
 * @head: where in @compressed @first_block begins: @data starts at a sector
 * @sizes: on-disk size of each block
 */
struct zfile_io {
	struct zfile *zf;
	struct bio *bio;
	struct bio data;
	struct bio_vec data_vec;
	struct work_struct work;
	struct buffer compressed;
	struct buffer scratch;
	struct cached_block *partial;
	u64 offset;
	u64 first_block;
	u64 file_offset;
	unsigned int blocks;
	int generation;
	unsigned int head;
	u32 sizes[ZFILE_IO_MAX_BLOCKS];
};

/* What of a block a bio wants, at a given place in the bio. */
struct wanted_part {
	u32 from;	/* bytes into the block */
	u32 bytes;
	bool whole;	/* all there is */
};

static struct wanted_part wanted_part(const struct zfile_io *io, u64 block,
				      const struct bvec_iter *iter)
{
	u64 done = io->bio->bi_iter.bi_size - iter->bi_size;
	u32 there = zfile_content_bytes(io->zf, block);
	struct wanted_part part;

	part.from = io->offset + done - (block << io->zf->info.block_shift);
	part.bytes = min(there - part.from, iter->bi_size);
	part.whole = part.bytes == there;
	return part;
}

/* The memory at this place of a bio if that much of it is contiguous, or NULL. */
static void *contiguous_memory(struct bio *bio, const struct bvec_iter *iter,
			       u32 bytes)
{
	struct bio_vec bv = mp_bvec_iter_bvec(bio->bi_io_vec, *iter);

	/* It may begin below high memory and end in it. */
	if (bv.bv_len < bytes || PageHighMem(bv.bv_page) ||
	    PageHighMem(nth_page(bv.bv_page, (bv.bv_offset + bytes - 1) >> PAGE_SHIFT)))
		return NULL;
	return bvec_virt(&bv);
}

/* Step over memory that was written to directly. */
static void advance_written(struct bio *bio, struct bvec_iter *iter, u32 bytes)
{
	while (bytes) {
		struct bio_vec bv = bio_iter_iovec(bio, *iter);
		u32 step = min(bv.bv_len, bytes);

		flush_dcache_page(bv.bv_page);
		bio_advance_iter_single(bio, iter, step);
		bytes -= step;
	}
}

static void copy_to_bio(struct bio *bio, struct bvec_iter *iter,
			const u8 *from, u32 bytes)
{
	while (bytes) {
		struct bio_vec bv = bio_iter_iovec(bio, *iter);

		bv.bv_len = min(bv.bv_len, bytes);
		memcpy_to_bvec(&bv, from);
		bio_advance_iter_single(bio, iter, bv.bv_len);
		from += bv.bv_len;
		bytes -= bv.bv_len;
	}
}

/*
 * Decode one block to where the bio wants it and step behind that. Only if @direct, and
 * if all of it is wanted, straight to there, which may be the reader's own pages.
 */
static int decode_to_bio(struct zfile_io *io, struct bvec_iter *iter,
			 const struct zfile_block *zb, void *scratch, bool direct)
{
	struct wanted_part part = wanted_part(io, zb->block, iter);
	void *dst = NULL;
	int r;

	if (direct && part.whole)
		dst = contiguous_memory(io->bio, iter, part.bytes);
	r = zfile_decode_block(io->zf, zb, dst ?: scratch, !dst);
	if (r)
		return r;
	if (dst)
		advance_written(io->bio, iter, part.bytes);
	else
		copy_to_bio(io->bio, iter, scratch + part.from, part.bytes);
	return 0;
}

/* The content need not fill its last sector. */
static void zero_behind_content(struct zfile_io *io, struct bvec_iter *iter)
{
	if (iter->bi_size)
		zero_fill_bio_iter(io->bio, *iter);
}

/* Does a block that is wanted as a whole not land in contiguous memory? */
static bool needs_scratch(const struct zfile_io *io)
{
	struct bvec_iter iter = io->bio->bi_iter;
	unsigned int i;

	for (i = 0; i < io->blocks; i++) {
		struct wanted_part part = wanted_part(io, io->first_block + i, &iter);

		if (part.whole && !contiguous_memory(io->bio, &iter, part.bytes))
			return true;
		bio_advance_iter(io->bio, &iter, part.bytes);
	}
	return false;
}

static void zfile_io_free(struct zfile_io *io)
{
	obd_buffer_free(&io->compressed);
	obd_buffer_free(&io->scratch);
	obd_cached_block_put(io->partial);
	io->partial = NULL;
}

static void zfile_io_end(struct zfile_io *io, blk_status_t status)
{
	struct bio *bio = io->bio;

	zfile_io_free(io);
	bio_uninit(&io->data);
	bio->bi_status = status;
	/* Ends the life of @io too. */
	bio_endio(bio);
}

/* Where on dm's device that is which @io wants of a block and what follows it. */
static sector_t block_sector(const struct zfile_io *io, u64 block)
{
	u64 start = max(block << io->zf->info.block_shift, io->offset);

	return io->bio->bi_iter.bi_sector + ((start - io->offset) >> SECTOR_SHIFT);
}

/* As it is below; but nobody shall try again what did wait. */
static void zfile_io_fail(struct zfile_io *io, int r)
{
	zfile_io_end(io, r == -EAGAIN ? BLK_STS_IOERR : errno_to_blk_status(r));
}

static void zfile_io_corrupt_work(struct work_struct *work)
{
	struct zfile_io *io = container_of(work, struct zfile_io, work);
	unsigned int noio = memalloc_noio_save();

	dm_audit_log_bio(DM_MSG_PREFIX, "verify-block", io->bio,
			 block_sector(io, io->first_block), 0);
	memalloc_noio_restore(noio);
	zfile_io_end(io, BLK_STS_IOERR);
}

/* A block is corrupt, which has been reported. An audit record may sleep. */
static void zfile_io_corrupt(struct zfile_io *io, u64 block)
{
	zfile_io_free(io);
	io->first_block = block;
	INIT_WORK(&io->work, zfile_io_corrupt_work);
	queue_work(corrupt_queue, &io->work);
}

/* Decode one of the blocks fetched. */
static int zfile_io_decode_one(struct zfile_io *io, struct bvec_iter *iter,
			       const struct zfile_block *zb, void *scratch, bool direct)
{
	struct cached_block *partial = io->partial;
	int r;

	if (!partial || zb->block != io->first_block)
		return decode_to_bio(io, iter, zb, scratch, direct);
	r = decode_to_bio(io, iter, zb, obd_buffer_data(&partial->memory), false);
	if (!r)
		obd_block_cache_insert(partial, &io->zf->cached, zb->block,
				       io->generation);
	return r;
}

/* Decode all that was fetched; *bad is set to the block at which that fails. */
static int zfile_io_decode_all(struct zfile_io *io, void *scratch, bool direct,
			       u64 *bad)
{
	struct zfile_block zb = {
		.block = io->first_block,
		.file_offset = io->file_offset,
		.data = obd_buffer_data(&io->compressed) + io->head,
	};
	struct bvec_iter iter = io->bio->bi_iter;
	unsigned int i;

	for (i = 0; i < io->blocks; i++, zfile_next_block(&zb)) {
		int r;

		zb.bytes = io->sizes[i];
		r = zfile_io_decode_one(io, &iter, &zb, scratch, direct);
		if (r) {
			*bad = zb.block;
			return r;
		}
	}
	zero_behind_content(io, &iter);
	return 0;
}

/*
 * A reader that wrote to its own pages may have made a good block fail, as some formats
 * look at what they have written. It shall not look like a corrupt one.
 */
static void zfile_io_again_work(struct work_struct *work)
{
	struct zfile_io *io = container_of(work, struct zfile_io, work);
	struct zfile_reserve *reserve = &io->zf->reserve;
	u64 bad;
	int r;

	/* It may be cached by now: then others read it. */
	obd_cached_block_put(io->partial);
	io->partial = NULL;
	mutex_lock(&reserve->lock);
	r = zfile_io_decode_all(io, reserve->scratch, false, &bad);
	mutex_unlock(&reserve->lock);
	if (r)
		zfile_io_corrupt(io, bad);
	else
		zfile_io_end(io, BLK_STS_OK);
}

static void zfile_io_decode(struct zfile_io *io)
{
	u64 bad;
	int r = zfile_io_decode_all(io, obd_buffer_data(&io->scratch), true, &bad);

	if (likely(!r)) {
		zfile_io_end(io, BLK_STS_OK);
	} else if (r == -EAGAIN) {
		INIT_WORK(&io->work, zfile_io_again_work);
		queue_work(io->zf->wait_queue, &io->work);
	} else {
		zfile_io_corrupt(io, bad);
	}
}

static void zfile_io_decode_work(struct work_struct *work)
{
	zfile_io_decode(container_of(work, struct zfile_io, work));
}

static bool may_decode_here(const struct zfile_io *io)
{
	u64 bytes = (u64)io->blocks << io->zf->info.block_shift;

	if (bytes > ZFILE_IO_INLINE_BYTES && num_online_cpus() > 1)
		return false;
	if (IS_ENABLED(CONFIG_PREEMPT_RT) && !preemptible())
		return false;
	return in_task() && !softirq_count() && !irqs_disabled();
}

static void zfile_io_fetch_failed(struct zfile_io *io, blk_status_t status)
{
	if (obd_read_has_failed(io->bio, status))
		atomic64_inc(&io->zf->read_errors);
	zfile_io_end(io, status);
}

static void zfile_io_data_end(struct bio *data)
{
	struct zfile_io *io = container_of(data, struct zfile_io, data);

	if (unlikely(data->bi_status)) {
		zfile_io_fetch_failed(io, obd_read_status(data, data->bi_status));
		return;
	}
	if (may_decode_here(io)) {
		zfile_io_decode(io);
		return;
	}
	INIT_WORK(&io->work, zfile_io_decode_work);
	queue_work(decompress_queue, &io->work);
}

static u32 run_bytes(const struct zfile_io *io)
{
	unsigned int i;
	u32 bytes = 0;

	for (i = 0; i < io->blocks; i++)
		bytes += io->sizes[i];
	return bytes;
}

static bool first_is_partial(const struct zfile_io *io)
{
	return !wanted_part(io, io->first_block, &io->bio->bi_iter).whole;
}

/* What it allocated before it failed is freed in the end. */
static bool zfile_io_alloc(struct zfile_io *io, const struct device_range *range,
			   gfp_t gfp)
{
	size_t block_bytes = zfile_block_bytes(io->zf);

	if (!io->compressed.page &&
	    !obd_buffer_alloc(&io->compressed, range->bytes, gfp))
		return false;
	if (!io->partial && first_is_partial(io)) {
		io->partial = obd_cached_block_alloc(block_bytes, gfp);
		if (!io->partial)
			return false;
	}
	return io->scratch.page || !needs_scratch(io) ||
	       obd_buffer_alloc(&io->scratch, block_bytes, gfp);
}

static void zfile_io_submit(struct zfile_io *io, const struct device_range *range)
{
	struct bio *data = &io->data;

	io->generation = obd_block_cache_generation(&io->zf->cached);
	data->bi_iter.bi_sector = range->sector;
	__bio_add_page(data, io->compressed.page, range->bytes, 0);
	io->head = range->head;
	submit_bio_noacct(data);
}

/* Fetch and decode one block after the other, with what was set aside. */
static int zfile_io_decode_from_reserve(struct zfile_io *io, struct zfile_block *zb)
{
	struct bvec_iter iter = io->bio->bi_iter;
	unsigned int i;

	for (i = 0; i < io->blocks; i++, zfile_next_block(zb)) {
		int r;

		zb->bytes = io->sizes[i];
		r = zfile_reserve_fetch(io->zf, zb);
		if (!r)
			r = decode_to_bio(io, &iter, zb, io->zf->reserve.scratch, false);
		if (r)
			return r;
	}
	zero_behind_content(io, &iter);
	return 0;
}

/* There is no memory. */
static void zfile_io_serve_from_reserve(struct zfile_io *io)
{
	struct zfile_block zb = {
		.block = io->first_block,
		.file_offset = io->file_offset,
	};
	int r;

	/* What others may need meanwhile. */
	zfile_io_free(io);
	mutex_lock(&io->zf->reserve.lock);
	r = zfile_io_decode_from_reserve(io, &zb);
	mutex_unlock(&io->zf->reserve.lock);
	if (r == -EUCLEAN)
		zfile_io_corrupt(io, zb.block);
	else
		zfile_io_fail(io, r);
}

static int zfile_io_locate(struct zfile_io *io, bool may_wait)
{
	if (unlikely(zfile_device_has_grown(io->zf))) {
		DMERR_LIMIT("%pg has larger blocks than before: load the table again",
			    io->zf->bdev);
		return -EIO;
	}
	return jump_table_find(&io->zf->table, io->first_block, io->blocks,
			       may_wait, &io->file_offset, io->sizes);
}

static void zfile_io_locate_failed(struct zfile_io *io, int r)
{
	struct zfile *zf = io->zf;

	if (r == -EUCLEAN) {
		zfile_report_corrupt(zf, io->first_block,
				     jump_table_entry_offset(&zf->table, io->first_block),
				     "has another size now: the index has changed");
		zfile_io_corrupt(io, io->first_block);
		return;
	}
	zfile_io_fetch_failed(io, errno_to_blk_status(r));
}

static void zfile_io_wait_work(struct work_struct *work)
{
	struct zfile_io *io = container_of(work, struct zfile_io, work);
	struct device_range range;
	int r = zfile_io_locate(io, true);

	if (r) {
		zfile_io_locate_failed(io, r);
		return;
	}
	range = zfile_device_range(io->zf, io->file_offset, run_bytes(io));
	/* It did wait. */
	io->data.bi_opf &= ~REQ_NOWAIT;
	if (zfile_io_alloc(io, &range, GFP_NOIO))
		zfile_io_submit(io, &range);
	else
		zfile_io_serve_from_reserve(io);
}

/*
 * Our bio has the wishes of the one it serves, and is charged to who sent that one:
 * map is where that usually is the current task.
 */
static void zfile_io_init_data(struct zfile_io *io)
{
	struct bio *data = &io->data;

	bio_init(data, io->zf->bdev, &io->data_vec, 1,
		 REQ_OP_READ | (io->bio->bi_opf & ZFILE_IO_OPF));
	data->bi_ioprio = io->bio->bi_ioprio;
	data->bi_end_io = zfile_io_data_end;
}

/*
 * Where a bio is to be cut: at a multiple of the largest run, and before a last
 * block of which not all is wanted, so that only the first can be such a block.
 */
static u64 cut_end(const struct zfile *zf, u64 offset, u64 end)
{
	unsigned int shift = zf->info.block_shift;
	u32 run = min_t(u32, ZFILE_IO_MAX_BYTES, ZFILE_IO_MAX_BLOCKS << shift);
	u64 last;

	end = min(end, round_down(offset, run) + run);
	last = round_down(end, zfile_block_bytes(zf));
	if (last > offset && end < zf->info.original_bytes)
		end = last;
	return end;
}

/* In map: leave all but the first blocks of a bio to others. */
static void zfile_io_shorten(struct zfile_io *io, unsigned int blocks)
{
	u64 end = (io->first_block + blocks) << io->zf->info.block_shift;

	dm_accept_partial_bio(io->bio, (end - io->offset) >> SECTOR_SHIFT);
	io->blocks = blocks;
}

/* Cut the bio to what one zfile_io serves and note what that is. */
static void zfile_io_start(struct zfile_io *io, struct zfile *zf, struct bio *bio,
			   sector_t sector)
{
	u64 offset = (u64)sector << SECTOR_SHIFT;
	u64 bio_end = offset + bio->bi_iter.bi_size;
	u64 end = cut_end(zf, offset, bio_end);

	if (end < bio_end)
		dm_accept_partial_bio(bio, (end - offset) >> SECTOR_SHIFT);
	/* A last sector that is not full counts as whole. */
	end = min(end, zf->info.original_bytes);

	io->zf = zf;
	io->bio = bio;
	io->compressed.page = NULL;
	io->scratch.page = NULL;
	io->partial = NULL;
	io->offset = offset;
	io->first_block = offset >> zf->info.block_shift;
	io->blocks = ((end - 1) >> zf->info.block_shift) - io->first_block + 1;
}

/* The largest range that needs no more pages in a row than may well be had. */
static unsigned int easy_bytes(void)
{
	return PAGE_SIZE << PAGE_ALLOC_COSTLY_ORDER;
}

/* The device below may have become one that always waits. */
static bool may_fetch_at_once(const struct zfile_io *io)
{
	return !(io->bio->bi_opf & REQ_NOWAIT) || bdev_nowait(io->zf->bdev);
}

/*
 * In map: fetch the blocks of the bio, or if they take more memory than is to be had
 * in one piece, the first of them.
 */
static bool zfile_io_fetch_at_once(struct zfile_io *io)
{
	struct device_range range = zfile_device_range(io->zf, io->file_offset,
						       run_bytes(io));

	while (unlikely(!zfile_io_alloc(io, &range, GFP_NOWAIT))) {
		if (io->blocks == 1 || range.bytes <= easy_bytes())
			return false;
		zfile_io_shorten(io, io->blocks / 2);
		range = zfile_device_range(io->zf, io->file_offset, run_bytes(io));
	}
	zfile_io_submit(io, &range);
	return true;
}

/* Serve a part of a block from the cache, and cut the bio to that. */
static bool zfile_io_from_cache(struct zfile_io *io)
{
	struct bio *bio = io->bio;
	struct wanted_part part = wanted_part(io, io->first_block, &bio->bi_iter);
	struct cached_block *cached;
	struct bvec_iter iter;

	if (part.whole)
		return false;
	cached = obd_block_cache_find(&io->zf->cached, io->first_block);
	if (!cached)
		return false;
	if (io->blocks > 1)
		dm_accept_partial_bio(bio, part.bytes >> SECTOR_SHIFT);
	iter = bio->bi_iter;
	copy_to_bio(bio, &iter, obd_buffer_data(&cached->memory) + part.from,
		    part.bytes);
	zero_behind_content(io, &iter);
	obd_cached_block_put(cached);
	bio_endio(bio);
	return true;
}

/**
 * zfile_io_map() - serve a bio from a ZFile
 * @zf: the ZFile
 * @bio: dm's clone, a read of at least one sector within the content (rounded up
 *	to sectors); it may be shortened
 * @sector: where in the content it begins
 * @per_bio: zfile_io_bytes() of the target's per-bio data
 *
 * Called from a target's map function; does not sleep. With REQ_NOWAIT the bio
 * ends with BLK_STS_AGAIN when there is no memory at once, or when the device below
 * would wait; a missing part of the jump table is fetched elsewhere, which makes nobody
 * wait here.
 *
 * Return: DM_MAPIO_SUBMITTED.
 */
int zfile_io_map(struct zfile *zf, struct bio *bio, sector_t sector, void *per_bio)
{
	struct zfile_io *io = per_bio;
	int r;

	zfile_io_start(io, zf, bio, sector);
	if (zfile_io_from_cache(io))
		return DM_MAPIO_SUBMITTED;
	zfile_io_init_data(io);
	r = zfile_io_locate(io, false);
	if (!r) {
		if (likely(may_fetch_at_once(io) && zfile_io_fetch_at_once(io)))
			return DM_MAPIO_SUBMITTED;
		if (bio->bi_opf & REQ_NOWAIT) {
			zfile_io_end(io, BLK_STS_AGAIN);
			return DM_MAPIO_SUBMITTED;
		}
	} else if (r != -EAGAIN) {
		zfile_io_locate_failed(io, r);
		return DM_MAPIO_SUBMITTED;
	}
	/*
	 * Without what there is of memory: others need it meanwhile, and when this goes
	 * on, the index may be another one.
	 */
	zfile_io_free(io);
	INIT_WORK(&io->work, zfile_io_wait_work);
	queue_work(zf->wait_queue, &io->work);
	return DM_MAPIO_SUBMITTED;
}

/**
 * zfile_io_bytes() - per-bio data that zfile_io_map() needs
 *
 * Return: bytes.
 */
unsigned int zfile_io_bytes(void)
{
	return sizeof(struct zfile_io);
}

/**
 * zfile_io_opt_bytes() - how much to read at once at best
 *
 * Return: bytes.
 */
unsigned int zfile_io_opt_bytes(void)
{
	return ZFILE_IO_MAX_BYTES;
}

/**
 * zfile_io_init() - get the read path ready, at module load
 *
 * Return: 0 or -ENOMEM.
 */
int zfile_io_init(void)
{
	/* It never waits, so more workers than CPUs would only get in the way. */
	decompress_queue = alloc_workqueue("dm_overlaybd",
					   WQ_MEM_RECLAIM | WQ_UNBOUND,
					   num_possible_cpus());
	if (!decompress_queue)
		return -ENOMEM;
	corrupt_queue = alloc_workqueue("dm_overlaybd_corrupt", WQ_UNBOUND, 0);
	if (!corrupt_queue) {
		destroy_workqueue(decompress_queue);
		return -ENOMEM;
	}
	return 0;
}

/**
 * zfile_io_exit() - undo zfile_io_init(), when no ZFile is open any more
 */
void zfile_io_exit(void)
{
	destroy_workqueue(corrupt_queue);
	destroy_workqueue(decompress_queue);
}
