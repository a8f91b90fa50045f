// SPDX-License-Identifier: GPL-2.0
/*
 * For LD_PRELOAD: a file system that cannot make nameless files, like vfat or
 * NFS, of any.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

static int open_as(const char *name, const char *path, int flags, va_list arguments)
{
	int (*real)(const char *path, int flags, ...) = dlsym(RTLD_NEXT, name);
	int mode = 0;

	if ((flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	if (flags & O_CREAT)
		mode = va_arg(arguments, int);
	return real(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list arguments;
	int fd;

	va_start(arguments, flags);
	fd = open_as("open", path, flags, arguments);
	va_end(arguments);
	return fd;
}

int open64(const char *path, int flags, ...)
{
	va_list arguments;
	int fd;

	va_start(arguments, flags);
	fd = open_as("open64", path, flags, arguments);
	va_end(arguments);
	return fd;
}
