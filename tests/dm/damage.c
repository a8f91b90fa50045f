// SPDX-License-Identifier: GPL-2.0
/*
 * damage [-m] DEVICE REFERENCE SIZE [FIRST COUNT]...
 * damage -o OTHER DEVICE REFERENCE SIZE
 *
 * Reads all of the device in pieces of SIZE bytes with O_DIRECT, or through the
 * page cache, page by page, if SIZE is 0. Exactly the pieces that touch one of
 * the ranges of sectors must give EIO; all others must be as in REFERENCE, which
 * counts as followed by zeros. Prints how many reads failed, and exits with 1 if
 * anything is not as it should be. With -m it must be ENODATA instead of EIO: what
 * a medium error of a SCSI disk is to who reads past the page cache. With -o any piece
 * may give EIO, and one that does not is as in REFERENCE or as in OTHER.
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

static int device, reference, other = -1;
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

static bool matches_file(int file, const char *got, char *want, uint64_t offset, size_t len)
{
	ssize_t have = pread(file, want, len, offset);

	if (have < 0)
		die("reference: %s", strerror(errno));
	memset(want + have, 0, len - have);
	return !memcmp(got, want, len);
}

static bool matches(const char *got, char *want, uint64_t offset, size_t len)
{
	return matches_file(reference, got, want, offset, len) ||
	       (other >= 0 && matches_file(other, got, want, offset, len));
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
	bool damaged = is_damaged(offset, len), may_fail = damaged || other >= 0;
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
	else if (!may_fail || errno != expected)
		complain(offset, len, strerror(errno));
	return true;
}

int main(int argc, char **argv)
{
	unsigned int failed = 0;
	uint64_t bytes;
	size_t size;
	int option;
	char *buf;

	while ((option = getopt(argc, argv, "mo:")) != -1) {
		if (option == 'm')
			expected = ENODATA;
		else if (option == 'o')
			other = open_or_die(optarg, 0);
		else
			return 2;
	}
	argc -= optind;
	argv += optind;
	if (argc < 3 || argc % 2 == 0)
		die("usage: damage [-m | -o OTHER] DEVICE REFERENCE SIZE [FIRST COUNT]...");
	size = strtoul(argv[2], NULL, 10);
	device = open_or_die(argv[0], size ? O_DIRECT : 0);
	reference = open_or_die(argv[1], 0);
	if (ioctl(device, BLKGETSIZE64, &bytes) || ioctl(device, BLKFLSBUF, 0))
		die("%s: %s", argv[0], strerror(errno));
	ranges = argv + 3;
	nr_ranges = argc - 3;
	size = size ?: PAGE;
	buf = alloc_aligned(2 * size);
	for (uint64_t offset = 0; offset < bytes; offset += size) {
		size_t len = bytes - offset < size ? bytes - offset : size;

		failed += read_piece(buf, buf + size, offset, len);
	}
	printf("%u\n", failed);
	return wrong > 0;
}
