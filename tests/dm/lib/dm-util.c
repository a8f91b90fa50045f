// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include "dm-util.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/loop.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define IOCTL_BUFFER 65536

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("Bail out! ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	exit(2);
}

static int dm_call(unsigned long request, struct dm_ioctl *io)
{
	static int control = -1;

	if (control < 0)
		control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		die("/dev/mapper/control: %s", strerror(errno));
	return ioctl(control, request, io) < 0 ? -errno : 0;
}

static struct dm_ioctl *dm_request(const char *name, uint32_t flags)
{
	static union {
		struct dm_ioctl io;
		char bytes[IOCTL_BUFFER];
	} buffer;
	struct dm_ioctl *io = &buffer.io;

	memset(io, 0, sizeof(*io));
	io->version[0] = DM_VERSION_MAJOR;
	io->data_size = sizeof(buffer);
	io->data_start = sizeof(*io);
	io->flags = flags;
	snprintf(io->name, sizeof(io->name), "%s", name);
	return io;
}

static unsigned int major_number;

int dm_create(const char *name, unsigned int *minor_number)
{
	struct dm_ioctl *io = dm_request(name, 0);
	int err = dm_call(DM_DEV_CREATE, io);

	if (!err) {
		major_number = major(io->dev);
		*minor_number = minor(io->dev);
	}
	return err;
}

unsigned int dm_major(void)
{
	return major_number;
}

int dm_load(const char *name, const char *table, bool readonly)
{
	struct dm_ioctl *io = dm_request(name, readonly ? DM_READONLY_FLAG : 0);
	struct dm_target_spec *spec = (void *)io + io->data_start;
	char *params = (char *)(spec + 1);
	size_t room = io->data_size - io->data_start - sizeof(*spec) - 8;
	unsigned long long start, length;
	int used = 0;

	memset(spec, 0, sizeof(*spec));
	if (sscanf(table, "%llu %llu %15s %n", &start, &length, spec->target_type, &used) < 3)
		die("not a table line: %s", table);
	if (strlen(table + used) >= room)
		die("table line too long");
	strcpy(params, table + used);
	spec->sector_start = start;
	spec->length = length;
	spec->next = (sizeof(*spec) + strlen(params) + 1 + 7) & ~7u;
	io->target_count = 1;
	return dm_call(DM_TABLE_LOAD, io);
}

int dm_clear(const char *name)
{
	return dm_call(DM_TABLE_CLEAR, dm_request(name, 0));
}

int dm_resume(const char *name)
{
	return dm_call(DM_DEV_SUSPEND, dm_request(name, 0));
}

int dm_remove(const char *name)
{
	int err;

	/* Whatever scans new block devices may hold it for a moment. */
	for (int tries = 0; tries < 50; tries++) {
		err = dm_call(DM_DEV_REMOVE, dm_request(name, 0));
		if (err != -EBUSY)
			break;
		usleep(20000);
	}
	return err;
}

/* Another process may take the free device first: true if one did. */
static bool loop_taken(int loop, const struct loop_config *config, const char *path)
{
	if (ioctl(loop, LOOP_CONFIGURE, config) == 0)
		return false;
	if (errno != EBUSY)
		die("loop device for %s: %s", path, strerror(errno));
	return true;
}

int loop_attach(const char *path)
{
	struct loop_config config = { .block_size = SECTOR };
	int control, number, loop, file;
	char node[32];
	bool taken;

	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (control < 0 || file < 0)
		die("loop device for %s: %s", path, strerror(errno));
	config.fd = file;
	config.info.lo_flags = LO_FLAGS_READ_ONLY;
	do {
		number = ioctl(control, LOOP_CTL_GET_FREE);
		snprintf(node, sizeof(node), "/dev/loop%d", number);
		loop = open(node, O_RDONLY | O_CLOEXEC);
		if (number < 0 || loop < 0)
			die("loop device for %s: %s", path, strerror(errno));
		taken = loop_taken(loop, &config, path);
		close(loop);
	} while (taken);
	close(control);
	close(file);
	return number;
}

void loop_detach(int number)
{
	char node[32];
	int loop;

	snprintf(node, sizeof(node), "/dev/loop%d", number);
	loop = open(node, O_RDONLY | O_CLOEXEC);
	if (loop < 0 || ioctl(loop, LOOP_CLR_FD) < 0)
		die("detach %s: %s", node, strerror(errno));
	close(loop);
}

int klog_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		die("/dev/kmsg: %s", strerror(errno));
	klog_skip(fd);
	return fd;
}

void klog_skip(int fd)
{
	if (lseek(fd, 0, SEEK_END) < 0)
		die("/dev/kmsg: %s", strerror(errno));
}

/* The first line about a device whose name begins like this; reads all lines. */
static void klog_find(int fd, const char *device, char *text, size_t size)
{
	static const char mark[] = "device-mapper: table: ";
	char record[8192];
	ssize_t got;

	*text = '\0';
	for (;;) {
		char *line, *end;

		got = read(fd, record, sizeof(record) - 1);
		if (got < 0 && errno == EPIPE)
			continue;
		if (got <= 0)
			return;
		record[got] = '\0';
		end = strchr(record, '\n');
		if (end)
			*end = '\0';
		line = strchr(record, ';');
		if (!line || strncmp(line + 1, mark, strlen(mark)))
			continue;
		line += 1 + strlen(mark);
		if (*text || strncmp(line, device, strlen(device)))
			continue;
		/* "253:0: lsmt: text": the device is of no interest. */
		line = strstr(line, ": ");
		if (line)
			snprintf(text, size, "%s", line + 2);
	}
}

void klog_table_error(int fd, char *text, size_t size)
{
	klog_find(fd, "", text, size);
}

void klog_device_error(int fd, unsigned int minor_number, char *text, size_t size)
{
	char device[32];

	snprintf(device, sizeof(device), "%u:%u: ", major_number, minor_number);
	klog_find(fd, device, text, size);
	/* What another CPU is about to write hides what comes behind it. */
	for (int tries = 0; tries < 100 && !*text; tries++) {
		usleep(10000);
		klog_find(fd, device, text, size);
	}
}

bool all_zero(const void *buf, size_t len)
{
	const uint64_t *word = buf;
	const unsigned char *byte;

	for (; len >= 64; len -= 64, word += 8) {
		if (word[0] | word[1] | word[2] | word[3] |
		    word[4] | word[5] | word[6] | word[7])
			return false;
	}
	for (byte = (const void *)word; len; len--)
		if (*byte++)
			return false;
	return true;
}

size_t first_difference(const void *a, const void *b, size_t len)
{
	const unsigned char *x = a, *y = b;
	size_t at = 0;

	if (!memcmp(a, b, len))
		return len;
	while (x[at] == y[at])
		at++;
	return at;
}

int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

void *alloc_aligned(size_t len)
{
	void *buf = NULL;

	if (posix_memalign(&buf, 4096, len))
		die("out of memory");
	return buf;
}
