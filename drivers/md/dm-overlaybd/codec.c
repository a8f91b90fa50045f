// SPDX-License-Identifier: GPL-2.0
/*
 * The decompressors, see codec.h.
 *
 * LZ4 needs no working memory. ZSTD needs some 100 KiB, which is kept per CPU
 * for the whole module from the first ZSTD layer that is opened until the last
 * one is closed: how many layers there are does not matter, only how many blocks
 * can be decompressed at the same time.
 */

#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/lz4.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/zstd.h>
/* Does not include what it needs itself. */
#include <linux/local_lock.h>

#include "codec.h"

static int lz4_decompress(const void *src, u32 src_bytes, void *dst, u32 dst_bytes)
{
	int r = LZ4_decompress_safe(src, dst, src_bytes, dst_bytes);

	return r == (int)dst_bytes ? 0 : -EUCLEAN;
}

/**
 * struct zstd_workspace - the ZSTD context of one CPU
 * @lock: held while a task of this CPU decompresses
 * @memory: what @dctx lives in, allocated while anybody uses ZSTD
 * @dctx: the context
 */
struct zstd_workspace {
	local_lock_t lock;
	void *memory;
	zstd_dctx *dctx;
};

static DEFINE_PER_CPU(struct zstd_workspace, zstd_workspaces) = {
	.lock = INIT_LOCAL_LOCK(lock),
};

/* Protects zstd_users and the allocation of the workspaces. */
static DEFINE_MUTEX(zstd_mutex);
static unsigned int zstd_users;

static void zstd_workspaces_free(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct zstd_workspace *ws = per_cpu_ptr(&zstd_workspaces, cpu);

		kvfree(ws->memory);
		ws->memory = NULL;
		ws->dctx = NULL;
	}
}

static int zstd_workspaces_alloc(void)
{
	size_t bytes = zstd_dctx_workspace_bound();
	int cpu;

	for_each_possible_cpu(cpu) {
		struct zstd_workspace *ws = per_cpu_ptr(&zstd_workspaces, cpu);

		ws->memory = kvmalloc_node(bytes, GFP_KERNEL, cpu_to_node(cpu));
		if (!ws->memory)
			return -ENOMEM;
		ws->dctx = zstd_init_dctx(ws->memory, bytes);
		if (!ws->dctx)
			return -ENOMEM;
	}
	return 0;
}

static int zstd_get(void)
{
	int r = 0;

	mutex_lock(&zstd_mutex);
	if (!zstd_users)
		r = zstd_workspaces_alloc();
	if (r)
		zstd_workspaces_free();
	else
		zstd_users++;
	mutex_unlock(&zstd_mutex);
	return r;
}

static void zstd_put(void)
{
	mutex_lock(&zstd_mutex);
	if (!--zstd_users)
		zstd_workspaces_free();
	mutex_unlock(&zstd_mutex);
}

static int zstd_decompress(const void *src, u32 src_bytes, void *dst, u32 dst_bytes)
{
	struct zstd_workspace *ws;
	size_t r;

	local_lock(&zstd_workspaces.lock);
	ws = this_cpu_ptr(&zstd_workspaces);
	r = zstd_decompress_dctx(ws->dctx, dst, dst_bytes, src, src_bytes);
	local_unlock(&zstd_workspaces.lock);
	return r == dst_bytes ? 0 : -EUCLEAN;
}

static const struct codec codecs[] = {
	[ZFILE_LZ4] = {
		.name = "lz4",
		.decompress = lz4_decompress,
	},
	[ZFILE_ZSTD] = {
		.name = "zstd",
		.get = zstd_get,
		.put = zstd_put,
		.decompress = zstd_decompress,
	},
};

/**
 * obd_codec_get() - get a decompressor ready for use
 * @algorithm: which
 * @codec: set to it
 * @error: set to the reason on failure
 *
 * May sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int obd_codec_get(enum zfile_algorithm algorithm, const struct codec **codec,
		  const char **error)
{
	const struct codec *c = &codecs[algorithm];
	int r = c->get ? c->get() : 0;

	if (r) {
		*error = "Cannot allocate decompression workspaces";
		return r;
	}
	*codec = c;
	return 0;
}

/**
 * obd_codec_put() - undo one obd_codec_get()
 * @codec: the decompressor, or NULL
 *
 * May sleep.
 */
void obd_codec_put(const struct codec *codec)
{
	if (codec && codec->put)
		codec->put();
}
