// SPDX-License-Identifier: GPL-2.0
/*
 * loopchange DEVICE FILE: give a read-only loop device in use another file of
 * the same size.
 */
#include "lib/dm-util.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	int loop, file;

	if (argc != 3)
		die("usage: loopchange DEVICE FILE");
	loop = open(argv[1], O_RDONLY);
	file = open(argv[2], O_RDONLY);
	if (loop < 0 || file < 0 || ioctl(loop, LOOP_CHANGE_FD, file) < 0)
		die("%s on %s: %s", argv[2], argv[1], strerror(errno));
	return 0;
}
