// SPDX-License-Identifier: GPL-2.0
/*
 * Reads a file or a block device in a fixed way and prints what a read cost.
 *
 *	reader calibrate
 *	reader load FILE DEVICE
 *	reader random-direct|random-buffered FILE BYTES COUNT
 *	reader random-uring FILE BYTES COUNT DEPTH
 *	reader sequential-direct|sequential-buffered FILE BYTES TOTAL
 *	reader shuffled-direct FILE BLOCK_BYTES BLOCKS
 *	reader parallel-direct BYTES COUNT FILE...
 *	reader parallel-spin TURNS FILE...
 *	reader sum FILE BYTES
 *	reader loop FILE direct|buffered
 *
 * What reads prints "<cost> <reads>", for sequential reads <reads> are MiB. The
 * time stamp counter is the clock: under icount it counts instructions.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/loop.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "floor/offsets.h"

#define MIB		(1UL << 20)
#define MAX_DEPTH	256
#define WARM_STRIDE	(64UL << 10)

static void die(const char *what)
{
	fprintf(stderr, "reader: %s: %s\n", what, strerror(errno));
	exit(1);
}

static inline uint64_t now(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) :: "memory");
	return (uint64_t)high << 32 | low;
}

/* What tests/bench/profile looks for: the measured part begins and ends. */
static inline void mark_begin(void)
{
	__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00, 0x0b, 0xd0, 0xbe, 0x0b" ::: "memory");
}

static inline void mark_end(void)
{
	__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00, 0x0e, 0xd0, 0xbe, 0x0e" ::: "memory");
}

static uint64_t spin(uint64_t turns)
{
	uint64_t start = now();

	__asm__ volatile("1: dec %0; jnz 1b" : "+r"(turns) :: "cc");
	return now() - start;
}

/* Two instructions a turn, and the interrupts that fall into the time. */
static void calibrate(void)
{
	printf("%llu %llu\n", (unsigned long long)spin(1000000),
	       (unsigned long long)spin(5000000));
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		die(path);
	return fd;
}

static uint64_t file_bytes(int fd)
{
	uint64_t bytes;
	struct stat st;

	if (fstat(fd, &st))
		die("fstat");
	if (S_ISREG(st.st_mode))
		return st.st_size;
	if (ioctl(fd, BLKGETSIZE64, &bytes))
		die("BLKGETSIZE64");
	return bytes;
}

static void *alloc_buffer(size_t bytes)
{
	void *buffer = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (buffer == MAP_FAILED)
		die("mmap");
	memset(buffer, 1, bytes);
	return buffer;
}

static void load(const char *from, const char *to)
{
	int in = open_file(from, O_RDONLY), out = open_file(to, O_WRONLY | O_DIRECT);
	char *buffer = alloc_buffer(MIB);
	uint64_t at = 0;
	ssize_t got;

	while ((got = read(in, buffer, MIB)) > 0) {
		size_t bytes = (got + 4095) & ~4095UL;

		memset(buffer + got, 0, bytes - got);
		if (pwrite(out, buffer, bytes, at) != (ssize_t)bytes)
			die(to);
		at += bytes;
	}
	if (got < 0)
		die(from);
}

static void read_at(int fd, void *buffer, size_t bytes, uint64_t offset)
{
	if (pread(fd, buffer, bytes, offset) != (ssize_t)bytes)
		die("pread");
}

/* Metadata that is fetched once per part of the device should be there. */
static void warm(int fd, void *buffer)
{
	uint64_t end = file_bytes(fd);

	for (uint64_t at = 0; at + 4096 <= end; at += WARM_STRIDE)
		read_at(fd, buffer, 4096, at);
}

static void warm_direct(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECT);
	void *buffer;

	if (fd < 0)
		return;
	buffer = alloc_buffer(4096);
	warm(fd, buffer);
	munmap(buffer, 4096);
	close(fd);
}

static void drop_caches(void)
{
	int fd = open_file("/proc/sys/vm/drop_caches", O_WRONLY);

	sync();
	if (write(fd, "3\n", 2) != 2)
		die("drop_caches");
	close(fd);
}

static void report(uint64_t cost, uint64_t reads)
{
	printf("%llu %llu\n", (unsigned long long)cost, (unsigned long long)reads);
}

static void random_reads(const char *path, size_t bytes, uint64_t count, bool direct)
{
	int fd = open_file(path, O_RDONLY | (direct ? O_DIRECT : 0));
	void *buffer = alloc_buffer(bytes);
	struct offsets offsets;
	uint64_t start, i;

	offsets_init(&offsets, file_bytes(fd) / bytes);
	warm_direct(path);
	if (!direct)
		drop_caches();
	for (i = 0; i < count / 8; i++)
		read_at(fd, buffer, bytes, offsets_next(&offsets) * bytes);
	mark_begin();
	start = now();
	for (i = 0; i < count; i++)
		read_at(fd, buffer, bytes, offsets_next(&offsets) * bytes);
	report(now() - start, count);
	mark_end();
}

