// SPDX-License-Identifier: GPL-2.0
/*
 * Decode what the real tools wrote. Reads lines from standard input:
 *	EXPECT MERGED NAME FILE...
 * with the files of one image, lowest layer first. EXPECT is `ok` or `refuse`,
 * MERGED how many segments the merged list has, or - if that is not known. Tar
 * wrappers are skipped; what a ZFile holds is not decompressed here: its header
 * and index are decoded, and segments are those of bare layers only.
 */

#include "tap.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/errno.h>
#include <linux/limits.h>

#include "../../drivers/md/dm-overlaybd/format.h"
#include "../../drivers/md/dm-overlaybd/segment-index.h"

struct image {
	const char *error;
	struct segment_list lists[LSMT_MAX_LAYERS];
	unsigned int layers;
	bool bare;	/* all layers seen so far are bare */
	u64 blocks;
};

/* The payload of a tar: behind one header, or behind three blocks if the first
 * is a pax header, whose record then tells the length.
 */
static const u8 *skip_tar(const u8 *file, u64 *bytes)
{
	const char *length = (const char *)file + 124, *text;

	if (*bytes < 2048 || memcmp(file + 257, "ustar\00000", 8))
		return file;
	if (file[156] != 'x') {
		*bytes = strtoull(length, NULL, 8);
		return file + 512;
	}
	text = strstr((const char *)file + 512, "size=");
	*bytes = text ? strtoull(text + 5, NULL, 10) : 0;
	return file + 1536;
}

static int refuse(struct image *image, const char *text)
{
	image->error = text;
	return -EINVAL;
}

static int decode_zfile(struct image *image, const u8 *file, u64 bytes)
{
	u64 trailer[ZFILE_HEADER_BYTES / sizeof(u64)];	/* aligned */
	struct zfile_info info;
	u64 end = ZFILE_HEADER_BYTES;
	const u8 *index;
	int r;

	memcpy(trailer, file + bytes - ZFILE_HEADER_BYTES, sizeof(trailer));
	r = zfile_decode(file, trailer, bytes, &info, &image->error);
	if (r)
		return r;
	index = file + info.index_offset;
	if (info.has_digest &&
	    zfile_index_crc(0, index, info.block_count * 4) != info.index_crc)
		return refuse(image, "index checksum");
	for (u64 i = 0; i < info.block_count; i++) {
		u32 entry = zfile_decode_entry(index, i);
		u32 crc_bytes = info.block_crc ? 4 : 0;

		if (entry <= crc_bytes || entry > info.max_entry_bytes ||
		    entry > info.index_offset - end)
			return refuse(image, "impossible size of a block");
		if (info.block_crc && !zfile_block_crc_ok(file + end, entry - 4))
			return refuse(image, "block checksum");
		end += entry;
	}
	image->blocks += info.block_count;
	image->bare = false;
	return end == info.index_offset ? 0 : refuse(image, "a gap before the index");
}

static int decode_lsmt(struct image *image, const u8 *file, u64 bytes)
{
	struct segment_list *list = &image->lists[image->layers];
	u64 trailer[LSMT_HEADER_BYTES / sizeof(u64)];	/* aligned */
	struct lsmt_info info;
	u64 end = 0;
	int r;

	if (bytes < LSMT_HEADER_BYTES)
		return refuse(image, "too short");
	memcpy(trailer, file + bytes - LSMT_HEADER_BYTES, sizeof(trailer));
	r = lsmt_decode(file, trailer, bytes, &info, &image->error);
	if (r)
		return r;
	r = segment_list_init(list, info.mapping_count);
	for (u32 i = 0; i < info.mapping_count && !r; i++) {
		struct lsmt_mapping m;

		if (!lsmt_decode_mapping(file + info.index_offset, i, &m))
			continue;
		r = lsmt_check_mapping(&info, end, &m, &image->error);
		end = m.offset + m.length;
		segment_list_add(list, m.offset, m.length, m.moffset, m.zeroed,
				 image->layers);
	}
	image->layers++;
	return r;
}

static int decode_file(struct image *image, const char *path)
{
	int fd = open(path, O_RDONLY), r;
	const u8 *map, *file;
	struct stat st;
	u64 bytes;

	if (fd < 0 || fstat(fd, &st) || !st.st_size) {
		printf("Bail out! %s cannot be read\n", path);
		exit(1);
	}
	bytes = st.st_size;
	map = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		exit(1);
	file = skip_tar(map, &bytes);
	if (bytes >= ZFILE_HEADER_BYTES && zfile_has_magic(file))
		r = decode_zfile(image, file, bytes);
	else
		r = decode_lsmt(image, file, bytes);
	munmap((void *)map, st.st_size);
	return r;
}

static int decode_image(struct image *image, char *files)
{
	char *rest = files, *path;
	int r = 0;

	while (!r && (path = strsep(&rest, " ")))
		r = decode_file(image, path);
	return r;
}

static void test_image(const char *expect, const char *merged, const char *name,
		       char *files)
{
	struct image *image = calloc(1, sizeof(*image));
	int r;

	image->bare = true;
	r = decode_image(image, files);
	if (!strcmp(expect, "refuse")) {
		if (ok(r, "%s is refused", name))
			diag("%s", image->error);
	} else if (!ok(!r, "%s decodes", name)) {
		diag("%d, %s", r, image->error);
	} else if (image->bare && strcmp(merged, "-")) {
		r = segment_lists_merge(image->lists, image->layers, &image->error);
		if (!ok(!r && image->lists[0].count == strtoull(merged, NULL, 10),
			"%s has %s merged segments", name, merged))
			diag("%d, %zu", r, image->lists[0].count);
	}
	for (unsigned int i = 0; i < LSMT_MAX_LAYERS; i++)
		segment_list_destroy(&image->lists[i]);
	free(image);
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	while ((length = getline(&line, &room, stdin)) > 0) {
		char *rest = line;
		char *expect = strsep(&rest, " ");
		char *merged = strsep(&rest, " ");
		char *name = strsep(&rest, " ");

		line[length - 1] = '\0';
		test_image(expect, merged, name, rest);
	}
	free(line);
	ok(tap_count, "there are images");
	return done_testing();
}
