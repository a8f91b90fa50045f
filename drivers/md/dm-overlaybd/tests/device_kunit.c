// SPDX-License-Identifier: GPL-2.0
/*
 * Real mapped devices over images on the first ramdisk, whose content is lost.
 */

#include <kunit/test.h>
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/device-mapper.h>
#include <linux/major.h>
#include <linux/sizes.h>

#include "../../dm.h"
#include "image_build.h"

#define RAMDISK		"1:0"
#define MEM_BYTES	SZ_1M
#define MAX_VECS	128
#define IN_FLIGHT	32
#define POISON		0x5a

/* A kernel that looks at each access is slow: there, one read of so many is done. */
#if IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KCSAN)
#define ONE_READ_IN	37
#else
#define ONE_READ_IN	1
#endif

/* Where a read's segments lie in memory. */
enum layout {
	LAYOUT_WHOLE,		/* one run of pages */
	LAYOUT_SHIFTED,		/* one run that begins in the middle of a page */
	LAYOUT_PIECES,		/* pieces of some sectors with gaps between them */
	LAYOUTS,
};

struct piece {
	u32 offset;	/* in mem */
	u32 bytes;
};

struct read {
	struct completion done;
	blk_status_t status;
	atomic_t ends;
};

struct device_test {
	struct kunit *test;
	struct file *ramdisk_file;
	struct block_device *ramdisk;
	struct queue_limits limits;	/* the true ones of the ramdisk */
	struct mapped_device *md;
	u8 *model;		/* what the device must contain */
	sector_t sectors;
	u8 *mem;
	struct piece pieces[MAX_VECS];
	unsigned int piece_count;
	struct read reads[IN_FLIGHT];
	struct bio *bios[IN_FLIGHT];
	sector_t at[IN_FLIGHT];	/* where each of bios reads */
	u64 random;
};

static bool is_chosen(struct device_test *t)
{
	return !random_below(&t->random, ONE_READ_IN);
}

static void read_end(struct bio *bio)
{
	struct read *read = bio->bi_private;

	read->status = bio->bi_status;
	atomic_inc(&read->ends);
	complete(&read->done);
}

/* Cut a read of this length into pieces of memory. */
static void choose_pieces(struct device_test *t, u32 bytes, enum layout layout)
{
	u32 at = layout == LAYOUT_SHIFTED ? 512 * (1 + random_below(&t->random, 7)) : 0;

	t->piece_count = 0;
	while (bytes) {
		u32 piece = bytes;

		if (layout == LAYOUT_PIECES) {
			at += 512 * random_below(&t->random, 4);
			if (t->piece_count + 1 < MAX_VECS)
				piece = min(bytes, 512 * (1 + random_below(&t->random, 20)));
		}
		t->pieces[t->piece_count++] = (struct piece) { at, piece };
		at += piece;
		bytes -= piece;
	}
}

static struct bio *read_bio(struct device_test *t, struct read *read, sector_t sector,
			    u8 *mem, blk_opf_t flags)
{
	struct bio *bio = bio_alloc(dm_disk(t->md)->part0, MAX_VECS,
				    REQ_OP_READ | flags, GFP_KERNEL);
	unsigned int i;

	for (i = 0; i < t->piece_count; i++) {
		u8 *p = mem + t->pieces[i].offset;

		KUNIT_ASSERT_EQ(t->test, t->pieces[i].bytes,
				bio_add_page(bio, virt_to_page(p), t->pieces[i].bytes,
					     offset_in_page(p)));
	}
	bio->bi_iter.bi_sector = sector;
	bio->bi_private = read;
	bio->bi_end_io = read_end;
	init_completion(&read->done);
	atomic_set(&read->ends, 0);
	return bio;
}

/* Is what was read the model's content, and all around it untouched? */
static bool pieces_right(struct device_test *t, sector_t sector, const u8 *mem,
			 u32 mem_bytes)
{
	const u8 *model = t->model + sector * 512;
	u32 at = 0;
	unsigned int i;

	for (i = 0; i < t->piece_count; i++) {
		const struct piece *p = &t->pieces[i];

		if (memchr_inv(mem + at, POISON, p->offset - at) ||
		    memcmp(mem + p->offset, model, p->bytes))
			return false;
		model += p->bytes;
		at = p->offset + p->bytes;
	}
	return !memchr_inv(mem + at, POISON, mem_bytes - at);
}

