// SPDX-License-Identifier: GPL-2.0
/*
 * Decoding and validation of the ZFile and LSMT formats, see format.h.
 */

#include <linux/crc32c.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "format.h"
#include "format-disk.h"

/* The seed of block CRCs; header, trailer and index use 0. */
#define ZFILE_BLOCK_CRC_SEED	100007

#define ZFILE_MIN_BYTES		(2 * ZFILE_HEADER_BYTES)
#define LSMT_MIN_BYTES		(2 * LSMT_HEADER_BYTES)

/* No device is larger: sectors must fit the 50 bits of a mapping. */
#define LSMT_MAX_VIRTUAL_BYTES	(1ULL << (LSMT_OFFSET_BITS + OBD_SECTOR_SHIFT))

static int refuse(int errno_value, const char *text, const char **error)
{
	*error = text;
	return errno_value;
}

/**
 * zfile_has_magic() - does a ZFile begin here?
 * @header: the first ZFILE_HEADER_BYTES of a file, 8-byte aligned
 *
 * Return: true when the magic is there and the block says it is a header. Any
 * other file is not a ZFile (it may be a bare LSMT layer).
 */
bool zfile_has_magic(const void *header)
{
	const struct zfile_disk_header *h = header;

	return !memcmp(h->magic0, ZFILE_MAGIC0, sizeof(h->magic0)) &&
	       !memcmp(h->magic1, ZFILE_MAGIC1, sizeof(h->magic1)) &&
	       (le64_to_cpu(h->flags) & ZFILE_F_HEADER);
}

/**
 * zfile_header_is_final() - can the trailer be left unread?
 * @header: a header that zfile_has_magic()
 *
 * Return: true when the header was overwritten with the final values.
 */
bool zfile_header_is_final(const void *header)
{
	const struct zfile_disk_header *h = header;

	return le64_to_cpu(h->flags) & ZFILE_F_OVERWRITTEN;
}

/**
 * zfile_has_digest() - do header and trailer stand for the whole index?
 * @header: a header that zfile_has_magic()
 * @trailer: the last ZFILE_HEADER_BYTES of the file
 *
 * Return: true when the one that counts has a checksum of the index.
 */
bool zfile_has_digest(const void *header, const void *trailer)
{
	const struct zfile_disk_header *h;

	h = zfile_header_is_final(header) ? header : trailer;
	return le64_to_cpu(h->flags) & ZFILE_F_DIGEST;
}

/* The digest covers all 512 bytes with its own field taken as zero. */
static bool zfile_digest_ok(const struct zfile_disk_header *h)
{
	const size_t after = offsetofend(struct zfile_disk_header, digest);
	const __le32 zero = 0;
	u32 crc;

	crc = crc32c(0, h, offsetof(struct zfile_disk_header, digest));
	crc = crc32c(crc, &zero, sizeof(zero));
	crc = crc32c(crc, (const u8 *)h + after, sizeof(*h) - after);
	return crc == le32_to_cpu(h->digest);
}

static int zfile_check_header(const struct zfile_disk_header *h,
			      const char **error)
{
	u64 flags = le64_to_cpu(h->flags);

	if (!zfile_has_magic(h))
		return refuse(-EINVAL, "Not a ZFile: bad magic in the header", error);
	/* Of a header that counts nobody has ever asked for it. */
	if (!(flags & (ZFILE_F_DATA | ZFILE_F_OVERWRITTEN)))
		return refuse(-EINVAL, "ZFile header is not of a data file", error);
	if ((flags & ZFILE_F_DIGEST) && !zfile_digest_ok(h))
		return refuse(-EUCLEAN, "ZFile header digest mismatch", error);
	return 0;
}

static int zfile_check_trailer(const struct zfile_disk_header *t,
			       const char **error)
{
	u64 flags = le64_to_cpu(t->flags);

	if (memcmp(t->magic0, ZFILE_MAGIC0, sizeof(t->magic0)) ||
	    memcmp(t->magic1, ZFILE_MAGIC1, sizeof(t->magic1)))
		return refuse(-EINVAL, "Bad magic in the ZFile trailer (wrong length?)",
			      error);
	if (flags & ZFILE_F_HEADER)
		return refuse(-EINVAL, "ZFile trailer says it is a header", error);
	if (!(flags & ZFILE_F_DATA))
		return refuse(-EINVAL, "ZFile trailer is not of a data file", error);
	if (!(flags & ZFILE_F_SEALED))
		return refuse(-EINVAL, "ZFile is not sealed", error);
	if ((flags & ZFILE_F_DIGEST) && !zfile_digest_ok(t))
		return refuse(-EUCLEAN, "ZFile trailer digest mismatch", error);
	return 0;
}

