/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Real mapped devices over images on the first ramdisk, whose content is lost:
 * what the suites that read them share. Each test has a struct device_test as its
 * kunit->priv and calls all this from its own thread.
 */

#ifndef DM_OVERLAYBD_DEVICE_TEST_H
#define DM_OVERLAYBD_DEVICE_TEST_H

#include <kunit/test.h>
#include <linux/blkdev.h>
#include <linux/completion.h>

struct mapped_device;

#define RAMDISK		"1:0"
#define MAX_VECS	128
#define IN_FLIGHT	32

/* Where a read's segments lie in memory. */
enum layout {
	LAYOUT_WHOLE,		/* one run of pages */
	LAYOUT_SHIFTED,		/* one run that begins in the middle of a page */
	LAYOUT_PIECES,		/* pieces of some sectors with gaps between them */
	LAYOUTS,
};

/**
 * struct piece - a part of the memory that one read fills
 * @offset: bytes from the start of that memory
 * @bytes: how long it is
 */
struct piece {
	u32 offset;
	u32 bytes;
};

/**
 * struct read - a read in flight
 * @done: completed at its end
 * @status: how it ended
 * @ends: how often it ended
 */
struct read {
	struct completion done;
	blk_status_t status;
	atomic_t ends;
};

/**
 * struct device_test - a test's ramdisk and the device that is mapped over it
 * @test: the test
 * @ramdisk_file: holds @ramdisk open
 * @ramdisk: where images are written
 * @limits: the true ones of the ramdisk
 * @md: the mapped device, or NULL
 * @model: what it must contain; freed at the end of the test
 * @sectors: its length
 * @mem: what reads fill
 * @pieces: of the next reads, in @mem or at the same places of a part of it
 * @piece_count: how many
 * @reads: reads in flight at the same time
 * @bios: one for each of @reads
 * @at: the sector where each of @bios reads
 * @random: state of the generator
 */
struct device_test {
	struct kunit *test;
	struct file *ramdisk_file;
	struct block_device *ramdisk;
	struct queue_limits limits;
	struct mapped_device *md;
	u8 *model;
	sector_t sectors;
	u8 *mem;
	struct piece pieces[MAX_VECS];
	unsigned int piece_count;
	struct read reads[IN_FLIGHT];
	struct bio *bios[IN_FLIGHT];
	sector_t at[IN_FLIGHT];
	u64 random;
};

int device_test_init(struct kunit *test);
void device_test_exit(struct kunit *test);
void device_test_make_content(struct device_test *t, u64 bytes, u32 block_bytes);
void device_test_write(struct device_test *t, sector_t sector, const u8 *data, u64 bytes);
int device_test_map(struct device_test *t, const char *target, sector_t sectors,
		    blk_mode_t mode, const char *line);
void device_test_unmap(struct device_test *t);
bool device_test_is_chosen(struct device_test *t);
blk_status_t device_test_read_sectors(struct device_test *t, sector_t sector, u32 sectors,
				      enum layout layout, blk_opf_t flags, bool *right);
bool device_test_read_right(struct device_test *t, sector_t sector, u32 sectors,
			    enum layout layout);
void device_test_read_window(struct device_test *t, sector_t first, u32 sectors);
void device_test_read_edges(struct device_test *t, u32 block_sectors);
void device_test_read_anywhere(struct device_test *t, unsigned int reads);
void device_test_read_in_flight(struct device_test *t, u32 sectors);

#endif /* DM_OVERLAYBD_DEVICE_TEST_H */
