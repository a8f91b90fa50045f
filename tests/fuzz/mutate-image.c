// SPDX-License-Identifier: GPL-2.0
/*
 * Mutations of packed images (see image-input.h) that know the format: single
 * fields, index entries, mappings, blocks, compressed layers unpacked, changed
 * and packed again, layers and tar wrappers added and taken away. Most times
 * checksums are made right again, or nothing behind them would be reached.
 */

#include <linux/crc32c.h>
#include <linux/minmax.h>
#include <linux/unaligned.h>

#include "../../drivers/md/dm-overlaybd/format-disk.h"
#include "../../tools/overlaybd/disk.h"
#include "../../tools/overlaybd/tar.h"
#include "../../tools/overlaybd/zfile-read.h"
#include "image-input.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed);

/* No layer gets longer, unpacked or not. */
#define ROOM	(1U << 20)

struct piece {
	u8 *data;
	size_t bytes;
};

static struct piece layers[IMAGE_MAX_LAYERS];
static unsigned int count;
static unsigned int options;
static u64 random_state;

static u64 below(u64 limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return limit ? random_state % limit : 0;
}

static bool chance(unsigned int percent)
{
	return below(100) < percent;
}

/* --- single values ---------------------------------------------------------- */

static u64 interesting(u64 value, unsigned int bits)
{
	static const u64 values[] = {
		0, 1, 2, 8, 255, 256, 511, 512, 513, 4095, 4096, 65535, 65536, 65537,
		1ULL << 31, 0xffffffff, 1ULL << 32, (1ULL << 50) - 1, 1ULL << 50,
		1ULL << 59, 1ULL << 63, ~0ULL,
	};
	u64 new = value;

	switch (below(6)) {
	case 0:
		new = values[below(sizeof(values) / sizeof(*values))];
		break;
	case 1:
		new = value + below(129) - 64;
		break;
	case 2:
		new = value + 512 * (below(9) - 4);
		break;
	case 3:
		new = value ^ 1ULL << below(bits);
		break;
	case 4:
		new = chance(50) ? value * 2 : value / 2;
		break;
	case 5:
		new = below(~0ULL);
		break;
	}
	return bits == 64 ? new : new & ((1ULL << bits) - 1);
}

static void change_number(u8 *p, unsigned int bytes)
{
	u64 value = interesting(le(p, bytes), 8 * bytes);

	while (bytes--) {
		*p++ = value;
		value >>= 8;
	}
}

struct field {
	unsigned int offset;
	unsigned int bytes;
};

static void change_zfile_field(u8 *header)
{
	static const struct field fields[] = {
		{ 24, 4 }, { 28, 4 }, { 32, 1 }, { 32, 1 }, { 32, 8 }, { 40, 8 }, { 48, 8 },
		{ 56, 8 }, { 64, 4 }, { 72, 4 }, { 76, 1 }, { 77, 1 }, { 78, 1 }, { 84, 4 },
		{ 88, 1 }, { 96, 1 }, { 0, 1 }, { 23, 1 },
	};
	const struct field *f = &fields[below(sizeof(fields) / sizeof(*fields))];

	change_number(header + f->offset, f->bytes);
}

static void change_lsmt_field(u8 *header)
{
	static const struct field fields[] = {
		{ 28, 1 }, { 28, 4 }, { 32, 8 }, { 32, 8 }, { 40, 8 }, { 40, 8 }, { 48, 8 },
		{ 56, 1 }, { 132, 1 }, { 400, 1 }, { 0, 1 }, { 23, 1 },
	};
	const struct field *f = &fields[below(sizeof(fields) / sizeof(*fields))];

	change_number(header + f->offset, f->bytes);
}

static void change_mapping(u8 *p)
{
	u64 where = le(p, 8), what = le(p + 8, 8);
	u64 offset = where & LSMT_OFFSET_MASK, length = where >> LSMT_OFFSET_BITS;
	u64 moffset = what & LSMT_MOFFSET_MASK;

	switch (below(5)) {
	case 0:
		offset = interesting(offset, LSMT_OFFSET_BITS);
		break;
	case 1:
		length = interesting(length, 14);
		break;
	case 2:
		moffset = interesting(moffset, LSMT_MOFFSET_BITS);
		break;
	case 3:
		what ^= LSMT_ZEROED;
		break;
	case 4:
		what ^= 1ULL << (LSMT_TAG_SHIFT + below(8));
		break;
	}
	put_unaligned_le64(offset | length << LSMT_OFFSET_BITS, p);
	put_unaligned_le64((what & ~LSMT_MOFFSET_MASK) | moffset, p + 8);
}

