// SPDX-License-Identifier: GPL-2.0
/*
 * devcheck [-s SEED] DEVICE REFERENCE MODE
 * devcheck -l
 *
 * Reads all of a device in the way the mode says and compares it with a file,
 * which counts as followed by zeros. Prints the first difference and exits
 * with 1 if there is one. -l lists the modes. Meant for devices of a few MiB:
 * the reference is held in memory.
 */
#define _GNU_SOURCE
#include "lib/dm-util.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_READ (1 << 20)
#define HUGE_PAGE (2 << 20)
#define WORKERS 4

static const char *device;
static char *reference;
static uint64_t device_bytes;
static uint64_t seed = 1;

/* xorshift64*: the same sequence on every machine. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

static bool matches(const char *got, uint64_t offset, size_t len)
{
	size_t at = first_difference(got, reference + offset, len);

	if (at == len)
		return true;
	printf("byte %llu (sector %llu) is %02x, should be %02x, in a read of %zu at %llu\n",
	       (unsigned long long)(offset + at), (unsigned long long)((offset + at) / SECTOR),
	       (unsigned char)got[at], (unsigned char)reference[offset + at], len,
	       (unsigned long long)offset);
	return false;
}

static int open_device(int flags)
{
	int fd = open(device, O_RDONLY | O_CLOEXEC | flags);

	if (fd < 0)
		die("%s: %s", device, strerror(errno));
	return fd;
}

static bool check_read(int fd, char *buf, uint64_t offset, size_t len)
{
	size_t want = len;
	ssize_t got;

	if (offset >= device_bytes)
		return true;
	if (want > device_bytes - offset)
		want = device_bytes - offset;
	/* Nothing that was in the buffer may pass for data. */
	memset(buf, 0xa5, len);
	got = pread(fd, buf, len, offset);
	if (got != (ssize_t)want) {
		printf("read of %zu at %llu gives %zd (%s)\n", len,
		       (unsigned long long)offset, got, got < 0 ? strerror(errno) : "short");
		return false;
	}
	return matches(buf, offset, want);
}

struct mode {
	const char *name;
	bool (*run)(const struct mode *mode);
	int flags;
	size_t size;
	size_t shift;	/* of file offsets and of the user's buffer */
};

static bool sequential(const struct mode *mode)
{
	char *buf = alloc_aligned(MAX_READ + SECTOR);
	int fd = open_device(mode->flags);
	bool good = true;

	if (mode->shift)
		good = check_read(fd, buf, 0, mode->shift);
	for (uint64_t offset = mode->shift; good && offset < device_bytes; offset += mode->size)
		good = check_read(fd, buf + mode->shift, offset, mode->size);
	close(fd);
	free(buf);
	return good;
}

