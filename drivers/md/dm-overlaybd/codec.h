/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The decompressors.
 */

#ifndef DM_OVERLAYBD_CODEC_H
#define DM_OVERLAYBD_CODEC_H

#include <linux/types.h>

#include "format.h"

/**
 * struct codec - one compression algorithm
 * @name: as status shows it
 * @get: get the working memory ready; may sleep. NULL: it needs none
 * @put: undo one @get; may sleep. NULL: nothing to do
 * @decompress: see obd_codec_decompress()
 */
struct codec {
	const char *name;
	int (*get)(void);
	void (*put)(void);
	int (*decompress)(const void *src, u32 src_bytes, void *dst, u32 dst_bytes);
};

int obd_codec_get(enum zfile_algorithm algorithm, const struct codec **codec,
		  const char **error);
void obd_codec_put(const struct codec *codec);

/**
 * obd_codec_decompress() - decompress one block
 * @codec: the algorithm
 * @src: the compressed bytes; nobody may be able to change them meanwhile
 * @src_bytes: exact length
 * @dst: where to, @dst_bytes long. Somebody may write to it meanwhile: then
 *	what is in it afterwards is undefined, but nothing else
 * @dst_bytes: exact length expected
 *
 * Never sleeps (but on PREEMPT_RT) and allocates nothing. Not from interrupts:
 * the working memory belongs to the tasks of a CPU.
 *
 * Return: 0, or -EUCLEAN when it does not decompress to exactly @dst_bytes.
 */
static inline int obd_codec_decompress(const struct codec *codec, const void *src,
				       u32 src_bytes, void *dst, u32 dst_bytes)
{
	return codec->decompress(src, src_bytes, dst, dst_bytes);
}

#endif /* DM_OVERLAYBD_CODEC_H */
