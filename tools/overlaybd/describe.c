// SPDX-License-Identifier: GPL-2.0
/*
 * An image in words. The object has these members; sizes are in bytes unless
 * the name says sectors:
 *
 * layers[]: path, file_bytes, tar_offset (only in tar), part_offset (only if the
 *   user said which part of the file it is), payload_bytes,
 *   zfile { algorithm, block_size, block_crc, digest, header_final,
 *     original_bytes, blocks, index_offset, index_crc, smallest_block,
 *     largest_block, ratio, header_flags, trailer_flags },
 *   lsmt { virtual_size, uuid, parent_uuid, tag, version, header_flags,
 *     trailer_flags, index_offset, index_entries, segments, zeroed_segments,
 *     padding_entries, longest_segment_sectors, data_sectors, zeroed_sectors,
 *     end_sector }
 * virtual_size, device_sectors
 * segments, extents: of the merged view, as listed and as packed in the kernel
 * kernel_memory { segment_index, jump_tables, total }
 * warnings[]: texts
 */

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include <linux/minmax.h>

#include "../../drivers/md/dm-overlaybd/jump-table.h"
#include "codec.h"
#include "describe.h"
#include "disk.h"
#include "message.h"
#include "stack.h"
#include "units.h"

static void add_number(struct json_object *to, const char *key, u64 value)
{
	json_object_object_add(to, key, json_object_new_uint64(value));
}

static void add_bool(struct json_object *to, const char *key, bool value)
{
	json_object_object_add(to, key, json_object_new_boolean(value));
}

static void add_hex(struct json_object *to, const char *key, u64 value)
{
	char text[20];

	snprintf(text, sizeof(text), "0x%llx", value);
	json_object_object_add(to, key, json_object_new_string(text));
}

/* Labels are untrusted: nothing that a terminal or JSON would stumble over. */
static void add_text(struct json_object *to, const char *key, const char *value)
{
	char text[LSMT_TAG_BYTES + 1];
	size_t i;

	for (i = 0; value[i] && i < sizeof(text) - 1; i++)
		text[i] = (unsigned char)value[i] < 0x20 || (unsigned char)value[i] >= 0x7f ?
			  '?' : value[i];
	text[i] = 0;
	json_object_object_add(to, key, json_object_new_string(text));
}

