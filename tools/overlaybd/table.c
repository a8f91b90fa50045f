// SPDX-License-Identifier: GPL-2.0
/* The device-mapper table line of an image, see table.h. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "table.h"
#include "units.h"

/**
 * table_escape() - put a backslash before special characters
 * @text: the text
 * @special: which, besides the backslash itself
 * @escaped: set, to be freed
 *
 * Return: 0 or a status.
 */
int table_escape(const char *text, const char *special, char **escaped)
{
	char *to = malloc(2 * strlen(text) + 1);

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
static int print_layer(FILE *f, const struct layer *layer, const char *device)
{
	char *escaped;
	int r = table_escape(device, " \t", &escaped);

	if (r)
		return r;
	fprintf(f, "%s %llu", escaped, layer->bytes);
	if (layer->offset)
		fprintf(f, "@%llu", layer->offset >> SECTOR_SHIFT);
	free(escaped);
	return 0;
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
	unsigned int i;
	size_t bytes;
	FILE *f;
	int r;

	*table = (struct table) {
		.target = image_is_payload(image) ? "zfile" : "lsmt",
	};
	r = image_need_device(image, &table->sectors);
	if (r)
		return r;
	f = open_memstream(&table->parameters, &bytes);
	if (!f)
		return fail_memory();
	for (i = 0; !r && i < image->count; i++) {
		const struct layer *layer = &image->layers[i];

		if (i)
			fputc(' ', f);
		r = print_layer(f, layer, devices ? devices[i] : layer->path);
	}
	if (fclose(f) && !r)
		r = fail_memory();
	return r;
}

void table_destroy(struct table *table)
{
	free(table->parameters);
	table->parameters = NULL;
}
