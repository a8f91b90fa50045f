/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the command tells its user, and how failures travel.
 *
 * A function that can fail returns 0 or one of enum status; whoever notices the
 * failure says so with fail(), which keeps the text for the calling thread.
 * main() prints it at the end, so nothing is printed twice and a pipeline can
 * choose which of several failures comes first.
 */

#ifndef OBD_MESSAGE_H
#define OBD_MESSAGE_H

#include <stdbool.h>

#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* The exit codes of the command. */
enum status {
	STATUS_OK = 0,
	STATUS_USAGE = 1,	/* or something missing in the environment */
	STATUS_REFUSED = 2,	/* the image is corrupt or not one we read */
	STATUS_IO = 3,
};

#define FAILURE_BYTES	1024

int fail(enum status status, const char *format, ...) PRINTF_LIKE(2, 3);
int fail_errno(enum status status, const char *format, ...) PRINTF_LIKE(2, 3);
int fail_memory(void);
const char *failure_text(void);
void failure_restore(const char *text);

void message_verb(const char *verb);
void message_louder(void);
void message_quiet(void);
bool message_is_quiet(void);
void message_error(const char *text);
void warn(const char *format, ...) PRINTF_LIKE(1, 2);
void note(const char *format, ...) PRINTF_LIKE(1, 2);
void detail(const char *format, ...) PRINTF_LIKE(1, 2);
void print_name(const char *name);

#endif /* OBD_MESSAGE_H */
