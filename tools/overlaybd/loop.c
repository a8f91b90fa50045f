// SPDX-License-Identifier: GPL-2.0
/* Loop devices, see loop.h. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/fs.h>
#include <linux/loop.h>

#include "loop.h"
#include "message.h"
#include "units.h"

/* How often another process may take the free device before us. */
#define MAKE_TRIES	50

/**
 * block_attribute() - read a file that the kernel has about a block device
 * @number: the device
 * @attribute: relative to its folder in /sys
 *
 * Return: the text without its newline, to be freed; NULL if there is none.
 */
char *block_attribute(dev_t number, const char *attribute)
{
	char path[128], *text = NULL;
	size_t room = 0;
	ssize_t length;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(number),
		 minor(number), attribute);
	f = fopen(path, "re");
	if (!f)
		return NULL;
	length = getdelim(&text, &room, 0, f);
	fclose(f);
	if (length > 0 && text[length - 1] == '\n')
		text[--length] = 0;
	if (length >= 0)
		return text;
	free(text);
	return NULL;
}

/* Open a device by its number. Return: a file descriptor, or -1 with errno. */
int block_device_open(dev_t number, int flags)
{
	char *uevent = block_attribute(number, "uevent"), *name, path[280];
	struct stat st;
	int fd = -1;

	name = uevent ? strstr(uevent, "DEVNAME=") : NULL;
	if (name) {
		name += strlen("DEVNAME=");
		name[strcspn(name, "\n")] = 0;
		snprintf(path, sizeof(path), "/dev/%.256s", name);
		fd = open(path, flags | O_CLOEXEC);
	} else {
		errno = ENXIO;
	}
	free(uevent);
	if (fd >= 0 && (fstat(fd, &st) || !S_ISBLK(st.st_mode) || st.st_rdev != number)) {
		close(fd);
		errno = ENXIO;
		return -1;
	}
	return fd;
}

static bool shows(int fd, const struct stat *file)
{
	struct loop_info64 info;
	u64 bytes;
	int sector;

	return !ioctl(fd, LOOP_GET_STATUS64, &info) &&
	       info.lo_device == file->st_dev && info.lo_inode == file->st_ino &&
	       !info.lo_offset && !info.lo_sizelimit &&
	       info.lo_flags & LO_FLAGS_READ_ONLY &&
	       !ioctl(fd, BLKSSZGET, &sector) && sector == SECTOR_BYTES &&
	       !ioctl(fd, BLKGETSIZE64, &bytes) &&
	       bytes == sectors_down(file->st_size) * SECTOR_BYTES;
}

/* Is it a read-only loop device of all of this file? */
bool loop_shows(dev_t number, const struct stat *file)
{
	int fd = block_device_open(number, O_RDONLY);
	bool yes = fd >= 0 && shows(fd, file);

	if (fd >= 0)
		close(fd);
	return yes;
}

/* A loop device that nothing uses but that is not yet done with its file? */
bool loop_is_leaving(dev_t number)
{
	char *autoclear = block_attribute(number, "loop/autoclear");
	char path[64];
	bool yes = autoclear && *autoclear == '1';
	struct dirent *entry;
	DIR *holders;

	free(autoclear);
	if (!yes)
		return false;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/holders", major(number),
		 minor(number));
	holders = opendir(path);
	while (holders && yes && (entry = readdir(holders)))
		yes = *entry->d_name == '.';
	if (holders)
		closedir(holders);
	return yes;
}

static bool take_over(int fd, struct loop *loop)
{
	struct stat st;

	if (fstat(fd, &st))
		return false;
	*loop = (struct loop) { .fd = fd, .number = st.st_rdev };
	return true;
}

/* It stays open from before the check on, so that it stays what it is. */
static bool find(const struct stat *file, struct loop *loop)
{
	DIR *directory = opendir("/sys/block");
	struct dirent *entry;
	char path[300];
	bool found = false;

	while (directory && !found && (entry = readdir(directory))) {
		int fd;

		if (strncmp(entry->d_name, "loop", 4))
			continue;
		snprintf(path, sizeof(path), "/sys/block/%s/loop", entry->d_name);
		if (access(path, F_OK))
			continue;	/* without a file */
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		found = fd >= 0 && shows(fd, file) && take_over(fd, loop);
		if (fd >= 0 && !found)
			close(fd);
	}
	if (directory)
		closedir(directory);
	loop->reused = found;
	return found;
}

static int configure(int fd, int file, const char *name, bool direct)
{
	struct loop_config config = { .fd = file, .block_size = SECTOR_BYTES };

	config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
	snprintf((char *)config.info.lo_file_name, LO_NAME_SIZE, "%s", name);
	if (direct) {
		/* The kernel falls back to buffered reads where it must. */
		config.info.lo_flags |= LO_FLAGS_DIRECT_IO;
		if (!ioctl(fd, LOOP_CONFIGURE, &config))
			return 0;
		if (errno != EINVAL)
			return -1;
		config.info.lo_flags &= ~LO_FLAGS_DIRECT_IO;
	}
	return ioctl(fd, LOOP_CONFIGURE, &config);
}

/* One attempt; EBUSY when somebody was faster. */
static int make(int control, int file, const char *name, bool direct, struct loop *loop)
{
	int number = ioctl(control, LOOP_CTL_GET_FREE), fd;
	char path[32];

	if (number < 0)
		return -1;
	snprintf(path, sizeof(path), "/dev/loop%d", number);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (!configure(fd, file, name, direct) && take_over(fd, loop))
		return 0;
	number = errno;
	close(fd);
	errno = number;
	return -1;
}

/**
 * loop_attach_new() - attach a file to a free loop device
 * @file: the file, open for reading
 * @name: for people who look at the device
 * @direct: keep it out of the page cache if that goes with 512-byte sectors
 * @loop: filled in; it detaches itself when nothing has it open any more
 *
 * Return: 0 or STATUS_USAGE.
 */
int loop_attach_new(int file, const char *name, bool direct, struct loop *loop)
{
	int tries, r = -1, control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (control < 0)
		return fail_errno(STATUS_USAGE, "no loop devices: cannot open /dev/loop-control");
	for (tries = 0; r && tries < MAKE_TRIES; tries++) {
		r = make(control, file, name, direct, loop);
		if (r && errno != EBUSY && errno != ENXIO && errno != ENOENT)
			break;
	}
	if (r)
		fail_errno(STATUS_USAGE, "cannot attach %s to a loop device", name);
	close(control);
	return r ? STATUS_USAGE : 0;
}

/**
 * loop_attach() - a read-only loop device of a file
 * @file: the file, open for reading
 * @name: its name
 * @loop: filled in; what is there already is used
 *
 * Return: 0 or a status.
 */
int loop_attach(int file, const char *name, struct loop *loop)
{
	struct stat st;

	if (fstat(file, &st))
		return fail_errno(STATUS_IO, "cannot stat %s", name);
	return find(&st, loop) ? 0 : loop_attach_new(file, name, true, loop);
}
