/* SPDX-License-Identifier: GPL-2.0 */
/* Loop devices: files as read-only block devices. */

#ifndef OBD_LOOP_H
#define OBD_LOOP_H

#include <stdbool.h>
#include <sys/stat.h>

#include <linux/types.h>

/**
 * struct loop - an attached file
 * @fd: keeps the device while nothing else has it open
 * @number: its major and minor
 * @reused: it was there before
 */
struct loop {
	int fd;
	dev_t number;
	bool reused;
};

int loop_attach(int file, const char *name, struct loop *loop);
int loop_attach_new(int file, const char *name, bool direct, struct loop *loop);
bool loop_shows(dev_t number, const struct stat *file);
bool loop_is_leaving(dev_t number);
int block_device_open(dev_t number, int flags);
char *block_attribute(dev_t number, const char *attribute);

#endif /* OBD_LOOP_H */
