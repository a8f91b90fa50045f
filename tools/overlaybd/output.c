// SPDX-License-Identifier: GPL-2.0
/* A file that appears only when it is complete, see output.h. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/minmax.h>

#include "file.h"
#include "inputs.h"
#include "message.h"
#include "output.h"

/*
 * What a signal has to remove; one output is open at a time. A file is made, or
 * gets another name, while signals are put off, so there is no moment at which
 * something that has to be removed is not known here.
 */
static char *_Atomic doomed;
static atomic_int putting_off;
static atomic_int pending;

static void die(int number)
{
	char *path = doomed;

	if (path)
		unlink(path);
	signal(number, SIG_DFL);
	raise(number);
}

/*
 * Signals come to any thread while any other may be making a file. Either that
 * one sees that a signal is pending, or this one that signals are put off.
 */
static void caught(int number)
{
	pending = number;
	if (!putting_off)
		die(number);
}

static void allow_signals(void)
{
	putting_off--;
	if (!putting_off && pending)
		die(pending);
}

/* One thread at a time makes files. */
static void put_off_signals(void)
{
	putting_off++;
	if (pending)
		allow_signals();
}

static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	const struct sigaction action = { .sa_handler = caught, .sa_flags = SA_RESTART };
	struct sigaction old;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		/* What nohup and the like have switched off stays so. */
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler == SIG_DFL)
			sigaction(signals[i], &action, NULL);
	/* A file that may not become larger is an error like others. */
	signal(SIGXFSZ, SIG_IGN);
}

/* The directory a file is in; to be freed, NULL when out of memory. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, slash - path);
}

/* "dir/.name.XXXXXX"; to be freed, NULL when out of memory. */
static char *temporary_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	int prefix = slash ? slash - path + 1 : 0;
	char *name;

	if (asprintf(&name, "%.*s.%s.XXXXXX", prefix, path, path + prefix) < 0)
		return NULL;
	return name;
}

static mode_t new_file_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

static int make_named(struct output *out)
{
	out->temporary = temporary_name(out->path);
	if (!out->temporary)
		return fail_memory();
	put_off_signals();
	out->fd = mkostemp(out->temporary, O_CLOEXEC);
	if (out->fd >= 0)
		doomed = out->temporary;
	allow_signals();
	if (out->fd < 0) {
		free(out->temporary);
		out->temporary = NULL;
		return fail_errno(STATUS_USAGE, "cannot create %s", out->path);
	}
	/* What has no modes keeps its own. */
	if (fchmod(out->fd, new_file_mode()) && errno != EPERM)
		return fail_errno(STATUS_IO, "cannot create %s", out->path);
	return 0;
}

static bool no_tmpfile_here(int error)
{
	return error == EOPNOTSUPP || error == EISDIR || error == EINVAL;
}

static int make_file(struct output *out)
{
	char *directory = directory_of(out->path);

	if (!directory)
		return fail_memory();
	catch_signals();
	out->fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
	free(directory);
	if (out->fd >= 0)
		return 0;
	if (no_tmpfile_here(errno))
		return make_named(out);
	return fail_errno(STATUS_USAGE, "cannot create %s", out->path);
}

/* Replacing it would take the last name of what is read, or worse. */
static int need_no_input(const char *path)
{
	if (!inputs_have(path))
		return 0;
	return fail(STATUS_USAGE, "%s is what is being read: write to another file", path);
}

/**
 * output_open() - begin a file
 * @out: filled in; output_close() it whatever the outcome
 * @path: its name to be
 * @replace: an existing file may be replaced (-f)
 *
 * Return: 0 or a status.
 */
int output_open(struct output *out, const char *path, bool replace)
{
	struct stat st;

	*out = (struct output) { .path = path, .fd = -1, .replace = replace };
	if (!strcmp(path, "-"))
		return fail(STATUS_USAGE, "a layer cannot be written to standard output: its beginning is written last");
	if (!lstat(path, &st)) {
		if (S_ISLNK(st.st_mode))
			return fail(STATUS_USAGE, "%s is a symbolic link: name the file itself",
				    path);
		if (!S_ISREG(st.st_mode))
			return fail(STATUS_USAGE, "%s exists and is not a regular file", path);
		if (!replace)
			return fail(STATUS_USAGE, "%s exists (-f replaces it)", path);
		if (need_no_input(path))
			return STATUS_USAGE;
	}
	return make_file(out);
}

static int open_device(struct output *out, u64 bytes)
{
	struct file file;
	int r = file_open(&file, out->path);

	if (!r && file.bytes < bytes)
		r = fail(STATUS_USAGE, "%s has %llu bytes, %llu are needed", out->path,
			 file.bytes, bytes);
	file_close(&file);
	if (r)
		return r;
	out->direct = true;
	/* Refuses a device that is mounted or part of something. */
	out->fd = open(out->path, O_RDWR | O_EXCL | O_CLOEXEC);
	return out->fd < 0 ? fail_errno(STATUS_USAGE, "cannot open %s", out->path) : 0;
}

/**
 * output_open_raw() - begin something that may also be a device or "-"
 * @out: filled in; output_close() it whatever the outcome
 * @path: "-" is standard output
 * @replace: an existing file or device may be overwritten (-f)
 * @bytes: how much will be written
 *
 * Return: 0 or a status.
 */
