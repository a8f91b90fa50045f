// SPDX-License-Identifier: GPL-2.0
/*
 * memeater -b BYTES
 * memeater -l KIB
 *
 * Holds BYTES of memory, or all but KIB of what is available, and writes to it all
 * the time, until it is killed. Prints "full" as soon as it has that much. With -l
 * it takes more when something gets free, and gives some back before the last is
 * gone. If the kernel must kill somebody, it shall be this. (What stress-ng would
 * do; that needs twenty libraries in the guest's small root file system.)
 */
#define _GNU_SOURCE
#include "lib/dm-util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHUNK (1 << 20)
#define MAX_CHUNKS 65536
#define TOUCHED 64		/* chunks between two pauses */
#define PAUSE_US 20000

static char *chunks[MAX_CHUNKS];
static unsigned int count;

static long available_kib(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];
	long kib = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %ld", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

static void touch(char *chunk)
{
	static char value;

	value++;
	for (size_t at = 0; at < CHUNK; at += 4096)
		chunk[at] = value;
}

static void take(void)
{
	char *chunk;

	if (count == MAX_CHUNKS)
		die("too much memory");
	chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (chunk == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	touch(chunk);
	chunks[count++] = chunk;
}

static void give(void)
{
	munmap(chunks[--count], CHUNK);
}

static void be_killed_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	if (fd < 0 || write(fd, "1000", 4) != 4)
		die("oom_score_adj: %s", strerror(errno));
	close(fd);
}

int main(int argc, char **argv)
{
	unsigned int fixed = 0;
	long left_kib = 0;
	bool full = false;
	int option;

	while ((option = getopt(argc, argv, "b:l:")) != -1) {
		if (option == 'b')
			fixed = strtoull(optarg, NULL, 10) / CHUNK;
		else if (option == 'l')
			left_kib = strtol(optarg, NULL, 10);
		else
			return 2;
	}
	if (optind != argc || !fixed == !left_kib)
		die("usage: memeater -b BYTES | -l KIB");
	be_killed_first();
	for (unsigned int at = 0;; at++) {
		if (fixed ? count < fixed : available_kib() > left_kib) {
			take();
			continue;
		}
		if (!full) {
			printf("%d full\n", getpid());
			fflush(stdout);
			full = true;
		}
		if (!fixed && count && available_kib() < left_kib / 2)
			give();
		if (count)
			touch(chunks[at % count]);
		if (at % TOUCHED == 0)
			usleep(PAUSE_US);
	}
}
