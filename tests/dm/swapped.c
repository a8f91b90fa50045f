// SPDX-License-Identifier: GPL-2.0
/*
 * swapped LOOP A B CONTENT-A CONTENT-B SLOW TABLE
 *
 * Makes devices swapped0, swapped1, ... with TABLE, which lies on the device SLOW,
 * which lies on the loop device. While each is loaded, before the third, second or
 * first read of SLOW, the loop device is given the other one of the files A and B. All
 * that can be read of a device must be as in CONTENT-A, or all of it as in CONTENT-B;
 * the rest must fail with EIO. Prints what is not so, and how many devices were made
 * and refused. Those made are left there: later loads may find a layer that is open.
 */
#define _GNU_SOURCE
#include "lib/dm-util.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PIECE 32768

/* A load takes a read for the header, the trailer and the index each. */
#define READS 3
#define DEVICES (2 * READS)

static int loop, files[2], contents[2];
static int slow_stat;

/* How many reads of the slow device have ended. */
static unsigned int reads_ended(void)
{
	char text[256];
	ssize_t got = pread(slow_stat, text, sizeof(text) - 1, 0);

	if (got <= 0)
		die("cannot read what the slow device has done");
	text[got] = '\0';
	return strtoul(text, NULL, 10);
}

static void give(int which)
{
	if (ioctl(loop, LOOP_CHANGE_FD, files[which]) < 0)
		die("cannot change the file: %s", strerror(errno));
}

/**
 * struct swap - when to give the loop device another file
 * @which: the file
 * @reads: after so many reads of the slow device
 * @loaded: or at the end of the load
 */
struct swap {
	int which;
	unsigned int reads;
	atomic_bool loaded;
};

static void *swap_later(void *arg)
{
	struct swap *swap = arg;

	while (reads_ended() < swap->reads && !swap->loaded)
		usleep(1000);
	give(swap->which);
	return NULL;
}

static bool is_of(int content, const char *got, uint64_t offset, size_t len)
{
	static char want[PIECE];
	ssize_t have = pread(content, want, len, offset);

	if (have < 0)
		die("content: %s", strerror(errno));
	memset(want + have, 0, len - have);
	return !memcmp(got, want, len);
}

/* No piece is alike in A and B. */
static void check_device(unsigned int minor)
{
	unsigned int of[2] = { 0 }, wrong = 0;
	char *buf = alloc_aligned(PIECE), node[32];
	uint64_t bytes;
	int fd;

	snprintf(node, sizeof(node), "/dev/dm-%u", minor);
	fd = open(node, O_RDONLY | O_CLOEXEC | O_DIRECT);
	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &bytes))
		die("%s: %s", node, strerror(errno));
	for (uint64_t offset = 0; offset < bytes; offset += PIECE) {
		size_t len = bytes - offset < PIECE ? bytes - offset : PIECE;

		if (pread(fd, buf, len, offset) != (ssize_t)len)
			wrong += errno != EIO;
		else if (is_of(contents[0], buf, offset, len))
			of[0]++;
		else if (is_of(contents[1], buf, offset, len))
			of[1]++;
		else
			wrong++;
	}
	if (wrong || (of[0] && of[1]))
		printf("wrong: %u pieces of A, %u of B, %u of neither\n", of[0], of[1], wrong);
	close(fd);
}

/* Returns whether the device could be made. */
static bool make_device(unsigned int number, const char *table, struct swap *swap)
{
	unsigned int minor;
	pthread_t swapper;
	char name[32];
	int err;

	snprintf(name, sizeof(name), "swapped%u", number);
	give(!swap->which);
	if (dm_create(name, &minor) || pthread_create(&swapper, NULL, swap_later, swap))
		die("cannot create a device or a thread");
	err = dm_load(name, table, true);
	swap->loaded = true;
	pthread_join(swapper, NULL);
	if (err) {
		if (dm_remove(name))
			die("cannot remove the device");
		return false;
	}
	if (dm_resume(name))
		die("cannot resume the device");
	check_device(minor);
	return true;
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static void open_stat(const char *device)
{
	char path[64];
	struct stat st;

	if (stat(device, &st))
		die("%s: %s", device, strerror(errno));
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/stat", major(st.st_rdev),
		 minor(st.st_rdev));
	slow_stat = open_file(path);
}

int main(int argc, char **argv)
{
	unsigned int made = 0;

	if (argc != 8)
		die("usage: swapped LOOP A B CONTENT-A CONTENT-B SLOW TABLE");
	loop = open_file(argv[1]);
	for (int i = 0; i < 2; i++) {
		files[i] = open_file(argv[2 + i]);
		contents[i] = open_file(argv[4 + i]);
	}
	open_stat(argv[6]);
	for (int i = 0; i < DEVICES; i++) {
		struct swap swap = { .which = i % 2, .reads = reads_ended() + READS - 1 - i / 2 };

		made += make_device(made, argv[7], &swap);
	}
	printf("made: %u\nrefused: %u\n", made, DEVICES - made);
	return 0;
}
