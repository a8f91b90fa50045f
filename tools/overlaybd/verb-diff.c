// SPDX-License-Identifier: GPL-2.0
/* overlaybd diff: where do two images differ? */

#include <stdio.h>
#include <string.h>

#include "diff.h"
#include "message.h"
#include "verbs.h"

static const char help[] =
	"Usage: overlaybd diff [OPTION...] IMAGE IMAGE\n"
	"       overlaybd diff [OPTION...] IMAGE... -- IMAGE...\n\n"
	"List the ranges in which the devices of two images differ: first byte and number\n"
	"of bytes, in whole sectors. Nothing is listed when they are the same. What one\n"
	"device has more than the other differs. Images of several layers are separated\n"
	"by --, options come first.\n\n"
	"      --json             for programs\n"
	"      --threads N        default: all CPUs\n"
	COMMON_HELP;

enum {
	OPTION_DIFF_JSON = OPTION_VERB,
	OPTION_DIFF_THREADS,
};

struct diff_options {
	bool json;
	unsigned int threads;
};

struct printer {
	struct diff_sink sink;
	bool json;
	u64 count;
};

static int take(struct diff_options *o, int letter)
{
	if (letter == OPTION_DIFF_THREADS)
		return parse_count(optarg, 1, PIPELINE_MAX_THREADS, &o->threads);
	if (letter != OPTION_DIFF_JSON)
		return common_option(letter, help);
	o->json = true;
	return 0;
}

static int parse(int argc, char **argv, struct diff_options *o)
{
	static const struct option options[] = {
		COMMON_OPTIONS,
		{ "json", no_argument, NULL, OPTION_DIFF_JSON },
		{ "threads", required_argument, NULL, OPTION_DIFF_THREADS },
		{ 0 }
	};
	int letter, r = 0;

	*o = (struct diff_options) { .threads = pipeline_default_threads() };
	/* "+": what comes behind the first image is not reordered. */
	while (!r && (letter = getopt_long(argc, argv, "+" COMMON_LETTERS, options,
					   NULL)) != -1)
		r = take(o, letter);
	return r;
}

/* Find what separates the images. Return: the number of names before it. */
static int split(int count, char **names, int *second)
{
	int i;

	for (i = 0; i < count; i++) {
		if (!strcmp(names[i], "--")) {
			*second = i + 1;
			return i;
		}
	}
	*second = count == 2 ? 1 : count;
	return count == 2 ? 1 : 0;
}

static void print_range(struct diff_sink *sink, u64 start, u64 bytes)
{
	struct printer *p = (struct printer *)sink;

	if (p->json)
		printf("%s\n{\"start\":%llu,\"length\":%llu}", p->count ? "," : "", start, bytes);
	else
		printf("%llu %llu\n", start, bytes);
	p->count++;
}

static int diff(const struct image *a, const struct image *b, const struct diff_options *o)
{
	struct printer printer = { .sink = { print_range }, .json = o->json };
	struct view va, vb;
	int r = view_init(&va, a);

	if (!r) {
		r = view_init(&vb, b);
		if (!r && o->json)
			putchar('[');
		if (!r)
			r = diff_views(&va, &vb, o->threads, &printer.sink);
		if (!r && o->json)
			puts("\n]");
		view_destroy(&vb);
	}
	view_destroy(&va);
	return r ? r : finish_stdout();
}

int verb_diff(int argc, char **argv)
{
	struct image a, b;
	struct diff_options o;
	int first, second, r = parse(argc, argv, &o);

	if (r)
		return option_result(r);
	argc -= optind;
	argv += optind;
	first = split(argc, argv, &second);
	if (!first || second >= argc)
		return fail(STATUS_USAGE, "two images are needed (see --help)");
	r = image_open(&a, first, argv);
	if (!r) {
		r = image_open(&b, argc - second, argv + second);
		if (!r)
			r = diff(&a, &b, &o);
		image_close(&b);
	}
	image_close(&a);
	return r;
}
