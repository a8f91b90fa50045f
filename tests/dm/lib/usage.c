// SPDX-License-Identifier: GPL-2.0
#include "usage.h"

#define _DEFAULT_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dm-util.h"

static long read_number(const char *path)
{
	FILE *file = fopen(path, "r");
	long value = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%ld", &value) != 1)
		value = 0;
	fclose(file);
	return value;
}

static void shrink_slabs(void)
{
	DIR *slabs = opendir("/sys/kernel/slab");
	struct dirent *entry;
	char path[400];

	while (slabs && (entry = readdir(slabs))) {
		FILE *file;

		/* Symbolic links name a cache a second time. */
		if (entry->d_type != DT_DIR)
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", entry->d_name);
		file = fopen(path, "w");
		if (!file)
			continue;
		fputs("1", file);
		fclose(file);
	}
	if (slabs)
		closedir(slabs);
}

/*
 * Of things that are freed late, of a debug kernel's accounts of all others, or of the
 * files in which all this is read.
 */
static bool is_other_cache(const char *name)
{
	static const char * const names[] = {
		"vmap_area", "kmemleak_object", "kmemleak_scan_area", "debug_objects_cache",
		"proc_inode_cache", "dentry",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static void take_slab(struct usage *usage)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	char line[512];

	if (!file)
		die("no /proc/slabinfo");
	while (usage->nr_caches < USAGE_CACHES && fgets(line, sizeof(line), file)) {
		int n = usage->nr_caches;

		if (sscanf(line, "%63s %ld", usage->caches[n].name,
			   &usage->caches[n].objects) == 2 &&
		    !is_other_cache(usage->caches[n].name))
			usage->nr_caches++;
	}
	fclose(file);
}

/* Areas that are free but not yet purged are no leak. */
static long count_vmalloc_areas(void)
{
	FILE *file = fopen("/proc/vmallocinfo", "r");
	char line[512];
	long areas = 0;

	while (file && fgets(line, sizeof(line), file))
		areas += !strstr(line, "unpurged");
	if (file)
		fclose(file);
	return areas;
}

/*
 * Pages of KASAN's shadow that are there. It has a byte for every eight of an area of
 * vmalloc, and a page of it stays when the last area goes that it was for, unless that
 * was the only one: see kasan_release_vmalloc(). So how many there are says where
 * areas were, not what is in use.
 */
static long shadow_pages(void)
{
	FILE *file = fopen("/sys/kernel/debug/page_tables/kernel", "r");
	unsigned long start, end, bytes = 0;
	bool shadow = false;
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "---[", 4))
			shadow = !strncmp(line, "---[ KASAN shadow ]", 19);
		/* All that cannot be written to is one page of zeroes. */
		else if (shadow && strstr(line, " RW ") &&
			 sscanf(line, "%lx-%lx", &start, &end) == 2)
			bytes += end - start;
	}
	if (file)
		fclose(file);
	return bytes / 4096;
}

/* Pages that a CPU keeps for reuse. */
static long cpu_pages(void)
{
	FILE *file = fopen("/proc/zoneinfo", "r");
	char line[256];
	long count, pages = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, " count: %ld", &count) == 1)
			pages += count;
	if (file)
		fclose(file);
	return pages;
}

static void take_meminfo(struct usage *usage)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[256];
	long kib;

	if (!file)
		die("no /proc/meminfo");
	while (usage->nr_kinds < USAGE_KINDS && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63[^:]: %ld", usage->kinds[usage->nr_kinds].name,
			   &kib) == 2)
			usage->kinds[usage->nr_kinds++].pages = kib / 4;
	fclose(file);
}

static long pages_of(const struct usage *usage, const char *name)
{
	for (int i = 0; i < usage->nr_kinds; i++)
		if (!strcmp(usage->kinds[i].name, name))
			return usage->kinds[i].pages;
	return 0;
}

/* Pages that are neither free nor could be freed at once. */
static long used_pages(const struct usage *usage)
{
	return pages_of(usage, "MemTotal") - pages_of(usage, "MemFree") -
	       pages_of(usage, "Buffers") - pages_of(usage, "Cached") -
	       pages_of(usage, "Slab") - cpu_pages() - shadow_pages();
}

static long module_references(void)
{
	static const char * const modules[] = {
		"dm_overlaybd", "dm_bufio", "dm_mod", "libcrc32c",
	};
	char path[128];
	long sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		snprintf(path, sizeof(path), "/sys/module/%s/refcnt", modules[i]);
		sum += read_number(path);
	}
	return sum;
}

/* Ordinary kworkers come and go; rescuers ("kworker/R-") belong to a queue. */
static bool is_lasting_thread(const char *pid)
{
	char path[300], name[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	return !strncmp(name, "kworker/R-", 10) || strncmp(name, "kworker/", 8);
}

static long count_threads(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	long threads = 0;

	while (proc && (entry = readdir(proc)))
		threads += isdigit((unsigned char)entry->d_name[0]) &&
			   is_lasting_thread(entry->d_name);
	if (proc)
		closedir(proc);
	return threads;
}

void usage_take(struct usage *usage, enum usage_slabs slabs)
{
	memset(usage, 0, sizeof(*usage));
	if (slabs == SLABS_EXACTLY)
		shrink_slabs();
	if (slabs != SLABS_LEFT_OUT)
		take_slab(usage);
	usage->vmalloc_areas = count_vmalloc_areas();
	take_meminfo(usage);
	usage->used_pages = used_pages(usage);
	usage->bufio_bytes =
		read_number("/sys/module/dm_bufio/parameters/current_allocated_bytes");
	usage->module_references = module_references();
	usage->threads = count_threads();
}

static long cache_objects(const struct usage *usage, const char *name)
{
	for (int i = 0; i < usage->nr_caches; i++)
		if (!strcmp(usage->caches[i].name, name))
			return usage->caches[i].objects;
	return 0;
}

/* Adds which kinds of memory there is more or less of. */
static void explain_pages(const struct usage *before, const struct usage *after,
			  char *text, size_t size)
{
	for (int i = 0; i < after->nr_kinds; i++) {
		const char *name = after->kinds[i].name;
		long grown = after->kinds[i].pages - pages_of(before, name);
		size_t length = strlen(text);

		if (grown)
			snprintf(text + length, size - length, ", %s %+ld", name, grown);
	}
}

enum usage_growth usage_grew(const struct usage *before, const struct usage *after,
			     int repetitions, char *text, size_t size)
{
	long many = repetitions - repetitions / 10;

#define GREW(field, limit, growth)						\
	do {									\
		if (after->field - before->field >= (limit)) {			\
			snprintf(text, size, #field " grew by %ld",		\
				 after->field - before->field);			\
			return growth;						\
		}								\
	} while (0)
	GREW(bufio_bytes, 1, USAGE_MORE_REFERENCES);
	GREW(module_references, 1, USAGE_MORE_REFERENCES);
	GREW(threads, 1, USAGE_MORE_REFERENCES);
	GREW(vmalloc_areas, many, USAGE_MORE_MEMORY);
	if (after->used_pages - before->used_pages >= many) {
		snprintf(text, size, "used_pages grew by %ld",
			 after->used_pages - before->used_pages);
		explain_pages(before, after, text, size);
		return USAGE_MORE_MEMORY;
	}
#undef GREW
	for (int i = 0; i < after->nr_caches; i++) {
		const char *name = after->caches[i].name;
		long grown = after->caches[i].objects - cache_objects(before, name);

		if (grown >= many) {
			snprintf(text, size, "%ld more objects in %s", grown, name);
			return USAGE_MORE_MEMORY;
		}
	}
	return USAGE_SAME;
}
