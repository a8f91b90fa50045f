/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel holds: objects per slab cache, vmalloc areas, free pages,
 * dm-bufio's memory, module references, kernel threads. Taken before and after
 * something was repeated often, it shows what each repetition left behind.
 */
#ifndef USAGE_H
#define USAGE_H

#include <stdbool.h>
#include <stddef.h>

#define USAGE_CACHES 512
#define USAGE_KINDS 64

struct usage {
	struct {
		char name[64];
		long objects;
	} caches[USAGE_CACHES];
	int nr_caches;
	long vmalloc_areas;
	long used_pages;
	/* What /proc/meminfo says, to explain used_pages. */
	struct {
		char name[64];
		long pages;
	} kinds[USAGE_KINDS];
	int nr_kinds;
	long bufio_bytes;
	long module_references;
	long threads;
};

enum usage_slabs {
	SLABS_LEFT_OUT,
	SLABS_ROUGHLY,		/* with objects that a CPU keeps for reuse */
	SLABS_EXACTLY,		/* without them; slow */
};

void usage_take(struct usage *usage, enum usage_slabs slabs);

enum usage_growth {
	USAGE_SAME,
	/* May be something that is made once, by the first that needs it. */
	USAGE_MORE_MEMORY,
	/* Of references, threads and what dm-bufio holds nothing is kept, ever. */
	USAGE_MORE_REFERENCES,
};

/*
 * Did something grow by about one per repetition, or a reference count at all?
 * Says what in text. Much is freed late: believe it when it stays.
 */
enum usage_growth usage_grew(const struct usage *before, const struct usage *after,
			     int repetitions, char *text, size_t size);

#endif
