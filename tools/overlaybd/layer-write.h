/* SPDX-License-Identifier: GPL-2.0 */
/* Writing a layer as a file: how the user wants it, and doing it. */

#ifndef OBD_LAYER_WRITE_H
#define OBD_LAYER_WRITE_H

#include "disk.h"
#include "lsmt-write.h"
#include "verbs.h"
#include "zfile-write.h"

/**
 * struct layer_options - how a layer is to be written
 * @output: name of the file
 * @force: -f
 * @plain: not compressed
 * @tar: wrapped in tar
 * @zero_detect: data that is all zeros is not stored
 * @virtual_bytes: size of the device, 0: what the source says
 * @uuid_given: @labels.uuid is the user's
 * @parent_given: @labels.parent_uuid is the user's
 * @tag_given: @labels.tag is the user's
 * @labels: uuid, parent uuid, tag
 * @zfile: how to compress
 */
struct layer_options {
	const char *output;
	bool force;
	bool plain;
	bool tar;
	bool zero_detect;
	u64 virtual_bytes;
	bool uuid_given;
	bool parent_given;
	bool tag_given;
	struct lsmt_labels labels;
	struct zfile_options zfile;
};

enum {
	OPTION_ALGORITHM = OPTION_LAYER,
	OPTION_LEVEL,
	OPTION_BLOCK_SIZE,
	OPTION_NO_CRC,
	OPTION_PLAIN,
	OPTION_TAR,
	OPTION_THREADS,
	OPTION_UUID,
	OPTION_PARENT_UUID,
	OPTION_TAG,
	OPTION_VIRTUAL_SIZE,
	OPTION_ZERO_DETECT,
};

#define LAYER_LETTERS	COMMON_LETTERS "fo:"
#define LAYER_OPTIONS \
	COMMON_OPTIONS, \
	{ "output", required_argument, NULL, 'o' }, \
	{ "force", no_argument, NULL, 'f' }, \
	{ "algorithm", required_argument, NULL, OPTION_ALGORITHM }, \
	{ "level", required_argument, NULL, OPTION_LEVEL }, \
	{ "block-size", required_argument, NULL, OPTION_BLOCK_SIZE }, \
	{ "no-crc", no_argument, NULL, OPTION_NO_CRC }, \
	{ "plain", no_argument, NULL, OPTION_PLAIN }, \
	{ "tar", no_argument, NULL, OPTION_TAR }, \
	{ "threads", required_argument, NULL, OPTION_THREADS }, \
	{ "uuid", required_argument, NULL, OPTION_UUID }, \
	{ "parent-uuid", required_argument, NULL, OPTION_PARENT_UUID }, \
	{ "tag", required_argument, NULL, OPTION_TAG }

#define LAYER_HELP \
	"  -o, --output OUT       the file to write\n" \
	"  -f, --force            replace OUT\n" \
	"      --algorithm NAME   lz4 (default) or zstd\n" \
	"      --level N          lz4: 1 to 12, zstd: 1 to 22\n" \
	"      --block-size N     512 to 65536, a power of two (default 4096)\n" \
	"      --no-crc           no checksum per block\n" \
	"      --plain            do not compress\n" \
	"      --tar              wrap in tar, as registries store layers\n" \
	"      --threads N        default: all CPUs; the output is the same\n" \
	"      --uuid UUID        of the layer (default: all zero)\n" \
	"      --parent-uuid UUID of the layer below\n" \
	"      --tag TEXT         a message, up to 256 bytes\n"

void layer_options_init(struct layer_options *o);
int layer_option(struct layer_options *o, int letter, const char *argument, const char *help);
int layer_options_check(struct layer_options *o);
int layer_write(const struct layer_options *o, struct lsmt_source *source);
int layer_write_stream(const struct layer_options *o, struct stream *stream);

#endif /* OBD_LAYER_WRITE_H */
