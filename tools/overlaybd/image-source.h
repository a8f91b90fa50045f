/* SPDX-License-Identifier: GPL-2.0 */
/* What existing images put into a new layer, or into a raw stream. */

#ifndef OBD_IMAGE_SOURCE_H
#define OBD_IMAGE_SOURCE_H

#include "lsmt-write.h"
#include "view.h"

/**
 * struct segment_source - the merged segments of a stack, as a layer's content
 * @lsmt: what lsmt-write.c sees
 * @stack: the layers
 * @reader: to read them
 * @next: segment to be handed out next
 */
struct segment_source {
	struct lsmt_source lsmt;
	const struct stack *stack;
	struct zfile_reader *reader;
	size_t next;
};

/**
 * struct payload_source - the payload of a ZFile, as a layer's content
 * @lsmt: what lsmt-write.c sees
 * @view: the payload
 * @reader: to read it
 */
struct payload_source {
	struct lsmt_source lsmt;
	const struct view *view;
	struct zfile_reader *reader;
};

/**
 * struct view_stream - all bytes of a view
 * @stream: what a writer sees
 * @view: the view
 * @reader: to read it
 */
struct view_stream {
	struct stream stream;
	const struct view *view;
	struct zfile_reader *reader;
};

/**
 * struct layer_stream - the bytes of a layer's LSMT file, or of its payload
 * @stream: what a writer sees
 * @layer: the layer
 * @reader: to read it
 */
struct layer_stream {
	struct stream stream;
	const struct layer *layer;
	struct zfile_reader *reader;
};

void segment_source_init(struct segment_source *source, const struct stack *stack,
			 struct zfile_reader *reader, u64 virtual_bytes);
void payload_source_init(struct payload_source *source, const struct view *view,
			 struct zfile_reader *reader);
void view_stream_init(struct view_stream *stream, const struct view *view,
		      struct zfile_reader *reader);
void layer_stream_init(struct layer_stream *stream, const struct layer *layer,
		       struct zfile_reader *reader);

#endif /* OBD_IMAGE_SOURCE_H */
