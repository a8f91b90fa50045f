// SPDX-License-Identifier: GPL-2.0
/*
 * overlaybd status: how open images are doing. Everything is gathered in JSON
 * objects, which --json prints and the text for people is made from.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <json-c/json.h>

#include "../../drivers/md/dm-overlaybd/format.h"
#include "dm.h"
#include "file.h"
#include "loop.h"
#include "message.h"
#include "target-line.h"
#include "units.h"
#include "verbs.h"

static const char help[] =
	"Usage: overlaybd status [OPTION...] [NAME]\n\n"
	"Show the device NAME, or all that overlaybd open made: layers and the files\n"
	"they are in, sizes, memory, failed reads, corrupt blocks.\n\n"
	"      --json             for programs\n"
	COMMON_HELP;

enum {
	OPTION_STATUS_JSON = OPTION_VERB,
};

/* Which layers of a device are compressed. */
enum compressed {
	COMPRESSED_NONE,
	COMPRESSED_SOME,
	COMPRESSED_ALL,
};

static int parse(int argc, char **argv, bool *json, const char **name)
{
	static const struct option options[] = {
		COMMON_OPTIONS,
		{ "json", no_argument, NULL, OPTION_STATUS_JSON },
		{ 0 }
	};
	int letter, r = 0;

	*json = false;
	while (!r && (letter = getopt_long(argc, argv, COMMON_LETTERS, options, NULL)) != -1) {
		if (letter == OPTION_STATUS_JSON)
			*json = true;
		else
			r = common_option(letter, help);
	}
	if (!r)
		r = need_operands(argc, 0, 1, "at most one NAME");
	*name = argv[optind];
	return r || !*name ? r : mapped_check_name(name);
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text ? json_object_new_string(text) : NULL);
}

static void add_number(struct json_object *object, const char *key, u64 number)
{
	json_object_object_add(object, key, json_object_new_int64(number));
}

