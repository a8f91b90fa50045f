/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bytes of the ZFile and LSMT formats: structures, magics, flag bits.
 *
 * Only code that turns these bytes into checked numbers (format.c) or numbers
 * into these bytes (the image producer, the tests) may include this file.
 * Every integer on disk is little-endian; every structure is naturally aligned
 * and needs no packing. See dm-overlaybd-format.rst for the meaning.
 */

#ifndef DM_OVERLAYBD_FORMAT_DISK_H
#define DM_OVERLAYBD_FORMAT_DISK_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/types.h>

#define ZFILE_MAGIC0	"ZFile\0\1"	/* and the terminating NUL: 8 bytes */
#define ZFILE_MAGIC1	"tuji.yyf@Alibaba"
#define ZFILE_USED_BYTES	96

#define ZFILE_F_HEADER		BIT_ULL(0)	/* a header, not a trailer */
#define ZFILE_F_DATA		BIT_ULL(1)	/* a data file: all producers set it */
#define ZFILE_F_SEALED		BIT_ULL(2)	/* set in the trailer only */
#define ZFILE_F_OVERWRITTEN	BIT_ULL(3)	/* the header is final */
#define ZFILE_F_DIGEST		BIT_ULL(4)	/* digest and index_crc valid */
#define ZFILE_F_INDEX_COMPRESSED BIT_ULL(5)	/* declared, never written */

struct zfile_disk_header {
	u8 magic0[8];
	u8 magic1[16];
	__le32 size;
	__le32 digest;
	__le64 flags;
	__le64 index_offset;		/* bytes */
	__le64 index_size;		/* entries of 4 bytes */
	__le64 original_file_size;	/* bytes */
	__le32 index_crc;
	__le32 reserved0;
	__le32 block_size;		/* bytes */
	u8 algorithm;
	u8 level;
	u8 use_dict;
	u8 padding0;
	__le32 reserved1;
	__le32 dict_size;
	u8 verify;
	u8 padding1[7];
	u8 reserved2[416];
};

static_assert(sizeof(struct zfile_disk_header) == 512);

#define LSMT_MAGIC0	"LSMT\0\1\2"	/* and the terminating NUL: 8 bytes */
#define LSMT_MAGIC1	"\x65\x7e\x63\xd2\x94\x44\x08\x4c\xa2\xd2\xc8\xec\x4f\xcf\xae\x8a"
#define LSMT_USED_BYTES		390
#define LSMT_VERSION		1
#define LSMT_SUB_VERSION	1

#define LSMT_F_HEADER	BIT(0)	/* a header, not a trailer */
#define LSMT_F_DATA	BIT(1)	/* a data file, not an index file */
#define LSMT_F_SEALED	BIT(2)	/* the trailer's says so, not the header's */

struct lsmt_disk_header {
	u8 magic0[8];
	u8 magic1[16];
	__le32 size;
	__le32 flags;
	__le64 index_offset;	/* bytes */
	__le64 index_size;	/* entries of 16 bytes */
	__le64 virtual_size;	/* bytes, 0: not specified */
	char uuid[37];
	char parent_uuid[37];
	u8 reserved0[2];
	u8 version;
	u8 sub_version;
	char user_tag[256];	/* not necessarily terminated */
	u8 reserved1[3706];
};

static_assert(sizeof(struct lsmt_disk_header) == 4096);

#define LSMT_OFFSET_BITS	50
#define LSMT_OFFSET_MASK	((1ULL << LSMT_OFFSET_BITS) - 1)
#define LSMT_INVALID_OFFSET	LSMT_OFFSET_MASK
#define LSMT_MOFFSET_BITS	55
#define LSMT_MOFFSET_MASK	((1ULL << LSMT_MOFFSET_BITS) - 1)
#define LSMT_ZEROED		BIT_ULL(55)
#define LSMT_TAG_SHIFT		56

struct lsmt_disk_mapping {
	__le64 where;	/* offset:50, length:14 */
	__le64 what;	/* moffset:55, zeroed:1, tag:8 */
};

static_assert(sizeof(struct lsmt_disk_mapping) == 16);

#endif /* DM_OVERLAYBD_FORMAT_DISK_H */
