// SPDX-License-Identifier: GPL-2.0
/* What the kernel says of zfile and lsmt devices, see target-line.h. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "message.h"
#include "target-line.h"

bool target_is_ours(const char *target)
{
	return target && (!strcmp(target, "lsmt") || !strcmp(target, "zfile"));
}

/* The kernel prints device numbers, whatever it was given. */
static const char *parse_layer(const char *text, struct target_layer *layer)
{
	unsigned int device_major, device_minor;
	int used = 0;

	*layer = (struct target_layer) { .start = 0 };
	if (sscanf(text, " %u:%u %llu%n", &device_major, &device_minor, &layer->bytes,
		   &used) < 3)
		return NULL;
	layer->device = makedev(device_major, device_minor);
	text += used;
	if (*text == '@' && sscanf(text, "@%llu%n", &layer->start, &used) == 1)
		text += used;
	return text;
}

/**
 * target_parse_table() - the layers of a zfile or lsmt table
 * @text: the parameters
 * @layers: set, to be freed; lowest first
 * @count: set
 *
 * Return: 0 or a status.
 */
int target_parse_table(const char *text, struct target_layer **layers, unsigned int *count)
{
	struct target_layer layer, *more;

	*layers = NULL;
	*count = 0;
	while ((text = parse_layer(text, &layer))) {
		more = realloc(*layers, (*count + 1) * sizeof(**layers));
		if (!more)
			return fail_memory();
		*layers = more;
		more[(*count)++] = layer;
	}
	return 0;
}

/**
 * target_parse_status() - read a status line
 * @target: "zfile" or "lsmt"
 * @text: what it says; later versions may say more
 * @status: filled in
 *
 * Return: 0 or STATUS_USAGE.
 */
int target_parse_status(const char *target, const char *text, struct target_status *status)
{
	struct target_status *s = status;
	char crc[8];

	*s = (struct target_status) { .layers = 0 };
	if (!strcmp(target, "lsmt")) {
		if (sscanf(text, "%u %u %llu %llu %llu %llu %llu", &s->layers, &s->compressed,
			   &s->sectors, &s->extents, &s->memory, &s->read_errors,
			   &s->corrupt_blocks) == 7)
			return 0;
	} else if (sscanf(text, "%15s %u %llu %7s %llu %llu %llu", s->algorithm,
			  &s->block_bytes, &s->blocks, crc, &s->memory, &s->read_errors,
			  &s->corrupt_blocks) == 7) {
		s->crc = !strcmp(crc, "crc");
		return 0;
	}
	return fail(STATUS_USAGE, "cannot understand the kernel's status of a %s device: %s",
		    target, text);
}
