// SPDX-License-Identifier: GPL-2.0
/*
 * jump-table.c (and vfile.c below it) over a file in memory, whose index changes
 * behind its back, whose reads fail, whose cache is cold: what is found lies
 * between the header and the index, and as long as nothing has changed it is
 * what the sizes add up to.
 *
 * The index is a short pattern repeated, with some entries replaced, so that a
 * short input makes tables of several groups.
 */

#include <linux/errno.h>
#include <linux/err.h>
#include <linux/unaligned.h>

#include "../../drivers/md/dm-overlaybd/format.h"
#include "../../drivers/md/dm-overlaybd/jump-table.h"
#include "../../drivers/md/dm-overlaybd/vfile.h"
#include "fuzz.h"

#define FEW_BLOCKS	5200	/* too many to be resident */
#define MANY_BLOCKS	70000	/* three groups */
#define MAX_PATTERN	16
#define MAX_FOUND	200
#define MAX_STEPS	64

/**
 * struct memory_file - a file that consists of an index, and of holes
 * @vf: what the jump table sees
 * @info: the ZFile in it
 * @index: its index
 * @loaded: as it was at first
 * @index_bytes: how much of that there is
 * @changed: the index was changed after it was loaded
 * @cold: nothing is in the cache
 * @failing: reads fail
 * @begun: the cache is set up
 * @cure: what reading anew does, see memory_cache_forget()
 */
struct memory_file {
	struct vfile vf;
	struct zfile_info info;
	u8 *index;
	u8 *loaded;
	u64 index_bytes;
	bool changed;
	bool cold;
	bool failing;
	bool begun;
	enum { CURE_NOTHING, CURE_HEALS, CURE_FAILS } cure;
};

static struct memory_file *of(struct vfile *vf)
{
	return container_of(vf, struct memory_file, vf);
}

static int memory_read(struct vfile *vf, void *buf, size_t bytes, u64 offset)
{
	struct memory_file *f = of(vf);

	CHECK(offset >= f->info.index_offset);
	CHECK(offset + bytes <= f->info.index_offset + f->index_bytes);
	if (f->failing)
		return -EIO;
	memcpy(buf, f->index + (offset - f->info.index_offset), bytes);
	return 0;
}

static int memory_cache_begin(struct vfile *vf)
{
	if (fault_now(&fault_allocation))
		return -ENOMEM;
	of(vf)->begun = true;
	return 0;
}

static void memory_cache_end(struct vfile *vf)
{
	CHECK(of(vf)->begun);
	of(vf)->begun = false;
}

static int memory_cache_read(struct vfile *vf, void *buf, size_t bytes, u64 offset,
			     bool may_wait)
{
	CHECK(of(vf)->begun);
	if (of(vf)->cold && !may_wait)
		return -EAGAIN;
	of(vf)->cold = false;
	return memory_read(vf, buf, bytes, offset);
}

static void memory_cache_forget(struct vfile *vf, size_t bytes, u64 offset)
{
	struct memory_file *f = of(vf);
	u64 at = offset - f->info.index_offset;

	CHECK(f->begun && bytes && at < f->index_bytes && bytes <= f->index_bytes - at);
	if (f->cure == CURE_HEALS)
		memcpy(f->index + at, f->loaded + at, bytes);
	else if (f->cure == CURE_FAILS)
		f->failing = true;
}

static bool released;

static void memory_release(struct vfile *vf)
{
	(void)vf;
	released = true;
}

static const struct vfile_ops ops = {
	.read = memory_read,
	.cache_begin = memory_cache_begin,
	.cache_end = memory_cache_end,
	.cache_read = memory_cache_read,
	.cache_forget = memory_cache_forget,
	.release = memory_release,
};

static const struct vfile_ops ops_without_cache = {
	.read = memory_read,
	.release = memory_release,
};

static void put_entry(struct memory_file *f, u64 block, u32 value)
{
	__le32 entry = cpu_to_le32(value);

	memcpy(f->index + 4 * block, &entry, sizeof(entry));
}

static u32 entry(const struct memory_file *f, u64 block)
{
	return zfile_decode_entry(f->index, block);
}

