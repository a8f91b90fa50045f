/* SPDX-License-Identifier: GPL-2.0 */
/* Which files this process reads, so that it does not write to one of them. */

#ifndef OBD_INPUTS_H
#define OBD_INPUTS_H

#include <stdbool.h>

int inputs_add(int fd);
bool inputs_have(const char *path);

#endif /* OBD_INPUTS_H */
