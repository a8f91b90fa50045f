// SPDX-License-Identifier: GPL-2.0
/* overlaybd check: is an image sound? */

#include <stdio.h>

#include <json-c/json.h>

#include "check.h"
#include "message.h"
#include "pipeline.h"
#include "verbs.h"

static const char help[] =
	"Usage: overlaybd check [OPTION...] IMAGE...\n\n"
	"Check everything that can be checked: structure, digests, the CRC and the\n"
	"exact length of every block, order and ranges of the segments. Says what is\n"
	"wrong first and at which byte. What is odd but legal, as a broken chain of\n"
	"uuids, is a warning.\n\n"
	"      --quick            only the metadata\n"
	"      --json             for programs\n"
	"      --threads N        default: all CPUs\n"
	"  -q, --quiet            print nothing at all, only the exit status counts\n"
	"  -v, --verbose          say more\n"
	"  -h, --help             this text\n";

enum {
	OPTION_QUICK = OPTION_VERB,
	OPTION_CHECK_JSON,
	OPTION_CHECK_THREADS,
};

struct check_options {
	bool quick;
	bool json;
	unsigned int threads;
};

static int take(struct check_options *o, int letter)
{
	switch (letter) {
	case OPTION_QUICK:
		o->quick = true;
		return 0;
	case OPTION_CHECK_JSON:
		o->json = true;
		return 0;
	case OPTION_CHECK_THREADS:
		return parse_count(optarg, 1, PIPELINE_MAX_THREADS, &o->threads);
	}
	return common_option(letter, help);
}

static int parse(int argc, char **argv, struct check_options *o)
{
	static const struct option options[] = {
		COMMON_OPTIONS,
		{ "quick", no_argument, NULL, OPTION_QUICK },
		{ "json", no_argument, NULL, OPTION_CHECK_JSON },
		{ "threads", required_argument, NULL, OPTION_CHECK_THREADS },
		{ 0 }
	};
	int letter, r = 0;

	*o = (struct check_options) { .threads = pipeline_default_threads() };
	while (!r && (letter = getopt_long(argc, argv, COMMON_LETTERS, options, NULL)) != -1)
		r = take(o, letter);
	if (!r)
		r = need_operands(argc, 1, LSMT_MAX_LAYERS, "IMAGE...");
	return r;
}

static int print_result(const struct image *image, const struct check_result *result,
			int status)
{
	struct json_object *o = json_object_new_object();
	struct json_object *warnings = json_object_new_array();
	unsigned int i;

	for (i = 0; i < result->warning_count; i++)
		json_object_array_add(warnings, json_object_new_string(result->warnings[i]));
	json_object_object_add(o, "good", json_object_new_boolean(!status));
	json_object_object_add(o, "error", status ? json_object_new_string(failure_text()) :
						    NULL);
	json_object_object_add(o, "layers", json_object_new_uint64(image->count));
	json_object_object_add(o, "segments", json_object_new_uint64(result->segments));
	json_object_object_add(o, "blocks", json_object_new_uint64(result->blocks));
	json_object_object_add(o, "bytes", json_object_new_uint64(result->bytes));
	json_object_object_add(o, "warnings", warnings);
	return print_json(o);
}

static int report(const struct image *image, const struct check_result *result,
		  const struct check_options *o, int status)
{
	unsigned int i;
	int r = 0;

	if (message_is_quiet()) {
		failure_restore("");
		return status;
	}
	if (o->json) {
		r = print_result(image, result, status);
		return status ? status : r;
	}
	for (i = 0; i < result->warning_count; i++)
		warn("%s", result->warnings[i]);
	if (status)
		return status;
	printf("good: %u layers, %llu segments, %llu blocks, %llu bytes%s\n", image->count,
	       result->segments, result->blocks, result->bytes,
	       o->quick ? " (data not read)" : "");
	return finish_stdout();
}

int verb_check(int argc, char **argv)
{
	struct check_result result = { 0 };
	struct check_options o;
	struct image image;
	int r = parse(argc, argv, &o);

	if (r)
		return option_result(r);
	r = image_open(&image, argc - optind, argv + optind);
	if (!r)
		r = check_image(&image, o.quick, o.threads, &result);
	r = report(&image, &result, &o, r);
	check_result_destroy(&result);
	image_close(&image);
	return r;
}
