// SPDX-License-Identifier: GPL-2.0
/* overlaybd convert: any form of an image becomes any other. */

#include <string.h>

#include "extract.h"
#include "image-source.h"
#include "merge.h"
#include "message.h"
#include "raw-source.h"
#include "units.h"

static const char help[] =
	"Usage: overlaybd convert [OPTION...] IMAGE... -o OUT\n\n"
	"Make another form of an image, or compress it in another way.\n\n"
	"      --to FORM          layer (default): an LSMT layer, in a ZFile unless --plain\n"
	"                         zfile: a ZFile of the flattened device, without LSMT\n"
	"                         raw: a sparse file or with -f a device, as extract does\n"
	"      --from raw         IMAGE is a raw file, a device, or - for standard input\n"
	LAYER_HELP
	"      --virtual-size N   size of the device, if larger than a raw IMAGE\n"
	"      --zero-detect      store no blocks of a raw IMAGE that are all zeros\n"
	COMMON_HELP
	"\nOne layer keeps its segments and labels as they are, unless new labels are\n"
	"given; several layers are merged into one.\n";

enum {
	OPTION_TO = OPTION_VERB,
	OPTION_FROM,
};

enum form {
	FORM_LAYER,
	FORM_ZFILE,
	FORM_RAW,
};

struct convert_options {
	struct layer_options layer;
	enum form to;
	bool from_raw;
};

static int parse_form(const char *name, enum form *form)
{
	static const char *const names[] = {
		[FORM_LAYER] = "layer", [FORM_ZFILE] = "zfile", [FORM_RAW] = "raw",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(name, names[i])) {
			*form = i;
			return 0;
		}
	}
	return fail(STATUS_USAGE, "unknown form '%s': there are layer, zfile and raw", name);
}

static int take(struct convert_options *o, int letter)
{
	if (letter == OPTION_TO)
		return parse_form(optarg, &o->to);
	if (letter != OPTION_FROM)
		return layer_option(&o->layer, letter, optarg, help);
	if (strcmp(optarg, "raw"))
		return fail(STATUS_USAGE, "--from takes only raw");
	o->from_raw = true;
	return 0;
}

static int check_options(struct convert_options *o)
{
	int r = layer_options_check(&o->layer);

	if (!r && o->to != FORM_LAYER &&
	    (o->layer.uuid_given || o->layer.parent_given || o->layer.tag_given))
		r = fail(STATUS_USAGE, "labels need --to layer");
	if (!r && o->to != FORM_LAYER && o->layer.plain)
		r = fail(STATUS_USAGE, "--plain needs --to layer");
	if (!r && o->to != FORM_LAYER && o->layer.zero_detect)
		r = fail(STATUS_USAGE, "--zero-detect needs --to layer");
	if (!r && o->to == FORM_RAW &&
	    (o->layer.tar || o->layer.zfile.no_crc || o->layer.zfile.level))
		r = fail(STATUS_USAGE, "--tar, --no-crc and --level do not go with --to raw");
	return r;
}

static int parse(int argc, char **argv, struct convert_options *o)
{
	static const struct option options[] = {
		LAYER_OPTIONS,
		{ "to", required_argument, NULL, OPTION_TO },
		{ "from", required_argument, NULL, OPTION_FROM },
		{ "virtual-size", required_argument, NULL, OPTION_VIRTUAL_SIZE },
		{ "zero-detect", no_argument, NULL, OPTION_ZERO_DETECT },
		{ 0 }
	};
	int letter, r = 0;

	memset(o, 0, sizeof(*o));
	layer_options_init(&o->layer);
	while (!r && (letter = getopt_long(argc, argv, LAYER_LETTERS, options, NULL)) != -1)
		r = take(o, letter);
	if (!r)
		r = need_operands(argc, 1, o->from_raw ? 1 : LSMT_MAX_LAYERS,
				  o->from_raw ? "one raw IMAGE" : "IMAGE...");
	if (!r)
		r = check_options(o);
	return r;
}

/* A raw image as a stream, zeros where its device is longer. */
struct raw_stream {
	struct stream stream;
	const struct raw *raw;
};

static int raw_stream_read(struct stream *stream, void *buffer, size_t bytes, size_t *got)
{
	struct raw_stream *s = (struct raw_stream *)stream;
	int r;

	*got = bytes < stream->total - stream->done ? bytes : stream->total - stream->done;
	r = raw_read(s->raw, buffer, *got, stream->done);
	stream->done += *got;
	return r;
}

