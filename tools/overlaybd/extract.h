/* SPDX-License-Identifier: GPL-2.0 */
/* Writing a view as a raw image. */

#ifndef OBD_EXTRACT_H
#define OBD_EXTRACT_H

#include "output.h"
#include "view.h"

int extract(const struct view *view, struct output *out, unsigned int threads);

#endif /* OBD_EXTRACT_H */
