// SPDX-License-Identifier: GPL-2.0
/*
 * plan [-r RAW DISK] [-j JOBS] PLANFILE
 *
 * Executes a plan that a host script made from image files: per case it makes
 * the devices, checks what the case expects, removes the devices and prints a
 * TAP line. File names are relative to the folder of the plan. JOBS processes
 * share the cases; not for plans with "again", which look at the whole system.
 *
 *	case NAME
 *	dev SECTORS TARGET PARAMETERS...	one device; in the parameters
 *						{FILE} is a loop device over FILE,
 *						{#K} the K-th device of this case,
 *						{RAW} the raw disk
 *	again COUNT			the last table is loaded COUNT more times (a
 *						tenth of it where kmemleak looks, too), ends
 *						alike and leaves nothing behind
 *	expect same REF			the last device reads as the file REF,
 *						followed by zeros if it is longer
 *	expect probes REF OFFSET LENGTH AT ...	LENGTH bytes at OFFSET are those at
 *						AT in REF; any number of triples
 *	expect damaged REF SECTOR COUNT ...	as "same", but exactly these ranges of
 *						sectors give I/O errors
 *	expect fail REF|-			some table is refused or some read
 *						fails; what can be read is as in REF
 *						(with "-": nothing can be read)
 *	expect sane REF|-			as "fail", but all may be readable
 *						(with "-": as anything)
 *	expect refuse ERRNO[|ERRNO]... TEXT...	the last table, and only that, is
 *						refused; the kernel log has TEXT
 */
#define _GNU_SOURCE
#include "lib/dm-util.h"
#include "lib/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_DEVS 300
#define MAX_BAD 4096
#define CHUNK (1 << 20)

/*
 * What is freed late (RCU, workqueues, stacks of threads) gets this long. The
 * first round of loads is measured roughly; a leak is there in each later one.
 */
#define SETTLE_TRIES 50
#define SETTLE_MS 20
#define LEAK_ROUNDS 4

static const char *raw_disk;
static int jobs = 1, job;
static int klog;

static struct plan_case {
	char name[256];
	unsigned int number;
	unsigned int minors[MAX_DEVS];
	int nr_devs;
	int loops[MAX_DEVS];
	int nr_loops;
	int error;		/* of the table that was refused, if any */
	int nr_refused;
	int repetitions;
	struct {
		unsigned long long sector, count;
	} bad[MAX_BAD];		/* ranges that must not be readable */
	int nr_bad;
	bool bad_known;
	char table[33000];	/* of the device added last */
	char log[1024];		/* what the kernel said about it */
	char message[2048];	/* why the case failed */
} cur;

static void __attribute__((format(printf, 1, 2))) fail(const char *fmt, ...)
{
	va_list ap;

	if (cur.message[0])
		return;
	va_start(ap, fmt);
	vsnprintf(cur.message, sizeof(cur.message), fmt, ap);
	va_end(ap);
}

static void dev_name(char *name, size_t size, int k)
{
	snprintf(name, size, "plan-%d-%d", getpid(), k);
}

