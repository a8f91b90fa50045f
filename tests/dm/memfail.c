// SPDX-License-Identifier: GPL-2.0
/*
 * memfail load TABLE REFERENCE OTHER
 * memfail short TABLE REFERENCE OTHER
 * memfail read DEVICE REFERENCE
 * memfail storm DEVICE REFERENCE SECONDS
 *
 * Makes allocations of this task fail, on a kernel with fault injection.
 *
 * load: loads the table again and again, and each time the next allocation
 * fails, until one load needs no more of them. Each load must be refused with
 * ENOMEM, or make a device; some of those are read and compared. Prints every reason
 * that the kernel log gave; nothing may be left behind. OTHER is a table of
 * another image, loaded all the time: see hold_other().
 *
 * short: the same, but all allocations fail from one on, so that no second way to get
 * memory helps. The files in /sys/kernel/debug/failslab make all of them fail of
 * tasks with make-it-fail; one is not a step, but so many bytes.
 *
 * read: the same with reads, which give the right data or ENOMEM, never EIO.
 *
 * storm: reads for some seconds while allocations fail as /sys/kernel/debug says
 * for tasks with make-it-fail.
 */
#define _GNU_SOURCE
#include "lib/dm-util.h"
#include "lib/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_READ (256 << 10)
#define MAX_STEPS 20000
#define MAX_REASONS 64
#define CHECK_EVERY 25
#define SHORT_STEP 160
/* Larger ones are not of a slab. */
#define SHORT_LARGEST 8192

static char *reference;
static size_t reference_bytes;

/* Kept open: opening it would be an allocation that may fail. */
static int fail_nth = -1;

static void fail_start(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (fail_nth < 0)
		fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0 || pwrite(fail_nth, text, len, 0) != len)
		die("fail-nth: %s", strerror(errno));
}

/* Did an allocation fail since fail_start()? None does from here on. */
static bool fail_stop(void)
{
	char text[16] = "";

	if (pread(fail_nth, text, sizeof(text) - 1, 0) < 0)
		die("fail-nth: %s", strerror(errno));
	pwrite(fail_nth, "0", 1, 0);
	return atoi(text) == 0;
}

static void read_reference(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", path, strerror(errno));
	reference_bytes = (st.st_size + SECTOR - 1) / SECTOR * SECTOR;
	reference = calloc(1, reference_bytes);
	if (!reference || read(fd, reference, st.st_size) != st.st_size)
		die("%s: cannot be read", path);
	close(fd);
}

/* A read that may lack memory, but must not be wrong. Returns if it worked. */
static bool read_right(int fd, char *buf, size_t len, off_t offset)
{
	ssize_t got = pread(fd, buf, len, offset);

	if (got < 0 && errno == ENOMEM)
		return false;
	if (got < 0)
		die("%zu bytes at %lld: %s", len, (long long)offset, strerror(errno));
	if (memcmp(buf, reference + offset, got))
		die("%zu bytes at %lld differ at %zu", len, (long long)offset,
		    first_difference(buf, reference + offset, got));
	return got == (ssize_t)len;
}

static void check_device(unsigned int minor)
{
	char *buf = alloc_aligned(MAX_READ);
	char node[32];
	int fd;

	snprintf(node, sizeof(node), "/dev/dm-%u", minor);
	fd = open_or_die(node, O_DIRECT);
	for (size_t at = 0; at < reference_bytes; at += MAX_READ) {
		size_t len = reference_bytes - at < MAX_READ ? reference_bytes - at : MAX_READ;

		if (!read_right(fd, buf, len, at))
			die("read fails though no allocation does");
	}
	close(fd);
	free(buf);
}

static char reasons[MAX_REASONS][1024];
static int nr_reasons;

static void note_reason(const char *text)
{
	/* What device-mapper says for a target that does not. */
	if (strstr(text, "Unknown error"))
		die("refused without a reason: %s", text);
	for (int i = 0; i < nr_reasons; i++)
		if (!strcmp(reasons[i], text))
			return;
	if (nr_reasons == MAX_REASONS)
		die("too many reasons");
	snprintf(reasons[nr_reasons++], sizeof(reasons[0]), "%s", text);
	printf("%s\n", text);
}

static void make_device(const char *name, unsigned int *minor)
{
	int err = dm_create(name, minor);

	if (err)
		die("cannot create a device: %s", strerrorname_np(-err));
}

