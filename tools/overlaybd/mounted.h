/* SPDX-License-Identifier: GPL-2.0 */
/* Is a block device written to by a file system while we look at it? */

#ifndef OBD_MOUNTED_H
#define OBD_MOUNTED_H

#include <stdbool.h>
#include <sys/types.h>

bool mounted_writable(dev_t device, dev_t *where);

#endif /* OBD_MOUNTED_H */