/* Writes what the token between braces stands for. */
static int expand_token(char *out, size_t size, const char *token)
{
	struct stat st;

	if (token[0] == '#')
		return snprintf(out, size, "%u:%u", dm_major(),
				cur.minors[atoi(token + 1)]);
	if (!strcmp(token, "RAW")) {
		if (!raw_disk || stat(raw_disk, &st))
			die("the plan needs a raw disk");
		return snprintf(out, size, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	}
	if (cur.nr_loops == MAX_DEVS)
		die("too many files in one case");
	cur.loops[cur.nr_loops] = loop_attach(token);
	return snprintf(out, size, "7:%d", cur.loops[cur.nr_loops++]);
}

static void expand(char *out, size_t size, char *in)
{
	size_t used = 0;

	while (*in && used + 1 < size) {
		char *end = *in == '{' ? strchr(in, '}') : NULL;

		if (!end) {
			out[used++] = *in++;
			continue;
		}
		*end = '\0';
		used += expand_token(out + used, size - used, in + 1);
		in = end + 1;
	}
	if (used + 1 >= size)
		die("table too long in case %s", cur.name);
	out[used] = '\0';
}

static void add_device(char *spec)
{
	static char params[32768];
	char name[64], *rest;
	int err;

	if (cur.error) {
		/* Nothing can be stacked on a refused table. */
		cur.nr_refused++;
		return;
	}
	strtoull(spec, &rest, 10);
	expand(params, sizeof(params), rest);
	snprintf(cur.table, sizeof(cur.table), "0 %.*s%s", (int)(rest - spec), spec, params);

	dev_name(name, sizeof(name), cur.nr_devs);
	err = dm_create(name, &cur.minors[cur.nr_devs]);
	if (err)
		die("create %s: %s", name, strerror(-err));
	cur.nr_devs++;
	klog_skip(klog);
	err = dm_load(name, cur.table, true);
	if (!err) {
		err = dm_resume(name);
		if (err)
			fail("resume: %s", strerrorname_np(-err));
		return;
	}
	cur.error = err;
	cur.nr_refused = 1;
	klog_device_error(klog, cur.minors[cur.nr_devs - 1], cur.log, sizeof(cur.log));
	if (!cur.log[0])
		fail("refused with %s, but no reason in the kernel log",
		     strerrorname_np(-err));
}

static int open_device(void)
{
	char node[32];
	int fd;

	snprintf(node, sizeof(node), "/dev/dm-%u", cur.minors[cur.nr_devs - 1]);
	fd = open(node, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		fail("%s: %s", node, strerror(errno));
	return fd;
}

/* A file of which only the parts that are not holes are worth reading. */
struct reference {
	int fd;
	off_t size;
	off_t data, hole;	/* the data found last */
};

static void reference_open(struct reference *ref, const char *path)
{
	struct stat st;

	ref->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (ref->fd < 0 || fstat(ref->fd, &st))
		die("%s: %s", path, strerror(errno));
	ref->size = st.st_size;
	ref->data = ref->hole = 0;
}

/* Is the range all hole, or past the end? */
static bool reference_is_hole(struct reference *ref, off_t offset, size_t len)
{
	if (offset >= ref->size)
		return true;
	if (offset >= ref->hole) {
		ref->data = lseek(ref->fd, offset, SEEK_DATA);
		if (ref->data < 0)
			ref->data = ref->size;
		ref->hole = lseek(ref->fd, ref->data, SEEK_HOLE);
		if (ref->hole < 0)
			ref->hole = ref->size;
	}
	return offset + (off_t)len <= ref->data;
}

static void compare(struct reference *ref, const char *got, off_t offset, size_t len)
{
	static char *want;
	size_t at;
	ssize_t have;

	if (!want)
		want = alloc_aligned(CHUNK);
	if (reference_is_hole(ref, offset, len) && all_zero(got, len))
		return;
	have = pread(ref->fd, want, len, offset);
	if (have < 0)
		die("reference: %s", strerror(errno));
	memset(want + have, 0, len - have);
	at = first_difference(got, want, len);
	if (at < len)
		fail("byte %lld is %02x, should be %02x", (long long)(offset + at),
		     (unsigned char)got[at], (unsigned char)want[at]);
}

/* A range was readable, or (a single sector) was not: is that right? */
static void compare_readable(off_t offset, size_t len, bool readable)
{
	unsigned long long first = offset / SECTOR, end = (offset + len) / SECTOR;
	bool bad = false;

	if (!cur.bad_known)
		return;
	for (int i = 0; i < cur.nr_bad && !bad; i++)
		bad = first < cur.bad[i].sector + cur.bad[i].count &&
		      end > cur.bad[i].sector;
	if (readable && bad)
		fail("sectors %llu-%llu should not be readable", first, end - 1);
	else if (!readable && !bad)
		fail("sector %llu cannot be read", first);
}

/*
 * Reads the whole device in large pieces, a failing piece again sector by
 * sector. Returns the number of failed reads; without ref, *readable says
 * whether any read succeeded.
 */
static unsigned int read_all(struct reference *ref, bool *readable)
{
	unsigned int failures = 0;
	char *buf = alloc_aligned(CHUNK);
	size_t step = CHUNK;
	off_t offset = 0, good_from = 0;
	int fd = open_device();
	ssize_t got;

	while (fd >= 0) {
		if (offset >= good_from)
			step = CHUNK;
		got = pread(fd, buf, step, offset);
		if (got == 0)
			break;
		if (got > 0) {
			*readable = true;
			compare_readable(offset, got, true);
			if (ref)
				compare(ref, buf, offset, got);
			offset += got;
			continue;
		}
		failures++;
		if (step == SECTOR)
			compare_readable(offset, SECTOR, false);
		if (errno != EIO)
			fail("read error %s at byte %lld", strerrorname_np(errno),
			     (long long)offset);
		if (step == CHUNK) {
			step = SECTOR;
			good_from = offset + CHUNK;
		} else {
			offset += SECTOR;
		}
	}
	if (fd >= 0)
		close(fd);
	free(buf);
	return failures;
}

static void expect_same(const char *path)
{
	struct reference ref;
	bool readable;

	if (cur.error) {
		fail("refused: %s %s", strerrorname_np(-cur.error), cur.log);
		return;
	}
	reference_open(&ref, path);
	if (read_all(&ref, &readable))
		fail("read errors");
	close(ref.fd);
}

static void expect_probes(char *args)
{
	unsigned long long offset, length, at;
	char *path = strsep(&args, " ");
	struct reference ref;
	int used, fd;
	char *got, *want;

	if (cur.error) {
		fail("refused: %s %s", strerrorname_np(-cur.error), cur.log);
		return;
	}
	fd = open_device();
	reference_open(&ref, path);
	got = alloc_aligned(CHUNK);
	want = alloc_aligned(CHUNK);
	while (args && sscanf(args, "%llu %llu %llu %n", &offset, &length, &at, &used) == 3) {
		args += used;
		if (length > CHUNK || pread(ref.fd, want, length, at) != (ssize_t)length)
			die("bad probe in case %s", cur.name);
		if (pread(fd, got, length, offset) != (ssize_t)length)
			fail("cannot read %llu bytes at %llu", length, offset);
		else if (memcmp(got, want, length))
			fail("byte %llu differs",
			     offset + first_difference(got, want, length));
	}
	free(got);
	free(want);
	close(ref.fd);
	close(fd);
}

static void expect_damaged(char *args)
{
	char *path = strsep(&args, " ");
	int used;

	while (args && cur.nr_bad < MAX_BAD &&
	       sscanf(args, "%llu %llu %n", &cur.bad[cur.nr_bad].sector,
		      &cur.bad[cur.nr_bad].count, &used) == 2) {
		cur.nr_bad++;
		args += used;
	}
	if (!cur.nr_bad || *args)
		die("bad ranges not understood in case %s", cur.name);
	cur.bad_known = true;
	if (cur.error) {
		fail("refused: %s %s", strerrorname_np(-cur.error), cur.log);
	} else {
		struct reference ref;
		bool readable;

		reference_open(&ref, path);
		if (!read_all(&ref, &readable))
			fail("no read error at all");
		close(ref.fd);
	}
}

static void expect_trouble(const char *path, bool required)
{
	bool readable = false, any = !strcmp(path, "-");
	struct reference ref;
	unsigned int failures;

	if (cur.error)
		return;
	if (!any)
		reference_open(&ref, path);
	failures = read_all(any ? NULL : &ref, &readable);
	if (!any)
		close(ref.fd);
	if (required && !failures)
		fail("neither refused nor any read error");
	if (required && any && readable)
		fail("damaged image can be read");
}

/* Is the errno of the refusal one of "EINVAL|EFBIG|..."? */
static bool errno_is_one_of(char *names)
{
	char *name;

	while ((name = strsep(&names, "|")))
		if (!strcmp(strerrorname_np(-cur.error), name))
			return true;
	return false;
}

static void expect_refuse(char *args)
{
	char *names = strsep(&args, " ");

	if (!cur.error)
		fail("the table was accepted");
	else if (cur.nr_refused != 1)
		fail("a device below was refused: %s", cur.log);
	else if (args && !strstr(cur.log, args))
		fail("refused with \"%s\", should be \"%s\"", cur.log, args);
	else if (!errno_is_one_of(names))
		fail("refused with %s \"%s\", a wrong errno",
		     strerrorname_np(-cur.error), cur.log);
}

static void check(char *line)
{
	char *what = strsep(&line, " ");

	if (!line)
		die("incomplete expectation in case %s", cur.name);
	if (!strcmp(what, "same"))
		expect_same(line);
	else if (!strcmp(what, "probes"))
		expect_probes(line);
	else if (!strcmp(what, "damaged"))
		expect_damaged(line);
	else if (!strcmp(what, "fail"))
		expect_trouble(line, true);
	else if (!strcmp(what, "sane"))
		expect_trouble(line, false);
	else if (!strcmp(what, "refuse"))
		expect_refuse(line);
	else
		die("unknown expectation %s", what);
}

/*
 * A kernel with kmemleak is slow and finds a single lost object itself: there, a
 * tenth is enough to see what kmemleak does not, and objects need not be counted.
 */
static bool kmemleak_looks(void)
{
	return !access("/sys/kernel/debug/kmemleak", F_OK);
}

static int repetitions(int wanted)
{
	return kmemleak_looks() ? wanted / 10 : wanted;
}

static void take(struct usage *now, bool exact)
{
	if (kmemleak_looks())
		usage_take(now, SLABS_LEFT_OUT);
	else
		usage_take(now, exact ? SLABS_EXACTLY : SLABS_ROUGHLY);
}

/* Each load of the last table ends as the first did. */
static void load_again(const char *name)
{
	for (int i = 0; i < cur.repetitions; i++) {
		int err = dm_load(name, cur.table, true);

		if (err != cur.error)
			fail("load %d ends with %d, the first with %d", i + 2, err,
			     cur.error);
	}
	/* Of an accepted table the last one is still there. */
	dm_clear(name);
}

/* Wait until nothing is being freed any more. */
static void settle(struct usage *now, bool exact)
{
	static struct usage before;
	char text[256];

	take(now, exact);
	for (int tries = 0; tries < SETTLE_TRIES; tries++) {
		before = *now;
		usleep(SETTLE_MS * 1000);
		take(now, exact);
		if (!usage_grew(now, &before, cur.repetitions, text, sizeof(text)))
			return;
	}
}

/* One round of loads; says in text what is left. */
static enum usage_growth loads_leak(const char *name, bool exact, char *text, size_t size)
{
	static struct usage before, after;
	enum usage_growth growth = USAGE_SAME;

	settle(&before, exact);
	load_again(name);
	for (int tries = 0; tries < SETTLE_TRIES; tries++) {
		take(&after, exact);
		growth = usage_grew(&before, &after, cur.repetitions, text, size);
		if (growth == USAGE_SAME)
			break;
		usleep(SETTLE_MS * 1000);
	}
	return growth;
}

static void check_leaks(void)
{
	enum usage_growth growth;
	char name[64], text[1024];
	int round = 0;

	if (!cur.repetitions || !cur.nr_devs || cur.nr_refused > 1)
		return;
	dev_name(name, sizeof(name), cur.nr_devs - 1);
	while ((growth = loads_leak(name, round > 0, text, sizeof(text)))) {
		if (++round == LEAK_ROUNDS || growth == USAGE_MORE_REFERENCES) {
			fail("%d loads leave something behind: %s", cur.repetitions, text);
			break;
		}
	}
}

/* Nothing of device-mapper may still claim a device. */
static void check_claim(const char *node)
{
	int fd = open(node, O_RDONLY | O_EXCL | O_CLOEXEC);

	if (fd < 0)
		fail("%s: still in use", node);
	else
		close(fd);
}

static void check_claims(void)
{
	char node[32];

	for (int i = 0; i < cur.nr_loops; i++) {
		snprintf(node, sizeof(node), "/dev/loop%d", cur.loops[i]);
		check_claim(node);
	}
	if (raw_disk && jobs == 1)
		check_claim(raw_disk);
}

static bool finish_case(void)
{
	char name[64];

	check_leaks();
	while (cur.nr_devs) {
		int err;

		dev_name(name, sizeof(name), --cur.nr_devs);
		err = dm_remove(name);
		if (err)
			fail("remove: %s", strerrorname_np(-err));
	}
	check_claims();
	while (cur.nr_loops)
		loop_detach(cur.loops[--cur.nr_loops]);
	printf("%sok %u - %s\n%s%s%s", cur.message[0] ? "not " : "", cur.number, cur.name,
	       cur.message[0] ? "# " : "", cur.message, cur.message[0] ? "\n" : "");
	fflush(stdout);
	return !cur.message[0];
}

static void start_case(const char *name, unsigned int number)
{
	memset(&cur, 0, sizeof(cur));
	cur.number = number;
	snprintf(cur.name, sizeof(cur.name), "%s", name);
}

/* Executes the cases of this job; false if one failed. */
static bool execute(const char *path)
{
	unsigned int number = 0;
	bool good = true, mine = false;
	char *line = NULL;
	size_t size = 0;
	FILE *plan = fopen(path, "r");

	if (!plan)
		die("%s: %s", path, strerror(errno));
	klog = klog_open();
	while (getline(&line, &size, plan) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "case ", 5)) {
			mine = number++ % jobs == (unsigned int)job;
			if (mine)
				start_case(line + 5, number);
		} else if (!mine) {
			continue;
		} else if (!strncmp(line, "dev ", 4)) {
			add_device(line + 4);
		} else if (!strncmp(line, "again ", 6)) {
			cur.repetitions = repetitions(atoi(line + 6));
		} else if (!strncmp(line, "expect ", 7)) {
			check(line + 7);
			good &= finish_case();
		} else if (*line) {
			die("plan line not understood: %s", line);
		}
	}
	free(line);
	fclose(plan);
	return good;
}