static void sequential(const char *path, size_t bytes, uint64_t total, bool direct)
{
	int fd = open_file(path, O_RDONLY | (direct ? O_DIRECT : 0));
	void *buffer = alloc_buffer(bytes);
	uint64_t start, at, mine = file_bytes(fd) / bytes * bytes;

	if (total > mine)
		total = mine;
	warm_direct(path);
	if (direct) {
		for (at = 0; at < total && at < 4 * MIB; at += bytes)
			read_at(fd, buffer, bytes, at);
	} else {
		drop_caches();
	}
	mark_begin();
	start = now();
	for (at = 0; at < total; at += bytes)
		read_at(fd, buffer, bytes, at);
	report(now() - start, total / MIB);
	mark_end();
}

#define SHUFFLED_BLOCKS	8

/* Every block in reads of 4 KiB, those of SHUFFLED_BLOCKS blocks mixed. */
static void shuffled(const char *path, size_t block_bytes, uint64_t blocks)
{
	uint64_t group = SHUFFLED_BLOCKS * block_bytes, reads = group / 4096;
	int fd = open_file(path, O_RDONLY | O_DIRECT);
	void *buffer = alloc_buffer(4096);
	struct offsets offsets;
	uint64_t start, at, i;

	if (blocks * block_bytes > file_bytes(fd) || blocks % SHUFFLED_BLOCKS) {
		errno = EINVAL;
		die("blocks");
	}
	offsets_init(&offsets, reads);
	mark_begin();
	start = now();
	for (at = 0; at < blocks * block_bytes; at += group)
		for (i = 0; i < reads; i++)
			read_at(fd, buffer, 4096, at + offsets_next(&offsets) * 4096);
	report(now() - start, blocks * block_bytes / 4096);
	mark_end();
}

/* Readers share the CPUs evenly, and stay where they are. */
static void stay_on_cpu(int number)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(number % sysconf(_SC_NPROCESSORS_ONLN), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

/*
 * A process of its own for each file, which may be the same. To know what the
 * machine itself is able to, with no BYTES they do not read but compute.
 */
static void parallel(size_t bytes, uint64_t count, char **paths, int nr)
{
	void *buffer = alloc_buffer(bytes ?: 4096);
	uint64_t start;
	int go[2], i;
	char byte;

	warm_direct(paths[0]);
	if (pipe(go))
		die("pipe");
	for (i = 0; i < nr; i++) {
		int fd = open_file(paths[i], O_RDONLY | O_DIRECT);
		pid_t pid = fork();
		struct offsets offsets;

		if (pid < 0)
			die("fork");
		if (pid) {
			close(fd);
			continue;
		}
		offsets_init(&offsets, file_bytes(fd) / (bytes ?: 4096));
		offsets.state = (offsets.state + i * 977) & offsets.mask;
		stay_on_cpu(i);
		close(go[1]);
		if (read(go[0], &byte, 1))
			_exit(1);
		if (!bytes)
			spin(count);
		for (uint64_t n = 0; bytes && n < count; n++)
			read_at(fd, buffer, bytes, offsets_next(&offsets) * bytes);
		_exit(0);
	}
	/* They are all there and wait for the end of the pipe. */
	usleep(100000);
	mark_begin();
	start = now();
	close(go[1]);
	for (i = 0; i < nr; i++) {
		int status;

		if (wait(&status) < 0 || status)
			exit(1);
	}
	report(now() - start, count * nr);
	mark_end();
}

/* Of parts from all over the content: is the image what it should be? */
static void sum(const char *path, uint64_t bytes)
{
	int fd = open_file(path, O_RDONLY);
	unsigned char buffer[4096];
	uint64_t hash = 0xcbf29ce484222325;

	for (uint64_t at = 0; at + sizeof(buffer) <= bytes; at += 999 * 4096) {
		read_at(fd, buffer, sizeof(buffer), at);
		for (size_t i = 0; i < sizeof(buffer); i++)
			hash = (hash ^ buffer[i]) * 0x100000001b3;
	}
	printf("%016llx\n", (unsigned long long)hash);
}

/* busybox cannot ask for direct I/O. */
static void loop(const char *path, bool direct)
{
	struct loop_config config = {
		.fd = open_file(path, O_RDONLY | (direct ? O_DIRECT : 0)),
		.block_size = 512,
		.info.lo_flags = LO_FLAGS_READ_ONLY | (direct ? LO_FLAGS_DIRECT_IO : 0),
	};
	int control = open_file("/dev/loop-control", O_RDWR), fd, number;
	char node[32];

	number = ioctl(control, LOOP_CTL_GET_FREE);
	snprintf(node, sizeof(node), "/dev/loop%d", number);
	fd = open_file(node, O_RDONLY);
	if (ioctl(fd, LOOP_CONFIGURE, &config))
		die("LOOP_CONFIGURE");
	printf("%s\n", node);
}

struct ring {
	int fd;
	unsigned int *sq_tail, *sq_mask, *sq_array;
	unsigned int *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static void ring_open(struct ring *r, unsigned int depth)
{
	struct io_uring_params p = {};
	char *sq, *cq;

	r->fd = syscall(SYS_io_uring_setup, depth, &p);
	if (r->fd < 0)
		die("io_uring_setup");
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(unsigned int),
		  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd,
		  IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe),
		  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd,
		  IORING_OFF_CQ_RING);
	r->sqes = mmap(NULL, p.sq_entries * sizeof(struct io_uring_sqe),
		       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd,
		       IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || (void *)r->sqes == MAP_FAILED)
		die("mmap of the ring");
	r->sq_tail = (unsigned int *)(sq + p.sq_off.tail);
	r->sq_mask = (unsigned int *)(sq + p.sq_off.ring_mask);
	r->sq_array = (unsigned int *)(sq + p.sq_off.array);
	r->cq_head = (unsigned int *)(cq + p.cq_off.head);
	r->cq_tail = (unsigned int *)(cq + p.cq_off.tail);
	r->cq_mask = (unsigned int *)(cq + p.cq_off.ring_mask);
	r->cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
}

