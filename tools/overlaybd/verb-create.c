// SPDX-License-Identifier: GPL-2.0
/* overlaybd create: a raw image becomes a layer. */

#include "layer-write.h"
#include "raw-source.h"

static const char help[] =
	"Usage: overlaybd create [OPTION...] SRC -o OUT\n\n"
	"Make a layer of a raw image: a file, a block device, or - for standard input.\n"
	"Holes of a sparse file become holes of the layer. The output depends on\n"
	"nothing but SRC and the options.\n\n"
	LAYER_HELP
	"      --virtual-size N   size of the device, if larger than SRC\n"
	"      --zero-detect      store no blocks that are all zeros\n"
	COMMON_HELP;

static int parse(int argc, char **argv, struct layer_options *o)
{
	static const struct option options[] = {
		LAYER_OPTIONS,
		{ "virtual-size", required_argument, NULL, OPTION_VIRTUAL_SIZE },
		{ "zero-detect", no_argument, NULL, OPTION_ZERO_DETECT },
		{ 0 }
	};
	int letter, r = 0;

	layer_options_init(o);
	while (!r && (letter = getopt_long(argc, argv, LAYER_LETTERS, options, NULL)) != -1)
		r = layer_option(o, letter, optarg, help);
	if (!r)
		r = need_operands(argc, 1, 1, "one SRC");
	if (!r)
		r = layer_options_check(o);
	return r;
}

static int create(struct layer_options *o, const char *path)
{
	struct raw_source *source = NULL;
	struct raw raw;
	u64 bytes;
	int r = raw_open(&raw, path, o->force, o->output);

	if (!r)
		r = raw_device_bytes(&raw, o->virtual_bytes, &bytes);
	if (!r)
		r = raw_source_new(&source, &raw, NULL, bytes, o->zero_detect);
	if (!r)
		r = layer_write(o, raw_source_lsmt(source));
	raw_source_free(source);
	raw_close(&raw);
	return r;
}

int verb_create(int argc, char **argv)
{
	struct layer_options o;
	int r = parse(argc, argv, &o);

	return r ? option_result(r) : create(&o, argv[optind]);
}
