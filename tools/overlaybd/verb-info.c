// SPDX-License-Identifier: GPL-2.0
/*
 * overlaybd info: what an image is made of. Everything is gathered in one JSON
 * object, which --json prints and the text for people is made from.
 */

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "describe.h"
#include "image.h"
#include "message.h"
#include "verbs.h"

static const char help[] =
	"Usage: overlaybd info [OPTION...] IMAGE...\n\n"
	"Show what an image is made of: every layer's header and trailer, sizes, index\n"
	"statistics and labels, and what the stack of them is as a device.\n\n"
	"      --json             for programs\n"
	COMMON_HELP;

enum {
	OPTION_JSON = OPTION_VERB,
};

static int parse(int argc, char **argv, bool *json)
{
	static const struct option options[] = {
		COMMON_OPTIONS,
		{ "json", no_argument, NULL, OPTION_JSON },
		{ 0 }
	};
	int letter, r = 0;

	*json = false;
	while (!r && (letter = getopt_long(argc, argv, COMMON_LETTERS, options, NULL)) != -1) {
		if (letter == OPTION_JSON)
			*json = true;
		else
			r = common_option(letter, help);
	}
	if (!r)
		r = need_operands(argc, 1, LSMT_MAX_LAYERS, "IMAGE...");
	return r;
}

int verb_info(int argc, char **argv)
{
	struct json_object *object = NULL;
	struct image image;
	bool json;
	int r = parse(argc, argv, &json);

	if (r)
		return option_result(r);
	r = image_open(&image, argc - optind, argv + optind);
	if (!r)
		r = describe_image(&image, &object);
	if (!r && json) {
		r = print_json(object);
	} else if (!r) {
		describe_print(object);
		json_object_put(object);
		r = finish_stdout();
	}
	image_close(&image);
	return r;
}