static void add_bool(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

static void add_device(struct json_object *object, dev_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%u:%u", major(number), minor(number));
	add_text(object, "device", text);
}

static char *device_file(dev_t number)
{
	char *uevent = block_attribute(number, "uevent");
	char *name = uevent ? strstr(uevent, "DEVNAME=") : NULL, *path = NULL;

	if (name) {
		name += strlen("DEVNAME=");
		if (asprintf(&path, "/dev/%.*s", (int)strcspn(name, "\n"), name) < 0)
			path = NULL;
	}
	free(uevent);
	return path;
}

/* The file behind a device, or the device itself; to be freed. */
static char *origin(dev_t number)
{
	char *file = block_attribute(number, "loop/backing_file");
	unsigned int loop_major, loop_minor;
	struct mapped device;

	if (file)
		return file;
	if (mapped_find_number(number, &device))
		return device_file(number);
	if (mapped_is(&device, MAPPED_FILE) && device.table &&
	    sscanf(device.table, "%u:%u", &loop_major, &loop_minor) == 2)
		file = block_attribute(makedev(loop_major, loop_minor), "loop/backing_file");
	if (!file)
		file = mapped_path(device.name);
	mapped_destroy(&device);
	return file;
}

/* The kernel says only how many layers are compressed, not which; null: unknown. */
static void add_compressed(struct json_object *object, const struct target_layer *layer)
{
	u8 start[ZFILE_HEADER_BYTES] __attribute__((aligned(8)));
	int fd = block_device_open(layer->device, O_RDONLY);
	bool good = fd >= 0 && read_fully(fd, start, sizeof(start),
					  layer->start * SECTOR_BYTES) == sizeof(start);

	if (good)
		add_bool(object, "compressed", zfile_has_magic(start));
	else
		json_object_object_add(object, "compressed", NULL);
	if (fd >= 0)
		close(fd);
}

static int add_status(struct json_object *object, const struct mapped *device)
{
	struct target_status s;
	int r = target_parse_status(device->target, device->status ? device->status : "", &s);

	if (r)
		return r;
	if (!strcmp(device->target, "zfile")) {
		add_text(object, "algorithm", s.algorithm);
		add_number(object, "block_size", s.block_bytes);
		add_number(object, "blocks", s.blocks);
		add_bool(object, "block_crc", s.crc);
	} else {
		add_number(object, "compressed_layers", s.compressed);
		add_number(object, "image_sectors", s.sectors);
		add_number(object, "extents", s.extents);
	}
	add_number(object, "memory", s.memory);
	add_number(object, "read_errors", s.read_errors);
	add_number(object, "corrupt_blocks", s.corrupt_blocks);
	return 0;
}

static void add_place(struct json_object *object, const struct target_layer *layer)
{
	char *file = origin(layer->device);

	add_text(object, "file", file);
	add_device(object, layer->device);
	add_number(object, "start_sector", layer->start);
	add_number(object, "bytes", layer->bytes);
	free(file);
}

/* With --stacked there is a zfile device between. */
static int add_unpacked(struct json_object *object, const struct mapped *device)
{
	struct target_layer *layers;
	unsigned int count;
	int r = target_parse_table(device->table, &layers, &count);

	if (!r && count)
		add_place(object, &layers[0]);
	free(layers);
	add_bool(object, "compressed", true);
	add_text(object, "zfile_device", device->name);
	return r ? r : add_status(object, device);
}

static int add_layer(struct json_object *list, const struct target_layer *layer,
		     enum compressed compressed)
{
	struct json_object *object = json_object_new_object();
	struct mapped device;

	json_object_array_add(list, object);
	if (!mapped_find_number(layer->device, &device)) {
		bool unpacked = mapped_is(&device, MAPPED_LAYER) && device.target &&
				!strcmp(device.target, "zfile");
		int r = unpacked ? add_unpacked(object, &device) : 0;

		mapped_destroy(&device);
		if (unpacked)
			return r;
	}
	add_place(object, layer);
	if (compressed == COMPRESSED_SOME)
		add_compressed(object, layer);
	else
		add_bool(object, "compressed", compressed == COMPRESSED_ALL);
	return 0;
}

/* A disk that may be failing is not read to learn what is known anyway. */
static enum compressed compressed_layers(const struct mapped *device, unsigned int layers)
{
	struct target_status s;

	if (!strcmp(device->target, "zfile"))
		return COMPRESSED_ALL;
	if (target_parse_status(device->target, device->status ? device->status : "", &s))
		return COMPRESSED_SOME;
	return !s.compressed ? COMPRESSED_NONE :
	       s.compressed == layers ? COMPRESSED_ALL : COMPRESSED_SOME;
}

static int add_layers(struct json_object *object, const struct mapped *device)
{
	struct json_object *list = json_object_new_array();
	struct target_layer *layers;
	enum compressed compressed;
	unsigned int i, count;
	int r = target_parse_table(device->table, &layers, &count);

	json_object_object_add(object, "layers", list);
	compressed = compressed_layers(device, count);
	for (i = 0; !r && i < count; i++)
		r = add_layer(list, &layers[i], compressed);
	free(layers);
	return r;
}

static int describe(const struct mapped *device, struct json_object *object)
{
	char *path = mapped_path(device->name);
	int r;

	add_text(object, "name", device->name);
	add_text(object, "uuid", device->uuid);
	add_text(object, "path", path);
	add_device(object, device->number);
	add_number(object, "open_count", device->open_count);
	add_bool(object, "read_only", device->read_only);
	add_bool(object, "suspended", device->suspended);
	add_bool(object, "deferred_remove", device->deferred);
	add_number(object, "sectors", device->sectors);
	add_text(object, "target", device->target);
	add_text(object, "table", device->table);
	free(path);
	r = add_status(object, device);
	return r ? r : add_layers(object, device);
}

static const char *get_text(struct json_object *object, const char *key)
{
	return json_object_get_string(json_object_object_get(object, key));
}

static u64 get_number(struct json_object *object, const char *key)
{
	return json_object_get_int64(json_object_object_get(object, key));
}

static bool get_bool(struct json_object *object, const char *key)
{
	return json_object_get_boolean(json_object_object_get(object, key));
}

static void print_layer(struct json_object *layer, size_t number)
{
	u64 start = get_number(layer, "start_sector");
	const char *file = get_text(layer, "file");
	const char *form = !json_object_object_get(layer, "compressed") ? "cannot be read" :
			   get_bool(layer, "compressed") ? "compressed" : "plain";

	printf("  layer %-5zu ", number);
	print_name(file ? file : "(unknown)");
	printf(", %llu bytes", get_number(layer, "bytes"));
	if (start)
		printf(" from sector %llu on", start);
	printf(", %s, device %s", form, get_text(layer, "device"));
	if (get_text(layer, "zfile_device")) {
		fputs(" below ", stdout);
		print_name(get_text(layer, "zfile_device"));
		printf(": %llu read errors, %llu corrupt blocks",
		       get_number(layer, "read_errors"), get_number(layer, "corrupt_blocks"));
	}
	putchar('\n');
}

static void print_device(struct json_object *object)
{
	struct json_object *layers = json_object_object_get(object, "layers");
	const char *target = get_text(object, "target");
	const char *path = get_text(object, "path");
	char size[HUMAN_BYTES];
	size_t i;

	print_name(get_text(object, "name"));
	fputs("\n  device      ", stdout);
	print_name(path ? path : "(none)");
	printf(", %s, %s%s%s, open %llu times\n", get_text(object, "device"),
	       get_bool(object, "read_only") ? "read-only" : "writable",
	       get_bool(object, "suspended") ? ", suspended" : "",
	       get_bool(object, "deferred_remove") ? ", to be removed" : "",
	       get_number(object, "open_count"));
	fputs("  uuid        ", stdout);
	print_name(get_text(object, "uuid"));
	printf("\n  size        %llu sectors (%s)\n", get_number(object, "sectors"),
	       human_bytes(get_number(object, "sectors") * SECTOR_BYTES, size));
	if (!strcmp(target, "lsmt"))
		printf("  map         %zu layers (%llu compressed), %llu extents, %llu bytes of memory\n",
		       json_object_array_length(layers), get_number(object, "compressed_layers"),
		       get_number(object, "extents"), get_number(object, "memory"));
	else
		printf("  zfile       %s, %llu blocks of %llu bytes, %s, %llu bytes of memory\n",
		       get_text(object, "algorithm"), get_number(object, "blocks"),
		       get_number(object, "block_size"),
		       get_bool(object, "block_crc") ? "with CRC" : "without CRC",
		       get_number(object, "memory"));
	printf("  errors      %llu read errors, %llu corrupt blocks\n",
	       get_number(object, "read_errors"), get_number(object, "corrupt_blocks"));
	for (i = 0; i < json_object_array_length(layers); i++)
		print_layer(json_object_array_get_idx(layers, i), i);
	printf("  table       0 %llu %s %s\n", get_number(object, "sectors"), target,
	       get_text(object, "table"));
}

/* One that is half made, or going away, is left out of a list. */
static int add_if_ours(struct json_object *list, dev_t number)
{
	struct json_object *object;
	struct mapped device;
	int r = 0;

	if (mapped_find_number(number, &device))
		return 0;
	if (mapped_is(&device, MAPPED_IMAGE) && target_is_ours(device.target)) {
		object = json_object_new_object();
		json_object_array_add(list, object);
		r = describe(&device, object);
	}
	mapped_destroy(&device);
	return r;
}

static int add_all(struct json_object *list)
{
	unsigned int i, count;
	dev_t *numbers;
	int r = mapped_list(&numbers, &count);

	errno = -r;
	if (r)
		return fail_errno(STATUS_USAGE, "cannot list the devices");
	for (i = 0; !r && i < count; i++)
		r = add_if_ours(list, numbers[i]);
	free(numbers);
	return r;
}

static int add_one(struct json_object *list, const char *name)
{
	struct json_object *object = json_object_new_object();
	struct mapped device;
	int r = mapped_find(name, &device);

	json_object_array_add(list, object);
	errno = -r;
	if (r == -ENXIO)
		return fail(STATUS_USAGE, "there is no device %s", name);
	if (r)
		return fail_errno(STATUS_USAGE, "cannot look at the device %s", name);
	if (target_is_ours(device.target) && device.lines == 1)
		r = describe(&device, object);
	else
		r = fail(STATUS_USAGE, "%s is no zfile or lsmt device", name);
	mapped_destroy(&device);
	return r;
}

int verb_status(int argc, char **argv)
{
	struct json_object *list;
	const char *name;
	bool json;
	size_t i;
	int r = parse(argc, argv, &json, &name);

	if (!r)
		r = mapped_start();
	if (r)
		return option_result(r);
	list = json_object_new_array();
	r = name ? add_one(list, name) : add_all(list);
	if (!r && json)
		return print_json(list);
	for (i = 0; !r && i < json_object_array_length(list); i++)
		print_device(json_object_array_get_idx(list, i));
	json_object_put(list);
	return r ? r : finish_stdout();
}
