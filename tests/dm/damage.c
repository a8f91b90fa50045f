// SPDX-License-Identifier: GPL-2.0
/*
 * damage [-m] DEVICE REFERENCE SIZE [FIRST COUNT]...
 *
 * Reads all of the device in pieces of SIZE bytes with O_DIRECT, or through the
 * page cache, page by page, if SIZE is 0. Exactly the pieces that touch one of
 * the ranges of sectors must give EIO; all others must be as in REFERENCE, which
 * counts as followed by zeros. Prints how many reads failed, and exits with 1 if
 * anything is not as it should be. With -m it must be ENODATA instead of EIO: what
 * a medium error of a SCSI disk is to who reads past the page cache.
 */
#define _GNU_SOURCE
#include "lib/dm-util.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PAGE 4096
#define SHOWN 10

static int device, reference;
static int nr_ranges;
static char **ranges;
static unsigned int wrong;
static int expected = EIO;

static bool is_damaged(uint64_t offset, size_t len)
{
	for (int i = 0; i + 1 < nr_ranges; i += 2) {
		uint64_t first = strtoull(ranges[i], NULL, 10) * SECTOR;
		uint64_t count = strtoull(ranges[i + 1], NULL, 10) * SECTOR;

		if (offset < first + count && offset + len > first)
			return true;
	}
	return false;
}

static bool matches(const char *got, char *want, uint64_t offset, size_t len)
{
	ssize_t have = pread(reference, want, len, offset);

	if (have < 0)
		die("reference: %s", strerror(errno));
	memset(want + have, 0, len - have);
	return !memcmp(got, want, len);
}

static void complain(uint64_t offset, size_t len, const char *what)
{
	if (wrong++ < SHOWN)
		printf("%zu bytes at sector %llu: %s\n", len,
		       (unsigned long long)offset / SECTOR, what);
}

/* Returns whether the read failed. */
static bool read_piece(char *buf, char *want, uint64_t offset, size_t len)
{
	bool damaged = is_damaged(offset, len);
	ssize_t got;

	memset(buf, 0xa5, len);
	got = pread(device, buf, len, offset);
	if (got == (ssize_t)len) {
		if (damaged)
			complain(offset, len, "can be read");
		else if (!matches(buf, want, offset, len))
			complain(offset, len, "reads wrong");
		return false;
	}
	if (got >= 0)
		complain(offset, len, "short read");
	else if (!damaged || errno != expected)
		complain(offset, len, strerror(errno));
	return true;
}

int main(int argc, char **argv)
{
	unsigned int failed = 0;
	uint64_t bytes;
	size_t size;
	char *buf;

	if (argc > 1 && !strcmp(argv[1], "-m")) {
		expected = ENODATA;
		argc--;
		argv++;
	}
	if (argc < 4 || argc % 2)
		die("usage: damage [-m] DEVICE REFERENCE SIZE [FIRST COUNT]...");
	size = strtoul(argv[3], NULL, 10);
	device = open(argv[1], O_RDONLY | O_CLOEXEC | (size ? O_DIRECT : 0));
	reference = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (device < 0 || reference < 0)
		die("%s or %s: %s", argv[1], argv[2], strerror(errno));
	if (ioctl(device, BLKGETSIZE64, &bytes) || ioctl(device, BLKFLSBUF, 0))
		die("%s: %s", argv[1], strerror(errno));
	ranges = argv + 4;
	nr_ranges = argc - 4;
	size = size ?: PAGE;
	buf = alloc_aligned(2 * size);
	for (uint64_t offset = 0; offset < bytes; offset += size) {
		size_t len = bytes - offset < size ? bytes - offset : size;

		failed += read_piece(buf, buf + size, offset, len);
	}
	printf("%u\n", failed);
	return wrong > 0;
}
