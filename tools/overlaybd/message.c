// SPDX-License-Identifier: GPL-2.0
/* Messages to the user, see message.h. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

static const char *verb_name;
static int loudness;	/* -1 with -q, 1 with -v */
static __thread char failure[FAILURE_BYTES];

/**
 * fail() - record why something cannot go on
 * @status: what the command will exit with
 * @format: one line, without a newline
 *
 * Return: @status.
 */
int fail(enum status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(failure, sizeof(failure), format, args);
	va_end(args);
	return status;
}

/* The same, with the meaning of errno behind it. */
int fail_errno(enum status status, const char *format, ...)
{
	const char *reason = strerror(errno);
	va_list args;
	size_t used;

	va_start(args, format);
	vsnprintf(failure, sizeof(failure), format, args);
	va_end(args);
	used = strlen(failure);
	snprintf(failure + used, sizeof(failure) - used, ": %s", reason);
	return status;
}

int fail_memory(void)
{
	return fail(STATUS_USAGE, "out of memory");
}

/* What the last fail() of this thread said. */
const char *failure_text(void)
{
	return failure;
}

/* Make another thread's failure this thread's own. */
void failure_restore(const char *text)
{
	snprintf(failure, sizeof(failure), "%s", text);
}

/* Messages begin with the name of the verb from now on. */
void message_verb(const char *verb)
{
	verb_name = verb;
}

void message_louder(void)
{
	loudness = 1;
}

void message_quiet(void)
{
	loudness = -1;
}

bool message_is_quiet(void)
{
	return loudness < 0;
}

/* Names of files may hold what moves the cursor, or looks like another message. */
static void put_printable(const char *text, FILE *f)
{
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '\n')
			fputs("\\n", f);
		else if (c < 0x20 || c == 0x7f)
			fprintf(f, "\\x%02x", c);
		else
			putc(c, f);
	}
}

/* Print the name of something on standard output, in one line. */
void print_name(const char *name)
{
	put_printable(name, stdout);
}

static void say(const char *kind, const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		return;
	flockfile(stderr);
	fprintf(stderr, verb_name ? "overlaybd %s: %s" : "overlaybd%s: %s",
		verb_name ? verb_name : "", kind);
	put_printable(text, stderr);
	putc('\n', stderr);
	funlockfile(stderr);
	free(text);
}

static void PRINTF_LIKE(2, 3) say_list(const char *kind, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(kind, format, args);
	va_end(args);
}

/* Errors are printed whatever the loudness. */
void message_error(const char *text)
{
	say_list("", "%s", text);
}

void warn(const char *format, ...)
{
	va_list args;

	if (loudness < 0)
		return;
	va_start(args, format);
	say("warning: ", format, args);
	va_end(args);
}

void note(const char *format, ...)
{
	va_list args;

	if (loudness < 0)
		return;
	va_start(args, format);
	say("", format, args);
	va_end(args);
}

/* Only with -v. */
void detail(const char *format, ...)
{
	va_list args;

	if (loudness < 1)
		return;
	va_start(args, format);
	say("", format, args);
	va_end(args);
}