/* Read with one bio and wait for its end. */
static blk_status_t read_sectors(struct device_test *t, sector_t sector, u32 sectors,
				 enum layout layout, blk_opf_t flags, bool *right)
{
	struct read read;
	struct bio *bio;
	u32 touched;

	choose_pieces(t, sectors * 512, layout);
	touched = t->pieces[t->piece_count - 1].offset +
		  t->pieces[t->piece_count - 1].bytes + 512;
	KUNIT_ASSERT_LE(t->test, touched, MEM_BYTES);
	memset(t->mem, POISON, touched);
	bio = read_bio(t, &read, sector, t->mem, flags);
	submit_bio(bio);
	wait_for_completion_io(&read.done);
	bio_put(bio);
	KUNIT_EXPECT_EQ(t->test, 1, atomic_read(&read.ends));
	*right = pieces_right(t, sector, t->mem, touched);
	return read.status;
}

/* Read, compare, and say so if it is wrong. */
static bool read_right(struct device_test *t, sector_t sector, u32 sectors,
		       enum layout layout)
{
	bool right;
	blk_status_t status = read_sectors(t, sector, sectors, layout, 0, &right);

	if (status || !right)
		KUNIT_FAIL(t->test, "%u sectors at %llu, layout %u: status %u, %s content",
			   sectors, (u64)sector, layout, status, right ? "right" : "wrong");
	return !status && right;
}

/* Every start with every length within a window of the device. */
static void read_window(struct device_test *t, sector_t first, u32 sectors)
{
	u32 start, end;

	for (start = 0; start < sectors; start++) {
		for (end = start + 1; end <= sectors; end++) {
			enum layout layout = (start + end) % LAYOUTS;

			if (is_chosen(t) && !read_right(t, first + start, end - start, layout))
				return;
		}
	}
}

/* Every pair of some sectors near the edges of blocks, and of others. */
static void read_edges(struct device_test *t, u32 block_sectors)
{
	u32 points[64];
	unsigned int count = 0, i, k;
	u32 block;

	for (block = 0; block * block_sectors < t->sectors; block++) {
		static const int beside[] = { -2, -1, 0, 1, 7, 8, 100 };

		for (i = 0; i < ARRAY_SIZE(beside) && count < ARRAY_SIZE(points); i++) {
			s64 point = (s64)block * block_sectors + beside[i];

			if (point >= 0 && point < t->sectors)
				points[count++] = point;
		}
	}
	for (i = 0; i < count; i++) {
		for (k = 0; k < count; k++) {
			if (points[k] > points[i] && is_chosen(t) &&
			    !read_right(t, points[i], points[k] - points[i],
					(i + k) % LAYOUTS))
				return;
		}
	}
}

static void read_anywhere(struct device_test *t, unsigned int reads)
{
	for (reads = DIV_ROUND_UP(reads, ONE_READ_IN); reads; reads--) {
		sector_t sector = random_below(&t->random, t->sectors);
		u32 most = min_t(sector_t, t->sectors - sector, 600);

		if (!read_right(t, sector, 1 + random_below(&t->random, most),
				random_below(&t->random, LAYOUTS)))
			return;
	}
}

/* Some reads at a time, each into its own memory. */
static void read_in_flight(struct device_test *t, u32 sectors)
{
	u32 bytes = sectors * 512;
	unsigned int i;

	choose_pieces(t, bytes, LAYOUT_WHOLE);
	memset(t->mem, POISON, IN_FLIGHT * bytes);
	for (i = 0; i < IN_FLIGHT; i++) {
		t->at[i] = random_below(&t->random, t->sectors - sectors + 1);
		t->bios[i] = read_bio(t, &t->reads[i], t->at[i], t->mem + i * bytes, 0);
	}
	for (i = 0; i < IN_FLIGHT; i++)
		submit_bio(t->bios[i]);
	for (i = 0; i < IN_FLIGHT; i++) {
		struct read *read = &t->reads[i];

		wait_for_completion_io(&read->done);
		bio_put(t->bios[i]);
		KUNIT_EXPECT_EQ(t->test, 1, atomic_read(&read->ends));
		KUNIT_EXPECT_EQ(t->test, 0, (__force int)read->status);
		KUNIT_EXPECT_TRUE(t->test, pieces_right(t, t->at[i], t->mem + i * bytes,
							bytes));
	}
}

