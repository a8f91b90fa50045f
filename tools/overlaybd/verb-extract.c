// SPDX-License-Identifier: GPL-2.0
/* overlaybd extract: the flattened device as a raw file. */

#include <string.h>

#include "extract.h"
#include "message.h"
#include "verbs.h"

static const char help[] =
	"Usage: overlaybd extract [OPTION...] IMAGE... -o OUT\n\n"
	"Write the device an image describes as a sparse raw file, to standard output\n"
	"(-o -), or with -f to a block device. A ZFile that holds no layer gives its\n"
	"payload.\n\n"
	"  -o, --output OUT       where to\n"
	"  -f, --force            replace OUT\n"
	"      --layer N          layer N alone, counted from 0 for the lowest\n"
	"      --threads N        default: all CPUs\n"
	COMMON_HELP;

enum {
	OPTION_ONE_LAYER = OPTION_VERB,
	OPTION_EXTRACT_THREADS,
};

struct extract_options {
	const char *output;
	bool force;
	bool one_layer;
	unsigned int layer;
	unsigned int threads;
};

static int take(struct extract_options *o, int letter)
{
	switch (letter) {
	case 'o':
		o->output = optarg;
		return 0;
	case 'f':
		o->force = true;
		return 0;
	case OPTION_ONE_LAYER:
		o->one_layer = true;
		return parse_count(optarg, 0, LSMT_MAX_LAYERS - 1, &o->layer);
	case OPTION_EXTRACT_THREADS:
		return parse_count(optarg, 1, PIPELINE_MAX_THREADS, &o->threads);
	}
	return common_option(letter, help);
}

static int parse(int argc, char **argv, struct extract_options *o)
{
	static const struct option options[] = {
		COMMON_OPTIONS,
		{ "output", required_argument, NULL, 'o' },
		{ "force", no_argument, NULL, 'f' },
		{ "layer", required_argument, NULL, OPTION_ONE_LAYER },
		{ "threads", required_argument, NULL, OPTION_EXTRACT_THREADS },
		{ 0 }
	};
	int letter, r = 0;

	*o = (struct extract_options) { .threads = pipeline_default_threads() };
	while (!r && (letter = getopt_long(argc, argv, COMMON_LETTERS "fo:", options,
					   NULL)) != -1)
		r = take(o, letter);
	if (!r)
		r = need_operands(argc, 1, LSMT_MAX_LAYERS, "IMAGE...");
	if (!r && !o->output)
		r = fail(STATUS_USAGE, "no output given: -o OUT");
	return r;
}

static int open_view(struct view *view, const struct image *image,
		     const struct extract_options *o)
{
	memset(view, 0, sizeof(*view));
	if (!o->one_layer)
		return view_init(view, image);
	if (o->layer < image->count)
		return view_init_layer(view, image, o->layer);
	return fail(STATUS_USAGE, "no layer %u: the image has %u", o->layer, image->count);
}

int verb_extract(int argc, char **argv)
{
	struct extract_options o;
	struct output out = { .fd = -1 };
	struct image image;
	struct view view;
	int r = parse(argc, argv, &o);

	if (r)
		return option_result(r);
	r = image_open(&image, argc - optind, argv + optind);
	if (!r) {
		r = open_view(&view, &image, &o);
		if (!r)
			r = output_open_raw(&out, o.output, o.force, view.bytes);
		if (!r)
			r = extract(&view, &out, o.threads);
		if (!r)
			r = output_commit(&out);
		output_close(&out);
		view_destroy(&view);
	}
	image_close(&image);
	return r;
}
