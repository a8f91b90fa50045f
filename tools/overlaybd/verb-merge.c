// SPDX-License-Identifier: GPL-2.0
/* overlaybd merge: several layers become one. */

#include <stdio.h>

#include "merge.h"
#include "message.h"

static const char help[] =
	"Usage: overlaybd merge [OPTION...] IMAGE... -o OUT\n\n"
	"Make one layer of several. It can stand where they stood: zeroed segments are\n"
	"kept, as they may hide something below. Unless given, the uuid and the tag are\n"
	"those of the topmost layer, the parent uuid is that of the lowest.\n\n"
	"      --layers A-B       only these, counted from 0 for the lowest\n"
	LAYER_HELP
	COMMON_HELP;

enum {
	OPTION_LAYERS = OPTION_VERB,
};

struct range {
	unsigned int first;
	unsigned int last;
	bool given;
};

static int parse_range(const char *text, struct range *range)
{
	char rest;

	if (sscanf(text, "%3u-%3u%c", &range->first, &range->last, &rest) != 2 ||
	    range->first > range->last)
		return fail(STATUS_USAGE, "'%s' is not a range of layers like 2-5", text);
	range->given = true;
	return 0;
}

static int parse(int argc, char **argv, struct layer_options *o, struct range *range)
{
	static const struct option options[] = {
		LAYER_OPTIONS,
		{ "layers", required_argument, NULL, OPTION_LAYERS },
		{ 0 }
	};
	int letter, r = 0;

	*range = (struct range) { .given = false };
	layer_options_init(o);
	while (!r && (letter = getopt_long(argc, argv, LAYER_LETTERS, options, NULL)) != -1) {
		if (letter == OPTION_LAYERS)
			r = parse_range(optarg, range);
		else
			r = layer_option(o, letter, optarg, help);
	}
	if (!r)
		r = need_operands(argc, 1, LSMT_MAX_LAYERS, "IMAGE...");
	if (!r)
		r = layer_options_check(o);
	return r;
}

static int merge(struct layer_options *o, struct range *range, const struct image *image)
{
	if (image_is_payload(image))
		return fail(STATUS_REFUSED, "%s: this ZFile holds no LSMT layer",
			    image->layers[0].path);
	if (!range->given)
		range->last = image->count - 1;
	if (range->last >= image->count)
		return fail(STATUS_USAGE, "no layer %u: the image has %u", range->last,
			    image->count);
	return merge_layers(o, image->layers + range->first, range->last - range->first + 1);
}

int verb_merge(int argc, char **argv)
{
	struct layer_options o;
	struct image image;
	struct range range;
	int r = parse(argc, argv, &o, &range);

	if (r)
		return option_result(r);
	r = image_open(&image, argc - optind, argv + optind);
	if (!r)
		r = merge(&o, &range, &image);
	image_close(&image);
	return r;
}