/* --- LSMT -------------------------------------------------------------------- */

static void change_lsmt(u8 *lsmt, size_t bytes)
{
	u8 *trailer = lsmt + bytes - LSMT_HEADER_BYTES;
	u64 offset, mappings, room;

	if (bytes < 2 * LSMT_HEADER_BYTES) {
		if (bytes)
			LLVMFuzzerMutate(lsmt, bytes, bytes);
		return;
	}
	offset = le(trailer + 32, 8);
	mappings = le(trailer + 40, 8);
	room = offset <= bytes - LSMT_HEADER_BYTES ?
	       (bytes - LSMT_HEADER_BYTES - offset) / LSMT_MAPPING_BYTES : 0;
	mappings = min(mappings, room);
	if (mappings && chance(60)) {
		u8 *one = lsmt + offset + below(min(mappings, 64ULL)) * LSMT_MAPPING_BYTES;
		u8 *two = lsmt + offset + below(min(mappings, 64ULL)) * LSMT_MAPPING_BYTES;

		if (chance(20))
			memmove(one, two, LSMT_MAPPING_BYTES);
		change_mapping(one);
	} else {
		change_lsmt_field(chance(70) ? trailer : lsmt);
	}
}

/* --- ZFile ------------------------------------------------------------------- */

/* The header that counts, if the index it speaks of is there. */
static u8 *zfile_final(u8 *zfile, size_t bytes)
{
	u8 *h = zfile_header_is_final(zfile) ? zfile : zfile + bytes - ZFILE_HEADER_BYTES;
	u64 offset = le(h + 40, 8), blocks = le(h + 48, 8);

	if (offset > bytes || blocks > (bytes - offset) / ZFILE_INDEX_ENTRY_BYTES)
		return NULL;
	return h;
}

/* Where a block is; false if the index leads outside. */
static bool find_block(u8 *zfile, const u8 *final, u64 block, u64 *offset, u32 *bytes)
{
	const u8 *index = zfile + le(final + 40, 8);

	*offset = ZFILE_HEADER_BYTES + zfile_sum_entries(index, block);
	*bytes = zfile_decode_entry(index, block);
	return *offset + *bytes <= le(final + 40, 8);
}

static void change_block(u8 *zfile, const u8 *final, u64 block)
{
	u64 offset;
	u32 bytes;
	bool crc;

	if (!find_block(zfile, final, block, &offset, &bytes) || bytes < 6)
		return;
	/* The header may be part of what is changed: it is not looked at again. */
	crc = final[88];
	bytes -= crc ? 4 : 0;
	LLVMFuzzerMutate(zfile + offset, bytes, bytes);
	if (crc && chance(80))
		put_unaligned_le32(zfile_block_crc(zfile + offset, bytes),
				   zfile + offset + bytes);
}

static void repair_digest(u8 *header)
{
	if (!(le(header + 32, 8) & ZFILE_F_DIGEST))
		return;
	put_unaligned_le32(0, header + 28);
	put_unaligned_le32(crc32c(0, header, ZFILE_HEADER_BYTES), header + 28);
}

static void repair_zfile(u8 *zfile, size_t bytes)
{
	u8 *trailer = zfile + bytes - ZFILE_HEADER_BYTES;
	u8 *final = zfile_final(zfile, bytes);

	if (final)
		put_unaligned_le32(zfile_index_crc(0, zfile + le(final + 40, 8),
						   4 * le(final + 48, 8)), final + 64);
	repair_digest(zfile);
	repair_digest(trailer);
}

