// SPDX-License-Identifier: GPL-2.0
/*
 * A stack of LSMT layers as one vfile.
 */

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "format.h"
#include "lsmt.h"

/* How much of an index is read at once while loading. */
#define LOAD_BYTES	(64 << 10)
#define LOAD_MAPPINGS	(LOAD_BYTES / LSMT_MAPPING_BYTES)

/**
 * vfile_to_lsmt() - get from a vfile to the stack of layers it is
 * @vf: a vfile made by lsmt_open()
 *
 * Return: the stack.
 */
struct lsmt *vfile_to_lsmt(struct vfile *vf)
{
	return container_of(vf, struct lsmt, vf);
}

static int lsmt_map(struct vfile *vf, struct bio *bio, sector_t sector, void *io)
{
	struct lsmt *l = vfile_to_lsmt(vf);
	struct segment_extent extent;

	segment_index_lookup(&l->index, sector, &extent);
	if (bio_sectors(bio) > extent.sectors)
		dm_accept_partial_bio(bio, extent.sectors);
	if (!extent.zeroed)
		return vfile_map(l->layers[extent.layer], bio, extent.moffset, io);
	zero_fill_bio(bio);
	bio_endio(bio);
	return DM_MAPIO_SUBMITTED;
}

/* Takes a half open stack too. */
static void lsmt_release(struct vfile *vf)
{
	struct lsmt *l = vfile_to_lsmt(vf);
	unsigned int i;

	for (i = 0; i < l->layer_count; i++)
		vfile_put(l->layers[i]);
	segment_index_destroy(&l->index);
	kfree(l);
}

static const struct vfile_ops lsmt_ops = {
	.map = lsmt_map,
	.release = lsmt_release,
};

static int load_header(struct vfile *layer, struct lsmt_info *info,
		       const char **error)
{
	const size_t bytes = LSMT_HEADER_BYTES;
	u8 *header;
	int r;

	if (layer->size < 2 * bytes) {
		*error = "Too short for an LSMT layer";
		return -EINVAL;
	}
	header = kmalloc(2 * bytes, GFP_KERNEL);
	if (!header) {
		*error = "Cannot allocate LSMT header";
		return -ENOMEM;
	}
	*error = "Cannot read LSMT header";
	r = vfile_read(layer, header, bytes, 0);
	if (!r) {
		*error = "Cannot read LSMT trailer";
		r = vfile_read(layer, header + bytes, bytes, layer->size - bytes);
	}
	if (!r)
		r = lsmt_decode(header, header + bytes, layer->size, info, error);
	kfree(header);
	return r;
}

/* Check @count mappings that were read into @buf and append them. */
static int add_mappings(const u8 *buf, unsigned int count,
			const struct lsmt_info *info, u8 layer_nr,
			struct segment_list *list, const char **error)
{
	u64 end = 0;
	unsigned int i;

	if (list->count)
		end = segment_end(&list->segments[list->count - 1]);
	for (i = 0; i < count; i++) {
		struct lsmt_mapping m;
		int r;

		if (!lsmt_decode_mapping(buf, i, &m))
			continue;
		r = lsmt_check_mapping(info, end, &m, error);
		if (r)
			return r;
		segment_list_add(list, m.offset, m.length, m.moffset, m.zeroed,
				 layer_nr);
		end = m.offset + m.length;
	}
	return 0;
}

static int load_mappings(struct vfile *layer, u8 *buf,
			 const struct lsmt_info *info, u8 layer_nr,
			 struct segment_list *list, const char **error)
{
	u32 done = 0;
	int r;

	while (done < info->mapping_count) {
		u64 pos = info->index_offset + (u64)done * LSMT_MAPPING_BYTES;
		unsigned int count = min_t(u32, LOAD_MAPPINGS,
					   info->mapping_count - done);

		r = vfile_read(layer, buf, count * LSMT_MAPPING_BYTES, pos);
		if (r) {
			*error = "Cannot read LSMT index";
			return r;
		}
		r = add_mappings(buf, count, info, layer_nr, list, error);
		if (r)
			return r;
		done += count;
		cond_resched();
		if (fatal_signal_pending(current)) {
			*error = "Interrupted while reading LSMT index";
			return -EINTR;
		}
	}
	return 0;
}

