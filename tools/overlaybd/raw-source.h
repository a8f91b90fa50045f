/* SPDX-License-Identifier: GPL-2.0 */
/* What a raw image, or the difference of two, puts into a layer. */

#ifndef OBD_RAW_SOURCE_H
#define OBD_RAW_SOURCE_H

#include "lsmt-write.h"
#include "raw.h"

struct raw_source;

int raw_source_new(struct raw_source **source, struct raw *new, struct raw *old,
		   u64 virtual_bytes, bool zero_detect);
void raw_source_free(struct raw_source *source);
struct lsmt_source *raw_source_lsmt(struct raw_source *source);

#endif /* OBD_RAW_SOURCE_H */
