// SPDX-License-Identifier: GPL-2.0
/*
 * One compressed block: verifying and decompressing it.
 */

#include <linux/blkdev.h>
#include <linux/device-mapper.h>

#include "codec.h"
#include "zfile-block.h"

#define DM_MSG_PREFIX "zfile"

/**
 * zfile_report_corrupt() - count a corrupt block and say so
 * @zf: the ZFile
 * @block: which block
 * @file_offset: where in the file it is wrong, in bytes
 * @what: what is wrong, goes on after the block
 *
 * Any context; the message is rate limited.
 */
void zfile_report_corrupt(struct zfile *zf, u64 block, u64 file_offset,
			  const char *what)
{
	atomic64_inc(&zf->corrupt_blocks);
	DMERR_LIMIT("%pg: ZFile at sector %llu: block %llu at byte %llu %s", zf->bdev,
		    zf->device_offset >> SECTOR_SHIFT, block, file_offset, what);
}

/**
 * zfile_decode_block() - verify one block and decompress all of it
 * @zf: the ZFile
 * @zb: the block
 * @dst: where to; zfile_content_bytes() long
 * @dst_is_ours: nobody else can write to it
 *
 * The CRC is computed right before the block is decompressed: most of its cost is
 * getting the bytes into the cache. In contexts as obd_codec_decompress().
 *
 * Return: 0; -EUCLEAN when the block is corrupt, which has been reported; or -EAGAIN
 * when it does not decompress, but that may be because of who else writes to @dst.
 */
int zfile_decode_block(struct zfile *zf, const struct zfile_block *zb, void *dst,
		       bool dst_is_ours)
{
	u32 payload_bytes = zb->bytes;
	int r;

	if (zf->info.block_crc) {
		payload_bytes -= ZFILE_BLOCK_CRC_BYTES;
		if (!zfile_block_crc_ok(zb->data, payload_bytes)) {
			zfile_report_corrupt(zf, zb->block, zb->file_offset,
					     "has a wrong checksum");
			return -EUCLEAN;
		}
	}
	r = obd_codec_decompress(zf->codec, zb->data, payload_bytes, dst,
				 zfile_content_bytes(zf, zb->block));
	if (r && !dst_is_ours)
		return -EAGAIN;
	if (r)
		zfile_report_corrupt(zf, zb->block, zb->file_offset,
				     "does not decompress");
	return r;
}
