/* SPDX-License-Identifier: GPL-2.0 */
/* A progress bar on a terminal, for what takes longer than a second. */

#ifndef OBD_PROGRESS_H
#define OBD_PROGRESS_H

#include <linux/types.h>

void progress_begin(u64 total);
void progress_set(u64 done);
void progress_end(void);

#endif /* OBD_PROGRESS_H */
