// SPDX-License-Identifier: GPL-2.0
/* See text-faults.h. */

#include <errno.h>
#include <stdarg.h>

#include "faults.h"
#include "text-faults.h"

#undef malloc
#undef realloc
#undef strdup
#undef asprintf
#undef stat
#undef json_tokener_new

void *fuzz_malloc(size_t bytes)
{
	return fault_now(&fault_allocation) ? NULL : malloc(bytes);
}

void *fuzz_realloc(void *p, size_t bytes)
{
	return fault_now(&fault_allocation) ? NULL : realloc(p, bytes);
}

char *fuzz_strdup(const char *text)
{
	return fault_now(&fault_allocation) ? NULL : strdup(text);
}

int fuzz_asprintf(char **text, const char *format, ...)
{
	va_list args;
	int n = -1;

	*text = (char *)1;	/* undefined after a failure */
	va_start(args, format);
	if (!fault_now(&fault_allocation))
		n = vasprintf(text, format, args);
	va_end(args);
	return n;
}

struct json_tokener *fuzz_json_tokener_new(void)
{
	return fault_now(&fault_allocation) ? NULL : json_tokener_new();
}

int fuzz_stat(const char *path, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	errno = strstr(path, LOCKED_FOLDER) ? EACCES : ENOENT;
	return fuzz_is_there(path) ? 0 : -1;
}
