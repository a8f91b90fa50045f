// SPDX-License-Identifier: GPL-2.0
/* overlaybd map: what lies where in the merged view. */

#include <stdio.h>

#include "message.h"
#include "stack.h"
#include "units.h"
#include "verbs.h"

static const char help[] =
	"Usage: overlaybd map [OPTION...] IMAGE...\n\n"
	"List the merged view of an image: from which sector on, how many sectors, what\n"
	"they are (data, zeroed, or hole: in no layer), the layer they come from and the\n"
	"sector of the data in its LSMT file. Sectors have 512 bytes.\n\n"
	"      --json             for programs\n"
	COMMON_HELP;

enum {
	OPTION_MAP_JSON = OPTION_VERB,
};

struct row {
	u64 start;
	u64 length;
	const struct segment *segment;	/* NULL: a hole */
};

static int parse(int argc, char **argv, bool *json)
{
	static const struct option options[] = {
		COMMON_OPTIONS,
		{ "json", no_argument, NULL, OPTION_MAP_JSON },
		{ 0 }
	};
	int letter, r = 0;

	*json = false;
	while (!r && (letter = getopt_long(argc, argv, COMMON_LETTERS, options, NULL)) != -1) {
		if (letter == OPTION_MAP_JSON)
			*json = true;
		else
			r = common_option(letter, help);
	}
	if (!r)
		r = need_operands(argc, 1, LSMT_MAX_LAYERS, "IMAGE...");
	return r;
}

static const char *kind_of(const struct row *row)
{
	if (!row->segment)
		return "hole";
	return segment_is_zeroed(row->segment) ? "zeroed" : "data";
}

static void print_text(const struct row *row)
{
	printf("%14llu %12llu %-6s", row->start, row->length, kind_of(row));
	if (row->segment)
		printf(" %5llu", row->segment->value >> SEGMENT_LAYER_SHIFT);
	if (row->segment && !segment_is_zeroed(row->segment))
		printf(" %14llu", row->segment->value & SEGMENT_MOFFSET_MASK);
	putchar('\n');
}

/* One object a line, printed as they come: there may be millions. */
static void print_object(const struct row *row)
{
	printf("%s\n{\"start\":%llu,\"length\":%llu,\"kind\":\"%s\"", row->start ? "," : "",
	       row->start, row->length, kind_of(row));
	if (row->segment)
		printf(",\"layer\":%llu", row->segment->value >> SEGMENT_LAYER_SHIFT);
	if (row->segment && !segment_is_zeroed(row->segment))
		printf(",\"moffset\":%llu", row->segment->value & SEGMENT_MOFFSET_MASK);
	putchar('}');
}

static void list(const struct stack *stack, u64 sectors, void (*print)(const struct row *))
{
	u64 at = 0;
	size_t i;

	for (i = 0; i < stack->merged.count; i++) {
		const struct segment *s = &stack->merged.segments[i];
		u64 start = segment_start(s), end = segment_end(s);

		if (start >= sectors)
			break;
		if (start > at)
			print(&(struct row) { at, start - at, NULL });
		if (end > sectors)
			end = sectors;
		print(&(struct row) { start, end - start, s });
		at = end;
	}
	if (at < sectors)
		print(&(struct row) { at, sectors - at, NULL });
}

static int map(const struct image *image, bool json)
{
	struct stack stack;
	u64 sectors;
	int r = image_need_device(image, &sectors);

	if (!r && image_is_payload(image))
		r = fail(STATUS_REFUSED, "%s: this ZFile holds no LSMT layer",
			 image->layers[0].path);
	if (r)
		return r;
	r = stack_init(&stack, image->layers, image->count, sectors);
	if (!r && json) {
		putchar('[');
		list(&stack, sectors, print_object);
		puts("\n]");
	} else if (!r) {
		printf("%14s %12s %-6s %5s %14s\n", "start", "length", "kind", "layer",
		       "moffset");
		list(&stack, sectors, print_text);
	}
	stack_destroy(&stack);
	return r ? r : finish_stdout();
}

int verb_map(int argc, char **argv)
{
	struct image image;
	bool json;
	int r = parse(argc, argv, &json);

	if (r)
		return option_result(r);
	r = image_open(&image, argc - optind, argv + optind);
	if (!r)
		r = map(&image, json);
	image_close(&image);
	return r;
}