static void ramdisk_write(struct device_test *t, sector_t sector, const u8 *data,
			  u64 bytes)
{
	u8 *page = kunit_kmalloc(t->test, PAGE_SIZE, GFP_KERNEL);
	struct bio_vec vec;
	struct bio bio;

	KUNIT_ASSERT_NOT_NULL(t->test, page);
	KUNIT_ASSERT_LE(t->test, sector * 512 + bytes, bdev_nr_bytes(t->ramdisk));
	while (bytes) {
		u32 step = min_t(u64, bytes, PAGE_SIZE);

		/* The last sector's rest is not ours: what lies there is nothing. */
		memset(page, 0xee, PAGE_SIZE);
		memcpy(page, data, step);
		bio_init(&bio, t->ramdisk, &vec, 1, REQ_OP_WRITE);
		bio.bi_iter.bi_sector = sector;
		__bio_add_page(&bio, virt_to_page(page), round_up(step, 512),
			       offset_in_page(page));
		KUNIT_ASSERT_EQ(t->test, 0, submit_bio_wait(&bio));
		bio_uninit(&bio);
		sector += round_up(step, 512) / 512;
		data += step;
		bytes -= step;
	}
	kunit_kfree(t->test, page);
}

static void unmap_device(struct device_test *t)
{
	if (t->md) {
		dm_put(t->md);
		dm_destroy(t->md);
	}
	t->md = NULL;
}

/* Make a device of one target and bring it to life. Returns what refused it. */
static int map_device(struct device_test *t, const char *target, sector_t sectors,
		      blk_mode_t mode, const char *line)
{
	char *params = kunit_kstrdup(t->test, line, GFP_KERNEL);
	struct dm_table *table, *old;
	int r;

	KUNIT_ASSERT_NOT_NULL(t->test, params);
	KUNIT_ASSERT_EQ(t->test, 0, dm_create(DM_ANY_MINOR, &t->md));
	r = dm_table_create(&table, mode, 1, t->md);
	KUNIT_ASSERT_EQ(t->test, 0, r);
	r = dm_table_add_target(table, target, 0, sectors, params);
	if (!r)
		r = dm_table_complete(table);
	if (!r)
		r = dm_setup_md_queue(t->md, table);
	if (r) {
		dm_table_destroy(table);
		unmap_device(t);
		return r;
	}
	dm_suspend(t->md, 0);
	old = dm_swap_table(t->md, table);
	KUNIT_ASSERT_FALSE(t->test, IS_ERR(old));
	KUNIT_ASSERT_EQ(t->test, 0, dm_resume(t->md));
	t->sectors = sectors;
	return 0;
}

static int device_test_init(struct kunit *test)
{
	struct device_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	t->random = 1;
	t->ramdisk_file = bdev_file_open_by_dev(MKDEV(RAMDISK_MAJOR, 0),
						BLK_OPEN_READ | BLK_OPEN_WRITE,
						NULL, NULL);
	if (IS_ERR(t->ramdisk_file))
		kunit_skip(test, "there is no ramdisk");
	test->priv = t;
	t->ramdisk = file_bdev(t->ramdisk_file);
	t->limits = bdev_get_queue(t->ramdisk)->limits;
	t->mem = alloc_pages_exact(MEM_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->mem);
	return 0;
}

static void device_test_exit(struct kunit *test)
{
	struct device_test *t = test->priv;

	if (!t)
		return;
	unmap_device(t);
	bdev_get_queue(t->ramdisk)->limits = t->limits;
	if (t->mem)
		free_pages_exact(t->mem, MEM_BYTES);
	fput(t->ramdisk_file);
}

struct zfile_device_case {
	u32 block_bytes;
	u8 algorithm;
	bool block_crc;
	bool final_header;
};

