// SPDX-License-Identifier: GPL-2.0
/* One layer, see layer.h. */

#include <stdlib.h>
#include <string.h>

#include <linux/minmax.h>

#include "disk.h"
#include "layer.h"
#include "message.h"
#include "tar.h"
#include "units.h"

/* Mappings read at a time. */
#define WINDOW_MAPPINGS	4096

/* The name of the metadata of a turboOCI layer; nothing in it says so. */
#define TURBO_SUFFIX	".fs.meta"

static int refuse(const struct layer *layer, const char *why)
{
	return fail(STATUS_REFUSED, "%s: %s", layer->path, why);
}

/* @at is a byte of the LSMT file, compressed or not. */
static int refuse_at(const struct layer *layer, u64 at, const char *why)
{
	return fail(STATUS_REFUSED, "%s: at byte %llu%s: %s", layer->path,
		    layer->is_zfile ? at : layer->offset + at,
		    layer->is_zfile ? " of the decompressed layer" : "", why);
}

static bool has_suffix(const char *text, const char *suffix)
{
	size_t length = strlen(text);

	return length >= strlen(suffix) &&
	       !strcmp(text + length - strlen(suffix), suffix);
}

/*
 * A device is usually longer than what was copied to it. A final header says
 * how long its ZFile is, as no producer leaves gaps.
 */
static void trim_to_zfile(struct layer *layer, const void *header)
{
	struct zfile_fields fields;
	u64 end;

	if (!zfile_header_is_final(header))
		return;
	zfile_read_fields(header, &fields);
	if (fields.index_size > ZFILE_MAX_BLOCKS || fields.index_offset > layer->bytes)
		return;
	end = fields.index_offset + fields.index_size * ZFILE_INDEX_ENTRY_BYTES +
	      ZFILE_HEADER_BYTES;
	if (end <= layer->bytes)
		layer->bytes = end;
}

/* What begins here that is no layer? */
static const char *explain(const u8 *start, size_t bytes)
{
	if (bytes >= 2 && start[0] == 0x1f && start[1] == 0x8b)
		return "is compressed with gzip: an OCI layer, or turboOCI (not supported)";
	if (bytes >= 257 + 5 && !memcmp(start + 257, "xxtar", 5))
		return "is an unfinished tar blob";
	if (bytes >= 257 + 8 && !memcmp(start + 257, "ustar  ", 8))
		return "is a tar blob of the GNU form, which no reader knows: make it with tar --format=ustar";
	if (bytes >= 257 + 5 && !memcmp(start + 257, "ustar", 5))
		return "is a tar blob, but not whole: give all of it, or as FILE,BYTES@SECTOR the layer in it";
	return "is neither a ZFile nor an LSMT layer (a raw image?)";
}

static int open_zfile(struct layer *layer)
{
	u8 start[ZFILE_HEADER_BYTES] __attribute__((aligned(8))) = { 0 };
	size_t bytes = min(layer->bytes, (u64)sizeof(start));
	int r;

	r = file_read(&layer->file, start, bytes, layer->offset);
	if (r)
		return r;
	if (!zfile_has_magic(start)) {
		if (lsmt_has_magic(start))
			return 0;
		return refuse(layer, explain(start, bytes));
	}
	if (layer->file.is_device && !layer->in_tar && !layer->is_part)
		trim_to_zfile(layer, start);
	r = zfile_open(&layer->zfile, &layer->file, layer->offset, layer->bytes);
	if (r)
		return r;
	layer->is_zfile = true;
	layer->content_bytes = layer->zfile.info.original_bytes;
	return 0;
}

static int open_lsmt(struct layer *layer, struct zfile_reader *reader)
{
	const char *why;
	bool in_header;
	int r;

	if (layer->content_bytes < 2 * LSMT_HEADER_BYTES)
		return layer->is_zfile ? 0 : refuse(layer, "too short for an LSMT layer");
	r = layer_read(layer, reader, layer->header, sizeof(layer->header), 0);
	if (r)
		return r;
	r = layer_read(layer, reader, layer->trailer, sizeof(layer->trailer),
		       layer->content_bytes - sizeof(layer->trailer));
	if (r)
		return r;
	/* With a trailer but no header it is a damaged layer, not a payload. */
	if (layer->is_zfile && !lsmt_has_magic(layer->header) &&
	    !lsmt_has_magic(layer->trailer))
		return 0;
	if (lsmt_decode(layer->header, layer->trailer, layer->content_bytes,
			&layer->lsmt, &why)) {
		if (lsmt_has_magic(layer->header) && lsmt_looks_writable(layer->header) &&
		    !lsmt_has_magic(layer->trailer))
			why = "No LSMT trailer: a writable layer (commit or seal it first)";
		in_header = strstr(why, "header") || strstr(why, "LSMT file");
		return refuse_at(layer, in_header ? 0 :
				 layer->content_bytes - sizeof(layer->trailer), why);
	}
	layer->is_lsmt = true;
	return 0;
}

