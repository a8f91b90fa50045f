/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The layers of an image as block devices.
 *
 * A loop device leaves out the last bytes of a file that is not a multiple of a
 * sector long. Those bytes are copied to a nameless file in memory, completed
 * with zeros and attached to a second loop device; a linear device joins both.
 * It has the name and the uuid of the file, so that images with common layers
 * find it, and removes itself with its last user, as loop devices do.
 */

#ifndef OBD_ATTACH_H
#define OBD_ATTACH_H

#include "layer.h"

/**
 * struct attached - a layer as a block device
 * @fd: keeps what was made while nothing else has it open; -1 for a device that
 *	the user gave
 * @number: major and minor
 * @text: the same for a table
 * @helper: name of the joining device, NULL without one; owned
 * @reused: it was there before
 */
struct attached {
	int fd;
	dev_t number;
	char text[24];
	char *helper;
	bool reused;
};

bool attach_needs_loop(const struct layer *layer);
bool attach_needs_tail(const struct layer *layer);
int attach_layer(const struct layer *layer, struct attached *attached);
void attached_close(struct attached *attached);
int attach_lock(void);

#endif /* OBD_ATTACH_H */
