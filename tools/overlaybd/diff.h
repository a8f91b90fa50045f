/* SPDX-License-Identifier: GPL-2.0 */
/* Comparing two views. */

#ifndef OBD_DIFF_H
#define OBD_DIFF_H

#include "view.h"

/**
 * struct diff_sink - where differences go
 * @found: called in order, with neighbours joined; bytes
 */
struct diff_sink {
	void (*found)(struct diff_sink *sink, u64 start, u64 bytes);
};

int diff_views(const struct view *a, const struct view *b, unsigned int threads,
	       struct diff_sink *sink);

#endif /* OBD_DIFF_H */
