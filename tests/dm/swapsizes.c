// SPDX-License-Identifier: GPL-2.0
/*
 * swapsizes DISK DEVICE TABLE INDEX SECTOR OTHER
 *
 * Reads SECTOR of DEVICE, a ZFile on DISK, while there is no memory in large pieces, so
 * that the read has to wait. Before it goes on, the first two entries of the jump table,
 * at byte INDEX of DISK, change places, and TABLE, of the same ZFile, is loaded, so that
 * they are read again. OTHER is a sector of another block that has its entry near them.
 * Prints "read", or the errno's name.
 *
 * What goes on for the read is a worker of the kernel. It gets no CPU for most of a
 * second: on each of the two there is a thread of this program that has precedence and
 * does not wait.
 */
#define _GNU_SOURCE
#include "lib/dm-util.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROBABILITY "/sys/kernel/debug/fail_page_alloc/probability"

#define PRECEDENCE 50

static atomic_bool spinning, stop;

static void set_file(const char *path, const char *text)
{
	int fd = open_or_die(path, O_WRONLY);

	if (write(fd, text, strlen(text)) < 0)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

/* For the calling thread: no worker runs on this CPU any more; with 0, they do again. */
static void take_cpu(int cpu, int precedence)
{
	struct sched_param param = { .sched_priority = precedence };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) ||
	    sched_setscheduler(0, precedence ? SCHED_FIFO : SCHED_OTHER, &param))
		die("CPU %d: %s", cpu, strerror(errno));
}

static void *spin(void *unused)
{
	(void)unused;
	take_cpu(1, PRECEDENCE);
	spinning = true;
	while (!stop)
		;
	return NULL;
}

/* It runs until it waits, before this function returns. */
static void start_with_precedence(pthread_t *thread, void *(*function)(void *), void *data)
{
	struct sched_param param = { .sched_priority = PRECEDENCE + 1 };
	pthread_attr_t attr;

	take_cpu(0, PRECEDENCE);
	if (pthread_attr_init(&attr) ||
	    pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED) ||
	    pthread_attr_setschedpolicy(&attr, SCHED_FIFO) ||
	    pthread_attr_setschedparam(&attr, &param) ||
	    pthread_create(thread, &attr, function, data))
		die("no thread");
}

static void swap_entries(int disk, off_t index)
{
	size_t at = index % SECTOR;
	char *buf = alloc_aligned(2 * SECTOR);
	char first[4];

	if (pread(disk, buf, 2 * SECTOR, index - at) != 2 * SECTOR)
		die("the disk cannot be read");
	memcpy(first, buf + at, 4);
	memcpy(buf + at, buf + at + 4, 4);
	memcpy(buf + at + 4, first, 4);
	if (pwrite(disk, buf, 2 * SECTOR, index - at) != 2 * SECTOR)
		die("the disk cannot be written to");
	free(buf);
}

/* Returns what read() does, or the errno below zero. */
static void *read_sector(void *device_and_offset)
{
	off_t *arguments = device_and_offset;
	char *buf = alloc_aligned(SECTOR);
	ssize_t got;

	set_file(PROBABILITY, "100");
	got = pread(arguments[0], buf, SECTOR, arguments[1]);
	return (void *)(intptr_t)(got < 0 ? -errno : got);
}

int main(int argc, char **argv)
{
	char *buf = alloc_aligned(SECTOR);
	pthread_t spinner, reader;
	off_t index, arguments[2];
	int disk, device, err;
	unsigned int minor;
	void *result;

	if (argc != 7 || sysconf(_SC_NPROCESSORS_ONLN) != 2)
		die("usage: swapsizes DISK DEVICE TABLE INDEX SECTOR OTHER, with two CPUs");
	disk = open_or_die(argv[1], O_RDWR | O_DIRECT);
	arguments[0] = device = open_or_die(argv[2], O_RDONLY | O_DIRECT);
	index = strtoll(argv[4], NULL, 10);
	arguments[1] = strtoll(argv[5], NULL, 10) * SECTOR;
	if (dm_create("swapsizes", &minor))
		die("no device can be made");
	/* No large piece of memory is left over; then that part of the table is there. */
	set_file("/proc/sys/vm/drop_caches", "3");
	if (pread(device, buf, SECTOR, strtoll(argv[6], NULL, 10) * SECTOR) != SECTOR)
		die("the device cannot be read");

	if (pthread_create(&spinner, NULL, spin, NULL))
		die("no thread");
	while (!spinning)
		usleep(1000);
	start_with_precedence(&reader, read_sector, arguments);
	set_file(PROBABILITY, "0");
	swap_entries(disk, index);
	err = dm_load("swapsizes", argv[3], true);
	stop = true;
	take_cpu(0, 0);
	pthread_join(spinner, NULL);
	pthread_join(reader, &result);

	swap_entries(disk, index);
	if (err || dm_remove("swapsizes"))
		die("the table is refused: %s", strerrorname_np(-err));
	err = (intptr_t)result < 0 ? -(intptr_t)result : 0;
	printf("%s\n", err ? strerrorname_np(err) : "read");
	return 0;
}
