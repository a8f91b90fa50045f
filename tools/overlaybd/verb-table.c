// SPDX-License-Identifier: GPL-2.0
/* overlaybd table: what to give to dmsetup. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "table.h"
#include "units.h"
#include "verbs.h"

static const char help[] =
	"Usage: overlaybd table [OPTION...] IMAGE...\n\n"
	"Print the device-mapper table line of an image, for dmsetup create --readonly.\n"
	"No root is needed. Device-mapper takes block devices: for layers that are\n"
	"files, attach loop devices and name them with --devices, or use overlaybd open.\n\n"
	"      --devices DEV,...  the devices the layers are on, lowest first\n"
	"      --concise          print the form of dmsetup create --concise\n"
	"      --name NAME        with --concise (default: overlaybd)\n"
	"      --uuid UUID        with --concise (default: none)\n"
	COMMON_HELP;

enum {
	OPTION_DEVICES = OPTION_VERB,
	OPTION_CONCISE,
	OPTION_NAME,
	OPTION_DM_UUID,
};

struct table_options {
	char *devices;
	bool concise;
	const char *name;
	const char *uuid;
};

static int parse(int argc, char **argv, struct table_options *o)
{
	static const struct option options[] = {
		COMMON_OPTIONS,
		{ "devices", required_argument, NULL, OPTION_DEVICES },
		{ "concise", no_argument, NULL, OPTION_CONCISE },
		{ "name", required_argument, NULL, OPTION_NAME },
		{ "uuid", required_argument, NULL, OPTION_DM_UUID },
		{ 0 }
	};
	int letter, r = 0;

	*o = (struct table_options) { .name = "overlaybd", .uuid = "" };
	while (!r && (letter = getopt_long(argc, argv, COMMON_LETTERS, options, NULL)) != -1) {
		if (letter == OPTION_DEVICES)
			o->devices = optarg;
		else if (letter == OPTION_CONCISE)
			o->concise = true;
		else if (letter == OPTION_NAME)
			o->name = optarg;
		else if (letter == OPTION_DM_UUID)
			o->uuid = optarg;
		else
			r = common_option(letter, help);
	}
	if (!r)
		r = need_operands(argc, 1, LSMT_MAX_LAYERS, "IMAGE...");
	return r;
}

/* Cut "a,b,c" into one device per layer. */
static int split_devices(char *text, const struct image *image, const char ***devices)
{
	unsigned int count = 0;
	char *part;

	*devices = calloc(image->count, sizeof(**devices));
	if (!*devices)
		return fail_memory();
	while ((part = strsep(&text, ","))) {
		if (count < image->count)
			(*devices)[count] = part;
		count++;
	}
	if (count == image->count)
		return 0;
	return fail(STATUS_USAGE, "%u devices for %u layers", count, image->count);
}

/* What stands between this line and dmsetup. */
static void explain_files(const struct image *image)
{
	unsigned int i, files = 0;

	for (i = 0; i < image->count; i++) {
		const struct layer *layer = &image->layers[i];

		if (layer->file.is_device)
			continue;
		files++;
		if (layer->file.bytes % SECTOR_BYTES &&
		    layer->offset + layer->bytes > layer->file.bytes / SECTOR_BYTES * SECTOR_BYTES)
			note("%s has %llu bytes: a loop device would cut off its end; lengthen it first (truncate -s %%512), the table keeps the exact length",
			     layer->path, layer->file.bytes);
	}
	if (files)
		note("%u of %u layers are files: attach them (losetup -r -f --show FILE) and name the devices with --devices, or use overlaybd open",
		     files, image->count);
}

static int print_concise(const struct table *table, const struct table_options *o)
{
	char *name = NULL, *uuid = NULL, *parameters = NULL;
	int r = table_escape(o->name, ",;", &name);

	if (!r)
		r = table_escape(o->uuid, ",;", &uuid);
	if (!r)
		r = table_escape(table->parameters, ",;", &parameters);
	if (!r)
		printf("%s,%s,,ro,0 %llu %s %s\n", name, uuid, table->sectors,
		       table->target, parameters);
	free(name);
	free(uuid);
	free(parameters);
	return r;
}

static int print_table(const struct image *image, const struct table_options *o,
		       const char *const *devices)
{
	struct table table;
	int r = table_init(&table, image, devices);

	if (!r && o->concise)
		r = print_concise(&table, o);
	else if (!r)
		printf("0 %llu %s %s\n", table.sectors, table.target, table.parameters);
	table_destroy(&table);
	return r ? r : finish_stdout();
}

int verb_table(int argc, char **argv)
{
	const char **devices = NULL;
	struct table_options o;
	struct image image;
	int r = parse(argc, argv, &o);

	if (r)
		return option_result(r);
	r = image_open(&image, argc - optind, argv + optind);
	if (!r && o.devices)
		r = split_devices(o.devices, &image, &devices);
	if (!r)
		r = print_table(&image, &o, devices);
	if (!r && !o.devices)
		explain_files(&image);
	free(devices);
	image_close(&image);
	return r;
}