/* The longest output of the compressors for a block of @bytes. */
static u32 zfile_payload_bound(u8 algorithm, u32 bytes)
{
	if (algorithm == ZFILE_LZ4)
		return bytes + bytes / 255 + 16;
	return bytes + (bytes >> 8) + ((131072 - bytes) >> 11);
}

static int zfile_check_coding(const struct zfile_disk_header *h,
			      struct zfile_info *info, const char **error)
{
	u32 block_bytes = le32_to_cpu(h->block_size);

	if (h->algorithm != ZFILE_LZ4 && h->algorithm != ZFILE_ZSTD)
		return refuse(-EOPNOTSUPP, "Unknown ZFile compression algorithm", error);
	if (!is_power_of_2(block_bytes) ||
	    block_bytes < (1U << ZFILE_BLOCK_SHIFT_MIN) ||
	    block_bytes > (1U << ZFILE_BLOCK_SHIFT_MAX))
		return refuse(-EINVAL, "ZFile block size is not a power of two from 512 to 65536",
			      error);
	if (h->use_dict || h->dict_size)
		return refuse(-EOPNOTSUPP, "ZFile dictionaries are not supported", error);
	/* Without a digest the upper flag bits of old files are garbage. */
	if (info->has_digest &&
	    (le64_to_cpu(h->flags) & ZFILE_F_INDEX_COMPRESSED))
		return refuse(-EOPNOTSUPP, "Compressed ZFile indexes are not supported",
			      error);

	info->algorithm = h->algorithm;
	info->block_shift = ilog2(block_bytes);
	info->block_crc = h->verify;
	info->max_entry_bytes = zfile_payload_bound(h->algorithm, block_bytes);
	if (info->block_crc)
		info->max_entry_bytes += ZFILE_BLOCK_CRC_BYTES;
	return 0;
}

static int zfile_check_index(const struct zfile_disk_header *h, u64 file_bytes,
			     struct zfile_info *info, const char **error)
{
	u64 trailer_offset = file_bytes - ZFILE_HEADER_BYTES;
	u64 bytes = le64_to_cpu(h->original_file_size);
	u64 mask = (1ULL << info->block_shift) - 1;

	info->index_offset = le64_to_cpu(h->index_offset);
	info->block_count = le64_to_cpu(h->index_size);
	info->original_bytes = bytes;
	info->index_crc = le32_to_cpu(h->index_crc);

	if (info->block_count > ZFILE_MAX_BLOCKS)
		return refuse(-EFBIG, "ZFile has too many blocks", error);
	if (bytes > S64_MAX)
		return refuse(-EINVAL, "ZFile content size is out of range", error);
	if (info->block_count != (bytes >> info->block_shift) + !!(bytes & mask))
		return refuse(-EINVAL, "ZFile index does not match the content size",
			      error);
	if (info->index_offset < ZFILE_HEADER_BYTES ||
	    info->index_offset > trailer_offset)
		return refuse(-EINVAL, "ZFile index lies outside the file", error);
	if (info->block_count * ZFILE_INDEX_ENTRY_BYTES >
	    trailer_offset - info->index_offset)
		return refuse(-EINVAL, "ZFile index runs into the trailer", error);
	return 0;
}

/**
 * zfile_decode() - validate a ZFile's header and, where it counts, its trailer
 * @header: the first ZFILE_HEADER_BYTES of the file, 8-byte aligned
 * @trailer: the last ZFILE_HEADER_BYTES of the file, 8-byte aligned; not looked
 *	at, and may be NULL, when zfile_header_is_final()
 * @file_bytes: exact length of the file
 * @info: filled in on success
 * @error: set to the reason on failure
 *
 * Return: 0, or -EINVAL, -EUCLEAN, -EOPNOTSUPP or -EFBIG. An empty ZFile, one
 * with no content, is valid here.
 */
int zfile_decode(const void *header, const void *trailer, u64 file_bytes,
		 struct zfile_info *info, const char **error)
{
	const struct zfile_disk_header *h = header;
	int r;

