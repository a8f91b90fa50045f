/* SPDX-License-Identifier: GPL-2.0 */
/* Whole reads and writes at an offset, and what kind of file it is. */

#ifndef OBD_FILE_H
#define OBD_FILE_H

#include <sys/types.h>

#include <linux/types.h>

/**
 * struct file - something opened for reading
 * @path: as the user gave it; not owned
 * @fd: -1 when not open
 * @bytes: length of the file or device
 * @is_device: a block device
 * @device: which one
 */
struct file {
	const char *path;
	int fd;
	u64 bytes;
	bool is_device;
	dev_t device;
};

int file_open(struct file *file, const char *path);
void file_close(struct file *file);
int file_read(const struct file *file, void *buffer, size_t bytes, u64 offset);
ssize_t read_fully(int fd, void *buffer, size_t bytes, u64 offset);
int write_fully(int fd, const void *buffer, size_t bytes, u64 offset);
bool is_zero(const void *buffer, size_t bytes);

#endif /* OBD_FILE_H */
