// SPDX-License-Identifier: GPL-2.0
/*
 * The command's readers of text: tar headers and config.v1.json. Memory runs
 * out, see text-faults.h; reads fail.
 *
 * Input: a byte of options, when memory runs out, which read fails, the text.
 * With OPTION_CHECKSUMS the tar headers in it get the right checksum.
 */

#include "../../drivers/md/dm-overlaybd/format.h"
#include "../../tools/overlaybd/config.h"
#include "../../tools/overlaybd/message.h"
#include "../../tools/overlaybd/tar.h"
#include "fuzz.h"
#include "memory-files.h"

/* More than any description has. */
#define LARGE_BYTES	(5U << 20)

enum {
	OPTION_CONFIG = 1,
	OPTION_CHECKSUMS = 2,
	OPTION_LARGE = 4,
};

static void check_status(int r)
{
	CHECK(r == 0 || r == STATUS_REFUSED ||
	      (r == STATUS_USAGE && (fault_allocation.happened ||
				     strstr(failure_text(), LOCKED_FOLDER))) ||
	      (r == STATUS_IO && fault_read.happened));
	CHECK(!r || *failure_text());
}

static void use_config(void)
{
	struct place_list layers = { .count = 0 };
	bool is_config = false;
	unsigned int i;
	int r;

	check_status(config_detect("0", &is_config));
	r = config_read("0", &layers);
	check_status(r);
	CHECK(r || (layers.count >= 1 && layers.count <= LSMT_MAX_LAYERS));
	for (i = 0; i < layers.count; i++)
		CHECK(fuzz_is_there(layers.places[i].path));
	place_list_destroy(&layers);
}

static void use_tar(u64 file_bytes)
{
	struct file file;
	bool is_tar;
	u64 offset, bytes;
	int r;

	CHECK(!file_open(&file, "0"));
	r = tar_find_payload(&file, &is_tar, &offset, &bytes);
	check_status(r);
	if (!r) {
		CHECK(is_tar ? offset == 512 || offset == 1536 :
			       offset == 0 && bytes == file_bytes);
		CHECK(offset <= file_bytes && bytes <= file_bytes - offset);
	} else {
		CHECK(is_tar || fault_read.happened);
	}
	file_close(&file);
}

/* What is written is read as what it is. */
static void write_and_read(u64 payload_bytes)
{
	u8 prefix[TAR_PREFIX_BYTES];
	u64 offset, bytes;
	struct file file;
	bool is_tar;
	int r;

	tar_encode_prefix(prefix, payload_bytes);
	memory_file_add(prefix, sizeof(prefix));
	memory_file_grow(payload_bytes);
	CHECK(!file_open(&file, "0"));
	r = tar_find_payload(&file, &is_tar, &offset, &bytes);
	CHECK(!r && is_tar && offset == TAR_PREFIX_BYTES && bytes == payload_bytes);
	CHECK((bytes + tar_suffix_bytes(bytes)) % TAR_BLOCK_BYTES == 0);
	memory_files_remove();
}

static void repair_checksum(u8 *header)
{
	unsigned int sum = 0, i;

	memset(header + 148, ' ', 8);
	for (i = 0; i < TAR_BLOCK_BYTES; i++)
		sum += header[i];
	snprintf((char *)header + 148, 7, "%06o", sum);
}

static void repair(u8 *tar, size_t bytes)
{
	size_t at;

	for (at = 0; at + TAR_BLOCK_BYTES <= bytes; at += TAR_BLOCK_BYTES)
		if (!memcmp(tar + at + 257, "ustar", 5))
			repair_checksum(tar + at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	u8 options = take_number(&in, 1);
	u64 bytes;
	unsigned int allocation = take_number(&in, 1), read = take_number(&in, 1);
	u8 *text;

	fault_set(&fault_allocation, 0);
	fault_set(&fault_read, 0);
	if (!(options & OPTION_CONFIG))
		write_and_read(1000 + take_number(&in, 5));
	bytes = in.size + (options & OPTION_LARGE ? LARGE_BYTES : 0);
	text = must_alloc(in.size + 1);
	memcpy(text, in.data, in.size);
	if (options & OPTION_CHECKSUMS)
		repair(text, in.size);
	memory_file_add(text, in.size);
	memory_file_grow(bytes - in.size);
	free(text);
	fault_set(&fault_allocation, allocation);
	fault_set(&fault_read, read);
	if (options & OPTION_CONFIG)
		use_config();
	else
		use_tar(bytes);
	fault_set(&fault_allocation, 0);
	fault_set(&fault_read, 0);
	memory_files_remove();
	return 0;
}
