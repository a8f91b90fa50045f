// SPDX-License-Identifier: GPL-2.0
/*
 * overlaybd open: an image becomes a block device. Everything below that device
 * is held by a file descriptor until the device itself holds it, and goes away
 * with its last user. So nothing stays behind, unless SIGKILL comes just when a
 * device is made that does not have its table yet.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <json-c/json.h>
#include <uuid/uuid.h>

#include "attach.h"
#include "dm.h"
#include "message.h"
#include "stack.h"
#include "table.h"
#include "units.h"
#include "verbs.h"

static const char help[] =
	"Usage: overlaybd open [OPTION...] NAME IMAGE...\n\n"
	"Make the read-only block device /dev/mapper/NAME of an image. Files get loop\n"
	"devices, which images with common layers share; overlaybd close removes all.\n\n"
	"      --stacked          a zfile device NAME-layerN for every compressed layer,\n"
	"                         below an lsmt device (default: one device for all)\n"
	"      --uuid TEXT        dm uuid, after OVERLAYBD-IMAGE- (default: random)\n"
	"      --dry-run          only check the image and print what would be done\n"
	"      --json             print what was done, for programs\n"
	COMMON_HELP;

enum {
	OPTION_STACKED = OPTION_VERB,
	OPTION_OPEN_UUID,
	OPTION_DRY_RUN,
	OPTION_OPEN_JSON,
};

struct open_options {
	const char *name;
	const char *uuid;
	bool stacked;
	bool dry_run;
	bool json;
};

/**
 * struct opening - what is there so far
 * @o: what is wanted
 * @image: the image
 * @attached: of the layers, @attached_count of them
 * @unpacked: of the layers: name and descriptor of the zfile device with --stacked
 * @devices: of the layers: what the table names
 * @uuid: dm uuid of the device
 * @table: of the device
 * @made: the device is there
 */
struct opening {
	const struct open_options *o;
	struct image image;
	struct attached *attached;
	unsigned int attached_count;
	struct unpacked {
		char *name;
		int fd;
		struct table table;
		char text[24];
	} *unpacked;
	unsigned int unpacked_count;
	char (*placeholders)[16];
	const char **devices;
	char uuid[MAPPED_UUID_BYTES];
	struct table table;
	bool made;
};

static volatile sig_atomic_t interrupted;

static void remember(int number)
{
	interrupted = number;
}

static void set_signals(void (*handler)(int))
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = handler }, old;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		/* What nohup and the like have switched off stays so. */
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
}

static int parse(int argc, char **argv, struct open_options *o)
{
	static const struct option options[] = {
		COMMON_OPTIONS,
		{ "stacked", no_argument, NULL, OPTION_STACKED },
		{ "uuid", required_argument, NULL, OPTION_OPEN_UUID },
		{ "dry-run", no_argument, NULL, OPTION_DRY_RUN },
		{ "json", no_argument, NULL, OPTION_OPEN_JSON },
		{ 0 }
	};
	int letter, r = 0;

	*o = (struct open_options) { .name = NULL };
	while (!r && (letter = getopt_long(argc, argv, COMMON_LETTERS, options, NULL)) != -1) {
		if (letter == OPTION_STACKED)
			o->stacked = true;
		else if (letter == OPTION_OPEN_UUID)
			o->uuid = optarg;
		else if (letter == OPTION_DRY_RUN)
			o->dry_run = true;
		else if (letter == OPTION_OPEN_JSON)
			o->json = true;
		else
			r = common_option(letter, help);
	}
	if (!r)
		r = need_operands(argc, 2, LSMT_MAX_LAYERS + 1, "NAME IMAGE...");
	if (r)
		return r;
	o->name = argv[optind++];
	return mapped_check_name(&o->name);
}

static int choose_uuid(struct opening *p)
{
	char random[UUID_STR_LEN];
	const char *text = p->o->uuid;
	uuid_t uuid;

	if (!text) {
		uuid_generate_random(uuid);
		uuid_unparse_lower(uuid, random);
		text = random;
	}
	if (!*text || strlen(MAPPED_IMAGE) + mapped_encoded_bytes(text) >= sizeof(p->uuid))
		return fail(STATUS_USAGE,
			    "--uuid takes 1 to %zu bytes (each but A-Z a-z 0-9 #+-.:=@_ counts four)",
			    sizeof(p->uuid) - 1 - strlen(MAPPED_IMAGE));
	snprintf(p->uuid, sizeof(p->uuid), MAPPED_IMAGE "%s", text);
	return 0;
}

