/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An image as the bytes one gets of it: a stack of layers flattened, or the
 * payload of a ZFile that is no layer.
 */

#ifndef OBD_VIEW_H
#define OBD_VIEW_H

#include "pipeline.h"
#include "stack.h"
#include "stream.h"

/* What verbs that go through all bytes take at a time. */
#define VIEW_CHUNK_BYTES	(256U << 10)

/**
 * struct view - an image flattened; immutable, for all threads
 * @payload: the ZFile, NULL for a stack
 * @stack: without @payload
 * @bytes: how long
 */
struct view {
	const struct layer *payload;
	struct stack stack;
	u64 bytes;
};

/* One reader for every thread of a pipeline. */
struct readers {
	struct zfile_reader *of[PIPELINE_MAX_THREADS];
};

int view_init(struct view *view, const struct image *image);
int view_init_layer(struct view *view, const struct image *image, unsigned int number);
void view_destroy(struct view *view);
u64 view_zeros(const struct view *view, u64 offset);
int view_read(const struct view *view, struct zfile_reader *reader, void *buffer,
	      size_t bytes, u64 offset);

int readers_init(struct readers *readers, unsigned int count);
void readers_destroy(struct readers *readers);

#endif /* OBD_VIEW_H */