/* Returns false if the n-th allocation was not needed. */
static bool load_step(const char *name, unsigned int *minor, const char *table,
		      unsigned int n, int klog, unsigned int *accepted)
{
	char text[1024];
	bool failed;
	int err;

	fail_start(n);
	err = dm_load(name, table, true);
	failed = fail_stop();
	klog_table_error(klog, text, sizeof(text));
	if (*text)
		note_reason(text);
	/* Without a reason it was not the target; device_add() gives EINVAL. */
	if (*text && err != -ENOMEM)
		die("allocation %u fails: %s %s", n, strerrorname_np(-err), text);
	if (err && !failed)
		die("refused though no allocation fails: %s", text);
	if (err)
		return true;
	/* Reading all of the device takes as long as many loads. */
	if ((*accepted)++ % CHECK_EVERY) {
		dm_clear(name);
		return failed;
	}
	err = dm_resume(name);
	if (err)
		die("resume: %s", strerrorname_np(-err));
	check_device(*minor);
	if (dm_remove(name))
		die("cannot remove the device");
	make_device(name, minor);
	return failed;
}

/*
 * Keeps the slab caches of the block layer's bio sets in use. When the last user
 * of one is gone and creating it anew fails, SLUB forgets to free its name; that is
 * not what is looked for here.
 */
static void hold_other(const char *name, const char *table)
{
	unsigned int minor;

	make_device(name, &minor);
	if (dm_load(name, table, true))
		die("the other table does not load");
}

/* Is something left behind that does not go away? */
static enum usage_growth is_left(const struct usage *before, int loads, char *text,
				 size_t size)
{
	static struct usage after;
	enum usage_growth growth = USAGE_SAME;

	for (int tries = 0; tries < 20; tries++) {
		usleep(100000);
		usage_take(&after, SLABS_EXACTLY);
		growth = usage_grew(before, &after, loads, text, size);
		if (growth == USAGE_SAME)
			break;
	}
	return growth;
}

/* Kept open, too, but even writing may fail. */
static int make_it_fail = -1;

static void fail_at_will(bool fail)
{
	if (make_it_fail < 0)
		make_it_fail = open("/proc/self/make-it-fail", O_WRONLY | O_CLOEXEC);
	if (make_it_fail < 0)
		die("make-it-fail: %s (no fault injection?)", strerror(errno));
	while (pwrite(make_it_fail, fail ? "1" : "0", 1, 0) != 1)
		;
}

/* How many bytes of slabs may be allocated yet. Such files cannot be sought in. */
static int open_space(int flags)
{
	int fd = open("/sys/kernel/debug/failslab/space", flags | O_CLOEXEC);

	if (fd < 0)
		die("failslab: %s", strerror(errno));
	return fd;
}

static void set_space(unsigned int bytes)
{
	char text[16];
	int fd = open_space(O_WRONLY), len = snprintf(text, sizeof(text), "%u", bytes);

	if (write(fd, text, len) != len)
		die("failslab: %s", strerror(errno));
	close(fd);
}

static int space_left(void)
{
	char text[16] = "";
	int fd = open_space(O_RDONLY);

	if (read(fd, text, sizeof(text) - 1) < 1)
		die("failslab: %s", strerror(errno));
	close(fd);
	return atoi(text);
}

/* Returns false if there was memory enough. */
static bool short_step(const char *name, const char *table, unsigned int bytes, int klog)
{
	char text[1024];
	int err;

	set_space(bytes);
	fail_at_will(true);
	err = dm_load(name, table, true);
	fail_at_will(false);
	klog_table_error(klog, text, sizeof(text));
	if (*text)
		note_reason(text);
	if (*text && err != -ENOMEM)
		die("no more than %u bytes: %s %s", bytes, strerrorname_np(-err), text);
	if (err)
		return true;
	dm_clear(name);
	return space_left() <= SHORT_LARGEST;
}

static unsigned int short_steps(const char *name, const char *table, int klog)
{
	unsigned int n = 1;

	while (short_step(name, table, n * SHORT_STEP, klog))
		if (++n == MAX_STEPS)
			die("no end of allocations");
	return n;
}

