// SPDX-License-Identifier: GPL-2.0
/*
 * For LD_PRELOAD: a SIGTERM that comes just when the function named in
 * OBD_SIGNAL_IN has made a file and its caller does not know yet.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static int signalled(const char *name, int result)
{
	const char *wanted = getenv("OBD_SIGNAL_IN");

	if (result >= 0 && wanted && !strcmp(wanted, name))
		raise(SIGTERM);
	return result;
}

int mkostemp(char *template, int flags)
{
	int (*real)(char *template, int flags) = dlsym(RTLD_NEXT, "mkostemp");

	return signalled("mkostemp", real(template, flags));
}

int mkostemp64(char *template, int flags)
{
	return mkostemp(template, flags);
}

int linkat(int old_fd, const char *old, int new_fd, const char *new, int flags)
{
	int (*real)(int old_fd, const char *old, int new_fd, const char *new, int flags) =
		dlsym(RTLD_NEXT, "linkat");

	return signalled("linkat", real(old_fd, old, new_fd, new, flags));
}
