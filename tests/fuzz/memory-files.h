/* SPDX-License-Identifier: GPL-2.0 */
/* In place of file.c of the command: files that are pieces of the input. */

#ifndef TESTS_FUZZ_MEMORY_FILES_H
#define TESTS_FUZZ_MEMORY_FILES_H

#include <linux/types.h>

#define MEMORY_FILES	4

/*
 * Have a file of this content, exactly as long: what reads behind it is seen.
 * Their names are "0", "1" and so on, in the order in which they are made.
 */
void memory_file_add(const void *content, size_t bytes);
void memory_file_grow(u64 bytes);	/* the one added last, by zeros */
void memory_files_are_devices(bool yes);	/* until they are removed */
void memory_files_remove(void);

#endif /* TESTS_FUZZ_MEMORY_FILES_H */
