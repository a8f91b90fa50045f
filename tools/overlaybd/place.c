// SPDX-License-Identifier: GPL-2.0
/* Where a layer is, see place.h. */

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "message.h"
#include "place.h"
#include "units.h"

/* What fits into the off_t of a read. */
#define MAX_BYTES	(~0ULL >> 1)

static bool exists(const char *path)
{
	struct stat st;

	return !stat(path, &st);
}

static int set_path(struct place *place, const char *path, size_t length)
{
	place->path = strndup(path, length);
	return place->path ? 0 : fail_memory();
}

/* @text: "BYTES" or "BYTES@START"; changed */
static int parse_part(struct place *place, char *text)
{
	char *at = strchr(text, '@');
	u64 sector = 0;

	if (at)
		*at++ = 0;
	if (parse_number(text, 1, MAX_BYTES, &place->bytes))
		return fail(STATUS_USAGE, "%s,%s: '%s' is not a length in bytes (FILE,BYTES[@START])",
			    place->path, text, text);
	if (at && parse_number(at, 0, sectors_down(MAX_BYTES), &sector))
		return fail(STATUS_USAGE, "%s,%s@%s: '%s' is not the number of a sector (FILE,BYTES[@START])",
			    place->path, text, at, at);
	place->is_part = true;
	place->offset = sector << SECTOR_SHIFT;
	return 0;
}

/**
 * place_parse() - understand what the user gave as a layer
 * @argument: FILE or FILE,BYTES[@START]. Where there is a file of just this
 *	name it is meant, whatever it looks like
 * @place: filled in; its path is to be freed whatever the outcome
 *
 * Return: 0 or a status.
 */
int place_parse(const char *argument, struct place *place)
{
	const char *comma = strrchr(argument, ',');
	char *part;
	int r;

	*place = (struct place) { .path = NULL };
	if (!comma || exists(argument))
		return set_path(place, argument, strlen(argument));
	r = set_path(place, argument, comma - argument);
	if (r)
		return r;
	/* Nothing by either name: that of the whole is to be in the message. */
	if (!exists(place->path)) {
		free(place->path);
		return set_path(place, argument, strlen(argument));
	}
	part = strdup(comma + 1);
	r = part ? parse_part(place, part) : fail_memory();
	free(part);
	return r;
}

/**
 * place_list_add() - add a place
 * @list: gets a place at its end
 * @place: its path belongs to the list from now on
 *
 * Return: 0; or a status, and then the path is freed.
 */
int place_list_add(struct place_list *list, const struct place *place)
{
	struct place *places = realloc(list->places, (list->count + 1) * sizeof(*places));

	if (!places) {
		free(place->path);
		return fail_memory();
	}
	list->places = places;
	places[list->count++] = *place;
	return 0;
}

/* Add all of a file. Return: 0 or a status. */
int place_list_add_path(struct place_list *list, const char *path)
{
	struct place place = { .path = strdup(path) };

	return place.path ? place_list_add(list, &place) : fail_memory();
}

void place_list_destroy(struct place_list *list)
{
	unsigned int i;

	for (i = 0; i < list->count; i++)
		free(list->places[i].path);
	free(list->places);
	*list = (struct place_list) { .count = 0 };
}
