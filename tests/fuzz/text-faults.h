/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included in front of everything in fuzz-text: allocations fail and files are
 * there as text-faults.c has it. (The linker's --wrap would catch libFuzzer, too.)
 */

#ifndef TESTS_FUZZ_TEXT_FAULTS_H
#define TESTS_FUZZ_TEXT_FAULTS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <json-c/json.h>

#define EMPTY_FOLDER	"/empty/"
#define LOCKED_FOLDER	"/locked/"

/* A layer is there if the length of its name is even, but not in these two. */
static inline bool fuzz_is_there(const char *path)
{
	return strlen(path) % 2 == 0 && !strstr(path, EMPTY_FOLDER) &&
	       !strstr(path, LOCKED_FOLDER);
}

void *fuzz_malloc(size_t bytes);
void *fuzz_realloc(void *p, size_t bytes);
char *fuzz_strdup(const char *text);
int fuzz_asprintf(char **text, const char *format, ...);
int fuzz_stat(const char *path, struct stat *st);
struct json_tokener *fuzz_json_tokener_new(void);

#define malloc(bytes)		fuzz_malloc(bytes)
#define realloc(p, bytes)	fuzz_realloc(p, bytes)
#undef strdup
#define strdup(text)		fuzz_strdup(text)
#define asprintf		fuzz_asprintf
#define stat(path, st)		fuzz_stat(path, st)
#define json_tokener_new()	fuzz_json_tokener_new()

#endif /* TESTS_FUZZ_TEXT_FAULTS_H */