static const struct zfile_device_case zfile_device_cases[] = {
	{ 512, ZFILE_LZ4, true, true },
	{ 1024, ZFILE_LZ4, false, true },
	{ 2048, ZFILE_LZ4, true, false },
	{ 4096, ZFILE_LZ4, true, true },
	{ 8192, ZFILE_LZ4, false, false },
	{ 16384, ZFILE_LZ4, true, true },
	{ 32768, ZFILE_LZ4, true, false },
	{ 65536, ZFILE_LZ4, true, true },
	{ 512, ZFILE_ZSTD, false, false },
	{ 1024, ZFILE_ZSTD, true, true },
	{ 2048, ZFILE_ZSTD, true, false },
	{ 4096, ZFILE_ZSTD, true, true },
	{ 8192, ZFILE_ZSTD, true, true },
	{ 16384, ZFILE_ZSTD, false, true },
	{ 32768, ZFILE_ZSTD, true, false },
	{ 65536, ZFILE_ZSTD, true, true },
};

static void zfile_device_desc(const struct zfile_device_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s, blocks of %u%s%s",
		 c->algorithm == ZFILE_LZ4 ? "lz4" : "zstd", c->block_bytes,
		 c->block_crc ? "" : ", no CRCs",
		 c->final_header ? "" : ", header in the trailer");
}

KUNIT_ARRAY_PARAM(zfile_device, zfile_device_cases, zfile_device_desc);

/* Content that ends in the middle of a sector, with zeros up to its end. */
static void make_content(struct device_test *t, u64 bytes, u32 block_bytes)
{
	u64 at;

	t->model = image_alloc(t->test, round_up(bytes, 512));
	for (at = 0; at < bytes; at += block_bytes)
		fill_block(t->model + at, min_t(u64, block_bytes, bytes - at), &t->random);
}

/* Put a ZFile of the model's content somewhere on the ramdisk and map it. */
static void map_zfile(struct device_test *t, struct zfile_image *z)
{
	sector_t start = random_below(&t->random, 100);
	char line[80];

	z->content = t->model;
	zfile_image_build(t->test, z);
	ramdisk_write(t, start, z->file, z->file_bytes);
	snprintf(line, sizeof(line), RAMDISK " %llu@%llu", z->file_bytes, (u64)start);
	KUNIT_ASSERT_EQ(t->test, 0,
			map_device(t, "zfile", DIV_ROUND_UP_ULL(z->content_bytes, 512),
				   BLK_OPEN_READ, line));
}

static void zfile_read_test(struct kunit *test)
{
	const struct zfile_device_case *c = test->param_value;
	struct device_test *t = test->priv;
	struct zfile_image z = {
		.block_bytes = c->block_bytes,
		.algorithm = c->algorithm,
		.block_crc = c->block_crc,
		.final_header = c->final_header,
	};
	u32 block_sectors = c->block_bytes / 512;

	/* More than one bio of the target, and some more blocks. */
	z.content_bytes = max(80 * 512, 4 * c->block_bytes) + c->block_bytes / 2 + 77;
	make_content(t, z.content_bytes, c->block_bytes);
	map_zfile(t, &z);

	if (block_sectors <= 8)
		read_window(t, 0, t->sectors);
	else if (block_sectors <= 64)
		read_window(t, t->sectors - 2 * block_sectors - 5, 2 * block_sectors + 5);
	else
		read_edges(t, block_sectors);
	read_anywhere(t, 200);
	read_in_flight(t, 8);
	read_in_flight(t, 60);
}

/* An index too large to keep: parts of it are read while reading. */
static void large_index_test(struct kunit *test)
{
	struct device_test *t = test->priv;
	struct zfile_image z = {
		.block_bytes = 512,
		.algorithm = ZFILE_LZ4,
		.block_crc = true,
		.final_header = true,
		.content_bytes = 9000 * 512 - 100,
	};

	make_content(t, z.content_bytes, 512);
	map_zfile(t, &z);
	read_anywhere(t, 800);
	read_in_flight(t, 60);
}

/*
 * Sectors larger than what metadata is read in at once. Only few kernels allow them,
 * but no reader of the ramdisk asks whether they are true.
 */
static void large_sectors_test(struct kunit *test)
{
	struct device_test *t = test->priv;
	struct queue_limits *limits = &bdev_get_queue(t->ramdisk)->limits;
	struct zfile_image z = {
		.block_bytes = 512,
		.algorithm = ZFILE_LZ4,
		.block_crc = true,
		.content_bytes = 9000 * 512 - 100,
	};
	char line[80];

	make_content(t, z.content_bytes, 512);
	z.content = t->model;
	zfile_image_build(test, &z);
	ramdisk_write(t, 99, z.file, z.file_bytes);
	snprintf(line, sizeof(line), RAMDISK " %llu@99", z.file_bytes);
	limits->logical_block_size = SZ_64K;
	limits->physical_block_size = SZ_64K;
	KUNIT_ASSERT_EQ(test, 0, map_device(t, "zfile", 9000, BLK_OPEN_READ, line));
	read_anywhere(t, 200);
}

