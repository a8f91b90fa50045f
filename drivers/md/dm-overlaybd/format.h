/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Decoding and validation of the ZFile and LSMT formats.
 *
 * format.c is the only place that knows a byte offset or a bit position. It is
 * pure: a const buffer goes in, a checked structure comes out; it allocates
 * nothing, sleeps never, takes no lock and may be called from any context. The
 * same file is compiled into the overlaybd command.
 *
 * Functions that can refuse return a negative errno and point *error at a
 * constant text that fits ti->error. Errnos: -EINVAL malformed, -EUCLEAN a
 * checksum differs, -EOPNOTSUPP a form of the format nobody can read, -EFBIG
 * beyond a limit of this implementation.
 */

#ifndef DM_OVERLAYBD_FORMAT_H
#define DM_OVERLAYBD_FORMAT_H

#include <linux/types.h>

#define OBD_SECTOR_SHIFT	9
#define OBD_SECTOR_BYTES	512U

#define ZFILE_HEADER_BYTES	512
#define ZFILE_BLOCK_SHIFT_MIN	9
#define ZFILE_BLOCK_SHIFT_MAX	16
#define ZFILE_BLOCK_CRC_BYTES	4
#define ZFILE_INDEX_ENTRY_BYTES	4
#define ZFILE_MAX_BLOCKS	1000000000ULL

/* The largest on-disk size of any block: zstd's bound of 64 KiB, and a CRC. */
#define ZFILE_MAX_ENTRY_BYTES	(65536 + 256 + 32 + ZFILE_BLOCK_CRC_BYTES)

#define LSMT_HEADER_BYTES	4096
#define LSMT_MAPPING_BYTES	16
#define LSMT_MAX_MAPPINGS	1000000
#define LSMT_MAX_LAYERS		255
#define LSMT_MAX_LENGTH		16383	/* sectors of one mapping */

enum zfile_algorithm {
	ZFILE_LZ4 = 1,
	ZFILE_ZSTD = 2,
};

/**
 * struct zfile_info - what a reader needs to know of a ZFile
 * @index_offset: bytes from the start of the file to the index
 * @block_count: number of blocks, which is the number of index entries
 * @original_bytes: length of the content when decompressed; need not be a
 *	multiple of anything, 0 for an empty ZFile
 * @max_entry_bytes: largest size the index may give a block: the compressor's
 *	bound for @block_shift and, with @block_crc, 4 bytes more
 * @index_crc: crc32c of the index, valid with @has_digest
 * @block_shift: log2 of the decompressed bytes of each block but the last
 * @algorithm: one of enum zfile_algorithm
 * @block_crc: every block is followed by the crc32c of its compressed bytes
 * @has_digest: the file carries checksums of its metadata
 * @header_is_final: taken from the header; the trailer was not needed
 */
struct zfile_info {
	u64 index_offset;
	u64 block_count;
	u64 original_bytes;
	u32 max_entry_bytes;
	u32 index_crc;
	u8 block_shift;
	u8 algorithm;
	bool block_crc;
	bool has_digest;
	bool header_is_final;
};

bool zfile_has_magic(const void *header);
bool zfile_header_is_final(const void *header);
bool zfile_has_digest(const void *header, const void *trailer);
int zfile_decode(const void *header, const void *trailer, u64 file_bytes,
		 struct zfile_info *info, const char **error);
u32 zfile_index_crc(u32 crc, const void *index, size_t index_bytes);
u32 zfile_decode_entry(const void *index, size_t i);
u64 zfile_sum_entries(const void *index, size_t count);
bool zfile_block_crc_ok(const void *payload, u32 payload_bytes);

/**
 * struct lsmt_info - what a reader needs to know of an LSMT layer
 * @index_offset: bytes from the start of the file to the first mapping; data
 *	ends here
 * @mapping_count: mappings in the index, invalid ones (padding) included
 * @virtual_bytes: size of the device, 0 when the layer does not say
 */
struct lsmt_info {
	u64 index_offset;
	u32 mapping_count;
	u64 virtual_bytes;
};

/**
 * struct lsmt_mapping - one segment of a layer, all in sectors
 * @offset: where the segment begins on the virtual device
 * @length: how long it is
 * @moffset: where its data begins, from the start of the LSMT file
 * @zeroed: it reads as zeros and has no data
 */
struct lsmt_mapping {
	u64 offset;
	u64 moffset;
	u32 length;
	bool zeroed;
};

bool lsmt_has_magic(const void *header);
int lsmt_decode(const void *header, const void *trailer, u64 file_bytes,
		struct lsmt_info *info, const char **error);
bool lsmt_decode_mapping(const void *index, size_t i, struct lsmt_mapping *m);
int lsmt_check_mapping(const struct lsmt_info *info, u64 previous_end,
		       const struct lsmt_mapping *m, const char **error);

#endif /* DM_OVERLAYBD_FORMAT_H */
