/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file that appears under its name only when it is complete and on disk.
 * Until then it has no name at all, or where the file system cannot do that a
 * temporary one, which a signal removes.
 */

#ifndef OBD_OUTPUT_H
#define OBD_OUTPUT_H

#include <linux/types.h>

/**
 * struct output - a file being written
 * @path: its name to be; not owned
 * @fd: the file
 * @position: where the next output_write() goes; its length so far
 * @replace: an existing file may be replaced
 * @temporary: its name so far, NULL when it has none; owned
 * @direct: written in place (a block device): nothing to rename
 * @is_pipe: standard output, which cannot be skipped in
 */
struct output {
	const char *path;
	int fd;
	u64 position;
	bool replace;
	char *temporary;
	bool direct;
	bool is_pipe;
};

int output_open(struct output *out, const char *path, bool replace);
int output_open_raw(struct output *out, const char *path, bool replace, u64 bytes);
int output_write(struct output *out, const void *buffer, size_t bytes);
int output_write_at(struct output *out, const void *buffer, size_t bytes, u64 offset);
int output_skip(struct output *out, u64 bytes);
int output_commit(struct output *out);
void output_close(struct output *out);
int output_scratch(const char *path, int *fd);

#endif /* OBD_OUTPUT_H */