/* The table may show less than there is. */
static void shorter_table_test(struct kunit *test)
{
	struct device_test *t = test->priv;
	struct zfile_image z = {
		.block_bytes = 4096,
		.algorithm = ZFILE_LZ4,
		.final_header = true,
		.content_bytes = 40000,
	};
	char line[80];

	make_content(t, z.content_bytes, 4096);
	map_zfile(t, &z);
	unmap_device(t);
	ramdisk_write(t, 0, z.file, z.file_bytes);
	snprintf(line, sizeof(line), RAMDISK " %llu", z.file_bytes);
	KUNIT_ASSERT_EQ(test, 0, map_device(t, "zfile", 19, BLK_OPEN_READ, line));
	read_window(t, 0, 19);
}

/* A read that must not wait gets the content, or is told to come again. */
static void nowait_test(struct kunit *test)
{
	struct device_test *t = test->priv;
	struct zfile_image z = {
		.block_bytes = 512,
		.algorithm = ZFILE_LZ4,
		.block_crc = true,
		.final_header = true,
		.content_bytes = 5000 * 512,
	};
	unsigned int i, served = 0;

	make_content(t, z.content_bytes, 512);
	map_zfile(t, &z);
	for (i = 0; i < 500; i++) {
		u32 sectors = 1 + random_below(&t->random, 200);
		bool right;
		blk_status_t status;

		status = read_sectors(t, random_below(&t->random, 4800), sectors,
				      LAYOUT_PIECES, REQ_NOWAIT, &right);
		if (status == BLK_STS_OK) {
			served++;
			KUNIT_ASSERT_TRUE(test, right);
		} else {
			KUNIT_ASSERT_EQ(test, (__force int)BLK_STS_AGAIN,
					(__force int)status);
		}
	}
	KUNIT_EXPECT_GT(test, served, 0);
}

static void write_test(struct kunit *test)
{
	struct device_test *t = test->priv;
	struct zfile_image z = {
		.block_bytes = 4096,
		.algorithm = ZFILE_LZ4,
		.content_bytes = 8192,
	};
	struct bio_vec vec;
	struct bio bio;

	make_content(t, z.content_bytes, 4096);
	map_zfile(t, &z);
	bio_init(&bio, dm_disk(t->md)->part0, &vec, 1, REQ_OP_WRITE);
	__bio_add_page(&bio, virt_to_page(t->mem), 4096, 0);
	KUNIT_EXPECT_EQ(test, -EIO, submit_bio_wait(&bio));
	bio_uninit(&bio);
	read_window(t, 0, 16);
}

/* Block 2 of four is bad in some way. */
struct bad_block_case {
	const char *name;
	u8 algorithm;
	void (*make)(struct device_test *t, u8 *payload, u32 *bytes);
	bool break_crc;
};

static void bad_nothing(struct device_test *t, u8 *payload, u32 *bytes)
{
}

static void bad_flip(struct device_test *t, u8 *payload, u32 *bytes)
{
	payload[*bytes / 2] ^= 4;
}

static void bad_garbage(struct device_test *t, u8 *payload, u32 *bytes)
{
	fill_random(payload, *bytes, &t->random);
}

static void bad_truncated(struct device_test *t, u8 *payload, u32 *bytes)
{
	*bytes -= 1;
}

static void bad_one_byte(struct device_test *t, u8 *payload, u32 *bytes)
{
	*bytes = 1;
}

static void bad_largest(struct device_test *t, u8 *payload, u32 *bytes)
{
	*bytes = 4096 + 4096 / 255 + 16;
	memset(payload, 0xff, *bytes);
}

static void bad_lz4_short(struct device_test *t, u8 *payload, u32 *bytes)
{
	*bytes = lz4_encode(payload, t->model + 2 * 4096, 4095);
}

