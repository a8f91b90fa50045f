// SPDX-License-Identifier: GPL-2.0
/*
 * leftover COUNT COMMAND [ARGUMENT]...
 *
 * Executes the command COUNT times and says what more the kernel holds afterwards
 * than it did before: objects of slab caches, vmalloc areas, pages, memory of
 * dm-bufio, references to modules, threads. Exits with 1 if that is about one or
 * more of something for each time, or if the command failed.
 */
#define _GNU_SOURCE
#include "lib/dm-util.h"
#include "lib/usage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * What is freed late gets this long, and kfree_rcu() gathers for five seconds; a leak
 * is there in each round. One try takes seconds on a debug kernel.
 */
#define SETTLE_S 30
#define SETTLE_US 20000
/* Dropping caches makes something to be freed late itself, on a debug kernel. */
#define DROP_EVERY_S 2
#define ROUNDS 3

static void execute(char **command)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		execvp(command[0], command);
		die("%s: %s", command[0], strerror(errno));
	}
	if (waitpid(pid, &status, 0) != pid || status)
		die("%s failed", command[0]);
}

/* What waits for kfree_rcu() goes too. */
static void drop_caches(void)
{
	FILE *file = fopen("/proc/sys/vm/drop_caches", "w");

	if (!file || fputs("3", file) < 0 || fclose(file))
		die("drop_caches: %s", strerror(errno));
}

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static enum usage_growth leaves_something(int count, char **command, char *text,
					  size_t size)
{
	static struct usage before, after;
	enum usage_growth growth = USAGE_SAME;
	time_t end, drop = 0;

	drop_caches();
	usage_take(&before, SLABS_EXACTLY);
	for (int i = 0; i < count; i++)
		execute(command);
	end = seconds() + SETTLE_S;
	while (seconds() < end) {
		if (seconds() >= drop) {
			drop_caches();
			drop = seconds() + DROP_EVERY_S;
		}
		usage_take(&after, SLABS_EXACTLY);
		growth = usage_grew(&before, &after, count, text, size);
		if (growth == USAGE_SAME)
			break;
		usleep(SETTLE_US);
	}
	return growth;
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[1]) : 0;
	enum usage_growth growth = USAGE_SAME;
	char text[1024];

	if (count < 1)
		die("usage: leftover COUNT COMMAND [ARGUMENT]...");
	/* What is made once, by the first that needs it, is no leak. */
	execute(argv + 2);
	for (int round = 0; round < ROUNDS && growth != USAGE_MORE_REFERENCES; round++) {
		growth = leaves_something(count, argv + 2, text, sizeof(text));
		if (growth == USAGE_SAME)
			return 0;
	}
	printf("%d times: %s\n", count, text);
	return 1;
}
