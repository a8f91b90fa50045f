/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the C programs of the device-mapper tests share: the raw dm and loop
 * ioctls (dmsetup prints no errno name and no ti->error), the kernel log,
 * and comparing device content.
 */
#ifndef DM_UTIL_H
#define DM_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECTOR 512

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* All dm calls return 0 or a negative errno. */
int dm_create(const char *name, unsigned int *minor);
/* One "<start> <length> <target> <parameters>" line. */
int dm_load(const char *name, const char *table, bool readonly);
/* Drops what was loaded but not resumed. */
int dm_clear(const char *name);
int dm_resume(const char *name);
int dm_remove(const char *name);
unsigned int dm_major(void);

/* Attaches a file read-only; dies on failure, returns N of /dev/loopN. */
int loop_attach(const char *path);
void loop_detach(int number);

/* Position at the end of the kernel log; later reads see only newer lines. */
int klog_open(void);
void klog_skip(int fd);
/*
 * What device-mapper logged since for a refused table, of any device or of that
 * with the minor number: "<target>: <ti->error>". Empty when there is nothing.
 */
void klog_table_error(int fd, char *text, size_t size);
void klog_device_error(int fd, unsigned int minor, char *text, size_t size);

/* First byte at which the two differ, or len. */
size_t first_difference(const void *a, const void *b, size_t len);
bool all_zero(const void *buf, size_t len);

/* Dies on failure. */
int open_or_die(const char *path, int flags);

void *alloc_aligned(size_t len);

#endif
