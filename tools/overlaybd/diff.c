// SPDX-License-Identifier: GPL-2.0
/*
 * Comparing two views in units of a sector. What both take from the same place
 * of the same file, or leave zero, is not read.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <linux/minmax.h>

#include "diff.h"
#include "message.h"
#include "progress.h"
#include "units.h"

#define CHUNK_SECTORS	(VIEW_CHUNK_BYTES / SECTOR_BYTES)

/**
 * struct piece - a range to compare
 * @offset: first byte
 * @bytes: how many
 * @same: known to be the same, and may be longer than a chunk
 * @differs: one per sector
 */
struct piece {
	u64 offset;
	u64 bytes;
	bool same;
	bool differs[CHUNK_SECTORS];
};

/**
 * struct comparison - two views being compared
 * @a: one view
 * @b: the other
 * @end: where the shorter ends
 * @at: next byte to compare
 * @start: of the difference being gathered
 * @length: of it
 */
struct comparison {
	const struct view *a;
	const struct view *b;
	u64 end;
	u64 at;
	u64 start;
	u64 length;
	struct diff_sink *sink;
	struct readers readers;
	u8 *buffers[PIPELINE_MAX_THREADS];
};

static bool same_file(const struct layer *a, const struct layer *b)
{
	struct stat sa, sb;

	return !fstat(a->file.fd, &sa) && !fstat(b->file.fd, &sb) &&
	       sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino &&
	       a->offset == b->offset && a->bytes == b->bytes;
}

/* How many bytes from here on need not be read? */
static u64 same_bytes(const struct comparison *c, u64 offset)
{
	struct segment_extent a, b;
	u64 sectors;

	if (c->a->payload || c->b->payload)
		return 0;
	segment_index_lookup(&c->a->stack.index, offset >> SECTOR_SHIFT, &a);
	segment_index_lookup(&c->b->stack.index, offset >> SECTOR_SHIFT, &b);
	sectors = min(a.sectors, b.sectors);
	if (a.zeroed != b.zeroed)
		return 0;
	if (!a.zeroed && (a.moffset != b.moffset ||
			  !same_file(&c->a->stack.layers[a.layer],
				     &c->b->stack.layers[b.layer])))
		return 0;
	return min(sectors << SECTOR_SHIFT, c->end - offset);
}

static int produce(void *context, void *item)
{
	struct comparison *c = context;
	struct piece *p = item;
	u64 left = c->end - c->at, same;

	if (!left)
		return PIPELINE_END;
	progress_set(c->at);
	same = same_bytes(c, c->at);
	p->offset = c->at;
	p->same = same >= min(left, (u64)VIEW_CHUNK_BYTES);
	p->bytes = p->same ? same : min(left, (u64)VIEW_CHUNK_BYTES);
	c->at += p->bytes;
	return 0;
}

static int work(void *context, unsigned int worker, void *item)
{
	struct comparison *c = context;
	struct zfile_reader *reader = c->readers.of[worker];
	u8 *a = c->buffers[worker], *b = a + VIEW_CHUNK_BYTES;
	struct piece *p = item;
	size_t at;
	int r;

	if (p->same)
		return 0;
	r = view_read(c->a, reader, a, p->bytes, p->offset);
	if (!r)
		r = view_read(c->b, reader, b, p->bytes, p->offset);
	for (at = 0; !r && at < p->bytes; at += SECTOR_BYTES)
		p->differs[at / SECTOR_BYTES] =
			memcmp(a + at, b + at, min(p->bytes - at, (u64)SECTOR_BYTES));
	return r;
}

static void flush(struct comparison *c)
{
	if (c->length)
		c->sink->found(c->sink, c->start, c->length);
	c->length = 0;
}

static void gather(struct comparison *c, u64 start, u64 bytes)
{
	if (c->start + c->length != start)
		flush(c);
	if (!c->length)
		c->start = start;
	c->length += bytes;
}

static int consume(void *context, void *item)
{
	struct comparison *c = context;
	struct piece *p = item;
	u64 at;

	for (at = 0; !p->same && at < p->bytes; at += SECTOR_BYTES)
		if (p->differs[at / SECTOR_BYTES])
			gather(c, p->offset + at, min(p->bytes - at, (u64)SECTOR_BYTES));
	return 0;
}

static int run(struct comparison *c, unsigned int threads)
{
	struct piece *pieces = calloc(pipeline_items(threads), sizeof(*pieces));
	const struct pipeline pipeline = {
		.context = c,
		.produce = produce,
		.work = work,
		.consume = consume,
		.items = pieces,
		.item_bytes = sizeof(*pieces),
		.item_count = pipeline_items(threads),
		.threads = threads,
	};
	int r;

	if (!pieces)
		return fail_memory();
	progress_begin(c->end);
	r = pipeline_run(&pipeline);
	progress_end();
	free(pieces);
	return r;
}

static int allocate(struct comparison *c, unsigned int threads)
{
	unsigned int i;
	int r = readers_init(&c->readers, threads);

	for (i = 0; !r && i < threads; i++) {
		c->buffers[i] = malloc(2 * VIEW_CHUNK_BYTES);
		if (!c->buffers[i])
			r = fail_memory();
	}
	return r;
}

/**
 * diff_views() - find where two views differ
 * @a: one view
 * @b: the other; what one has more than the other differs
 * @threads: how many
 * @sink: gets the differences
 *
 * Return: 0 or a status; differing is not a failure.
 */
int diff_views(const struct view *a, const struct view *b, unsigned int threads,
	       struct diff_sink *sink)
{
	struct comparison c = {
		.a = a, .b = b, .end = min(a->bytes, b->bytes), .sink = sink,
	};
	unsigned int i;
	int r = allocate(&c, threads);

	if (!r)
		r = run(&c, threads);
	if (!r && a->bytes != b->bytes)
		gather(&c, c.end, max(a->bytes, b->bytes) - c.end);
	if (!r)
		flush(&c);
	for (i = 0; i < threads; i++)
		free(c.buffers[i]);
	readers_destroy(&c.readers);
	return r;
}
