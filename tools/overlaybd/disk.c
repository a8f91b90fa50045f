// SPDX-License-Identifier: GPL-2.0
/* Disk structures as the producer writes them, see disk.h. */

#include <string.h>

#include <linux/crc32c.h>
#include <linux/unaligned.h>

#include "../../drivers/md/dm-overlaybd/format-disk.h"
#include "disk.h"
#include "file.h"

#define ZFILE_BLOCK_CRC_SEED	100007

static void encode_labels(struct lsmt_disk_header *h, const struct lsmt_labels *labels)
{
	memcpy(h->magic0, LSMT_MAGIC0, sizeof(h->magic0));
	memcpy(h->magic1, LSMT_MAGIC1, sizeof(h->magic1));
	h->size = cpu_to_le32(LSMT_USED_BYTES);
	memcpy(h->uuid, labels->uuid, sizeof(h->uuid));
	memcpy(h->parent_uuid, labels->parent_uuid, sizeof(h->parent_uuid));
	h->version = LSMT_VERSION;
	h->sub_version = LSMT_SUB_VERSION;
	memcpy(h->user_tag, labels->tag, sizeof(h->user_tag));
}

/**
 * lsmt_encode_header() - the first bytes of a layer
 * @header: filled in
 * @virtual_bytes: size of the device, 0: not specified
 * @labels: the texts; their unused bytes are zero
 */
void lsmt_encode_header(u8 header[LSMT_HEADER_BYTES], u64 virtual_bytes,
			const struct lsmt_labels *labels)
{
	struct lsmt_disk_header h = { 0 };

	encode_labels(&h, labels);
	h.flags = cpu_to_le32(LSMT_F_HEADER | LSMT_F_DATA | LSMT_F_SEALED);
	h.virtual_size = cpu_to_le64(virtual_bytes);
	memcpy(header, &h, sizeof(h));
}

/**
 * lsmt_encode_trailer() - the last bytes of a layer
 * @trailer: filled in
 * @info: where the index is; padding is counted
 * @labels: as in the header
 */
void lsmt_encode_trailer(u8 trailer[LSMT_HEADER_BYTES], const struct lsmt_info *info,
			 const struct lsmt_labels *labels)
{
	struct lsmt_disk_header t = { 0 };

	encode_labels(&t, labels);
	t.flags = cpu_to_le32(LSMT_F_DATA | LSMT_F_SEALED);
	t.index_offset = cpu_to_le64(info->index_offset);
	t.index_size = cpu_to_le64(info->mapping_count);
	t.virtual_size = cpu_to_le64(info->virtual_bytes);
	memcpy(trailer, &t, sizeof(t));
}

void lsmt_encode_mapping(u8 bytes[LSMT_MAPPING_BYTES], const struct lsmt_mapping *m)
{
	put_unaligned_le64((u64)m->length << LSMT_OFFSET_BITS | m->offset, bytes);
	put_unaligned_le64((m->zeroed ? LSMT_ZEROED : 0) | m->moffset, bytes + 8);
}

void lsmt_encode_padding(u8 bytes[LSMT_MAPPING_BYTES])
{
	put_unaligned_le64(LSMT_INVALID_OFFSET, bytes);
	put_unaligned_le64(0, bytes + 8);
}

/**
 * lsmt_read_fields() - everything a header or trailer says
 * @header: LSMT_HEADER_BYTES of it
 * @fields: filled in, unchecked
 */
void lsmt_read_fields(const void *header, struct lsmt_fields *fields)
{
	struct lsmt_disk_header h;

	memcpy(&h, header, sizeof(h));
	memset(fields, 0, sizeof(*fields));
	fields->flags = le32_to_cpu(h.flags);
	fields->index_offset = le64_to_cpu(h.index_offset);
	fields->index_size = le64_to_cpu(h.index_size);
	fields->virtual_size = le64_to_cpu(h.virtual_size);
	fields->version = h.version;
	fields->sub_version = h.sub_version;
	fields->reserved_used = !is_zero(h.reserved1, sizeof(h.reserved1));
	memcpy(fields->labels.uuid, h.uuid, sizeof(h.uuid) - 1);
	memcpy(fields->labels.parent_uuid, h.parent_uuid, sizeof(h.parent_uuid) - 1);
	memcpy(fields->labels.tag, h.user_tag, sizeof(h.user_tag));
}

