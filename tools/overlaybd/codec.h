/* SPDX-License-Identifier: GPL-2.0 */
/* Compressing and decompressing one block, on liblz4 and libzstd. */

#ifndef OBD_CODEC_H
#define OBD_CODEC_H

#include <linux/types.h>

/* One per thread. */
struct compressor;
struct decompressor;

const char *codec_name(u8 algorithm);
int codec_parse(const char *name, u8 *algorithm);
int codec_level_check(u8 algorithm, int level);
size_t codec_bound(u8 algorithm, size_t bytes);

struct compressor *compressor_new(u8 algorithm, int level);
void compressor_free(struct compressor *c);
size_t compressor_run(struct compressor *c, void *to, size_t room,
		      const void *from, size_t bytes);

struct decompressor *decompressor_new(void);
void decompressor_free(struct decompressor *d);
bool decompressor_run(struct decompressor *d, u8 algorithm, void *to,
		      size_t expected, const void *from, size_t bytes);

#endif /* OBD_CODEC_H */
