// SPDX-License-Identifier: GPL-2.0
/*
 * overlaybd close: remove a device that open made. What is below removes itself
 * with its last user; here we only wait for that, so that who comes back can
 * unmount the file system with the layers.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dm.h"
#include "loop.h"
#include "message.h"
#include "verbs.h"

static const char help[] =
	"Usage: overlaybd close [OPTION...] NAME\n\n"
	"Remove the device NAME that overlaybd open made, and what it made for it.\n\n"
	"      --deferred         if it is in use: as soon as it is not\n"
	COMMON_HELP;

enum {
	OPTION_DEFERRED = OPTION_VERB,
};

#define LEAVE_TRIES	40
#define LEAVE_PAUSE_US	25000

/* Deeper than that nothing is ours: image, compressed layer, completed file. */
#define MAX_DEPTH	3

/**
 * struct below - what the device is made of
 * @names: of the helper devices, each behind those that use it
 * @name_count: how many
 * @loops: numbers of loop devices
 * @loop_count: how many
 */
struct below {
	char **names;
	unsigned int name_count;
	dev_t *loops;
	unsigned int loop_count;
};

static int parse(int argc, char **argv, const char **name, bool *deferred)
{
	static const struct option options[] = {
		COMMON_OPTIONS,
		{ "deferred", no_argument, NULL, OPTION_DEFERRED },
		{ 0 }
	};
	int letter, r = 0;

	*deferred = false;
	while (!r && (letter = getopt_long(argc, argv, COMMON_LETTERS, options, NULL)) != -1) {
		if (letter == OPTION_DEFERRED)
			*deferred = true;
		else
			r = common_option(letter, help);
	}
	if (!r)
		r = need_operands(argc, 1, 1, "NAME");
	if (r)
		return r;
	*name = argv[optind];
	return mapped_check_name(name);
}

static int add_loop(struct below *below, dev_t number)
{
	dev_t *more = realloc(below->loops, (below->loop_count + 1) * sizeof(*more));

	if (!more)
		return fail_memory();
	below->loops = more;
	more[below->loop_count++] = number;
	return 0;
}

static int add_name(struct below *below, const char *name)
{
	char **more = realloc(below->names, (below->name_count + 1) * sizeof(*more));

	if (!more)
		return fail_memory();
	below->names = more;
	more[below->name_count] = strdup(name);
	return more[below->name_count++] ? 0 : fail_memory();
}

static int find_below(const char *name, unsigned int depth, struct below *below);

static int add_device(dev_t number, unsigned int depth, struct below *below)
{
	char *backing = block_attribute(number, "loop/backing_file");
	struct mapped device;
	int r = 0;

	if (backing) {
		free(backing);
		return add_loop(below, number);
	}
	if (mapped_find_number(number, &device))
		return 0;	/* not device-mapper's */
	if (mapped_is(&device, MAPPED_LAYER) || mapped_is(&device, MAPPED_FILE)) {
		r = add_name(below, device.name);
		if (!r)
			r = find_below(device.name, depth, below);
	}
	mapped_destroy(&device);
	return r;
}

static int find_below(const char *name, unsigned int depth, struct below *below)
{
	unsigned int i, count;
	dev_t *numbers;
	int r = 0;

	if (depth == MAX_DEPTH)
		return 0;
	if (mapped_dependencies(name, &numbers, &count))
		return fail(STATUS_USAGE, "cannot see what %s is made of", name);
	for (i = 0; !r && i < count; i++)
		r = add_device(numbers[i], depth + 1, below);
	free(numbers);
	return r;
}

static void wait_for_loop(dev_t number)
{
	int tries;

	for (tries = 0; tries < LEAVE_TRIES && loop_is_leaving(number); tries++)
		usleep(LEAVE_PAUSE_US);
}

static void wait_for(const struct below *below)
{
	unsigned int i;

	for (i = 0; i < below->name_count; i++)
		mapped_wait_gone(below->names[i]);
	for (i = 0; i < below->loop_count; i++)
		wait_for_loop(below->loops[i]);
}

static void below_destroy(struct below *below)
{
	unsigned int i;

	for (i = 0; i < below->name_count; i++)
		free(below->names[i]);
	free(below->names);
	free(below->loops);
}

/* Return: 0 or STATUS_USAGE. */
static int need_ours(const char *name)
{
	struct mapped device;
	int error = mapped_find(name, &device);
	bool ours;

	errno = -error;
	if (error == -ENXIO)
		return fail(STATUS_USAGE, "there is no device %s", name);
	if (error)
		return fail_errno(STATUS_USAGE, "cannot look at the device %s", name);
	ours = mapped_is(&device, MAPPED_IMAGE);
	mapped_destroy(&device);
	if (ours)
		return 0;
	return fail(STATUS_USAGE, "%s was not made by overlaybd open", name);
}

static bool is_gone(const char *name)
{
	struct mapped device;

	if (mapped_find(name, &device))
		return true;
	mapped_destroy(&device);
	return false;
}

static int remove_device(const char *name, bool deferred)
{
	int error = mapped_remove(name, deferred);

	errno = -error;
	if (error == -EBUSY)
		return fail(STATUS_USAGE, "%s is in use: unmount it first, or let --deferred remove it as soon as it is not in use",
			    name);
	if (error)
		return fail_errno(STATUS_USAGE, "cannot remove %s", name);
	return 0;
}

int verb_close(int argc, char **argv)
{
	struct below below = { .names = NULL };
	const char *name;
	bool deferred;
	int r = parse(argc, argv, &name, &deferred);

	if (r)
		return option_result(r);
	r = mapped_start();
	if (!r)
		r = need_ours(name);
	if (!r)
		r = find_below(name, 0, &below);
	if (!r)
		r = remove_device(name, deferred);
	if (!r && is_gone(name))
		wait_for(&below);
	else if (!r)
		note("%s is in use and will be removed when it is not", name);
	below_destroy(&below);
	return r;
}
