/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command's only door to format-disk.h: it turns what the producer wants to
 * write into bytes, and shows the fields that format.c has no use for because a
 * reader does not depend on them (labels, flags, reserved bytes).
 */

#ifndef OBD_DISK_H
#define OBD_DISK_H

#include "../../drivers/md/dm-overlaybd/format.h"

/* The largest length we write: the largest below 16383 that keeps 4 KiB. */
#define LSMT_WRITE_LENGTH	16376

/* Mappings in the index come in multiples of this. */
#define LSMT_PADDING_UNIT	256

#define LSMT_UUID_TEXT		37	/* with its NUL */
#define LSMT_TAG_BYTES		256	/* without a NUL */

/**
 * struct lsmt_labels - what a layer says of itself besides where its data is
 * @uuid: text; all-zero UUID when unknown
 * @parent_uuid: uuid of the layer below, likewise
 * @tag: a message; one byte longer than on disk for the NUL
 */
struct lsmt_labels {
	char uuid[LSMT_UUID_TEXT];
	char parent_uuid[LSMT_UUID_TEXT];
	char tag[LSMT_TAG_BYTES + 1];
};

/**
 * struct lsmt_fields - every field of an LSMT header or trailer, as it stands
 * @flags: raw
 * @index_offset: bytes
 * @index_size: entries
 * @virtual_size: bytes
 * @version: major
 * @sub_version: minor
 * @reserved_used: a reserved byte is not zero
 * @labels: uuids and tag; not checked for being text
 */
struct lsmt_fields {
	u32 flags;
	u64 index_offset;
	u64 index_size;
	u64 virtual_size;
	u8 version;
	u8 sub_version;
	bool reserved_used;
	struct lsmt_labels labels;
};

/**
 * struct zfile_fields - every field of a ZFile header or trailer, as it stands
 * @flags: raw
 * @digest: crc32c of the block
 * @index_offset: bytes
 * @index_size: entries
 * @original_file_size: bytes
 * @index_crc: crc32c of the index
 * @block_size: bytes
 * @algorithm: raw
 * @level: always 0
 * @verify: blocks carry a CRC
 * @reserved_used: a reserved byte is not zero
 */
struct zfile_fields {
	u64 flags;
	u32 digest;
	u64 index_offset;
	u64 index_size;
	u64 original_file_size;
	u32 index_crc;
	u32 block_size;
	u8 algorithm;
	u8 level;
	u8 verify;
	bool reserved_used;
};

enum zfile_part {
	ZFILE_FIRST_HEADER,	/* as it is until the file is complete */
	ZFILE_FINAL_HEADER,
	ZFILE_TRAILER,
};

void lsmt_encode_header(u8 header[LSMT_HEADER_BYTES], u64 virtual_bytes,
			const struct lsmt_labels *labels);
void lsmt_encode_trailer(u8 trailer[LSMT_HEADER_BYTES], const struct lsmt_info *info,
			 const struct lsmt_labels *labels);
void lsmt_encode_mapping(u8 bytes[LSMT_MAPPING_BYTES], const struct lsmt_mapping *m);
void lsmt_encode_padding(u8 bytes[LSMT_MAPPING_BYTES]);
void lsmt_read_fields(const void *header, struct lsmt_fields *fields);
bool lsmt_looks_writable(const void *header);

void zfile_encode(u8 header[ZFILE_HEADER_BYTES], enum zfile_part part,
		  const struct zfile_info *info);
u32 zfile_block_crc(const void *payload, u32 payload_bytes);
void zfile_read_fields(const void *header, struct zfile_fields *fields);
bool zfile_parts_agree(const void *header, const void *trailer);

#endif /* OBD_DISK_H */
