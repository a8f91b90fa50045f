// SPDX-License-Identifier: GPL-2.0
/* Several layers become one, see merge.h. */

#include <string.h>

#include <uuid/uuid.h>

#include "image-source.h"
#include "merge.h"
#include "message.h"

/* A broken text is not carried over. */
static void take_uuid(char to[LSMT_UUID_TEXT], const char *from)
{
	uuid_t uuid;

	if (!uuid_parse(from, uuid))
		uuid_unparse_upper(uuid, to);
}

/*
 * What the user does not say: the new layer stands where the old ones did, so
 * it has the name of the topmost and the parent of the lowest.
 */
static void inherit_labels(struct layer_options *o, const struct layer *layers,
			   unsigned int count)
{
	struct lsmt_fields lowest, topmost;

	lsmt_read_fields(layers[0].trailer, &lowest);
	lsmt_read_fields(layers[count - 1].trailer, &topmost);
	if (!o->uuid_given)
		take_uuid(o->labels.uuid, topmost.labels.uuid);
	if (!o->parent_given)
		take_uuid(o->labels.parent_uuid, lowest.labels.parent_uuid);
	if (!o->tag_given)
		memcpy(o->labels.tag, topmost.labels.tag, sizeof(o->labels.tag));
}

static u64 virtual_bytes_of(const struct layer *layers, unsigned int count)
{
	while (count--)
		if (layers[count].lsmt.virtual_bytes)
			return layers[count].lsmt.virtual_bytes;
	return 0;
}

/**
 * merge_layers() - write what some layers are together as one layer
 * @o: checked options; labels that are not given are filled in
 * @layers: the lowest; all are LSMT
 * @count: how many
 *
 * Return: 0 or a status.
 */
int merge_layers(struct layer_options *o, const struct layer *layers, unsigned int count)
{
	struct zfile_reader *reader = zfile_reader_new();
	struct segment_source source;
	struct stack stack;
	int r;

	if (!reader)
		return fail_memory();
	r = stack_init(&stack, layers, count, 0);
	if (!r) {
		inherit_labels(o, layers, count);
		segment_source_init(&source, &stack, reader, virtual_bytes_of(layers, count));
		r = layer_write(o, &source.lsmt);
	}
	stack_destroy(&stack);
	zfile_reader_free(reader);
	return r;
}