int output_open_raw(struct output *out, const char *path, bool replace, u64 bytes)
{
	struct stat st;

	if (!strcmp(path, "-")) {
		*out = (struct output) { .path = "standard output", .fd = STDOUT_FILENO };
		if (isatty(STDOUT_FILENO))
			return fail(STATUS_USAGE, "not writing an image to a terminal");
		out->is_pipe = true;
		return 0;
	}
	if (stat(path, &st) || !S_ISBLK(st.st_mode))
		return output_open(out, path, replace);
	*out = (struct output) { .path = path, .fd = -1 };
	if (!replace)
		return fail(STATUS_USAGE, "%s is a device (-f overwrites it)", path);
	if (need_no_input(path))
		return STATUS_USAGE;
	return open_device(out, bytes);
}

static int write_failed(const struct output *out)
{
	return fail_errno(STATUS_IO, "cannot write %s", out->path);
}

static int pipe_write(struct output *out, const void *buffer, size_t bytes)
{
	const char *from = buffer;

	while (bytes) {
		ssize_t n = write(out->fd, from, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return write_failed(out);
		from += n;
		bytes -= n;
		out->position += n;
	}
	return 0;
}

/* Append. Return: 0 or STATUS_IO. */
int output_write(struct output *out, const void *buffer, size_t bytes)
{
	int r;

	if (out->is_pipe)
		return pipe_write(out, buffer, bytes);
	r = output_write_at(out, buffer, bytes, out->position);
	if (!r)
		out->position += bytes;
	return r;
}

/* Write somewhere; @position stays. Return: 0 or STATUS_IO. */
int output_write_at(struct output *out, const void *buffer, size_t bytes, u64 offset)
{
	return write_fully(out->fd, buffer, bytes, offset) ? write_failed(out) : 0;
}

static int write_zeros(struct output *out, u64 bytes)
{
	static const char zeros[65536];
	int r = 0;

	while (!r && bytes) {
		size_t part = min(bytes, (u64)sizeof(zeros));

		r = output_write(out, zeros, part);
		bytes -= part;
	}
	return r;
}

/* Append zeros: a hole where there can be one. Return: 0 or STATUS_IO. */
int output_skip(struct output *out, u64 bytes)
{
	if (out->is_pipe || out->direct)
		return write_zeros(out, bytes);
	out->position += bytes;
	return 0;
}

static int give_name(struct output *out)
{
	char self[40], *name = NULL;
	int r;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", out->fd);
	if (!out->replace)
		return linkat(AT_FDCWD, self, AT_FDCWD, out->path, AT_SYMLINK_FOLLOW);
	/* link() cannot replace, rename() cannot do without a name. */
	if (asprintf(&name, "%s.%d.new", out->path, (int)getpid()) < 0)
		return -1;
	put_off_signals();
	r = linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
	if (!r && rename(name, out->path)) {
		int error = errno;

		r = -1;
		unlink(name);
		errno = error;
	}
	allow_signals();
	free(name);
	return r;
}

static int take_name(struct output *out)
{
	unsigned int flags = out->replace ? 0 : RENAME_NOREPLACE;

	if (!renameat2(AT_FDCWD, out->temporary, AT_FDCWD, out->path, flags)) {
		doomed = NULL;
		free(out->temporary);
		out->temporary = NULL;
		return 0;
	}
	/* NFS cannot do that, but it has links; output_close() removes the other. */
	return errno == EINVAL && !out->replace ? link(out->temporary, out->path) : -1;
}

static void sync_directory(const char *path)
{
	char *directory = directory_of(path);
	int fd = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(directory);
}

/**
 * output_commit() - the file is complete
 * @out: the file
 *
 * Return: 0; or a status, and then the file will not appear.
 */
int output_commit(struct output *out)
{
	if (out->is_pipe)
		return 0;
	if (!out->direct && ftruncate(out->fd, out->position))
		return write_failed(out);
	if (fsync(out->fd))
		return write_failed(out);
	if (out->direct)
		return 0;
	if (out->temporary ? take_name(out) : give_name(out))
		return fail_errno(errno == EEXIST ? STATUS_USAGE : STATUS_IO,
				  "cannot create %s", out->path);
	sync_directory(out->path);
	return 0;
}

/* Committed or not, nothing but what was committed stays. */
void output_close(struct output *out)
{
	if (out->temporary) {
		unlink(out->temporary);
		doomed = NULL;
	}
	free(out->temporary);
	out->temporary = NULL;
	if (out->fd >= 0 && !out->is_pipe)
		close(out->fd);
	out->fd = -1;
}

/**
 * output_scratch() - a nameless file for what does not fit into memory
 * @path: it is made in the directory of this one
 * @fd: set; closing it removes the file
 *
 * Return: 0 or a status.
 */
int output_scratch(const char *path, int *fd)
{
	struct output out = { .path = path, .fd = -1 };
	char *doomed_before = doomed;
	int r;

	put_off_signals();
	r = make_file(&out);
	if (out.temporary)
		unlink(out.temporary);
	doomed = doomed_before;
	allow_signals();
	free(out.temporary);
	*fd = out.fd;
	return r;
}
