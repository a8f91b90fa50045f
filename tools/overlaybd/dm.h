/* SPDX-License-Identifier: GPL-2.0 */
/* Device-mapper devices, through libdevmapper. */

#ifndef OBD_DM_H
#define OBD_DM_H

#include <stdbool.h>
#include <sys/types.h>

#include <linux/types.h>

/*
 * What `open` makes can be told by its dm uuid: the image itself, with
 * --stacked a compressed layer, and a file whose last sector was completed.
 * The latter two remove themselves when nothing has them open any more.
 */
#define MAPPED_IMAGE	"OVERLAYBD-IMAGE-"
#define MAPPED_LAYER	"OVERLAYBD-LAYER-"
#define MAPPED_FILE	"OVERLAYBD-FILE-"

/* Name and uuid have at most 127 and 128 characters for the kernel. */
#define MAPPED_NAME_BYTES	128
#define MAPPED_UUID_BYTES	129

/**
 * struct mapped_line - a line of a table
 * @start: first sector
 * @sectors: how many
 * @target: name of the target
 * @parameters: what it gets
 */
struct mapped_line {
	u64 start;
	u64 sectors;
	const char *target;
	const char *parameters;
};

/**
 * struct mapped - an existing device
 * @name: as people write it; mapped_path() knows its file
 * @uuid: "" if it has none
 * @number: major and minor
 * @open_count: how many have it open
 * @read_only: it cannot be written to
 * @suspended: it lets no I/O through
 * @deferred: it will be removed when nobody has it open
 * @lines: number of lines of its table; the rest is about the first
 * @sectors: length
 * @target: name; owned, NULL without a table
 * @table: parameters; owned
 * @status: what the target says; owned
 */
struct mapped {
	char name[MAPPED_NAME_BYTES];
	char uuid[MAPPED_UUID_BYTES];
	dev_t number;
	int open_count;
	bool read_only;
	bool suspended;
	bool deferred;
	unsigned int lines;
	u64 sectors;
	char *target;
	char *table;
	char *status;
};

int mapped_start(void);
int mapped_need_target(const char *target);
int mapped_create(const char *name, const char *uuid, const struct mapped_line *lines,
		  unsigned int count, dev_t *number);
int mapped_remove(const char *name, bool deferred);
int mapped_open_helper(const char *name, dev_t number);
void mapped_wait_gone(const char *name);
int mapped_find(const char *name, struct mapped *device);
int mapped_find_number(dev_t number, struct mapped *device);
int mapped_dependencies(const char *name, dev_t **numbers, unsigned int *count);
int mapped_list(dev_t **numbers, unsigned int *count);
void mapped_destroy(struct mapped *device);
bool mapped_is(const struct mapped *device, const char *kind);
char *mapped_path(const char *name);
size_t mapped_encoded_bytes(const char *text);
int mapped_check_length(const char *name);
int mapped_check_name(const char **name);

#endif /* OBD_DM_H */