static int raw_to_zfile(const struct convert_options *o, const struct raw *raw)
{
	struct raw_stream s = {
		.stream = {
			.read = raw_stream_read,
			.total = o->layer.virtual_bytes ? o->layer.virtual_bytes : raw->file.bytes,
		},
		.raw = raw,
	};

	if (s.stream.total < raw->file.bytes)
		return fail(STATUS_USAGE, "%s has %llu bytes, more than the virtual size",
			    raw->file.path, raw->file.bytes);
	if (zfile_check_bytes(&o->layer.zfile, s.stream.total))
		return STATUS_USAGE;
	return layer_write_stream(&o->layer, &s.stream);
}

static int raw_to_layer(const struct convert_options *o, struct raw *raw)
{
	struct raw_source *source = NULL;
	u64 bytes;
	int r = raw_device_bytes(raw, o->layer.virtual_bytes, &bytes);

	if (!r)
		r = raw_source_new(&source, raw, NULL, bytes, o->layer.zero_detect);
	if (!r)
		r = layer_write(&o->layer, raw_source_lsmt(source));
	raw_source_free(source);
	return r;
}

static int convert_raw(const struct convert_options *o, const char *path)
{
	struct raw raw;
	int r;

	if (o->to == FORM_RAW)
		return fail(STATUS_USAGE, "%s is raw already", path);
	r = raw_open(&raw, path, o->layer.force, o->layer.output);
	if (!r)
		r = o->to == FORM_ZFILE ? raw_to_zfile(o, &raw) : raw_to_layer(o, &raw);
	raw_close(&raw);
	return r;
}

static int view_to_raw(const struct convert_options *o, const struct view *view)
{
	struct output out;
	int r = output_open_raw(&out, o->layer.output, o->layer.force, view->bytes);

	if (!r)
		r = extract(view, &out, o->layer.zfile.threads);
	if (!r)
		r = output_commit(&out);
	output_close(&out);
	return r;
}

static int view_to_zfile(const struct convert_options *o, const struct view *view,
			 struct zfile_reader *reader)
{
	struct view_stream stream;
	int r = zfile_check_bytes(&o->layer.zfile, view->bytes);

	if (r)
		return r;
	view_stream_init(&stream, view, reader);
	return layer_write_stream(&o->layer, &stream.stream);
}

static int payload_to_layer(const struct convert_options *o, const struct view *view,
			    struct zfile_reader *reader)
{
	struct payload_source source;

	if (!view->bytes)
		return fail(STATUS_REFUSED, "%s: an empty ZFile cannot become a layer",
			    view->payload->path);
	payload_source_init(&source, view, reader);
	return layer_write(&o->layer, &source.lsmt);
}

/* The segments stay as they are: only what is around them changes. */
static int rewrap(const struct convert_options *o, const struct layer *layer,
		  struct zfile_reader *reader)
{
	struct layer_stream stream;
	struct stack stack;
	int r = stack_init(&stack, layer, 1, 0);

	/* That was only to refuse bad segments; nothing of it is needed. */
	stack_destroy(&stack);
	if (r)
		return r;
	layer_stream_init(&stream, layer, reader);
	return layer_write_stream(&o->layer, &stream.stream);
}

static int convert_view(const struct convert_options *o, const struct image *image,
			struct zfile_reader *reader)
{
	struct view view;
	int r = view_init(&view, image);

	if (!r && o->to == FORM_RAW)
		r = view_to_raw(o, &view);
	else if (!r && o->to == FORM_ZFILE)
		r = view_to_zfile(o, &view, reader);
	else if (!r)
		r = payload_to_layer(o, &view, reader);
	view_destroy(&view);
	return r;
}

static int convert_image(struct convert_options *o, const struct image *image)
{
	struct layer_options *l = &o->layer;
	struct zfile_reader *reader;
	int r;

	if (l->zero_detect || l->virtual_bytes)
		return fail(STATUS_USAGE, "--zero-detect and --virtual-size need a raw IMAGE");
	reader = zfile_reader_new();
	if (!reader)
		return fail_memory();
	if (o->to != FORM_LAYER || image_is_payload(image))
		r = convert_view(o, image, reader);
	else if (image->count == 1 && !l->uuid_given && !l->parent_given && !l->tag_given)
		r = rewrap(o, &image->layers[0], reader);
	else
		r = merge_layers(l, image->layers, image->count);
	zfile_reader_free(reader);
	return r;
}

int verb_convert(int argc, char **argv)
{
	struct convert_options o;
	struct image image;
	int r = parse(argc, argv, &o);

	if (r)
		return option_result(r);
	if (o.from_raw)
		return convert_raw(&o, argv[optind]);
	r = image_open(&image, argc - optind, argv + optind);
	if (!r)
		r = convert_image(&o, &image);
	image_close(&image);
	return r;
}