static void PRINTF_LIKE(2, 3) add_warning(struct json_object *warnings, const char *format, ...)
{
	char text[FAILURE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_object_array_add(warnings, json_object_new_string(text));
}

static struct json_object *describe_zfile(const struct layer *layer,
					  struct json_object *warnings)
{
	struct json_object *o = json_object_new_object();
	const struct zfile *z = &layer->zfile;
	struct zfile_fields header, trailer;

	zfile_read_fields(z->header, &header);
	zfile_read_fields(z->trailer, &trailer);
	json_object_object_add(o, "algorithm",
			       json_object_new_string(codec_name(z->info.algorithm)));
	add_number(o, "block_size", 1U << z->info.block_shift);
	add_bool(o, "block_crc", z->info.block_crc);
	add_bool(o, "digest", z->info.has_digest);
	add_bool(o, "header_final", z->info.header_is_final);
	add_number(o, "original_bytes", z->info.original_bytes);
	add_number(o, "blocks", z->info.block_count);
	add_number(o, "index_offset", z->info.index_offset);
	add_hex(o, "index_crc", z->info.index_crc);
	add_number(o, "smallest_block", z->smallest);
	add_number(o, "largest_block", z->largest);
	if (z->info.original_bytes)
		json_object_object_add(o, "ratio", json_object_new_double(
			(double)z->bytes / z->info.original_bytes));
	add_hex(o, "header_flags", header.flags);
	add_hex(o, "trailer_flags", trailer.flags);

	if (z->info.header_is_final && !zfile_parts_agree(z->header, z->trailer))
		add_warning(warnings, "%s: ZFile header and trailer disagree", layer->path);
	if (header.reserved_used || trailer.reserved_used)
		add_warning(warnings, "%s: reserved bytes of the ZFile header or trailer are not zero%s",
			    layer->path, z->info.has_digest ? "" : " (normal before 2023)");
	if (!z->info.block_crc)
		add_warning(warnings, "%s: blocks carry no CRC: damage may go unnoticed",
			    layer->path);
	return o;
}

static struct json_object *describe_lsmt(const struct layer *layer,
					 const struct segment_statistics *s,
					 struct json_object *warnings)
{
	struct json_object *o = json_object_new_object();
	struct lsmt_fields header, trailer;
	char version[8];

	lsmt_read_fields(layer->header, &header);
	lsmt_read_fields(layer->trailer, &trailer);
	add_number(o, "virtual_size", layer->lsmt.virtual_bytes);
	add_text(o, "uuid", trailer.labels.uuid);
	add_text(o, "parent_uuid", trailer.labels.parent_uuid);
	add_text(o, "tag", trailer.labels.tag);
	snprintf(version, sizeof(version), "%u.%u", trailer.version, trailer.sub_version);
	json_object_object_add(o, "version", json_object_new_string(version));
	add_hex(o, "header_flags", header.flags);
	add_hex(o, "trailer_flags", trailer.flags);
	add_number(o, "index_offset", layer->lsmt.index_offset);
	add_number(o, "index_entries", layer->lsmt.mapping_count);
	add_number(o, "segments", s->data + s->zeroed);
	add_number(o, "zeroed_segments", s->zeroed);
	add_number(o, "padding_entries", s->padding);
	add_number(o, "longest_segment_sectors", s->longest);
	add_number(o, "data_sectors", s->data_sectors);
	add_number(o, "zeroed_sectors", s->zeroed_sectors);
	add_number(o, "end_sector", s->end);

	if (header.virtual_size != trailer.virtual_size)
		add_warning(warnings, "%s: virtual size is %llu in the LSMT header, %llu in the trailer",
			    layer->path, header.virtual_size, trailer.virtual_size);
	if (memcmp(&header.labels, &trailer.labels, sizeof(header.labels)))
		add_warning(warnings, "%s: LSMT header and trailer have different labels",
			    layer->path);
	if (header.version != trailer.version || header.sub_version != trailer.sub_version)
		add_warning(warnings, "%s: LSMT header and trailer have different versions",
			    layer->path);
	if (header.reserved_used || trailer.reserved_used)
		add_warning(warnings, "%s: reserved bytes of the LSMT header or trailer are not zero",
			    layer->path);
	return o;
}

static struct json_object *describe_layer(const struct layer *layer,
					  const struct segment_statistics *s,
					  struct json_object *warnings)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "path", json_object_new_string(layer->path));
	add_number(o, "file_bytes", layer->file.bytes);
	if (layer->in_tar)
		add_number(o, "tar_offset", layer->offset);
	if (layer->is_part)
		add_number(o, "part_offset", layer->offset);
	add_number(o, "payload_bytes", layer->bytes);
	if (layer->is_zfile)
		json_object_object_add(o, "zfile", describe_zfile(layer, warnings));
	if (layer->is_lsmt)
		json_object_object_add(o, "lsmt", describe_lsmt(layer, s, warnings));
	return o;
}

/* Nothing depends on uuids, but a broken chain hints at a wrong order. */
static void check_chain(const struct image *image, struct json_object *warnings)
{
	unsigned int i;

	for (i = 1; i < image->count; i++)
		if (!image_is_chained(image, i))
			add_warning(warnings, IMAGE_NOT_CHAINED, image->layers[i].path);
}

static u64 jump_tables_bytes(const struct image *image)
{
	u64 bytes = 0;
	unsigned int i;

	for (i = 0; i < image->count; i++)
		if (image->layers[i].is_zfile)
			bytes += jump_table_bytes(image->layers[i].zfile.info.block_count);
	return bytes;
}

static void describe_memory(const struct image *image, const struct stack *stack,
			    struct json_object *o)
{
	struct json_object *memory = json_object_new_object();
	u64 tables = jump_tables_bytes(image);
	u64 index = stack ? segment_index_bytes(&stack->index) : 0;

	add_number(memory, "segment_index", index);
	add_number(memory, "jump_tables", tables);
	add_number(memory, "total", index + tables);
	json_object_object_add(o, "kernel_memory", memory);
}

static void describe_stack(const struct image *image, const struct stack *stack,
			   struct json_object *o)
{
	u64 bytes = image_bytes(image);

	add_number(o, "virtual_size", bytes);
	add_number(o, "device_sectors", stack ? sectors_down(bytes) : sectors_up(bytes));
	if (stack) {
		add_number(o, "segments", stack->merged.count);
		add_number(o, "extents", stack->index.count);
	}
	describe_memory(image, stack, o);
}

/**
 * describe_image() - gather all there is to say
 * @image: an open image
 * @object: set, to be put
 *
 * Return: 0 or a status: the segments are read and checked here.
 */
int describe_image(const struct image *image, struct json_object **object)
{
	bool payload = image_is_payload(image);
	struct json_object *layers, *warnings;
	struct stack stack = { .count = 0 };
	unsigned int i;
	int r = 0;

	*object = NULL;
	if (!payload)
		r = stack_init(&stack, image->layers, image->count,
			       sectors_down(image_bytes(image)));
	if (r)
		goto out;
	*object = json_object_new_object();
	layers = json_object_new_array();
	warnings = json_object_new_array();
	for (i = 0; i < image->count; i++)
		json_object_array_add(layers, describe_layer(&image->layers[i],
			payload ? NULL : &stack.statistics[i], warnings));
	json_object_object_add(*object, "layers", layers);
	if (!payload)
		check_chain(image, warnings);
	describe_stack(image, payload ? NULL : &stack, *object);
	json_object_object_add(*object, "warnings", warnings);
out:
	stack_destroy(&stack);
	return r;
}

