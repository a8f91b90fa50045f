/* SPDX-License-Identifier: GPL-2.0 */
/* The tar wrapper around a layer. */

#ifndef OBD_TAR_H
#define OBD_TAR_H

#include "file.h"

#define TAR_BLOCK_BYTES		512
#define TAR_PREFIX_BYTES	1536	/* what tar_encode_prefix() needs in front */

int tar_find_payload(const struct file *file, bool *is_tar, u64 *offset, u64 *bytes);
void tar_encode_prefix(u8 prefix[TAR_PREFIX_BYTES], u64 payload_bytes);
u64 tar_suffix_bytes(u64 payload_bytes);

#endif /* OBD_TAR_H */