static int load_index(struct vfile *layer, const struct lsmt_info *info,
		      u8 layer_nr, struct segment_list *list, const char **error)
{
	u8 *buf;
	int r;

	*error = "Cannot allocate LSMT segments";
	r = segment_list_init(list, info->mapping_count);
	if (r)
		return r;
	buf = kvmalloc(LOAD_BYTES, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	r = load_mappings(layer, buf, info, layer_nr, list, error);
	kvfree(buf);
	return r;
}

/**
 * struct lsmt_load - what is known while a stack is loaded
 * @infos: what headers and trailers say, @count of them
 * @lists: the segments of each layer, @count of them
 * @count: how many layers there are
 * @virtual_bytes: what the topmost layer that says so says
 */
struct lsmt_load {
	struct lsmt_info *infos;
	struct segment_list *lists;
	unsigned int count;
	u64 virtual_bytes;
};

/* A few bytes can ask for a GiB. See SEGMENTS_MAX. */
static bool memory_is_there(u64 mappings)
{
	u64 bytes = 4 * mappings * sizeof(struct segment);

	return bytes >> PAGE_SHIFT <= si_mem_available();
}

/* Before memory is allocated for any segment. */
static int load_headers(struct lsmt *l, struct lsmt_load *load, int *bad_layer,
			const char **error)
{
	u64 mappings = 0;
	unsigned int i;
	int r;

	for (i = 0; i < load->count; i++) {
		struct lsmt_info *info = &load->infos[i];

		*bad_layer = i;
		r = load_header(l->layers[i], info, error);
		if (r)
			return r;
		mappings += info->mapping_count;
		if (mappings > SEGMENTS_MAX) {
			*error = "Too many segments in all layers together";
			return -EFBIG;
		}
		if (info->virtual_bytes)
			load->virtual_bytes = info->virtual_bytes;
	}
	*bad_layer = -1;
	if (load->virtual_bytes < OBD_SECTOR_BYTES) {
		*error = "No layer has a virtual size";
		return -EINVAL;
	}
	if (!memory_is_there(mappings)) {
		*error = "Not enough memory for the segments of all layers";
		return -ENOMEM;
	}
	return 0;
}

static int load_indexes(struct lsmt *l, struct lsmt_load *load, int *bad_layer,
			const char **error)
{
	unsigned int i;
	int r;

	for (i = 0; i < load->count; i++) {
		r = load_index(l->layers[i], &load->infos[i], i, &load->lists[i], error);
		if (r) {
			*bad_layer = i;
			return r;
		}
	}
	return 0;
}

static int load_layers(struct lsmt *l, struct lsmt_load *load, int *bad_layer,
		       const char **error)
{
	int r;

	r = load_headers(l, load, bad_layer, error);
	if (!r)
		r = load_indexes(l, load, bad_layer, error);
	if (!r)
		r = segment_lists_merge(load->lists, load->count, error);
	if (r)
		return r;
	return segment_index_init(&l->index, &load->lists[0],
				  load->virtual_bytes >> OBD_SECTOR_SHIFT, error);
}

static int lsmt_load(struct lsmt *l, int *bad_layer, const char **error)
{
	struct lsmt_load load = { .count = l->layer_count };
	unsigned int i;
	int r = -ENOMEM;

	load.infos = kcalloc(load.count, sizeof(*load.infos), GFP_KERNEL);
	load.lists = kcalloc(load.count, sizeof(*load.lists), GFP_KERNEL);
	if (load.infos && load.lists)
		r = load_layers(l, &load, bad_layer, error);
	else
		*error = "Cannot allocate LSMT segments";
	for (i = 0; load.lists && i < load.count; i++)
		segment_list_destroy(&load.lists[i]);
	kfree(load.lists);
	kfree(load.infos);
	if (!r)
		l->vf.size = load.virtual_bytes;
	return r;
}

/**
 * lsmt_open() - open a stack of layers
 * @layers: the layers, lowest first; references of its own are taken
 * @layer_count: how many, from 1 to LSMT_MAX_LAYERS
 * @file: set to the vfile of the virtual device, with one reference
 * @bad_layer: on failure set to the layer at fault, or to -1 if it is none in
 *	particular
 * @error: set to the reason on failure
 *
 * Reads and validates all metadata. Sleeps; a fatal signal ends it, but not
 * one read that the device does not answer.
 *
 * Return: 0, -EINVAL or -EFBIG for an image that is refused, -ENOMEM, -EINTR, or
 * what reading gave.
 */
int lsmt_open(struct vfile **layers, unsigned int layer_count,
	      struct vfile **file, int *bad_layer, const char **error)
{
	unsigned int i, io_bytes = 0;
	struct lsmt *l;
	int r;

	*bad_layer = -1;
	l = kzalloc(struct_size(l, layers, layer_count), GFP_KERNEL);
	if (!l) {
		*error = "Cannot allocate LSMT context";
		return -ENOMEM;
	}
	l->layer_count = layer_count;
	for (i = 0; i < layer_count; i++) {
		l->layers[i] = vfile_get(layers[i]);
		io_bytes = max(io_bytes, layers[i]->io_bytes);
	}
	vfile_init(&l->vf, &lsmt_ops, 0, io_bytes);

	r = lsmt_load(l, bad_layer, error);
	if (r) {
		vfile_put(&l->vf);
		return r;
	}
	*file = &l->vf;
	return 0;
}
