// SPDX-License-Identifier: GPL-2.0
/*
 * Writing a view as a raw image: chunks are decompressed by any number of
 * threads and written in order; what is all zeros becomes a hole.
 */

#include <stdlib.h>

#include <linux/minmax.h>

#include "extract.h"
#include "file.h"
#include "message.h"
#include "progress.h"

#define UNIT_BYTES	4096

/**
 * struct piece - a part of the view on its way
 * @offset: first byte
 * @bytes: how many
 * @hole: known to be zeros, and may be longer than @data
 * @zeros: one bit per unit of @data that is all zeros
 * @data: VIEW_CHUNK_BYTES
 */
struct piece {
	u64 offset;
	u64 bytes;
	bool hole;
	u64 zeros;
	u8 *data;
};
_Static_assert(VIEW_CHUNK_BYTES / UNIT_BYTES <= 64, "a bit per unit");

struct extraction {
	const struct view *view;
	struct output *out;
	struct readers readers;
	u64 at;
};

static int produce(void *context, void *item)
{
	struct extraction *e = context;
	struct piece *p = item;
	u64 left = e->view->bytes - e->at, zeros;

	if (!left)
		return PIPELINE_END;
	progress_set(e->at);
	zeros = view_zeros(e->view, e->at);
	p->offset = e->at;
	p->hole = zeros >= min(left, (u64)VIEW_CHUNK_BYTES);
	p->bytes = p->hole ? zeros : min(left, (u64)VIEW_CHUNK_BYTES);
	e->at += p->bytes;
	return 0;
}

static int work(void *context, unsigned int worker, void *item)
{
	struct extraction *e = context;
	struct piece *p = item;
	size_t at;
	int r;

	if (p->hole)
		return 0;
	r = view_read(e->view, e->readers.of[worker], p->data, p->bytes, p->offset);
	if (r)
		return r;
	p->zeros = 0;
	for (at = 0; at < p->bytes; at += UNIT_BYTES)
		if (is_zero(p->data + at, min(p->bytes - at, (u64)UNIT_BYTES)))
			p->zeros |= 1ULL << at / UNIT_BYTES;
	return 0;
}

static bool unit_is_zero(const struct piece *p, size_t at)
{
	return p->zeros >> at / UNIT_BYTES & 1;
}

static int consume(void *context, void *item)
{
	struct extraction *e = context;
	struct piece *p = item;
	size_t at = 0, end;
	int r = 0;

	if (p->hole)
		return output_skip(e->out, p->bytes);
	for (; !r && at < p->bytes; at = end) {
		end = at;
		do
			end = min(end + (u64)UNIT_BYTES, p->bytes);
		while (end < p->bytes && unit_is_zero(p, end) == unit_is_zero(p, at));
		r = unit_is_zero(p, at) ? output_skip(e->out, end - at) :
					  output_write(e->out, p->data + at, end - at);
	}
	return r;
}

static int run(struct extraction *e, struct piece *pieces, unsigned int count,
	       unsigned int threads)
{
	const struct pipeline pipeline = {
		.context = e,
		.produce = produce,
		.work = work,
		.consume = consume,
		.items = pieces,
		.item_bytes = sizeof(*pieces),
		.item_count = count,
		.threads = threads,
	};
	unsigned int i;
	int r;

	for (i = 0; i < count; i++) {
		pieces[i].data = malloc(VIEW_CHUNK_BYTES);
		if (!pieces[i].data)
			return fail_memory();
	}
	progress_begin(e->view->bytes);
	r = pipeline_run(&pipeline);
	progress_end();
	return r;
}

/**
 * extract() - write all of a view
 * @view: the view
 * @out: where to
 * @threads: how many
 *
 * Return: 0 or a status.
 */
int extract(const struct view *view, struct output *out, unsigned int threads)
{
	struct extraction e = { .view = view, .out = out };
	unsigned int count = pipeline_items(threads), i;
	struct piece *pieces = calloc(count, sizeof(*pieces));
	int r = pieces ? readers_init(&e.readers, threads) : fail_memory();

	if (!r)
		r = run(&e, pieces, count, threads);
	for (i = 0; pieces && i < count; i++)
		free(pieces[i].data);
	free(pieces);
	readers_destroy(&e.readers);
	return r;
}
