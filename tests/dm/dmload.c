// SPDX-License-Identifier: GPL-2.0
/*
 * dmload [-n COUNT] [-w] TABLE
 *
 * Loads the one-line table COUNT times into a new device (read-only unless
 * -w), removes the device and prints "OK", or the errno's name and what the
 * kernel log says about it: "EINVAL lsmt: ... (-EINVAL)". All loads must end
 * alike. The exit status is 0 whether or not the table was accepted.
 */
#define _GNU_SOURCE
#include "lib/dm-util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char name[64], text[1024], first[1024] = "";
	int count = 1, result = 0, option, klog;
	bool readonly = true;
	unsigned int minor;

	while ((option = getopt(argc, argv, "n:w")) != -1) {
		if (option == 'n')
			count = atoi(optarg);
		else if (option == 'w')
			readonly = false;
		else
			return 2;
	}
	if (optind + 1 != argc || count < 1)
		die("usage: dmload [-n COUNT] [-w] TABLE");

	snprintf(name, sizeof(name), "dmload-%d", getpid());
	if (dm_create(name, &minor))
		die("cannot create a device");
	klog = klog_open();
	for (int i = 0; i < count; i++) {
		int err = dm_load(name, argv[optind], readonly);

		klog_table_error(klog, text, sizeof(text));
		if (i && (err != result || strcmp(text, first)))
			die("load %d: %s %s, before: %s %s", i + 1,
			    strerrorname_np(-err), text, strerrorname_np(-result), first);
		result = err;
		strcpy(first, text);
	}
	if (dm_remove(name))
		die("cannot remove the device");
	if (result)
		printf("%s %s\n", strerrorname_np(-result), first);
	else
		printf("OK\n");
	return 0;
}