	if (file_bytes < ZFILE_MIN_BYTES)
		return refuse(-EINVAL, "Too short for a ZFile", error);
	r = zfile_check_header(h, error);
	if (r)
		return r;

	info->header_is_final = zfile_header_is_final(h);
	if (!info->header_is_final) {
		h = trailer;
		r = zfile_check_trailer(h, error);
		if (r)
			return r;
	}

	info->has_digest = le64_to_cpu(h->flags) & ZFILE_F_DIGEST;
	r = zfile_check_coding(h, info, error);
	if (r)
		return r;
	return zfile_check_index(h, file_bytes, info, error);
}

/**
 * zfile_index_crc() - checksum a part of the index
 * @crc: 0 for the first part, then what the call before returned
 * @index: index bytes as on disk, any alignment
 * @index_bytes: how many
 *
 * Return: the running checksum; after the whole index, what zfile_info calls
 * index_crc.
 */
u32 zfile_index_crc(u32 crc, const void *index, size_t index_bytes)
{
	return crc32c(crc, index, index_bytes);
}

/**
 * zfile_decode_entry() - size of one block on disk
 * @index: index bytes as on disk, any alignment
 * @i: which entry
 *
 * Return: the unchecked on-disk size in bytes, CRC included.
 */
u32 zfile_decode_entry(const void *index, size_t i)
{
	return get_unaligned_le32((const u8 *)index + i * ZFILE_INDEX_ENTRY_BYTES);
}

/**
 * zfile_sum_entries() - size of consecutive blocks on disk
 * @index: index bytes as on disk, any alignment
 * @count: how many blocks
 *
 * Return: the sum of their unchecked sizes in bytes.
 */
u64 zfile_sum_entries(const void *index, size_t count)
{
	u64 sum = 0;
	size_t i = 0;

	/* Part of every read, so four at a time. */
	for (; i + 4 <= count; i += 4) {
		sum += zfile_decode_entry(index, i);
		sum += zfile_decode_entry(index, i + 1);
		sum += zfile_decode_entry(index, i + 2);
		sum += zfile_decode_entry(index, i + 3);
	}
	for (; i < count; i++)
		sum += zfile_decode_entry(index, i);
	return sum;
}

/**
 * zfile_block_crc_ok() - verify one compressed block
 * @payload: the compressed bytes with their CRC right behind them, any alignment
 * @payload_bytes: length without the CRC
 *
 * Return: true when the CRC matches.
 */
bool zfile_block_crc_ok(const void *payload, u32 payload_bytes)
{
	return crc32c(ZFILE_BLOCK_CRC_SEED, payload, payload_bytes) ==
	       get_unaligned_le32((const u8 *)payload + payload_bytes);
}

/**
 * lsmt_has_magic() - does an LSMT file begin here?
 * @header: at least the first 24 bytes of a file
 *
 * Return: true when the magic is there.
 */
bool lsmt_has_magic(const void *header)
{
	const struct lsmt_disk_header *h = header;

	return !memcmp(h->magic0, LSMT_MAGIC0, sizeof(h->magic0)) &&
	       !memcmp(h->magic1, LSMT_MAGIC1, sizeof(h->magic1));
}

static int lsmt_check_flags(const struct lsmt_disk_header *h,
			    const struct lsmt_disk_header *t, const char **error)
{
	u32 header_flags = le32_to_cpu(h->flags);
	u32 trailer_flags = le32_to_cpu(t->flags);

	if (!lsmt_has_magic(h))
		return refuse(-EINVAL, "Not an LSMT layer: bad magic in the header", error);
	if (!(header_flags & LSMT_F_HEADER))
		return refuse(-EINVAL, "LSMT header says it is a trailer", error);
	if (!(header_flags & LSMT_F_DATA))
		return refuse(-EINVAL, "LSMT file is the index of a writable layer", error);
	if (!lsmt_has_magic(t))
		return refuse(-EINVAL, "No LSMT trailer: wrong length, or a writable layer",
			      error);
	if (trailer_flags & LSMT_F_HEADER)
		return refuse(-EINVAL, "LSMT trailer says it is a header", error);
	if (!(trailer_flags & LSMT_F_DATA))
		return refuse(-EINVAL, "LSMT trailer is not of a data file", error);
	if (!(trailer_flags & LSMT_F_SEALED))
		return refuse(-EINVAL, "LSMT layer is not sealed", error);
	return 0;
}