/* Make one block of a leaf longer and another shorter: the sum stays. */
static void shift(struct input *in, struct memory_file *f)
{
	u64 one = take_number(in, 3) % f->info.block_count, two = one ^ 1;
	u32 by = take_number(in, 3);

	if (two >= f->info.block_count)
		return;
	put_entry(f, one, entry(f, one) + by);
	put_entry(f, two, entry(f, two) - by);
	f->changed = true;
}

static void change(struct input *in, struct memory_file *f)
{
	u64 block = take_number(in, 3) % f->info.block_count;

	put_entry(f, block, take_number(in, 4));
	f->changed = true;
}

static void make_index(struct input *in, struct memory_file *f)
{
	unsigned int patterns = 1 + take_number(in, 1) % MAX_PATTERN, i;
	unsigned int replaced = take_number(in, 1) % 8;
	u32 pattern[MAX_PATTERN];

	for (i = 0; i < patterns; i++)
		pattern[i] = take_number(in, 3);
	f->index_bytes = f->info.block_count * 4;
	f->index = must_alloc(f->index_bytes + 1);
	for (u64 block = 0; block < f->info.block_count; block++)
		put_entry(f, block, pattern[block % patterns]);
	for (i = 0; i < replaced && f->info.block_count; i++) {
		u64 block = take_number(in, 3) % f->info.block_count;

		put_entry(f, block, take_number(in, 4));
	}
	f->loaded = must_alloc(f->index_bytes + 1);
	memcpy(f->loaded, f->index, f->index_bytes);
}

/* A header as zfile_decode() would let it pass, but with any index in it. */
static void make_file(struct input *in, struct memory_file *f)
{
	unsigned int what = take_number(in, 1);
	struct zfile_info *info = &f->info;
	u64 data_bytes;

	info->block_shift = 9 + take_number(in, 1) % 8;
	info->block_count = take_number(in, 3) %
			    ((what & 0x82) == 0x82 ? MANY_BLOCKS : FEW_BLOCKS);
	info->block_crc = what & 1;
	info->has_digest = what & 2;
	info->max_entry_bytes = (1U << info->block_shift) + 16 +
				(1U << info->block_shift) / 255 + (what & 1 ? 4 : 0);
	data_bytes = take_number(in, 5);
	make_index(in, f);
	if (what & 4)
		data_bytes = zfile_sum_entries(f->index, info->block_count);
	info->index_offset = ZFILE_HEADER_BYTES + data_bytes;
	info->index_crc = take_number(in, 4);
	if (what & 8)
		info->index_crc = zfile_index_crc(0, f->index, f->index_bytes);
	f->failing = (what & 0xf0) == 0xf0;
	vfile_init(&f->vf, what & 16 && what & 32 ? &ops_without_cache : &ops,
		   info->index_offset + f->index_bytes +
		   (what & 64 ? ZFILE_HEADER_BYTES : 0), 0);
}

static bool entry_fits(const struct memory_file *f, u32 entry)
{
	return entry > (f->info.block_crc ? 4 : 0) && entry <= f->info.max_entry_bytes;
}

static bool index_is_good(const struct memory_file *f)
{
	for (u64 block = 0; block < f->info.block_count; block++)
		if (!entry_fits(f, zfile_decode_entry(f->index, block)))
			return false;
	if (f->info.has_digest &&
	    zfile_index_crc(0, f->index, f->index_bytes) != f->info.index_crc)
		return false;
	return zfile_sum_entries(f->index, f->info.block_count) <=
	       f->info.index_offset - ZFILE_HEADER_BYTES;
}

static void check_found(const struct memory_file *f, u64 block, unsigned int count,
			u64 offset, const u32 *sizes)
{
	u64 end = offset;

	for (unsigned int i = 0; i < count; i++) {
		CHECK(entry_fits(f, sizes[i]));
		end += sizes[i];
	}
	CHECK(offset >= ZFILE_HEADER_BYTES && end <= f->info.index_offset);
	if (f->changed)
		return;
	CHECK(offset == ZFILE_HEADER_BYTES + zfile_sum_entries(f->index, block));
	for (unsigned int i = 0; i < count; i++)
		CHECK(sizes[i] == entry(f, block + i));
}