static bool execute_in_jobs(const char *path)
{
	int status;
	bool good = true;

	for (job = 0; job < jobs; job++)
		if (!fork())
			exit(!execute(path));
	while (wait(&status) > 0)
		good &= !status;
	return good;
}

static void print_count(const char *path)
{
	unsigned int cases = 0;
	char *line = NULL;
	size_t size = 0;
	FILE *plan = fopen(path, "r");

	while (plan && getline(&line, &size, plan) > 0)
		cases += !strncmp(line, "case ", 5);
	free(line);
	if (plan)
		fclose(plan);
	printf("1..%u\n", cases);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const char *path;
	char *folder;
	int option;

	while ((option = getopt(argc, argv, "j:r:")) != -1) {
		if (option == 'j')
			jobs = atoi(optarg);
		else if (option == 'r')
			raw_disk = optarg;
		else
			return 2;
	}
	if (optind + 1 != argc || jobs < 1)
		die("usage: plan [-r RAW DISK] [-j JOBS] PLANFILE");
	path = argv[optind];
	folder = strdup(path);
	if (!folder || chdir(dirname(folder)))
		die("chdir: %s", strerror(errno));
	free(folder);
	print_count(path);
	return !(jobs > 1 ? execute_in_jobs(path) : execute(path));
}
