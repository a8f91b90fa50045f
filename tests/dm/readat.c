// SPDX-License-Identifier: GPL-2.0
/*
 * readat [-n] DEVICE SECTOR SECTORS [COUNT]
 * readat -a DEVICE SECTOR SECTORS
 *
 * Reads there with O_DIRECT, so many times. Prints "<failed with EIO> <milliseconds>".
 * With -n the reads must not wait, and those count that fail with EAGAIN instead.
 * With -a it is only read ahead.
 */
#define _GNU_SOURCE
#include "lib/dm-util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int read_ahead(char **argv)
{
	int device = open(argv[0], O_RDONLY | O_CLOEXEC);

	if (device < 0 || posix_fadvise(device, strtoll(argv[1], NULL, 10) * SECTOR,
					strtoll(argv[2], NULL, 10) * SECTOR,
					POSIX_FADV_WILLNEED))
		die("%s: cannot read ahead", argv[0]);
	close(device);
	return 0;
}

int main(int argc, char **argv)
{
	int device, count = 1, failed = 0, flags = 0, expected = EIO;
	struct iovec vec;
	off_t offset;
	long start;

	if (argc == 5 && !strcmp(argv[1], "-a"))
		return read_ahead(argv + 2);
	if (argc > 1 && !strcmp(argv[1], "-n")) {
		flags = RWF_NOWAIT;
		expected = EAGAIN;
		argc--;
		argv++;
	}
	if (argc != 4 && argc != 5)
		die("usage: readat [-n] DEVICE SECTOR SECTORS [COUNT]");
	device = open_or_die(argv[1], O_RDONLY | O_DIRECT);
	offset = strtoll(argv[2], NULL, 10) * SECTOR;
	vec.iov_len = strtoul(argv[3], NULL, 10) * SECTOR;
	if (argc == 5)
		count = atoi(argv[4]);
	vec.iov_base = alloc_aligned(vec.iov_len);
	start = milliseconds();
	for (int i = 0; i < count; i++) {
		ssize_t got = preadv2(device, &vec, 1, offset, flags);

		if (got < 0 && errno == expected)
			failed++;
		else if (got != (ssize_t)vec.iov_len)
			die("read: %zd, %s", got, strerror(errno));
	}
	printf("%d %ld\n", failed, milliseconds() - start);
	return 0;
}