static void change_zfile(u8 *zfile, size_t bytes)
{
	u8 *final = zfile_final(zfile, bytes);
	u64 blocks = final ? le(final + 48, 8) : 0, block = below(blocks);

	if (!blocks || chance(30))
		change_zfile_field(chance(70) && final ? final : chance(50) ? zfile :
				   zfile + bytes - ZFILE_HEADER_BYTES);
	else if (chance(40))
		change_number(zfile + le(final + 40, 8) + 4 * block, 4);
	else
		change_block(zfile, final, block);
	if (chance(85))
		repair_zfile(zfile, bytes);
}

/* The content of a ZFile, or nothing. */
static bool unpack(const u8 *data, size_t bytes, struct piece *content, struct zfile *z)
{
	struct zfile_reader *reader = zfile_reader_new();
	struct file file;
	bool good;

	memory_file_add(data, bytes);
	good = reader && !file_open(&file, "0") && !zfile_open(z, &file, 0, bytes) &&
	       z->info.original_bytes <= ROOM;
	if (good) {
		content->bytes = z->info.original_bytes;
		content->data = must_alloc(content->bytes + 1);
		good = !zfile_read(z, reader, content->data, content->bytes, 0);
		if (!good)
			free(content->data);
	}
	zfile_close(z);
	zfile_reader_free(reader);
	memory_files_remove();
	return good;
}

/* Compress a content, in the shape that @info says; the parts that matter. */
static void pack(const struct piece *content, struct zfile_info *info, struct piece *to)
{
	struct compressor *compressor = compressor_new(info->algorithm, 0);
	size_t block_bytes = 1UL << info->block_shift, at, bytes, used = ZFILE_HEADER_BYTES;
	size_t blocks = (content->bytes + block_bytes - 1) / block_bytes;
	u8 *index = must_alloc(4 * blocks + 1);
	size_t block = 0;

	CHECK(compressor);
	to->data = must_alloc(2 * ZFILE_HEADER_BYTES + 4 * blocks +
			      blocks * (codec_bound(info->algorithm, block_bytes) + 4));
	for (at = 0; at < content->bytes; at += block_bytes, block++) {
		bytes = compressor_run(compressor, to->data + used,
				       codec_bound(info->algorithm, block_bytes),
				       content->data + at, min(block_bytes, content->bytes - at));
		if (info->block_crc) {
			put_unaligned_le32(zfile_block_crc(to->data + used, bytes),
					   to->data + used + bytes);
			bytes += 4;
		}
		put_unaligned_le32(bytes, index + 4 * block);
		used += bytes;
	}
	info->index_offset = used;
	info->block_count = blocks;
	info->original_bytes = content->bytes;
	info->index_crc = zfile_index_crc(0, index, 4 * blocks);
	memcpy(to->data + used, index, 4 * blocks);
	used += 4 * blocks;
	zfile_encode(to->data, info->header_is_final ? ZFILE_FINAL_HEADER :
		     ZFILE_FIRST_HEADER, info);
	zfile_encode(to->data + used, ZFILE_TRAILER, info);
	to->bytes = used + ZFILE_HEADER_BYTES;
	free(index);
	compressor_free(compressor);
}

static void choose_shape(struct zfile_info *info)
{
	info->block_shift = ZFILE_BLOCK_SHIFT_MIN + below(8);
	info->algorithm = chance(50) ? ZFILE_LZ4 : ZFILE_ZSTD;
	info->block_crc = chance(80);
	info->header_is_final = chance(50);
}

/* --- layers ------------------------------------------------------------------- */

static void replace(struct piece *layer, struct piece new)
{
	free(layer->data);
	*layer = new;
}

/* Where what is in a tar wrapper begins. */
static size_t wrapped_at(const struct piece *layer)
{
	if (layer->bytes < TAR_PREFIX_BYTES + ZFILE_HEADER_BYTES ||
	    memcmp(layer->data + 257, "ustar", 5))
		return 0;
	return layer->data[156] == 'x' ? TAR_PREFIX_BYTES : TAR_BLOCK_BYTES;
}

/* Its length; without the fill and the two blocks at the end of a tar. */
static size_t wrapped_bytes(const struct piece *layer, size_t at)
{
	size_t bytes = layer->bytes - at, fill = tar_suffix_bytes(0);

	return at && bytes > fill + 2 * ZFILE_HEADER_BYTES ? bytes - fill : bytes;
}

