// SPDX-License-Identifier: GPL-2.0
/* See memory-files.h and file.h of the command. */

#include <errno.h>

#include <linux/minmax.h>

#include "../../tools/overlaybd/file.h"
#include "../../tools/overlaybd/message.h"
#include "fuzz.h"
#include "memory-files.h"

/* Behind what is in memory there are zeros, up to the length of the file. */
static struct {
	u8 *content;
	size_t in_memory;
	u64 bytes;
} files[MEMORY_FILES];
static int count;
static bool are_devices;

void memory_file_add(const void *content, size_t bytes)
{
	CHECK(count < MEMORY_FILES);
	files[count].content = must_alloc(bytes ? bytes : 1);
	memcpy(files[count].content, content, bytes);
	files[count].in_memory = bytes;
	files[count++].bytes = bytes;
}

void memory_file_grow(u64 bytes)
{
	files[count - 1].bytes += bytes;
}

void memory_files_are_devices(bool yes)
{
	are_devices = yes;
}

void memory_files_remove(void)
{
	are_devices = false;
	while (count)
		free(files[--count].content);
}

int file_open(struct file *file, const char *path)
{
	int number = *path - '0';

	*file = (struct file) { .path = path, .fd = -1 };
	if (number < 0 || number >= count || path[1])
		return fail(STATUS_USAGE, "cannot open %s", path);
	file->fd = number;
	file->bytes = files[number].bytes;
	file->is_device = are_devices;
	return 0;
}

void file_close(struct file *file)
{
	file->fd = -1;
}

ssize_t read_fully(int fd, void *buffer, size_t bytes, u64 offset)
{
	CHECK(fd >= 0 && fd < count);
	if (fault_now(&fault_read)) {
		errno = EIO;
		return -1;
	}
	if (offset > files[fd].bytes)
		return 0;
	if (bytes > files[fd].bytes - offset)
		bytes = files[fd].bytes - offset;
	memset(buffer, 0, bytes);
	if (offset < files[fd].in_memory)
		memcpy(buffer, files[fd].content + offset,
		       min_t(u64, bytes, files[fd].in_memory - offset));
	return bytes;
}

/* Whoever checked what he reads by now does not ask for what is not there. */
int file_read(const struct file *file, void *buffer, size_t bytes, u64 offset)
{
	CHECK(offset <= file->bytes && bytes <= file->bytes - offset);
	if (read_fully(file->fd, buffer, bytes, offset) == (ssize_t)bytes)
		return 0;
	return fail_errno(STATUS_IO, "cannot read %s at byte %llu", file->path, offset);
}

bool is_zero(const void *buffer, size_t bytes)
{
	const char *p = buffer;

	return !bytes || (!*p && !memcmp(p, p + 1, bytes - 1));
}
