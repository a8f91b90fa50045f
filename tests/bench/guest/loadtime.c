// SPDX-License-Identifier: GPL-2.0
/*
 * loadtime COUNT TABLE
 *
 * Loads a table COUNT times and prints what the first and what the median of
 * the others cost: "<first> <median>", by the time stamp counter.
 */
#include "../../dm/lib/dm-util.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_COUNT 64

static uint64_t now(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) :: "memory");
	return (uint64_t)high << 32 | low;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	static char table[65536];
	uint64_t cost[MAX_COUNT];
	unsigned int minor;
	int i, err, count = argc == 3 ? atoi(argv[1]) : 0;
	FILE *f;

	if (count < 2 || count > MAX_COUNT)
		die("usage: loadtime COUNT TABLE");
	f = fopen(argv[2], "r");
	if (!f || !fgets(table, sizeof(table), f))
		die("cannot read %s", argv[2]);
	table[strcspn(table, "\n")] = 0;
	if (dm_create("loadtime", &minor))
		die("cannot create a device");
	for (i = 0; i < count; i++) {
		uint64_t start = now();

		err = dm_load("loadtime", table, true);
		cost[i] = now() - start;
		if (err)
			die("load: %s", strerror(-err));
		dm_clear("loadtime");
	}
	dm_remove("loadtime");
	qsort(cost + 1, count - 1, sizeof(*cost), compare);
	printf("%llu %llu\n", (unsigned long long)cost[0],
	       (unsigned long long)cost[1 + (count - 1) / 2]);
	return 0;
}