static void wrap(struct piece *layer)
{
	size_t bytes = TAR_PREFIX_BYTES + layer->bytes + tar_suffix_bytes(layer->bytes);
	struct piece new = { calloc(1, bytes), bytes };

	CHECK(new.data);
	tar_encode_prefix(new.data, layer->bytes);
	memcpy(new.data + TAR_PREFIX_BYTES, layer->data, layer->bytes);
	replace(layer, new);
}

static void wrap_in_zfile(struct piece *layer)
{
	struct zfile_info info = { .has_digest = true };
	struct piece new;

	choose_shape(&info);
	pack(layer, &info, &new);
	replace(layer, new);
}

/* Change what is in a ZFile that stands alone. */
static bool change_content(struct piece *layer)
{
	struct piece content, new;
	struct zfile z;

	if (!unpack(layer->data, layer->bytes, &content, &z))
		return false;
	change_lsmt(content.data, content.bytes);
	if (chance(30))
		choose_shape(&z.info);
	pack(&content, &z.info, &new);
	free(content.data);
	replace(layer, new);
	return true;
}

static void change_layer(struct piece *layer)
{
	size_t at = wrapped_at(layer), bytes = wrapped_bytes(layer, at);
	u8 *data = layer->data + at;

	if (!layer->bytes)
		return;
	if (at && chance(15)) {
		LLVMFuzzerMutate(layer->data, at, at);
		return;
	}
	if (chance(10)) {
		layer->bytes = LLVMFuzzerMutate(layer->data, layer->bytes, layer->bytes);
		return;
	}
	if (bytes >= 2 * ZFILE_HEADER_BYTES && zfile_has_magic(data)) {
		if (at || !chance(40) || !change_content(layer))
			change_zfile(data, bytes);
		return;
	}
	change_lsmt(data, bytes);
}

static void add_copy(const struct piece *layer)
{
	if (count == IMAGE_MAX_LAYERS)
		return;
	layers[count] = (struct piece) { must_alloc(layer->bytes + 1), layer->bytes };
	memcpy(layers[count++].data, layer->data, layer->bytes);
}

static void change_layers(void)
{
	struct piece *layer = &layers[below(count)], *other = &layers[below(count)];
	struct piece swap = *layer;

	switch (below(5)) {
	case 0:
		add_copy(layer);
		break;
	case 1:
		*layer = *other;
		*other = swap;
		break;
	case 2:
		if (count > 1)
			free(layers[--count].data);
		break;
	case 3:
		wrap(layer);
		break;
	case 4:
		wrap_in_zfile(layer);
		break;
	}
}

/* --- the whole input ----------------------------------------------------------- */

static void load(const u8 *data, size_t size)
{
	struct packed_layer packed[IMAGE_MAX_LAYERS];

	count = image_unpack(data, size, packed);
	options = chance(5) ? below(IMAGE_OPTIONS) : image_options(data, size);
	if (chance(5))
		options &= ~IMAGE_FAILING_READ;
	for (unsigned int i = 0; i < count; i++) {
		layers[i] = (struct piece) { must_alloc(packed[i].bytes + 1), packed[i].bytes };
		memcpy(layers[i].data, packed[i].data, packed[i].bytes);
	}
}

/* What has no room is cut off, or left out if nothing would be left of it. */
static size_t store(u8 *data, size_t room)
{
	size_t used = 1;
	unsigned int i;

	for (i = 0; i < count && used + 4 < room; i++) {
		size_t bytes = min(layers[i].bytes, room - used - 4);

		put_unaligned_le32(bytes, data + used);
		memcpy(data + used + 4, layers[i].data, bytes);
		used += 4 + bytes;
	}
	data[0] = i - 1 + options * IMAGE_MAX_LAYERS;
	for (i = 0; i < count; i++)
		free(layers[i].data);
	return used;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned int seed)
{
	unsigned int changes = 1 + seed % 3;

	if (max_size < 16 || size < 2)
		return LLVMFuzzerMutate(data, size, max_size);
	random_state = seed * 0x9e3779b97f4a7c15ULL + 1;
	below(1);
	load(data, size);
	while (changes--) {
		if (chance(12))
			change_layers();
		else
			change_layer(&layers[below(count)]);
	}
	return store(data, max_size);
}