static struct json_object *member(struct json_object *o, const char *key)
{
	return json_object_object_get(o, key);
}

static u64 number(struct json_object *o, const char *key)
{
	return json_object_get_uint64(member(o, key));
}

static const char *text(struct json_object *o, const char *key)
{
	return json_object_get_string(member(o, key));
}

static void print_size(const char *label, u64 bytes)
{
	char buffer[HUMAN_BYTES];

	printf("%-16s %llu bytes", label, bytes);
	if (bytes >= 1024)
		printf(" (%s)", human_bytes(bytes, buffer));
	putchar('\n');
}

static void print_zfile(struct json_object *z)
{
	printf("  ZFile:         %s, %llu-byte blocks, %s, %s\n", text(z, "algorithm"),
	       number(z, "block_size"),
	       json_object_get_boolean(member(z, "block_crc")) ? "CRC per block" : "no block CRC",
	       json_object_get_boolean(member(z, "digest")) ? "metadata digests" : "no metadata digests");
	print_size("  unpacked:", number(z, "original_bytes"));
	if (member(z, "ratio"))
		printf("  ratio:         %.1f%% in %llu blocks of %llu to %llu bytes\n",
		       100 * json_object_get_double(member(z, "ratio")), number(z, "blocks"),
		       number(z, "smallest_block"), number(z, "largest_block"));
	printf("  flags:         header %s, trailer %s; the %s is used\n", text(z, "header_flags"),
	       text(z, "trailer_flags"),
	       json_object_get_boolean(member(z, "header_final")) ? "header" : "trailer");
}

static void print_lsmt(struct json_object *l)
{
	print_size("  virtual size:", number(l, "virtual_size"));
	printf("  uuid:          %s\n", text(l, "uuid"));
	printf("  parent uuid:   %s\n", text(l, "parent_uuid"));
	if (*text(l, "tag"))
		printf("  tag:           %s\n", text(l, "tag"));
	printf("  LSMT:          version %s, header flags %s, trailer flags %s\n",
	       text(l, "version"), text(l, "header_flags"), text(l, "trailer_flags"));
	printf("  index:         %llu entries at %llu: %llu segments (%llu zeroed), %llu padding\n",
	       number(l, "index_entries"), number(l, "index_offset"), number(l, "segments"),
	       number(l, "zeroed_segments"), number(l, "padding_entries"));
	printf("  sectors:       %llu data, %llu zeroed, longest segment %llu\n",
	       number(l, "data_sectors"), number(l, "zeroed_sectors"),
	       number(l, "longest_segment_sectors"));
}

static void print_layer(size_t i, struct json_object *layer)
{
	printf("layer %zu: ", i);
	print_name(text(layer, "path"));
	putchar('\n');
	print_size("  file:", number(layer, "file_bytes"));
	if (member(layer, "tar_offset"))
		printf("  tar:           payload of %llu bytes at %llu\n",
		       number(layer, "payload_bytes"), number(layer, "tar_offset"));
	if (member(layer, "part_offset"))
		printf("  part:          %llu bytes at %llu\n", number(layer, "payload_bytes"),
		       number(layer, "part_offset"));
	if (member(layer, "zfile"))
		print_zfile(member(layer, "zfile"));
	if (member(layer, "lsmt"))
		print_lsmt(member(layer, "lsmt"));
}

/* The object of describe_image() as text on standard output. */
void describe_print(struct json_object *object)
{
	struct json_object *layers = member(object, "layers");
	struct json_object *warnings = member(object, "warnings");
	struct json_object *memory = member(object, "kernel_memory");
	size_t i;

	for (i = 0; i < json_object_array_length(layers); i++)
		print_layer(i, json_object_array_get_idx(layers, i));
	print_size("device:", number(object, "virtual_size"));
	if (member(object, "segments"))
		printf("merged:          %llu segments, %llu extents in the kernel\n",
		       number(object, "segments"), number(object, "extents"));
	printf("kernel memory:   %llu bytes (segment index %llu, jump tables %llu)\n",
	       number(memory, "total"), number(memory, "segment_index"),
	       number(memory, "jump_tables"));
	for (i = 0; i < json_object_array_length(warnings); i++)
		warn("%s", json_object_get_string(json_object_array_get_idx(warnings, i)));
}
