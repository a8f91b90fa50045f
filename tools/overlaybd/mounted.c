// SPDX-License-Identifier: GPL-2.0
/* Mounted file systems on a block device, see mounted.h. */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "loop.h"
#include "mounted.h"

/* Partition, RAID, encryption, logical volume, thin pool...: far beyond any. */
#define MAX_DEPTH	16

/*
 * A line of mountinfo: "id parent major:minor root point options [tags] - type
 * source superoptions". A file system on several devices, as btrfs, has a number
 * of its own, but names one of the devices as its source.
 */
static bool is_on(char *line, dev_t device)
{
	char *rest = strstr(line, " - "), source[4096];
	unsigned int device_major, device_minor;
	struct stat st;

	if (!rest || sscanf(line, "%*d %*d %u:%u", &device_major, &device_minor) != 2)
		return false;
	if (makedev(device_major, device_minor) == device)
		return true;
	return sscanf(rest, " - %*s %4095s", source) == 1 && *source == '/' &&
	       !stat(source, &st) && S_ISBLK(st.st_mode) && st.st_rdev == device;
}

static bool is_writable(const char *line)
{
	const char *options = strrchr(line, ' ');

	return !options || strncmp(options + 1, "ro", 2);
}

static bool itself_mounted(dev_t device)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	bool found = false;
	size_t room = 0;

	if (!mounts)
		return false;
	while (!found && getline(&line, &room, mounts) > 0)
		found = is_on(line, device) && is_writable(line);
	free(line);
	fclose(mounts);
	return found;
}

/* The number of a device from a file of another one's folder in /sys. */
static bool read_number(dev_t device, const char *folder, const char *name, dev_t *number)
{
	unsigned int device_major, device_minor;
	char attribute[300], *text;
	bool good;

	snprintf(attribute, sizeof(attribute), "%s%s/dev", folder, name);
	text = block_attribute(device, attribute);
	good = text && sscanf(text, "%u:%u", &device_major, &device_minor) == 2;
	if (good)
		*number = makedev(device_major, device_minor);
	free(text);
	return good;
}

/* Of NVMe, "device" leads to a controller, whose number is of a character device. */
static bool is_partition(dev_t device, const char *name)
{
	char attribute[300], *text;
	bool found;

	snprintf(attribute, sizeof(attribute), "%s/partition", name);
	text = block_attribute(device, attribute);
	found = text;
	free(text);
	return found;
}

static bool find(dev_t device, unsigned int depth, dev_t *where);

/* @folder: "holders/" of a device, or "" for those of its files that are partitions */
static bool find_in(dev_t device, const char *folder, unsigned int depth, dev_t *where)
{
	struct dirent *entry;
	bool found = false;
	char path[64];
	dev_t number;
	DIR *entries;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(device),
		 minor(device), folder);
	entries = opendir(path);
	while (entries && !found && (entry = readdir(entries))) {
		if (*entry->d_name == '.' ||
		    (!*folder && !is_partition(device, entry->d_name)) ||
		    !read_number(device, folder, entry->d_name, &number))
			continue;
		found = find(number, depth + 1, where);
	}
	if (entries)
		closedir(entries);
	return found;
}

static bool find(dev_t device, unsigned int depth, dev_t *where)
{
	*where = device;
	return itself_mounted(device) ||
	       (depth < MAX_DEPTH && (find_in(device, "", depth, where) ||
				      find_in(device, "holders/", depth, where)));
}

/**
 * mounted_writable() - can a block device change under us?
 * @device: its number
 * @where: set to what is mounted
 *
 * Return: whether a writable file system is mounted on it, on a partition of it,
 * or on a device that is made of one of those.
 */
bool mounted_writable(dev_t device, dev_t *where)
{
	return find(device, 0, where);
}