static void bad_lz4_long(struct device_test *t, u8 *payload, u32 *bytes)
{
	*bytes = lz4_encode(payload, t->model + 2 * 4096, 4097);
}

static void bad_zstd_short(struct device_test *t, u8 *payload, u32 *bytes)
{
	*bytes = zstd_encode(payload, t->model + 2 * 4096, 4095);
}

static void bad_zstd_long(struct device_test *t, u8 *payload, u32 *bytes)
{
	*bytes = zstd_encode(payload, t->model + 2 * 4096, 4097);
}

static const struct bad_block_case bad_block_cases[] = {
	{ "lz4, changed payload", ZFILE_LZ4, bad_flip, true },
	{ "lz4, changed checksum", ZFILE_LZ4, bad_nothing, true },
	{ "lz4, garbage", ZFILE_LZ4, bad_garbage },
	{ "lz4, truncated", ZFILE_LZ4, bad_truncated },
	{ "lz4, one byte", ZFILE_LZ4, bad_one_byte },
	{ "lz4, as large as can be", ZFILE_LZ4, bad_largest },
	{ "lz4, content too short", ZFILE_LZ4, bad_lz4_short },
	{ "lz4, content too long", ZFILE_LZ4, bad_lz4_long },
	{ "zstd, changed payload", ZFILE_ZSTD, bad_flip, true },
	{ "zstd, changed checksum", ZFILE_ZSTD, bad_nothing, true },
	{ "zstd, garbage", ZFILE_ZSTD, bad_garbage },
	{ "zstd, truncated", ZFILE_ZSTD, bad_truncated },
	{ "zstd, one byte", ZFILE_ZSTD, bad_one_byte },
	{ "zstd, as large as can be", ZFILE_ZSTD, bad_largest },
	{ "zstd, content too short", ZFILE_ZSTD, bad_zstd_short },
	{ "zstd, content too long", ZFILE_ZSTD, bad_zstd_long },
};

KUNIT_ARRAY_PARAM_DESC(bad_block, bad_block_cases, name);

/* The checksum lies behind the payload of block 2. */
static void break_checksum(struct device_test *t, const struct zfile_image *z)
{
	const u8 *index = z->file + get_unaligned_le64(z->file + 40);
	u64 end = 512 + get_unaligned_le32(index) + get_unaligned_le32(index + 4) +
		  get_unaligned_le32(index + 8);

	z->file[end - 1] ^= 0x80;
}

static void map_bad_zfile(struct device_test *t, const struct bad_block_case *c,
			  bool block_crc)
{
	struct zfile_image z = {
		.block_bytes = 4096,
		.algorithm = c->algorithm,
		.block_crc = block_crc,
		.final_header = true,
		.content_bytes = 4 * 4096,
		.bad_block = 2,
	};
	u8 *payload = image_alloc(t->test, 8192);
	char line[80];

	make_content(t, z.content_bytes, 4096);
	z.bad_bytes = encode_block(c->algorithm, payload, t->model + 2 * 4096, 4096);
	c->make(t, payload, &z.bad_bytes);
	z.bad_payload = payload;
	z.content = t->model;
	zfile_image_build(t->test, &z);
	if (c->break_crc)
		break_checksum(t, &z);
	ramdisk_write(t, 0, z.file, z.file_bytes);
	snprintf(line, sizeof(line), RAMDISK " %llu", z.file_bytes);
	KUNIT_ASSERT_EQ(t->test, 0, map_device(t, "zfile", 32, BLK_OPEN_READ, line));
}

/* Every bio that wants a byte of the bad block fails; all others are right. */
static void expect_bad_block(struct device_test *t)
{
	u32 start, end;

	for (start = 0; start < 32; start++) {
		for (end = start + 1; end <= 32; end++) {
			bool right, touched = start < 24 && end > 16;
			blk_status_t status;

			if (!is_chosen(t))
				continue;
			status = read_sectors(t, start, end - start,
					      (start + end) % LAYOUTS, 0, &right);
			KUNIT_ASSERT_EQ_MSG(t->test, (__force int)status,
					    touched ? (__force int)BLK_STS_IOERR : 0,
					    "sectors %u to %u", start, end);
			if (!touched)
				KUNIT_ASSERT_TRUE(t->test, right);
		}
	}
}