static void find(struct input *in, struct memory_file *f, const struct jump_table *t,
		 bool may_wait)
{
	u64 block = take_number(in, 3) % f->info.block_count;
	u64 left = f->info.block_count - block;
	unsigned int count = 1 + take_number(in, 1) % MAX_FOUND;
	bool cold = f->cold && f->begun && !may_wait;
	u32 sizes[MAX_FOUND];
	u64 offset = 0;
	int r;

	if (count > left)
		count = left;
	r = jump_table_find(t, block, count, may_wait, &offset, sizes);
	if (!r) {
		CHECK(!cold);
		check_found(f, block, count, offset, sizes);
	} else if (r == -EIO) {
		CHECK(f->failing && f->begun);
	} else {
		CHECK(r == -EAGAIN ? !may_wait && (cold || f->changed) :
				     r == -EUCLEAN && f->changed);
	}
}

static void cure_or_forget(struct input *in, struct memory_file *f,
			   const struct jump_table *t)
{
	unsigned int what = take_number(in, 1) % 4;

	if (what == 3)
		jump_table_forget(t);
	else
		f->cure = what;
}

static void use_table(struct input *in, struct memory_file *f, const struct jump_table *t)
{
	for (int step = 0; step < MAX_STEPS && in->size && f->info.block_count; step++) {
		switch (take_number(in, 1) % 8) {
		case 0:
			find(in, f, t, false);
			break;
		case 1:
		case 2:
			find(in, f, t, true);
			break;
		case 3:
			change(in, f);
			break;
		case 4:
			f->cold = !f->cold;
			break;
		case 5:
			f->failing = !f->failing;
			break;
		case 6:
			shift(in, f);
			break;
		case 7:
			cure_or_forget(in, f, t);
			break;
		}
	}
}

static void check_load(const struct memory_file *f, int r, const char *error)
{
	if (!r) {
		CHECK(index_is_good(f) && !fault_allocation.happened);
		return;
	}
	CHECK(error && *error);
	if (r == -ENOMEM)
		CHECK(fault_allocation.happened);
	else if (r == -EINTR)
		CHECK(fault_signal.happened);
	else if (r == -EIO)
		CHECK(f->failing);
	else if (r == -EOPNOTSUPP)
		CHECK(f->vf.ops == &ops_without_cache &&
		      f->index_bytes > JUMP_TABLE_RESIDENT_BYTES);
	else
		CHECK((r == -EINVAL || r == -EUCLEAN) && !index_is_good(f));
}

static void check_vfile(struct memory_file *f)
{
	u8 buf[4];

	CHECK(vfile_read(&f->vf, buf, 4, f->vf.size - 3) == -ERANGE);
	CHECK(vfile_read(&f->vf, buf, 4, f->vf.size + 1) == -ERANGE);
	if (f->vf.ops->cache_read)
		CHECK(vfile_cache_read(&f->vf, buf, 4, f->vf.size - 3, true) == -ERANGE);
	CHECK(vfile_get(&f->vf) == &f->vf);
	vfile_put(&f->vf);
	CHECK(!released);
	vfile_put(&f->vf);
	CHECK(released);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory_file file = { .failing = false };
	struct input in = { data, size };
	struct jump_table table;
	const char *error = NULL;
	int r;

	released = false;
	fault_set(&fault_allocation, take_number(&in, 1) % 16);
	fault_set(&fault_signal, take_number(&in, 1) % 16);
	make_file(&in, &file);
	r = jump_table_load(&table, &file.vf, &file.info, &error);
	check_load(&file, r, error);
	if (!r) {
		CHECK(jump_table_bytes(table.block_count) >= 12);
		use_table(&in, &file, &table);
	}
	jump_table_destroy(&table);
	jump_table_destroy(&table);	/* twice does no harm */
	CHECK(!file.begun);
	check_vfile(&file);
	free(file.index);
	free(file.loaded);
	return 0;
}
