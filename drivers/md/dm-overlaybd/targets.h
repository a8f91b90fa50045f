/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The targets of this module.
 */

#ifndef DM_OVERLAYBD_TARGETS_H
#define DM_OVERLAYBD_TARGETS_H

struct target_type;

extern struct target_type zfile_target;
extern struct target_type lsmt_target;

#endif /* DM_OVERLAYBD_TARGETS_H */
