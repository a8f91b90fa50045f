// SPDX-License-Identifier: GPL-2.0
/* Writing a layer as a file, see layer-write.h. */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <uuid/uuid.h>

#include <linux/log2.h>

#include "codec.h"
#include "layer-write.h"
#include "message.h"
#include "pipeline.h"
#include "progress.h"
#include "tar.h"
#include "units.h"

#define NO_UUID		"00000000-0000-0000-0000-000000000000"
#define COPY_BYTES	(256U << 10)

void layer_options_init(struct layer_options *o)
{
	*o = (struct layer_options) {
		.labels = { .uuid = NO_UUID, .parent_uuid = NO_UUID },
		.zfile = {
			.algorithm = ZFILE_LZ4,
			.block_shift = 12,
			.threads = pipeline_default_threads(),
		},
	};
}

static int parse_block_size(struct layer_options *o, const char *text)
{
	u64 bytes;
	int r = parse_bytes(text, &bytes);

	if (r)
		return r;
	if (!is_power_of_2(bytes) || bytes < 1 << ZFILE_BLOCK_SHIFT_MIN ||
	    bytes > 1 << ZFILE_BLOCK_SHIFT_MAX)
		return fail(STATUS_USAGE,
			    "block size %s: not a power of two from 512 to 65536", text);
	o->zfile.block_shift = ilog2(bytes);
	return 0;
}

/* The format has uuids as upper case text. */
static int parse_uuid(char to[LSMT_UUID_TEXT], const char *text)
{
	uuid_t uuid;

	if (uuid_parse(text, uuid))
		return fail(STATUS_USAGE, "'%s' is not a UUID", text);
	uuid_unparse_upper(uuid, to);
	return 0;
}

static int parse_tag(struct layer_options *o, const char *text)
{
	if (strlen(text) > LSMT_TAG_BYTES)
		return fail(STATUS_USAGE, "the tag is longer than %d bytes", LSMT_TAG_BYTES);
	memset(o->labels.tag, 0, sizeof(o->labels.tag));
	memcpy(o->labels.tag, text, strlen(text));
	return 0;
}

static int parse_virtual_size(struct layer_options *o, const char *text)
{
	int r = parse_bytes(text, &o->virtual_bytes);

	if (!r && (!o->virtual_bytes || o->virtual_bytes % SECTOR_BYTES))
		r = fail(STATUS_USAGE, "virtual size %s: not a multiple of 512", text);
	return r;
}

/**
 * layer_option() - take one option
 * @o: where it goes
 * @letter: what getopt_long() returned
 * @argument: optarg
 * @help: the verb's help
 *
 * Return: 0, OPTION_HELPED or STATUS_USAGE.
 */
int layer_option(struct layer_options *o, int letter, const char *argument, const char *help)
{
	unsigned int level;
	int r = 0;

	switch (letter) {
	case 'o':
		o->output = argument;
		return 0;
	case 'f':
		o->force = true;
		return 0;
	case OPTION_ALGORITHM:
		return codec_parse(argument, &o->zfile.algorithm);
	case OPTION_LEVEL:
		r = parse_count(argument, 1, 100, &level);
		o->zfile.level = level;
		return r;
	case OPTION_BLOCK_SIZE:
		return parse_block_size(o, argument);
	case OPTION_NO_CRC:
		o->zfile.no_crc = true;
		return 0;
	case OPTION_PLAIN:
		o->plain = true;
		return 0;
	case OPTION_TAR:
		o->tar = true;
		return 0;
	case OPTION_THREADS:
		return parse_count(argument, 1, PIPELINE_MAX_THREADS, &o->zfile.threads);
	case OPTION_UUID:
		o->uuid_given = true;
		return parse_uuid(o->labels.uuid, argument);
	case OPTION_PARENT_UUID:
		o->parent_given = true;
		return parse_uuid(o->labels.parent_uuid, argument);
	case OPTION_TAG:
		o->tag_given = true;
		return parse_tag(o, argument);
	case OPTION_VIRTUAL_SIZE:
		return parse_virtual_size(o, argument);
	case OPTION_ZERO_DETECT:
		o->zero_detect = true;
		return 0;
	}
	return common_option(letter, help);
}

/* Do the options make sense together? Return: 0 or STATUS_USAGE. */
int layer_options_check(struct layer_options *o)
{
	if (!o->output)
		return fail(STATUS_USAGE, "no output given: -o OUT");
	if (o->plain && (o->zfile.no_crc || o->zfile.level))
		return fail(STATUS_USAGE, "--plain does not compress: no --level, no --no-crc");
	return codec_level_check(o->zfile.algorithm, o->zfile.level);
}

static int copy_plain(struct output *out, struct stream *stream)
{
	u8 *buffer = malloc(COPY_BYTES);
	size_t got = COPY_BYTES;
	int r = buffer ? 0 : fail_memory();

	progress_begin(stream->total);
	while (!r && got == COPY_BYTES) {
		r = stream->read(stream, buffer, COPY_BYTES, &got);
		if (!r)
			r = output_write(out, buffer, got);
		progress_set(stream->done);
	}
	progress_end();
	free(buffer);
	return r;
}

static int wrap_in_tar(struct output *out)
{
	u64 payload = out->position - TAR_PREFIX_BYTES;
	u8 prefix[TAR_PREFIX_BYTES];
	int r;

	tar_encode_prefix(prefix, payload);
	r = output_skip(out, tar_suffix_bytes(payload));
	if (!r)
		r = output_write_at(out, prefix, sizeof(prefix), 0);
	return r;
}

static void report(const struct output *out, const struct stream *stream)
{
	char from[HUMAN_BYTES], to[HUMAN_BYTES];

	detail("%s: %s for a device of %s", out->path, human_bytes(out->position, to),
	       human_bytes(stream->total, from));
}

/**
 * layer_write_stream() - write bytes the way the options say
 * @o: checked options
 * @stream: what to write
 *
 * Return: 0 or a status; then there is no file.
 */
int layer_write_stream(const struct layer_options *o, struct stream *stream)
{
	struct output out;
	int r = output_open(&out, o->output, o->force);

	if (!r && o->tar)
		r = output_skip(&out, TAR_PREFIX_BYTES);
	if (!r)
		r = o->plain ? copy_plain(&out, stream) :
			       zfile_write(&out, stream, &o->zfile);
	if (!r && o->tar)
		r = wrap_in_tar(&out);
	if (!r)
		r = output_commit(&out);
	if (!r)
		report(&out, stream);
	output_close(&out);
	return r;
}

/**
 * layer_write() - write an LSMT layer
 * @o: checked options
 * @source: what goes into it
 *
 * Return: 0 or a status; then there is no file.
 */
int layer_write(const struct layer_options *o, struct lsmt_source *source)
{
	struct lsmt_writer *writer;
	int r = lsmt_writer_new(&writer, source, &o->labels);

	if (!r)
		r = layer_write_stream(o, lsmt_writer_stream(writer));
	lsmt_writer_free(writer);
	return r;
}