static void ring_read(struct ring *r, int fd, void *buffer, size_t bytes,
		      uint64_t offset, uint64_t tag)
{
	unsigned int tail = *r->sq_tail, at = tail & *r->sq_mask;
	struct io_uring_sqe *sqe = &r->sqes[at];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_READ;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)buffer;
	sqe->len = bytes;
	sqe->off = offset;
	sqe->user_data = tag;
	r->sq_array[at] = at;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
}

static bool ring_done(struct ring *r, size_t bytes, uint64_t *tag)
{
	unsigned int head = *r->cq_head;
	struct io_uring_cqe *cqe;

	if (head == __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE))
		return false;
	cqe = &r->cqes[head & *r->cq_mask];
	if (cqe->res != (int)bytes) {
		errno = cqe->res < 0 ? -cqe->res : EIO;
		die("read through io_uring");
	}
	*tag = cqe->user_data;
	__atomic_store_n(r->cq_head, head + 1, __ATOMIC_RELEASE);
	return true;
}

/* COUNT reads, always as many as DEPTH at once until they run out. */
static void ring_run(struct ring *r, int fd, char *buffers, size_t bytes,
		     unsigned int depth, uint64_t count, struct offsets *offsets)
{
	uint64_t free_tags[MAX_DEPTH], sent = 0, done = 0, tag;
	unsigned int nr_free, fresh;

	for (nr_free = 0; nr_free < depth; nr_free++)
		free_tags[nr_free] = nr_free;
	while (done < count) {
		for (fresh = 0; nr_free && sent < count; sent++, fresh++) {
			tag = free_tags[--nr_free];
			ring_read(r, fd, buffers + tag * bytes, bytes,
				  offsets_next(offsets) * bytes, tag);
		}
		if (syscall(SYS_io_uring_enter, r->fd, fresh, 1,
			    IORING_ENTER_GETEVENTS, NULL, 0) < 0)
			die("io_uring_enter");
		while (ring_done(r, bytes, &tag)) {
			free_tags[nr_free++] = tag;
			done++;
		}
	}
}

static void random_uring(const char *path, size_t bytes, uint64_t count,
			 unsigned int depth)
{
	int fd = open_file(path, O_RDONLY | O_DIRECT);
	char *buffers = alloc_buffer(bytes * depth);
	struct offsets offsets;
	struct ring ring;
	uint64_t start;

	if (depth > MAX_DEPTH) {
		errno = EINVAL;
		die("depth");
	}
	ring_open(&ring, depth);
	offsets_init(&offsets, file_bytes(fd) / bytes);
	warm_direct(path);
	ring_run(&ring, fd, buffers, bytes, depth, count / 8, &offsets);
	mark_begin();
	start = now();
	ring_run(&ring, fd, buffers, bytes, depth, count, &offsets);
	report(now() - start, count);
	mark_end();
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (*end || !*text) {
		errno = EINVAL;
		die(text);
	}
	return value;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	bool direct = strstr(mode, "-direct");

	if (!strcmp(mode, "calibrate") && argc == 2)
		calibrate();
	else if (!strcmp(mode, "load") && argc == 4)
		load(argv[2], argv[3]);
	else if (!strncmp(mode, "random-uring", 12) && argc == 6)
		random_uring(argv[2], number(argv[3]), number(argv[4]), number(argv[5]));
	else if (!strncmp(mode, "random-", 7) && argc == 5)
		random_reads(argv[2], number(argv[3]), number(argv[4]), direct);
	else if (!strncmp(mode, "sequential-", 11) && argc == 5)
		sequential(argv[2], number(argv[3]), number(argv[4]), direct);
	else if (!strcmp(mode, "shuffled-direct") && argc == 5)
		shuffled(argv[2], number(argv[3]), number(argv[4]));
	else if (!strcmp(mode, "parallel-direct") && argc > 4)
		parallel(number(argv[2]), number(argv[3]), argv + 4, argc - 4);
	else if (!strcmp(mode, "parallel-spin") && argc > 3)
		parallel(0, number(argv[2]), argv + 3, argc - 3);
	else if (!strcmp(mode, "sum") && argc == 4)
		sum(argv[2], number(argv[3]));
	else if (!strcmp(mode, "loop") && argc == 4)
		loop(argv[2], !strcmp(argv[3], "direct"));
	else
		return 2;
	return 0;
}