/**
 * lsmt_decode() - validate an LSMT layer's header and trailer
 * @header: the first LSMT_HEADER_BYTES of the file, 8-byte aligned
 * @trailer: the last LSMT_HEADER_BYTES of the file, 8-byte aligned
 * @file_bytes: exact length of the file
 * @info: filled in on success
 * @error: set to the reason on failure
 *
 * Return: 0, or -EINVAL or -EFBIG.
 */
int lsmt_decode(const void *header, const void *trailer, u64 file_bytes,
		struct lsmt_info *info, const char **error)
{
	const struct lsmt_disk_header *t = trailer;
	u64 trailer_offset, count;
	int r;

	if (file_bytes < LSMT_MIN_BYTES)
		return refuse(-EINVAL, "Too short for an LSMT layer", error);
	trailer_offset = file_bytes - LSMT_HEADER_BYTES;
	r = lsmt_check_flags(header, t, error);
	if (r)
		return r;

	info->index_offset = le64_to_cpu(t->index_offset);
	info->virtual_bytes = le64_to_cpu(t->virtual_size);
	count = le64_to_cpu(t->index_size);
	if (count > LSMT_MAX_MAPPINGS)
		return refuse(-EFBIG, "LSMT layer has too many segments", error);
	info->mapping_count = count;

	if (info->index_offset < LSMT_HEADER_BYTES ||
	    info->index_offset > trailer_offset)
		return refuse(-EINVAL, "LSMT index lies outside the file", error);
	if (info->index_offset % OBD_SECTOR_BYTES)
		return refuse(-EINVAL, "LSMT index is not aligned to a sector", error);
	if (count * LSMT_MAPPING_BYTES > trailer_offset - info->index_offset)
		return refuse(-EINVAL, "LSMT index runs into the trailer", error);
	if (info->virtual_bytes > LSMT_MAX_VIRTUAL_BYTES)
		return refuse(-EINVAL, "LSMT virtual size is out of range", error);
	return 0;
}

/**
 * lsmt_decode_mapping() - take one mapping out of an index
 * @index: index bytes as on disk, any alignment
 * @i: which mapping
 * @m: filled in, unchecked
 *
 * The tag is not decoded: on disk it means nothing.
 *
 * Return: false when the mapping is invalid (padding) and is to be skipped.
 */
bool lsmt_decode_mapping(const void *index, size_t i, struct lsmt_mapping *m)
{
	const u8 *p = (const u8 *)index + i * LSMT_MAPPING_BYTES;
	u64 where = get_unaligned_le64(p);
	u64 what = get_unaligned_le64(p + sizeof(where));

	m->offset = where & LSMT_OFFSET_MASK;
	m->length = where >> LSMT_OFFSET_BITS;
	m->moffset = what & LSMT_MOFFSET_MASK;
	m->zeroed = what & LSMT_ZEROED;
	return m->offset != LSMT_INVALID_OFFSET;
}

/**
 * lsmt_check_mapping() - validate a mapping against its layer
 * @info: the layer
 * @previous_end: first sector behind the mapping before this one, 0 at first
 * @m: the mapping
 * @error: set to the reason on failure
 *
 * A zeroed mapping has no data: its moffset is not looked at. A mapping may end
 * behind the virtual size (layers get resized); what lies there is never read.
 *
 * Return: 0 or -EINVAL.
 */
int lsmt_check_mapping(const struct lsmt_info *info, u64 previous_end,
		       const struct lsmt_mapping *m, const char **error)
{
	u64 data_end = info->index_offset >> OBD_SECTOR_SHIFT;

	if (!m->length)
		return refuse(-EINVAL, "LSMT segment has no length", error);
	if (m->offset < previous_end)
		return refuse(-EINVAL, "LSMT segments overlap or are out of order", error);
	if (m->zeroed)
		return 0;
	if (m->moffset < LSMT_HEADER_BYTES >> OBD_SECTOR_SHIFT)
		return refuse(-EINVAL, "LSMT segment points into the header", error);
	if (m->moffset > data_end || m->length > data_end - m->moffset)
		return refuse(-EINVAL, "LSMT segment points beyond the data", error);
	return 0;
}
