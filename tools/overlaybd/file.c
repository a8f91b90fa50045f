// SPDX-License-Identifier: GPL-2.0
/* Whole reads and writes at an offset, see file.h. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

#include "file.h"
#include "inputs.h"
#include "message.h"

static int file_measure(struct file *file)
{
	struct stat st;
	u64 bytes;

	if (fstat(file->fd, &st))
		return fail_errno(STATUS_IO, "cannot stat %s", file->path);
	if (S_ISREG(st.st_mode)) {
		file->bytes = st.st_size;
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		return fail(STATUS_USAGE, "%s is a directory", file->path);
	if (!S_ISBLK(st.st_mode))
		return fail(STATUS_USAGE, "%s is neither a file nor a block device",
			    file->path);
	if (ioctl(file->fd, BLKGETSIZE64, &bytes))
		return fail_errno(STATUS_IO, "cannot get the size of %s", file->path);
	file->bytes = bytes;
	file->is_device = true;
	file->device = st.st_rdev;
	return 0;
}

/**
 * file_open() - open a regular file or a block device for reading
 * @file: filled in; file_close() it whatever the outcome
 * @path: kept, not copied
 *
 * Return: 0 or a status.
 */
int file_open(struct file *file, const char *path)
{
	int r;

	*file = (struct file) { .path = path };
	/* Not to wait for the other end of a FIFO, which is refused anyway. */
	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0)
		return fail_errno(STATUS_USAGE, "cannot open %s", path);
	r = file_measure(file);
	return r ? r : inputs_add(file->fd);
}

void file_close(struct file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

/**
 * read_fully() - read until there is enough or nothing is left
 *
 * Return: bytes read, fewer than asked for only at the end; -1 with errno.
 */
ssize_t read_fully(int fd, void *buffer, size_t bytes, u64 offset)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t n = pread(fd, (char *)buffer + done, bytes - done, offset + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		done += n;
	}
	return done;
}

/* Read all of a range of a file. Return: 0 or STATUS_IO. */
int file_read(const struct file *file, void *buffer, size_t bytes, u64 offset)
{
	ssize_t n = read_fully(file->fd, buffer, bytes, offset);

	if (n < 0)
		return fail_errno(STATUS_IO, "cannot read %s at byte %llu",
				  file->path, offset);
	if ((size_t)n < bytes)
		return fail(STATUS_IO, "%s ends at byte %llu, it was longer when opened",
			    file->path, offset + n);
	return 0;
}

/* Write all of a buffer. Return: 0, or -1 with errno. */
int write_fully(int fd, const void *buffer, size_t bytes, u64 offset)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t n = pwrite(fd, (const char *)buffer + done, bytes - done,
				   offset + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += n;
	}
	return 0;
}

bool is_zero(const void *buffer, size_t bytes)
{
	const char *p = buffer;

	return !bytes || (!*p && !memcmp(p, p + 1, bytes - 1));
}
