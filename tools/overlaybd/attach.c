// SPDX-License-Identifier: GPL-2.0
/* The layers of an image as block devices, see attach.h. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/crc32c.h>

#include "attach.h"
#include "dm.h"
#include "loop.h"
#include "message.h"
#include "units.h"

/* One that is about to remove itself may be in the way. */
#define JOIN_TRIES	40
#define JOIN_PAUSE_US	25000

bool attach_needs_loop(const struct layer *layer)
{
	return !layer->file.is_device;
}

/* Does a loop device cut off something that belongs to the layer? */
bool attach_needs_tail(const struct layer *layer)
{
	return attach_needs_loop(layer) && layer->offset + layer->bytes >
		sectors_down(layer->file.bytes) * SECTOR_BYTES;
}

/**
 * attach_lock() - let only one process at a time look for devices and make them
 *
 * Return: a file descriptor to be closed, -1 without a lock (then two processes
 * may make two devices of one file).
 */
int attach_lock(void)
{
	int fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		flock(fd, LOCK_EX);
	return fd;
}

static void set_number(struct attached *attached, dev_t number)
{
	attached->number = number;
	snprintf(attached->text, sizeof(attached->text), "%u:%u", major(number),
		 minor(number));
}

static int read_tail(const struct layer *layer, u8 tail[SECTOR_BYTES])
{
	memset(tail, 0, SECTOR_BYTES);
	return file_read(&layer->file, tail, layer->file.bytes % SECTOR_BYTES,
			 sectors_down(layer->file.bytes) * SECTOR_BYTES);
}

static int attach_tail(const u8 tail[SECTOR_BYTES], struct loop *loop)
{
	int r, fd = memfd_create("overlaybd-tail", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return fail_errno(STATUS_USAGE, "cannot make a file in memory");
	if (write_fully(fd, tail, SECTOR_BYTES, 0) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		r = fail_errno(STATUS_USAGE, "cannot write a file in memory");
	else
		r = loop_attach_new(fd, "overlaybd-tail", false, loop);
	close(fd);
	return r;
}

/*
 * What the joining device of a file is called. As long as it exists its loop
 * device has the file open, so the inode cannot become another file.
 */
static char *tail_key(const struct layer *layer, const struct stat *st,
		      const u8 tail[SECTOR_BYTES])
{
	char *key;

	if (asprintf(&key, "%u.%u-%llu-%llu-%08x", major(st->st_dev), minor(st->st_dev),
		     (unsigned long long)st->st_ino, layer->file.bytes,
		     crc32c(0, tail, SECTOR_BYTES)) < 0)
		return NULL;
	return key;
}

/* Is it what join() made of this file? */
static bool joins(const struct mapped *device, const char *uuid, const struct stat *st)
{
	unsigned int loop_major, loop_minor;

	return !strcmp(device->uuid, uuid) && device->lines == 2 && !device->suspended &&
	       device->sectors == sectors_down(st->st_size) &&
	       !strcmp(device->target, "linear") &&
	       sscanf(device->table, "%u:%u 0", &loop_major, &loop_minor) == 2 &&
	       loop_shows(makedev(loop_major, loop_minor), st);
}

/* Return: whether it could be opened, and so will stay. */
static bool reuse(const char *name, const char *uuid, const struct stat *st,
		  struct attached *attached)
{
	struct mapped device;
	bool good = false;

	if (mapped_find(name, &device))
		return false;
	if (joins(&device, uuid, st)) {
		attached->fd = mapped_open_helper(name, device.number);
		good = attached->fd >= 0;
		set_number(attached, device.number);
	}
	mapped_destroy(&device);
	attached->reused = good;
	return good;
}

static int join_loops(const char *name, const char *uuid, u64 whole, dev_t file, dev_t tail,
		      struct attached *attached)
{
	char first[32], second[32];
	struct mapped_line lines[] = {
		{ 0, whole, "linear", first },
		{ whole, 1, "linear", second },
	};
	dev_t number;
	int r;

	snprintf(first, sizeof(first), "%u:%u 0", major(file), minor(file));
	snprintf(second, sizeof(second), "%u:%u 0", major(tail), minor(tail));
	r = mapped_create(name, uuid, lines, 2, &number);
	if (r)
		return r;
	set_number(attached, number);
	attached->fd = mapped_open_helper(name, number);
	if (attached->fd >= 0)
		return 0;
	errno = -attached->fd;
	fail_errno(STATUS_USAGE, "cannot open the device %s", name);
	mapped_remove(name, false);
	return STATUS_USAGE;
}

static int join(const struct layer *layer, const u8 *tail, const char *name,
		const char *uuid, struct attached *attached)
{
	struct loop file = { .fd = -1 }, rest = { .fd = -1 };
	int r = loop_attach(layer->file.fd, layer->path, &file);

	if (!r)
		r = attach_tail(tail, &rest);
	if (!r)
		r = join_loops(name, uuid, sectors_down(layer->file.bytes), file.number,
			       rest.number, attached);
	if (file.fd >= 0)
		close(file.fd);
	if (rest.fd >= 0)
		close(rest.fd);
	return r;
}

static bool exists(const char *name)
{
	struct mapped device;

	if (mapped_find(name, &device))
		return false;
	mapped_destroy(&device);
	return true;
}

static int attach_with_tail(const struct layer *layer, struct attached *attached)
{
	char *key = NULL, *name = NULL, *uuid = NULL;
	u8 tail[SECTOR_BYTES];
	struct stat st;
	int tries, r;

	if (fstat(layer->file.fd, &st))
		return fail_errno(STATUS_IO, "cannot stat %s", layer->path);
	r = read_tail(layer, tail);
	if (r)
		return r;
	key = tail_key(layer, &st, tail);
	if (!key || asprintf(&name, "overlaybd-file-%s", key) < 0 ||
	    asprintf(&uuid, MAPPED_FILE "%s", key) < 0)
		r = fail_memory();
	for (tries = 0; !r; tries++) {
		if (reuse(name, uuid, &st, attached))
			break;
		if (!exists(name) || tries == JOIN_TRIES) {
			r = join(layer, tail, name, uuid, attached);
			break;
		}
		usleep(JOIN_PAUSE_US);
	}
	free(key);
	free(uuid);
	attached->helper = name;
	return r;
}

static int attach_plain(const struct layer *layer, struct attached *attached)
{
	struct loop loop;
	int r = loop_attach(layer->file.fd, layer->path, &loop);

	if (r)
		return r;
	attached->fd = loop.fd;
	attached->reused = loop.reused;
	set_number(attached, loop.number);
	return 0;
}

/**
 * attach_layer() - give a layer a block device
 * @layer: an open layer; it is its open file that is attached, whatever its path
 *	names by now
 * @attached: filled in; attached_close() it whatever the outcome
 *
 * Return: 0 or a status.
 */
int attach_layer(const struct layer *layer, struct attached *attached)
{
	*attached = (struct attached) { .fd = -1 };
	if (attach_needs_tail(layer))
		return attach_with_tail(layer, attached);
	if (attach_needs_loop(layer))
		return attach_plain(layer, attached);
	set_number(attached, layer->file.device);
	return 0;
}

/* What nothing else uses by now is gone after that. */
void attached_close(struct attached *attached)
{
	if (attached->fd >= 0)
		close(attached->fd);
	attached->fd = -1;
	if (attached->helper)
		mapped_wait_gone(attached->helper);
	free(attached->helper);
	attached->helper = NULL;
}