/* Every block once, in random order. */
static bool shuffled(const struct mode *mode)
{
	size_t count = (device_bytes + mode->size - 1) / mode->size;
	size_t *order = alloc_aligned(count * sizeof(*order));
	char *buf = alloc_aligned(MAX_READ);
	int fd = open_device(mode->flags);
	uint64_t state = seed;
	bool good = true;

	for (size_t i = 0; i < count; i++) {
		size_t j = next_random(&state) % (i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	for (size_t i = 0; good && i < count; i++)
		good = check_read(fd, buf, (uint64_t)order[i] * mode->size, mode->size);
	close(fd);
	free(buf);
	free(order);
	return good;
}

/*
 * The whole device in a single read. In huge pages, if there are any, so that it
 * is a single request too, longer than a segment of a layer can be.
 */
static bool whole(const struct mode *mode)
{
	size_t room = (device_bytes / HUGE_PAGE + 2) * HUGE_PAGE;
	char *map = mmap(NULL, room, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open_device(mode->flags);
	bool good;

	if (map == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	madvise(map, room, MADV_HUGEPAGE);
	good = check_read(fd, map + (-(uintptr_t)map & (HUGE_PAGE - 1)), 0, device_bytes);
	munmap(map, room);
	close(fd);
	return good;
}

static const char *map_device(int fd)
{
	void *map = mmap(NULL, device_bytes, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	return map;
}

static bool mapped(const struct mode *mode)
{
	int fd = open_device(mode->flags);
	const char *map = map_device(fd);
	bool good = matches(map, 0, device_bytes);

	munmap((void *)map, device_bytes);
	close(fd);
	return good;
}

static bool mapped_random(const struct mode *mode)
{
	size_t pages = (device_bytes + 4095) / 4096;
	int fd = open_device(mode->flags);
	const char *map = map_device(fd);
	uint64_t state = seed;
	bool good = true;

	madvise((void *)map, device_bytes, MADV_RANDOM);
	for (size_t i = 0; good && i < 2 * pages; i++) {
		uint64_t offset = next_random(&state) % pages * 4096;
		size_t len = device_bytes - offset < 4096 ? device_bytes - offset : 4096;

		good = matches(map + offset, offset, len);
	}
	munmap((void *)map, device_bytes);
	close(fd);
	return good;
}

/* Reads of random place and length until @budget bytes were read. */
static bool random_reads(uint64_t state, int flags, uint64_t budget)
{
	size_t unit = flags & O_DIRECT ? SECTOR : 1;
	char *buf = alloc_aligned(MAX_READ);
	int fd = open_device(flags);
	uint64_t done = 0;
	bool good = true;

	while (good && done < budget) {
		uint64_t offset = next_random(&state) % (device_bytes / unit) * unit;
		size_t len = next_random(&state) % 8 ? 1 + next_random(&state) % 32768 :
						       1 + next_random(&state) % 300000;

		len = (len + unit - 1) / unit * unit;
		good = check_read(fd, buf, offset, len);
		done += len;
	}
	close(fd);
	free(buf);
	return good;
}

static bool random_mode(const struct mode *mode)
{
	return random_reads(seed, mode->flags, 4 * device_bytes);
}

struct worker {
	pthread_t thread;
	uint64_t seed;
	int flags;
	bool good;
};

static void *work(void *data)
{
	struct worker *worker = data;

	worker->good = random_reads(worker->seed, worker->flags, device_bytes);
	return NULL;
}

static bool threads(const struct mode *mode)
{
	struct worker workers[WORKERS];
	bool good = true;

	for (int i = 0; i < WORKERS; i++) {
		workers[i].seed = seed * WORKERS + i + 1;
		workers[i].flags = mode->flags;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			die("cannot start a thread");
	}
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		good &= workers[i].good;
	}
	return good;
}

/* One process each for O_DIRECT, buffered and mapped reads at the same time. */
static bool processes(const struct mode *mode)
{
	int status, failed = 0;

	fflush(stdout);
	for (int i = 0; i < WORKERS; i++) {
		bool good;

		if (fork())
			continue;
		seed = seed * WORKERS + i + 1;
		if (i == 0)
			good = mapped_random(mode);
		else
			good = random_reads(seed, i == 1 ? 0 : O_DIRECT, device_bytes);
		exit(!good);
	}
	while (wait(&status) > 0)
		failed |= status;
	return !failed;
}

#define SIZES(name, flags, shift)						\
	{ name "-512", sequential, flags, 512, shift },				\
	{ name "-1k", sequential, flags, 1024, shift },				\
	{ name "-3.5k", sequential, flags, 3584, shift },			\
	{ name "-4k", sequential, flags, 4096, shift },				\
	{ name "-64k", sequential, flags, 65536, shift },			\
	{ name "-1m", sequential, flags, MAX_READ, shift }

static const struct mode modes[] = {
	SIZES("buffered", 0, 0),
	SIZES("direct", O_DIRECT, 0),
	SIZES("direct-512-aligned", O_DIRECT, SECTOR),
	{ "direct-whole", whole, O_DIRECT, 0, 0 },
	{ "shuffled-buffered-4k", shuffled, 0, 4096, 0 },
	{ "shuffled-direct-512", shuffled, O_DIRECT, 512, 0 },
	{ "shuffled-direct-3.5k", shuffled, O_DIRECT, 3584, 0 },
	{ "shuffled-direct-64k", shuffled, O_DIRECT, 65536, 0 },
	{ "random-buffered", random_mode, 0, 0, 0 },
	{ "random-direct", random_mode, O_DIRECT, 0, 0 },
	{ "mmap", mapped, 0, 0, 0 },
	{ "mmap-random", mapped_random, 0, 0, 0 },
	{ "threads-buffered", threads, 0, 0, 0 },
	{ "threads-direct", threads, O_DIRECT, 0, 0 },
	{ "processes", processes, 0, 0, 0 },
};

static void read_reference(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t done = 0;
	ssize_t got = 1;

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	reference = calloc(1, device_bytes + 1);
	if (!reference)
		die("out of memory");
	while (got > 0 && done < device_bytes) {
		got = read(fd, reference + done, device_bytes - done);
		if (got < 0)
			die("%s: %s", path, strerror(errno));
		done += got;
	}
	close(fd);
}

/* Start with a cold page cache of the device, else only the first mode reads. */
static void prepare_device(void)
{
	int fd = open_device(0);

	if (ioctl(fd, BLKGETSIZE64, &device_bytes) || ioctl(fd, BLKFLSBUF, 0))
		die("%s: %s", device, strerror(errno));
	close(fd);
}

int main(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "ls:")) != -1) {
		if (option == 's') {
			seed = strtoull(optarg, NULL, 0) | 1;
		} else if (option == 'l') {
			for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
				printf("%s\n", modes[i].name);
			return 0;
		} else {
			return 2;
		}
	}
	if (optind + 3 != argc)
		die("usage: devcheck [-s SEED] DEVICE REFERENCE MODE");
	device = argv[optind];
	prepare_device();
	read_reference(argv[optind + 1]);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(modes[i].name, argv[optind + 2]))
			return !modes[i].run(&modes[i]);
	die("unknown mode %s", argv[optind + 2]);
}