static void bad_block_test(struct kunit *test)
{
	const struct bad_block_case *c = test->param_value;
	struct device_test *t = test->priv;

	map_bad_zfile(t, c, true);
	expect_bad_block(t);
	unmap_device(t);
	if (!c->break_crc) {
		map_bad_zfile(t, c, false);
		expect_bad_block(t);
	}
}

#define STACK_LAYERS	6
#define STACK_SECTORS	400
#define LAYER_DATA	300	/* sectors */
#define LAYER_SEGMENTS	40

/* What a layer is made of: a bare file, or a ZFile of this kind. */
static const struct {
	u32 block_bytes;	/* 0: bare */
	u8 algorithm;
} stack_layers[STACK_LAYERS] = {
	{ 0 },
	{ 4096, ZFILE_LZ4 },
	{ 0 },
	{ 512, ZFILE_ZSTD },
	{ 16384, ZFILE_LZ4 },
	{ 4096, ZFILE_ZSTD },
};

/* Random segments with random data; the same painted on the model. */
static u32 make_segments(struct device_test *t, const u8 *data,
			 struct lsmt_image_segment *segments)
{
	u32 at = random_below(&t->random, 20), count = 0;

	while (count < LAYER_SEGMENTS && at < STACK_SECTORS) {
		struct lsmt_image_segment *s = &segments[count++];
		u32 i;

		s->offset = at;
		s->length = 1 + random_below(&t->random, 24);
		s->zeroed = !random_below(&t->random, 4);
		s->moffset = 8 + random_below(&t->random, LAYER_DATA - s->length + 1);
		/* What continues the data before it may be looked up as one. */
		if (count > 1 && random_below(&t->random, 2) &&
		    s[-1].moffset + s[-1].length + s->length <= 8 + LAYER_DATA)
			s->moffset = s[-1].moffset + s[-1].length;
		for (i = 0; i < s->length && at + i < STACK_SECTORS; i++) {
			u8 *sector = t->model + (at + i) * 512;

			if (s->zeroed)
				memset(sector, 0, 512);
			else
				memcpy(sector, data + (s->moffset - 8 + i) * 512, 512);
		}
		at += s->length;
		if (random_below(&t->random, 2))
			at += random_below(&t->random, 40);
	}
	return count;
}

/* Write one layer to the ramdisk and add it to the table line. */
static void add_layer(struct device_test *t, unsigned int i, sector_t *start,
		      char *line, size_t room)
{
	struct lsmt_image_segment segments[LAYER_SEGMENTS];
	u8 *data = image_alloc(t->test, LAYER_DATA * 512);
	struct zfile_image z = {
		.block_bytes = stack_layers[i].block_bytes,
		.algorithm = stack_layers[i].algorithm,
		.block_crc = true,
		.final_header = true,
	};
	u32 count;
	u8 *file;

	fill_random(data, LAYER_DATA * 512, &t->random);
	count = make_segments(t, data, segments);
	/* The topmost size that is given counts. */
	file = lsmt_image_build(t->test, data, LAYER_DATA, segments, count,
				i == 4 ? STACK_SECTORS * 512 + 511 :
				i == 5 ? 0 : 1234567, &z.file_bytes);
	if (z.block_bytes) {
		z.content = file;
		z.content_bytes = z.file_bytes;
		zfile_image_build(t->test, &z);
		file = z.file;
	}
	ramdisk_write(t, *start, file, z.file_bytes);
	snprintf(line + strlen(line), room - strlen(line), "%s" RAMDISK " %llu@%llu",
		 i ? " " : "", z.file_bytes, (u64)*start);
	*start += DIV_ROUND_UP_ULL(z.file_bytes, 512) + random_below(&t->random, 9);
}

static void map_stack(struct device_test *t, unsigned int layers)
{
	char line[STACK_LAYERS * 32] = "";
	bool resized = layers > 4;
	sector_t start = 3;
	unsigned int i;

	t->model = image_alloc(t->test, STACK_SECTORS * 512);
	for (i = 0; i < layers; i++)
		add_layer(t, i, &start, line, sizeof(line));
	KUNIT_EXPECT_EQ(t->test, resized ? -EINVAL : 0,
			map_device(t, "lsmt", STACK_SECTORS + 1, BLK_OPEN_READ, line));
	unmap_device(t);
	KUNIT_ASSERT_EQ(t->test, 0,
			map_device(t, "lsmt", STACK_SECTORS, BLK_OPEN_READ, line));
}

