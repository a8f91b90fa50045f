// SPDX-License-Identifier: GPL-2.0
/* A raw image to be read, see raw.h. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/minmax.h>

#include "../../drivers/md/dm-overlaybd/segment-index.h"
#include "message.h"
#include "mounted.h"
#include "output.h"
#include "raw.h"
#include "units.h"

#define SPOOL_BYTES	(1U << 20)

/* Copy a pipe to a nameless file: its length has to be known first. */
static int spool(struct raw *raw, const char *beside)
{
	char *buffer = malloc(SPOOL_BYTES);
	ssize_t n;
	int r;

	r = buffer ? output_scratch(beside, &raw->file.fd) : fail_memory();
	raw->is_spooled = true;
	while (!r) {
		n = read(STDIN_FILENO, buffer, SPOOL_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = fail_errno(STATUS_IO, "cannot read standard input");
		if (n <= 0)
			break;
		if (write_fully(raw->file.fd, buffer, n, raw->file.bytes))
			r = fail_errno(STATUS_IO, "cannot keep standard input beside %s",
				       beside);
		raw->file.bytes += n;
	}
	free(buffer);
	return r;
}

static int open_stdin(struct raw *raw, const char *beside)
{
	struct stat st;
	int r;

	raw->file = (struct file) { .path = "standard input", .fd = -1 };
	if (fstat(STDIN_FILENO, &st))
		return fail_errno(STATUS_USAGE, "no standard input");
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return spool(raw, beside);
	r = file_open(&raw->file, "/dev/stdin");
	raw->file.path = "standard input";
	return r;
}

static int need_quiet(const char *path, dev_t device)
{
	dev_t where;

	if (!mounted_writable(device, &where))
		return 0;
	if (where == device)
		return fail(STATUS_USAGE,
			    "%s is mounted and writable: it may change while it is read (-f reads it all the same)",
			    path);
	return fail(STATUS_USAGE,
		    "%s: device %u:%u on it is mounted and writable: it may change while it is read (-f reads it all the same)",
		    path, major(where), minor(where));
}

/**
 * raw_open() - open a raw image
 * @raw: filled in; raw_close() it whatever the outcome
 * @path: file, block device, or "-" for standard input
 * @force: read a device even if a writable file system on it, or on a part
 *	of it, is mounted
 * @spool_beside: a pipe is copied to the directory this file is in
 *
 * Return: 0 or a status.
 */
int raw_open(struct raw *raw, const char *path, bool force, const char *spool_beside)
{
	int r;

	*raw = (struct raw) { .data_end = 0 };
	r = strcmp(path, "-") ? file_open(&raw->file, path) :
				open_stdin(raw, spool_beside);
	if (!r && raw->file.is_device && !force)
		r = need_quiet(path, raw->file.device);
	return r;
}

void raw_close(struct raw *raw)
{
	file_close(&raw->file);
}

/**
 * raw_device_bytes() - how large is the device that the image becomes?
 * @raw: the image; an incomplete last sector counts as one
 * @wanted: what the user wants, 0: as large as the image
 * @bytes: set
 *
 * Return: 0 or STATUS_USAGE.
 */
int raw_device_bytes(const struct raw *raw, u64 wanted, u64 *bytes)
{
	u64 there = round_up_to(raw->file.bytes, SECTOR_BYTES);

	*bytes = wanted ? wanted : there;
	if (!*bytes)
		return fail(STATUS_USAGE,
			    "%s is empty: give the size of the device with --virtual-size",
			    raw->file.path);
	if (*bytes < there)
		return fail(STATUS_USAGE, "%s has %llu bytes, more than the virtual size",
			    raw->file.path, raw->file.bytes);
	if (sectors_down(*bytes) > SEGMENT_DEVICE_SECTORS)
		return fail(STATUS_USAGE, "no image has more than %lluT bytes: %llu are too many",
			    (u64)(SEGMENT_DEVICE_SECTORS >> 31), *bytes);
	if (there != raw->file.bytes)
		note("%s: %llu zero bytes complete the last sector", raw->file.path,
		     there - raw->file.bytes);
	return 0;
}

/* Zeros follow the end of the file. Return: 0 or STATUS_IO. */
int raw_read(const struct raw *raw, void *buffer, size_t bytes, u64 offset)
{
	size_t there = 0;

	if (offset < raw->file.bytes)
		there = min((u64)bytes, raw->file.bytes - offset);
	memset((char *)buffer + there, 0, bytes - there);
	return there ? file_read(&raw->file, buffer, there, offset) : 0;
}

/* Find the first data at or behind an offset. */
static void find_data(struct raw *raw, u64 offset)
{
	off_t start, end;

	raw->data_start = ~0ULL;
	raw->data_end = ~0ULL;
	if (offset >= raw->file.bytes)
		return;
	start = lseek(raw->file.fd, offset, SEEK_DATA);
	if (start < 0 && errno == ENXIO)
		return;
	end = start < 0 ? -1 : lseek(raw->file.fd, start, SEEK_HOLE);
	/* No notion of holes: it is all data. */
	raw->data_start = end < 0 ? offset : (u64)start;
	raw->data_end = end < 0 ? raw->file.bytes : (u64)end;
}

/**
 * raw_is_hole() - is there nothing at all?
 * @raw: the image; @data_start then says where the next data is
 * @start: first byte, not before that of the call before
 * @end: byte behind the last
 *
 * Return: true when the whole range lies in a hole or behind the end.
 */
bool raw_is_hole(struct raw *raw, u64 start, u64 end)
{
	if (start >= raw->data_end)
		find_data(raw, start);
	return raw->data_start >= end;
}
