// SPDX-License-Identifier: GPL-2.0
/* Which files this process reads, see inputs.h. */

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/loop.h>
#include <linux/types.h>

#include "inputs.h"
#include "message.h"

/**
 * struct identity - a file, or a block device whatever its name
 * @device: that the file is on, or the block device
 * @inode: of the file, 0 for a block device
 */
struct identity {
	u64 device;
	u64 inode;
};

/* What a loop device shows is one more. */
#define MAX_IDENTITIES	2

static struct identity *inputs;
static unsigned int input_count;

static unsigned int identify(int fd, struct identity identities[MAX_IDENTITIES])
{
	struct loop_info64 info;
	struct stat st;

	if (fstat(fd, &st))
		return 0;
	identities[0] = (struct identity) { st.st_dev, st.st_ino };
	if (!S_ISBLK(st.st_mode))
		return 1;
	identities[0] = (struct identity) { st.st_rdev, 0 };
	if (ioctl(fd, LOOP_GET_STATUS64, &info))
		return 1;
	identities[1] = info.lo_rdevice ? (struct identity) { info.lo_rdevice, 0 } :
					  (struct identity) { info.lo_device, info.lo_inode };
	return 2;
}

/* From now on this is one. Return: 0 or a status. */
int inputs_add(int fd)
{
	struct identity *more = realloc(inputs, (input_count + MAX_IDENTITIES) * sizeof(*more));

	if (!more)
		return fail_memory();
	inputs = more;
	input_count += identify(fd, &inputs[input_count]);
	return 0;
}

/* Is it one of those, by this or another name or through a loop device? */
bool inputs_have(const char *path)
{
	struct identity identities[MAX_IDENTITIES];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	unsigned int count, i, j;
	bool found = false;

	if (fd < 0)
		return false;
	count = identify(fd, identities);
	close(fd);
	for (i = 0; i < input_count; i++)
		for (j = 0; j < count; j++)
			found |= inputs[i].device == identities[j].device &&
				 inputs[i].inode == identities[j].inode;
	return found;
}