/* Find the ZFile or LSMT file in the open file. */
static int locate(struct layer *layer, const struct place *place)
{
	const u64 there = layer->file.bytes;

	if (!there)
		return refuse(layer, "is empty");
	if (!place->is_part)
		return tar_find_payload(&layer->file, &layer->in_tar, &layer->offset,
					&layer->bytes);
	if (place->offset > there || place->bytes > there - place->offset)
		return fail(STATUS_USAGE, "%s has %llu bytes: there are no %llu from sector %llu on",
			    layer->path, there, place->bytes, sectors_down(place->offset));
	layer->is_part = true;
	layer->offset = place->offset;
	layer->bytes = place->bytes;
	return 0;
}

/**
 * layer_open() - open a layer and check all its metadata but the segments
 * @layer: filled in; layer_close() it whatever the outcome
 * @place: file or block device, or a part of one
 *
 * Return: 0 or a status.
 */
int layer_open(struct layer *layer, const struct place *place)
{
	struct zfile_reader *reader;
	int r;

	memset(layer, 0, sizeof(*layer));
	layer->file.fd = -1;
	layer->path = strdup(place->path);
	if (!layer->path)
		return fail_memory();
	if (has_suffix(layer->path, TURBO_SUFFIX))
		return refuse(layer, "turboOCI is not supported: the data is in another file");
	r = file_open(&layer->file, layer->path);
	if (!r)
		r = locate(layer, place);
	if (r)
		return r;
	layer->content_bytes = layer->bytes;
	reader = zfile_reader_new();
	if (!reader)
		return fail_memory();
	r = open_zfile(layer);
	if (!r)
		r = open_lsmt(layer, reader);
	zfile_reader_free(reader);
	return r;
}

void layer_close(struct layer *layer)
{
	zfile_close(&layer->zfile);
	file_close(&layer->file);
	free(layer->path);
	layer->path = NULL;
}

/**
 * layer_read() - read bytes of the content, decompressed if need be
 * @layer: the layer
 * @reader: the calling thread's
 * @buffer: where to
 * @bytes: how many
 * @offset: from where on; the range lies within the content
 *
 * Return: 0 or a status.
 */
int layer_read(const struct layer *layer, struct zfile_reader *reader, void *buffer,
	       size_t bytes, u64 offset)
{
	if (layer->is_zfile)
		return zfile_read(&layer->zfile, reader, buffer, bytes, offset);
	return file_read(&layer->file, buffer, bytes, layer->offset + offset);
}

static void count_mapping(struct segment_statistics *s, const struct lsmt_mapping *m)
{
	if (m->zeroed) {
		s->zeroed++;
		s->zeroed_sectors += m->length;
	} else {
		s->data++;
		s->data_sectors += m->length;
	}
	s->longest = max(s->longest, m->length);
	s->end = m->offset + m->length;
}

static int add_mapping(const struct layer *layer, u64 at, u8 number,
		       const struct lsmt_mapping *m, struct segment_list *list,
		       struct segment_statistics *statistics)
{
	const char *why;

	if (lsmt_check_mapping(&layer->lsmt, statistics->end, m, &why))
		return refuse_at(layer, at, why);
	count_mapping(statistics, m);
	segment_list_add(list, m->offset, m->length, m->moffset, m->zeroed, number);
	return 0;
}

static int add_window(const struct layer *layer, u8 number, u32 first, u32 count,
		      const u8 *window, struct segment_list *list,
		      struct segment_statistics *statistics)
{
	struct lsmt_mapping m;
	u32 i;

	for (i = 0; i < count; i++) {
		u64 at = layer->lsmt.index_offset + (first + i) * (u64)LSMT_MAPPING_BYTES;
		int r;

		if (!lsmt_decode_mapping(window, i, &m)) {
			statistics->padding++;
			continue;
		}
		r = add_mapping(layer, at, number, &m, list, statistics);
		if (r)
			return r;
	}
	return 0;
}

/**
 * layer_segments() - read and check the index of an LSMT layer
 * @layer: with is_lsmt
 * @reader: the calling thread's
 * @number: which layer the segments shall say they belong to
 * @list: made here; to be destroyed whatever the outcome
 * @statistics: filled in
 *
 * Return: 0 or a status.
 */
int layer_segments(const struct layer *layer, struct zfile_reader *reader, u8 number,
		   struct segment_list *list, struct segment_statistics *statistics)
{
	u32 total = layer->lsmt.mapping_count, first, count;
	u8 *window = NULL;
	int r = 0;

	memset(statistics, 0, sizeof(*statistics));
	if (!segment_list_init(list, total))
		window = malloc(WINDOW_MAPPINGS * LSMT_MAPPING_BYTES);
	if (!window)
		return fail_memory();
	for (first = 0; !r && first < total; first += count) {
		count = min(total - first, (u32)WINDOW_MAPPINGS);
		r = layer_read(layer, reader, window, count * LSMT_MAPPING_BYTES,
			       layer->lsmt.index_offset + first * (u64)LSMT_MAPPING_BYTES);
		if (!r)
			r = add_window(layer, number, first, count, window, list, statistics);
	}
	free(window);
	return r;
}
