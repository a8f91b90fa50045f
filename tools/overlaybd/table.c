// SPDX-License-Identifier: GPL-2.0
/* The device-mapper table line of an image, see table.h. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "table.h"
#include "units.h"

/* What ends a word of a table line in the kernel. */
#define BLANKS	" \t\v\f\r"

/**
 * table_escape() - put a backslash before special characters
 * @text: the text
 * @special: which, besides the backslash itself
 * @escaped: set, to be freed
 *
 * A newline ends a table line whatever is before it. Return: 0 or a status.
 */
int table_escape(const char *text, const char *special, char **escaped)
{
	char *to;

	*escaped = NULL;
	if (strchr(text, '\n'))
		return fail(STATUS_USAGE, "%s: a table line cannot hold a newline", text);
	to = malloc(2 * strlen(text) + 1);
	*escaped = to;
	if (!to)
		return fail_memory();
	for (; *text; text++) {
		if (*text == '\\' || strchr(special, *text))
			*to++ = '\\';
		*to++ = *text;
	}
	*to = 0;
	return 0;
}

/* "<dev> <bytes>[@<start sector>]" */
static int print_place(FILE *f, const char *device, u64 bytes, u64 offset)
{
	char *escaped;
	int r = table_escape(device, BLANKS, &escaped);

	if (r)
		return r;
	fprintf(f, "%s %llu", escaped, bytes);
	if (offset)
		fprintf(f, "@%llu", offset >> SECTOR_SHIFT);
	free(escaped);
	return 0;
}

/* @unpacked: the device of a ZFile has its content */
static int print_layers(struct table *table, const struct layer *layers,
			unsigned int count, const char *const *devices, bool unpacked)
{
	unsigned int i;
	size_t bytes;
	FILE *f = open_memstream(&table->parameters, &bytes);
	int r = 0;

	if (!f)
		return fail_memory();
	for (i = 0; !r && i < count; i++) {
		const struct layer *layer = &layers[i];
		const char *device = devices ? devices[i] : layer->path;

		if (i)
			fputc(' ', f);
		r = unpacked && layer->is_zfile ?
			print_place(f, device, layer->content_bytes, 0) :
			print_place(f, device, layer->bytes, layer->offset);
	}
	if (fclose(f) && !r)
		r = fail_memory();
	return r;
}

static int init(struct table *table, const struct image *image,
		const char *const *devices, bool unpacked)
{
	int r;

	*table = (struct table) {
		.target = image_is_payload(image) ? "zfile" : "lsmt",
	};
	r = image_need_device(image, &table->sectors);
	return r ? r : print_layers(table, image->layers, image->count, devices, unpacked);
}

/**
 * table_init() - make the table line of an image
 * @table: filled in; table_destroy() it whatever the outcome
 * @image: an open image
 * @devices: one per layer: where it can be found as a block device. NULL: at
 *	the paths of the layers
 *
 * Return: 0; STATUS_REFUSED for an image that cannot be a device.
 */
int table_init(struct table *table, const struct image *image,
	       const char *const *devices)
{
	return init(table, image, devices, false);
}

/* The same for devices that table_init_zfile() made where a layer is compressed. */
int table_init_stacked(struct table *table, const struct image *image,
		       const char *const *devices)
{
	return init(table, image, devices, !image_is_payload(image));
}

/* The table line of the content of one compressed layer, an LSMT file. */
int table_init_zfile(struct table *table, const struct layer *layer, const char *device)
{
	*table = (struct table) {
		.sectors = sectors_up(layer->content_bytes),
		.target = "zfile",
	};
	return print_layers(table, layer, 1, &device, false);
}

void table_destroy(struct table *table)
{
	free(table->parameters);
	table->parameters = NULL;
}
