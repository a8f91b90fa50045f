/* SPDX-License-Identifier: GPL-2.0 */
/* A program's results in the Test Anything Protocol. */

#ifndef TESTS_UNIT_TAP_H
#define TESTS_UNIT_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define __printf(a, b) __attribute__((format(printf, a, b)))

static int tap_count, tap_failed;

/* Report one result; returns it. */
static inline __printf(2, 3) bool ok(bool good, const char *format, ...)
{
	va_list args;

	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	tap_failed += !good;
	return good;
}

static inline __printf(1, 2) void diag(const char *format, ...)
{
	va_list args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* Print the plan; the exit status of the program. */
static inline int done_testing(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

static inline void *must_alloc(size_t bytes)
{
	void *p = malloc(bytes);

	if (!p) {
		puts("Bail out! out of memory");
		exit(1);
	}
	return p;
}

/* CPU time of this process: what else runs here matters less. */
static inline double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif /* TESTS_UNIT_TAP_H */