/* All that the kernel will look at is looked at here first: it tells no reason. */
static int validate(struct opening *p)
{
	struct stack stack;
	u64 sectors;
	int r = image_need_device(&p->image, &sectors);

	if (r || image_is_payload(&p->image))
		return r;
	r = stack_init(&stack, p->image.layers, p->image.count, sectors);
	stack_destroy(&stack);
	return r;
}

static int prepare(struct opening *p)
{
	unsigned int count = p->image.count;

	p->attached = calloc(count, sizeof(*p->attached));
	p->unpacked = calloc(count, sizeof(*p->unpacked));
	p->placeholders = calloc(count, sizeof(*p->placeholders));
	p->devices = calloc(count, sizeof(*p->devices));
	if (!p->attached || !p->unpacked || !p->placeholders || !p->devices)
		return fail_memory();
	return 0;
}

static bool is_unpacked(const struct opening *p, unsigned int layer)
{
	return p->o->stacked && !image_is_payload(&p->image) &&
	       p->image.layers[layer].is_zfile;
}

static int attach_layers(struct opening *p)
{
	int lock = attach_lock(), r = 0;

	while (!r && !interrupted && p->attached_count < p->image.count) {
		struct attached *attached = &p->attached[p->attached_count];

		r = attach_layer(&p->image.layers[p->attached_count++], attached);
		p->devices[p->attached_count - 1] = attached->text;
	}
	if (lock >= 0)
		close(lock);
	return r;
}

/* For a dry run: what stands for the devices that files would get. */
static void name_layers(struct opening *p)
{
	unsigned int i;

	for (i = 0; i < p->image.count; i++) {
		snprintf(p->placeholders[i], sizeof(p->placeholders[i]), "LAYER%u", i);
		p->devices[i] = attach_needs_loop(&p->image.layers[i]) ?
				p->placeholders[i] : p->image.layers[i].path;
	}
}

static int plan_unpacked(struct opening *p, unsigned int layer)
{
	struct unpacked *u = &p->unpacked[layer];

	u->fd = -1;
	if (asprintf(&u->name, "%s-layer%u", p->o->name, layer) < 0) {
		u->name = NULL;
		return fail_memory();
	}
	if (mapped_check_length(u->name))
		return STATUS_USAGE;
	return table_init_zfile(&u->table, &p->image.layers[layer], p->devices[layer]);
}

static int make_unpacked(struct unpacked *u)
{
	struct mapped_line line = {
		0, u->table.sectors, u->table.target, u->table.parameters
	};
	char uuid[MAPPED_UUID_BYTES], random[UUID_STR_LEN];
	dev_t number;
	uuid_t id;
	int r;

	uuid_generate_random(id);
	uuid_unparse_lower(id, random);
	snprintf(uuid, sizeof(uuid), MAPPED_LAYER "%s", random);
	r = mapped_create(u->name, uuid, &line, 1, &number);
	if (r)
		return r;
	snprintf(u->text, sizeof(u->text), "%u:%u", major(number), minor(number));
	u->fd = mapped_open_helper(u->name, number);
	if (u->fd >= 0)
		return 0;
	errno = -u->fd;
	r = fail_errno(STATUS_USAGE, "cannot open the device %s", u->name);
	mapped_remove(u->name, false);
	return r;
}

/* The zfile devices of --stacked, or only their tables. */
static int unpack_layers(struct opening *p)
{
	unsigned int i;
	int r = 0;

	while (!r && !interrupted && p->unpacked_count < p->image.count) {
		i = p->unpacked_count++;
		if (!is_unpacked(p, i))
			continue;
		r = plan_unpacked(p, i);
		if (!r && !p->o->dry_run)
			r = make_unpacked(&p->unpacked[i]);
	}
	for (i = 0; !r && i < p->unpacked_count; i++) {
		if (is_unpacked(p, i))
			p->devices[i] = p->o->dry_run ? p->unpacked[i].name :
					p->unpacked[i].text;
	}
	return r;
}

static int make_table(struct opening *p)
{
	return p->o->stacked ? table_init_stacked(&p->table, &p->image, p->devices) :
			       table_init(&p->table, &p->image, p->devices);
}

static int make_device(struct opening *p)
{
	struct mapped_line line = {
		0, p->table.sectors, p->table.target, p->table.parameters
	};
	dev_t number;
	int r = mapped_create(p->o->name, p->uuid, &line, 1, &number);

	p->made = !r;
	return r;
}

/* Return: 0, perhaps with @interrupted set. */
static int make_all(struct opening *p)
{
	int r = mapped_need_target(image_is_payload(&p->image) ? "zfile" : "lsmt");

	if (!r)
		r = attach_layers(p);
	if (!r && !interrupted)
		r = unpack_layers(p);
	if (!r && !interrupted)
		r = make_table(p);
	if (!r && !interrupted)
		r = make_device(p);
	return r;
}