static void lsmt_stack_test(struct kunit *test)
{
	struct device_test *t = test->priv;
	unsigned int layers;

	for (layers = 1; layers <= STACK_LAYERS; layers++) {
		t->random = layers;
		map_stack(t, layers);
		read_window(t, 0, 40);
		read_window(t, STACK_SECTORS - 40, 40);
		read_anywhere(t, 300);
		read_in_flight(t, 40);
		unmap_device(t);
	}
}

struct refused_case {
	const char *name;
	const char *target;
	sector_t sectors;
	bool writable;
	const char *line;	/* %llu: length of the file */
};

/* There is a ZFile of 40 sectors at sector 8. */
static const struct refused_case refused_cases[] = {
	{ "writable", "zfile", 40, true, RAMDISK " %llu@8" },
	{ "longer than the content", "zfile", 41, false, RAMDISK " %llu@8" },
	{ "wrong start", "zfile", 40, false, RAMDISK " %llu@9" },
	{ "beyond the device", "zfile", 40, false, RAMDISK " %llu@1000000000" },
	{ "start overflows", "zfile", 40, false, RAMDISK " %llu@36028797018963968" },
	{ "longer than the device", "zfile", 40, false, RAMDISK " 1000000%llu@8" },
	{ "one byte", "zfile", 40, false, RAMDISK " 1@8" },
	{ "no length", "zfile", 40, false, RAMDISK },
	{ "no device", "zfile", 40, false, "" },
	{ "two devices", "zfile", 40, false, RAMDISK " %llu@8 " RAMDISK " 9000" },
	{ "no LSMT in it", "lsmt", 40, false, RAMDISK " %llu@8" },
	{ "no layers", "lsmt", 40, false, "0" },
	{ "half a layer", "lsmt", 40, false, RAMDISK " %llu@8 " RAMDISK },
	{ "unknown option", "zfile", 40, false, RAMDISK " %llu@8 1 fast" },
	{ "negative length", "zfile", 40, false, RAMDISK " -%llu@8" },
};

KUNIT_ARRAY_PARAM_DESC(refused, refused_cases, name);

static void refused_test(struct kunit *test)
{
	const struct refused_case *c = test->param_value;
	struct device_test *t = test->priv;
	struct zfile_image z = {
		.block_bytes = 4096,
		.algorithm = ZFILE_LZ4,
		.block_crc = true,
		.content_bytes = 40 * 512,
	};
	blk_mode_t mode = BLK_OPEN_READ | (c->writable ? BLK_OPEN_WRITE : 0);
	const char *good = RAMDISK " %llu@8 0";
	char line[120];

	make_content(t, z.content_bytes, 4096);
	z.content = t->model;
	zfile_image_build(test, &z);
	ramdisk_write(t, 8, z.file, z.file_bytes);
	snprintf(line, sizeof(line), c->line, z.file_bytes);
	KUNIT_EXPECT_EQ(test, -EINVAL, map_device(t, c->target, c->sectors, mode, line));
	unmap_device(t);

	/* And it was for that reason. */
	snprintf(line, sizeof(line), good, z.file_bytes);
	KUNIT_ASSERT_EQ(test, 0, map_device(t, "zfile", 40, BLK_OPEN_READ, line));
	KUNIT_EXPECT_TRUE(test, read_right(t, 0, 40, LAYOUT_WHOLE));
}

static struct kunit_case device_cases[] = {
	KUNIT_CASE_PARAM_ATTR(zfile_read_test, zfile_device_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE(large_index_test),
	KUNIT_CASE(large_sectors_test),
	KUNIT_CASE(shorter_table_test),
	KUNIT_CASE(nowait_test),
	KUNIT_CASE(write_test),
	KUNIT_CASE_PARAM(bad_block_test, bad_block_gen_params),
	KUNIT_CASE(lsmt_stack_test),
	KUNIT_CASE_PARAM(refused_test, refused_gen_params),
	{}
};

static struct kunit_suite device_suite = {
	.name = "dm_overlaybd_device",
	.init = device_test_init,
	.exit = device_test_exit,
	.test_cases = device_cases,
};

kunit_test_suite(device_suite);