static unsigned int load_steps(const char *name, unsigned int *minor, const char *table,
			       int klog)
{
	unsigned int n = 1, accepted = 0;

	while (load_step(name, minor, table, n, klog, &accepted))
		if (++n == MAX_STEPS)
			die("no end of allocations");
	printf("# %u allocations, %u of them not needed\n", n - 1, accepted - 1);
	return n;
}

/* All steps; returns if they leave something behind, and what. */
static enum usage_growth steps_leave(const char *name, unsigned int *minor,
				     const char *table, bool is_short, int klog,
				     char *text, size_t size)
{
	static struct usage before;
	unsigned int n;

	usage_take(&before, SLABS_EXACTLY);
	n = is_short ? short_steps(name, table, klog) :
		       load_steps(name, minor, table, klog);
	if (n < 20)
		die("hardly any allocation was made to fail");
	return is_left(&before, n, text, size);
}

static void load_mode(const char *table, const char *other, bool is_short)
{
	unsigned int minor;
	char name[64], other_name[80], text[1024];
	enum usage_growth growth;
	int klog = klog_open();

	snprintf(name, sizeof(name), "memfail-%d", getpid());
	snprintf(other_name, sizeof(other_name), "%s-other", name);
	hold_other(other_name, other);
	make_device(name, &minor);
	if (dm_load(name, table, true))
		die("the table does not load at all");
	dm_clear(name);
	usleep(500000);
	/* A debug kernel keeps each call trace that it sees for the first time. */
	growth = steps_leave(name, &minor, table, is_short, klog, text, sizeof(text));
	if (growth == USAGE_MORE_REFERENCES)
		die("the loads leave something behind: %s", text);
	if (growth && steps_leave(name, &minor, table, is_short, klog, text, sizeof(text)))
		die("twice the loads leave something behind: %s", text);
	if (dm_remove(name) || dm_remove(other_name))
		die("cannot remove the devices");
}

static void drop_caches(int fd)
{
	if (ioctl(fd, BLKFLSBUF, 0))
		die("BLKFLSBUF: %s", strerror(errno));
}

static void read_mode(const char *device)
{
	static const size_t sizes[] = { 512, 4096, 20480, 131072 };
	char *buf = alloc_aligned(MAX_READ);
	unsigned int total = 0;

	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("mlockall: %s", strerror(errno));
	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		int fd = open_or_die(device, i % 2 ? O_DIRECT : 0);
		bool failed = true;

		for (unsigned int n = 1; failed; n++, total++) {
			off_t offset = (size_t)n * 7919 * SECTOR % (reference_bytes - MAX_READ);
			bool good;

			drop_caches(fd);
			fail_start(n);
			good = read_right(fd, buf, sizes[i / 2], offset);
			failed = fail_stop();
			if (!failed && !good)
				die("read fails though no allocation does");
		}
		close(fd);
	}
	printf("# %u reads\n", total);
}

static void storm_mode(const char *device, int seconds)
{
	char *buf = alloc_aligned(MAX_READ);
	unsigned long reads = 0, good = 0;
	int fd = open_or_die(device, O_DIRECT);
	time_t end = time(NULL) + seconds;

	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("mlockall: %s", strerror(errno));
	srand(getpid());
	fail_at_will(true);
	while (time(NULL) < end) {
		size_t len = (1 + rand() % (rand() % 4 ? 16 : 256)) * SECTOR;
		off_t offset = (off_t)rand() * SECTOR % (reference_bytes - MAX_READ);

		good += read_right(fd, buf, len, offset);
		reads++;
	}
	fail_at_will(false);
	printf("# %lu reads, %lu of them lacked memory\n", reads, reads - good);
	if (!good)
		die("no read succeeded");
}

int main(int argc, char **argv)
{
	if (argc < 4)
		die("usage: memfail load|short|read|storm TABLE|DEVICE REFERENCE [OTHER|SECONDS]");
	read_reference(argv[3]);
	/* A page fault of this program is no allocation that is to fail. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("mlockall: %s", strerror(errno));
	if (!strcmp(argv[1], "load") && argc == 5)
		load_mode(argv[2], argv[4], false);
	else if (!strcmp(argv[1], "short") && argc == 5)
		load_mode(argv[2], argv[4], true);
	else if (!strcmp(argv[1], "read"))
		read_mode(argv[2]);
	else if (!strcmp(argv[1], "storm") && argc == 5)
		storm_mode(argv[2], atoi(argv[4]));
	else
		die("unknown mode %s", argv[1]);
	return 0;
}