/* Is it one of the files of a layer that is still being written? */
bool lsmt_looks_writable(const void *header)
{
	struct lsmt_disk_header h;

	memcpy(&h, header, sizeof(h));
	return !(le32_to_cpu(h.flags) & LSMT_F_SEALED);
}

/**
 * zfile_encode() - the first or last bytes of a ZFile
 * @header: filled in, digest included
 * @part: which of the two; they differ in the flags only
 * @info: the final values
 */
void zfile_encode(u8 header[ZFILE_HEADER_BYTES], enum zfile_part part,
		  const struct zfile_info *info)
{
	struct zfile_disk_header h = { 0 };
	u64 flags = ZFILE_F_DATA | ZFILE_F_DIGEST;

	flags |= part == ZFILE_TRAILER ? ZFILE_F_SEALED : ZFILE_F_HEADER;
	if (part == ZFILE_FINAL_HEADER)
		flags |= ZFILE_F_OVERWRITTEN;
	memcpy(h.magic0, ZFILE_MAGIC0, sizeof(h.magic0));
	memcpy(h.magic1, ZFILE_MAGIC1, sizeof(h.magic1));
	h.size = cpu_to_le32(ZFILE_USED_BYTES);
	h.flags = cpu_to_le64(flags);
	h.index_offset = cpu_to_le64(info->index_offset);
	h.index_size = cpu_to_le64(info->block_count);
	h.original_file_size = cpu_to_le64(info->original_bytes);
	h.index_crc = cpu_to_le32(info->index_crc);
	h.block_size = cpu_to_le32(1U << info->block_shift);
	h.algorithm = info->algorithm;
	h.verify = info->block_crc;
	h.digest = cpu_to_le32(crc32c(0, &h, sizeof(h)));
	memcpy(header, &h, sizeof(h));
}

/* What is written right behind the compressed bytes of a block. */
u32 zfile_block_crc(const void *payload, u32 payload_bytes)
{
	return crc32c(ZFILE_BLOCK_CRC_SEED, payload, payload_bytes);
}

/**
 * zfile_read_fields() - everything a header or trailer says
 * @header: ZFILE_HEADER_BYTES of it
 * @fields: filled in, unchecked
 */
void zfile_read_fields(const void *header, struct zfile_fields *fields)
{
	struct zfile_disk_header h;

	memcpy(&h, header, sizeof(h));
	memset(fields, 0, sizeof(*fields));
	fields->flags = le64_to_cpu(h.flags);
	fields->digest = le32_to_cpu(h.digest);
	fields->index_offset = le64_to_cpu(h.index_offset);
	fields->index_size = le64_to_cpu(h.index_size);
	fields->original_file_size = le64_to_cpu(h.original_file_size);
	fields->index_crc = le32_to_cpu(h.index_crc);
	fields->block_size = le32_to_cpu(h.block_size);
	fields->algorithm = h.algorithm;
	fields->level = h.level;
	fields->verify = h.verify;
	fields->reserved_used = h.reserved0 || h.reserved1 || h.padding0 ||
				!is_zero(h.padding1, sizeof(h.padding1)) ||
				!is_zero(h.reserved2, sizeof(h.reserved2)) ||
				fields->flags >= 2 * ZFILE_F_INDEX_COMPRESSED;
}

/*
 * Apart from flags and digest a final header repeats the trailer. Files without
 * digests are old, and what is not used in them may be garbage.
 */
bool zfile_parts_agree(const void *header, const void *trailer)
{
	struct zfile_disk_header h, t;

	memcpy(&h, header, sizeof(h));
	memcpy(&t, trailer, sizeof(t));
	h.flags = t.flags;
	h.digest = t.digest;
	if (!(le64_to_cpu(t.flags) & ZFILE_F_DIGEST)) {
		h.index_crc = t.index_crc;
		h.reserved0 = t.reserved0;
		h.padding0 = t.padding0;
		h.reserved1 = t.reserved1;
		memcpy(h.padding1, t.padding1, sizeof(h.padding1));
		memcpy(h.reserved2, t.reserved2, sizeof(h.reserved2));
	}
	return !memcmp(&h, &t, sizeof(h));
}
