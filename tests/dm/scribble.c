// SPDX-License-Identifier: GPL-2.0
/*
 * scribble DEVICE BYTES SECONDS
 *
 * Reads BYTES at the beginning of DEVICE with O_DIRECT, again and again, while another
 * thread writes to the same memory. Prints how many reads failed with EIO. What they
 * gave nobody knows.
 */
#define _GNU_SOURCE
#include "lib/dm-util.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static unsigned char *buf;
static size_t bytes;
static atomic_bool stop;

static void *write_on(void *unused)
{
	(void)unused;
	for (size_t i = 0; !stop; i = (i + 61) % bytes)
		((volatile unsigned char *)buf)[i]++;
	return NULL;
}

int main(int argc, char **argv)
{
	int device, failed = 0;
	pthread_t writer;
	time_t end;

	if (argc != 4 || atoi(argv[2]) <= 0)
		die("usage: scribble DEVICE BYTES SECONDS");
	device = open_or_die(argv[1], O_RDONLY | O_DIRECT);
	bytes = strtoul(argv[2], NULL, 10);
	buf = alloc_aligned(bytes);
	if (pthread_create(&writer, NULL, write_on, NULL))
		die("no thread");
	end = time(NULL) + atoi(argv[3]);
	while (time(NULL) < end) {
		ssize_t got = pread(device, buf, bytes, 0);

		if (got < 0 && errno == EIO)
			failed++;
		else if (got != (ssize_t)bytes)
			die("read: %zd, %s", got, strerror(errno));
	}
	stop = true;
	pthread_join(writer, NULL);
	printf("%d\n", failed);
	return 0;
}