static struct json_object *describe_layer(const struct opening *p, unsigned int i)
{
	const struct layer *layer = &p->image.layers[i];
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "path", json_object_new_string(layer->path));
	json_object_object_add(object, "bytes", json_object_new_int64(layer->bytes));
	json_object_object_add(object, "loop",
			       json_object_new_boolean(attach_needs_loop(layer)));
	json_object_object_add(object, "completed",
			       json_object_new_boolean(attach_needs_tail(layer)));
	if (!p->o->dry_run) {
		json_object_object_add(object, "device",
				       json_object_new_string(p->attached[i].text));
		json_object_object_add(object, "reused",
				       json_object_new_boolean(p->attached[i].reused));
	}
	if (is_unpacked(p, i))
		json_object_object_add(object, "zfile_device",
				       json_object_new_string(p->unpacked[i].name));
	return object;
}

static int report_json(const struct opening *p)
{
	struct json_object *object = json_object_new_object();
	struct json_object *layers = json_object_new_array();
	char *path = p->o->dry_run ? NULL : mapped_path(p->o->name);
	unsigned int i;

	for (i = 0; i < p->image.count; i++)
		json_object_array_add(layers, describe_layer(p, i));
	json_object_object_add(object, "name", json_object_new_string(p->o->name));
	json_object_object_add(object, "uuid", json_object_new_string(p->uuid));
	json_object_object_add(object, "path", path ? json_object_new_string(path) : NULL);
	json_object_object_add(object, "sectors", json_object_new_int64(p->table.sectors));
	json_object_object_add(object, "target", json_object_new_string(p->table.target));
	json_object_object_add(object, "table", json_object_new_string(p->table.parameters));
	json_object_object_add(object, "layers", layers);
	free(path);
	return print_json(object);
}

static void report_device(const char *name, const struct table *table)
{
	fputs("device ", stdout);
	print_name(name);
	printf(": 0 %llu %s %s\n", table->sectors, table->target, table->parameters);
}

static int report_plan(const struct opening *p)
{
	unsigned int i;

	for (i = 0; i < p->image.count; i++) {
		const struct layer *layer = &p->image.layers[i];

		printf("layer %u: ", i);
		print_name(layer->path);
		printf("%s\n", !attach_needs_loop(layer) ? "" :
		       attach_needs_tail(layer) ?
		       ", on a loop device, its last sector completed" : ", on a loop device");
		if (is_unpacked(p, i))
			report_device(p->unpacked[i].name, &p->unpacked[i].table);
	}
	report_device(p->o->name, &p->table);
	return finish_stdout();
}

static int plan(struct opening *p)
{
	int r;

	name_layers(p);
	r = unpack_layers(p);
	if (!r)
		r = make_table(p);
	if (r)
		return r;
	return p->o->json ? report_json(p) : report_plan(p);
}

static void close_all(struct opening *p)
{
	char reason[FAILURE_BYTES];
	unsigned int i;

	snprintf(reason, sizeof(reason), "%s", failure_text());
	for (i = p->unpacked_count; i--; ) {
		if (p->unpacked[i].name && p->unpacked[i].fd >= 0) {
			close(p->unpacked[i].fd);
			mapped_wait_gone(p->unpacked[i].name);
		}
		free(p->unpacked[i].name);
		table_destroy(&p->unpacked[i].table);
	}
	for (i = p->attached_count; i--; )
		attached_close(&p->attached[i]);
	table_destroy(&p->table);
	free(p->attached);
	free(p->unpacked);
	free(p->placeholders);
	free(p->devices);
	image_close(&p->image);
	failure_restore(reason);
}

static int open_image(struct opening *p)
{
	int r;

	if (p->o->dry_run)
		return plan(p);
	r = mapped_start();
	if (r)
		return r;
	signal(SIGPIPE, SIG_IGN);
	set_signals(remember);
	r = make_all(p);
	if (!r && !interrupted && p->o->json)
		r = report_json(p);
	if (p->made && (r || interrupted)) {
		mapped_remove(p->o->name, true);
		p->made = false;
	}
	return r;
}

int verb_open(int argc, char **argv)
{
	struct open_options o;
	struct opening p = { .o = &o };
	int r = parse(argc, argv, &o);

	if (r)
		return option_result(r);
	r = choose_uuid(&p);
	if (!r)
		r = image_open(&p.image, argc - optind, argv + optind);
	if (!r)
		r = validate(&p);
	if (!r)
		r = prepare(&p);
	if (!r)
		r = open_image(&p);
	close_all(&p);
	if (interrupted && !p.made) {
		set_signals(SIG_DFL);
		raise(interrupted);
	}
	return r;
}
