// SPDX-License-Identifier: GPL-2.0
/* overlaybd commit: the difference of two raw images becomes a layer. */

#include "layer-write.h"
#include "message.h"
#include "raw-source.h"

static const char help[] =
	"Usage: overlaybd commit [OPTION...] --base OLD NEW -o OUT\n\n"
	"Make a layer of what differs between two raw images (files or devices): over\n"
	"the layers of OLD it gives NEW. Where NEW has a hole and OLD has not, the layer\n"
	"gets a zeroed segment. The images are compared in units of 4 KiB.\n\n"
	"      --base OLD         the image to compare with\n"
	LAYER_HELP
	"      --virtual-size N   size of the device, if larger than NEW\n"
	"      --zero-detect      blocks that became all zeros are zeroed segments\n"
	COMMON_HELP;

enum {
	OPTION_BASE = OPTION_VERB,
};

static int parse(int argc, char **argv, struct layer_options *o, const char **base)
{
	static const struct option options[] = {
		LAYER_OPTIONS,
		{ "base", required_argument, NULL, OPTION_BASE },
		{ "virtual-size", required_argument, NULL, OPTION_VIRTUAL_SIZE },
		{ "zero-detect", no_argument, NULL, OPTION_ZERO_DETECT },
		{ 0 }
	};
	int letter, r = 0;

	*base = NULL;
	layer_options_init(o);
	while (!r && (letter = getopt_long(argc, argv, LAYER_LETTERS, options, NULL)) != -1) {
		if (letter == OPTION_BASE)
			*base = optarg;
		else
			r = layer_option(o, letter, optarg, help);
	}
	if (!r)
		r = need_operands(argc, 1, 1, "one NEW");
	if (!r && !*base)
		r = fail(STATUS_USAGE, "nothing to compare with: --base OLD");
	if (!r)
		r = layer_options_check(o);
	return r;
}

static int commit(struct layer_options *o, struct raw *new, struct raw *old)
{
	struct raw_source *source = NULL;
	u64 bytes;
	int r = raw_device_bytes(new, o->virtual_bytes, &bytes);

	if (!r)
		r = raw_source_new(&source, new, old, bytes, o->zero_detect);
	if (!r)
		r = layer_write(o, raw_source_lsmt(source));
	raw_source_free(source);
	return r;
}

int verb_commit(int argc, char **argv)
{
	struct layer_options o;
	const char *base;
	struct raw new, old;
	int r = parse(argc, argv, &o, &base);

	if (r)
		return option_result(r);
	r = raw_open(&new, argv[optind], o.force, o.output);
	if (!r) {
		r = raw_open(&old, base, o.force, o.output);
		if (!r)
			r = commit(&o, &new, &old);
		raw_close(&old);
	}
	raw_close(&new);
	return r;
}
