// SPDX-License-Identifier: GPL-2.0
/* Device-mapper devices, see dm.h. */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <libdevmapper.h>

#include "dm.h"
#include "loop.h"
#include "message.h"

/* Something that scans new devices may have one open for a moment. */
#define BUSY_TRIES	20
#define BUSY_PAUSE_US	50000

/* libdevmapper says on stderr what main() will say better; -v shows it. */
static void PRINTF_LIKE(5, 6) log_line(int level, const char *file, int line, int error,
				       const char *format, ...)
{
	char text[FAILURE_BYTES];
	va_list args;

	(void)file;
	(void)line;
	(void)error;
	if ((level & 7) > 4)	/* not even a warning */
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	detail("libdevmapper: %s", text);
}

/* Run a task and destroy it. Return: 0 or -errno. */
static int finish_task(struct dm_task *task)
{
	int r = 0;

	if (!dm_task_run(task)) {
		r = -dm_task_get_errno(task);
		if (!r)
			r = -EIO;
	}
	dm_task_destroy(task);
	return r;
}

/* Whether device-mapper can be used at all. Return: 0 or STATUS_USAGE. */
int mapped_start(void)
{
	char version[64];

	dm_log_with_errno_init(log_line);
	if (geteuid())
		return fail(STATUS_USAGE, "only root can use device-mapper");
	if (dm_driver_version(version, sizeof(version)))
		return 0;
	return fail(STATUS_USAGE, "device-mapper is not there (modprobe dm_mod) or may not be used (in a container?)");
}

/* Return: NULL with errno set. */
static struct dm_task *named_task(int type, const char *name)
{
	struct dm_task *task = dm_task_create(type);

	if (task && dm_task_set_name(task, name))
		return task;
	if (task)
		dm_task_destroy(task);
	errno = task ? EINVAL : ENOMEM;
	return NULL;
}

/* Loads the module if need be. Return: 0 or STATUS_USAGE. */
int mapped_need_target(const char *target)
{
	struct dm_task *task = named_task(DM_DEVICE_GET_TARGET_VERSION, target);

	if (!task)
		return fail_memory();
	if (!finish_task(task))
		return 0;
	return fail(STATUS_USAGE, "the kernel has no target %s: load the module dm-overlaybd (modprobe dm-overlaybd)",
		    target);
}

static int create_empty(const char *name, const char *uuid, dev_t *number)
{
	struct dm_task *task = named_task(DM_DEVICE_CREATE, name);
	struct dm_info info;
	int r = -ENOMEM;

	if (!task)
		return -errno;
	if (dm_task_set_uuid(task, uuid) && dm_task_set_ro(task)) {
		r = dm_task_run(task) ? 0 : -dm_task_get_errno(task);
		if (!r && !dm_task_get_info(task, &info))
			r = -EIO;
		if (!r)
			*number = makedev(info.major, info.minor);
	}
	dm_task_destroy(task);
	return r;
}

static int load(const char *name, const struct mapped_line *lines, unsigned int count)
{
	struct dm_task *task = named_task(DM_DEVICE_RELOAD, name);
	unsigned int i;
	bool good;

	if (!task)
		return -errno;
	good = dm_task_set_ro(task);
	for (i = 0; good && i < count; i++)
		good = dm_task_add_target(task, lines[i].start, lines[i].sectors,
					  lines[i].target, lines[i].parameters);
	if (good)
		return finish_task(task);
	dm_task_destroy(task);
	return -ENOMEM;
}

/* Run a task after which udev has something to do, and wait for that. */
static int finish_with_udev(struct dm_task *task, u16 flags)
{
	u32 cookie = 0;
	int r;

	if (!dm_task_set_cookie(task, &cookie, flags)) {
		dm_task_destroy(task);
		return -ENOMEM;
	}
	r = finish_task(task);
	dm_udev_wait(cookie);
	return r;
}

static int resume(const char *name, bool helper)
{
	struct dm_task *task = named_task(DM_DEVICE_RESUME, name);

	if (!task)
		return -errno;
	return finish_with_udev(task, !helper ? 0 : DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG |
				DM_UDEV_DISABLE_DISK_RULES_FLAG |
				DM_UDEV_DISABLE_OTHER_RULES_FLAG);
}

/* What the targets say of an image, what a disk says, and all the rest. */
static enum status refusal_status(int error)
{
	switch (-error) {
	case EINVAL:
	case EUCLEAN:
	case EOPNOTSUPP:
	case EFBIG:
		return STATUS_REFUSED;
	case EIO:
	case ENODATA:
	case ETIMEDOUT:
	case ENOLINK:
	case EREMOTEIO:
	case EBADE:
	case EILSEQ:
		return STATUS_IO;
	}
	return STATUS_USAGE;
}

static int refused_by_kernel(const char *name, int error)
{
	errno = -error;
	if (error == -EBUSY)
		return fail(STATUS_USAGE, "%s: the device of a layer is in use (mounted?)", name);
	return fail_errno(refusal_status(error),
			  "%s: the kernel refused the table (its log says why: dmesg)", name);
}

/**
 * mapped_create() - make a read-only device
 * @name: its name
 * @uuid: its dm uuid, which begins with one of those of dm.h
 * @lines: its table
 * @count: number of lines
 * @number: set
 *
 * Return: 0 or a status, and then there is no device.
 */
int mapped_create(const char *name, const char *uuid, const struct mapped_line *lines,
		  unsigned int count, dev_t *number)
{
	bool helper = strncmp(uuid, MAPPED_IMAGE, strlen(MAPPED_IMAGE));
	char reason[FAILURE_BYTES];
	int r, error = create_empty(name, uuid, number);

	errno = -error;
	if (error == -EBUSY)
		return fail(STATUS_USAGE, "there is a device with the name %s or this uuid already",
			    name);
	if (error)
		return fail_errno(STATUS_USAGE, "cannot make a device %s", name);
	error = load(name, lines, count);
	if (!error)
		error = resume(name, helper);
	if (!error)
		return 0;
	r = refused_by_kernel(name, error);
	snprintf(reason, sizeof(reason), "%s", failure_text());
	mapped_remove(name, false);
	failure_restore(reason);
	return r;
}

static int remove_once(const char *name, bool deferred)
{
	struct dm_task *task = named_task(DM_DEVICE_REMOVE, name);

	if (!task)
		return -errno;
	if (deferred && !dm_task_deferred_remove(task)) {
		dm_task_destroy(task);
		return -ENOMEM;
	}
	return finish_with_udev(task, 0);
}

/**
 * mapped_remove() - remove a device
 * @name: its name
 * @deferred: if it is in use, as soon as it is not
 *
 * Return: 0 or -errno; -EBUSY only when it is in use for more than a moment.
 */
int mapped_remove(const char *name, bool deferred)
{
	int tries, r;

	for (tries = 0; tries < BUSY_TRIES; tries++) {
		r = remove_once(name, deferred);
		if (r != -EBUSY)
			break;
		usleep(BUSY_PAUSE_US);
	}
	return r;
}

/* The file of an existing device; to be freed, NULL when out of memory. */
char *mapped_path(const char *name)
{
	struct dm_task *task = named_task(DM_DEVICE_INFO, name);
	char *mangled = NULL, *path = NULL;

	if (task && dm_task_run(task))
		mangled = dm_task_get_name_mangled(task);
	if (mangled && asprintf(&path, "%s/%s", dm_dir(), mangled) < 0)
		path = NULL;
	free(mangled);
	if (task)
		dm_task_destroy(task);
	return path;
}

/**
 * mapped_open_helper() - hold a device that shall go away with its last user
 * @name: its name
 * @number: its number. Where no udev runs, nothing in /dev/mapper names it any
 *	more after the first time
 *
 * Return: a file descriptor; closing it removes the device unless something else
 * has it open by then. -errno if that cannot be.
 */
int mapped_open_helper(const char *name, dev_t number)
{
	int fd = block_device_open(number, O_RDONLY);
	int r = fd < 0 ? -errno : remove_once(name, true);

	if (!r)
		return fd;
	if (fd >= 0)
		close(fd);
	return r;
}

static int fill_lines(struct dm_task *task, struct mapped *device, char **text)
{
	char *target, *parameters;
	u64 start, length;
	void *next = NULL;

	device->lines = 0;
	do {
		next = dm_get_next_target(task, next, (uint64_t *)&start,
					  (uint64_t *)&length, &target, &parameters);
		if (!target)
			break;
		if (!device->lines++) {
			device->sectors = length;
			free(device->target);
			device->target = strdup(target);
			*text = strdup(parameters);
			if (!device->target || !*text)
				return -ENOMEM;
		}
	} while (next);
	return 0;
}

static int fill_info(struct dm_task *task, struct mapped *device)
{
	const char *name, *uuid;
	struct dm_info info;

	if (!dm_task_get_info(task, &info))
		return -EIO;
	if (!info.exists)
		return -ENXIO;
	name = dm_task_get_name(task);
	uuid = dm_task_get_uuid(task);
	snprintf(device->name, sizeof(device->name), "%s", name ? name : "");
	snprintf(device->uuid, sizeof(device->uuid), "%s", uuid ? uuid : "");
	device->number = makedev(info.major, info.minor);
	device->open_count = info.open_count;
	device->read_only = info.read_only;
	device->suspended = info.suspended;
	device->deferred = info.deferred_remove;
	return 0;
}

/* One ioctl gives the table or the status, and each all the rest. */
static int ask(int type, const char *name, dev_t number, struct mapped *device, char **text)
{
	struct dm_task *task = dm_task_create(type);
	bool good = task && (name ? dm_task_set_name(task, name) :
			     dm_task_set_major_minor(task, major(number), minor(number), 0));
	int r = -ENOMEM;

	if (good && type == DM_DEVICE_STATUS)
		good = dm_task_no_flush(task);
	if (good)
		r = dm_task_run(task) ? 0 : -dm_task_get_errno(task);
	if (good && !r)
		r = fill_info(task, device);
	if (good && !r)
		r = fill_lines(task, device, text);
	if (task)
		dm_task_destroy(task);
	return r;
}

static int find(const char *name, dev_t number, struct mapped *device)
{
	int r;

	*device = (struct mapped) { .number = 0 };
	r = ask(DM_DEVICE_TABLE, name, number, device, &device->table);
	if (!r)
		r = ask(DM_DEVICE_STATUS, NULL, device->number, device, &device->status);
	if (r)
		mapped_destroy(device);
	return r;
}

/**
 * mapped_find() - look at a device
 * @name: which
 * @device: filled in; mapped_destroy() it if that succeeded
 *
 * Return: 0, -ENXIO if there is none, another -errno.
 */
int mapped_find(const char *name, struct mapped *device)
{
	return find(name, 0, device);
}

/* The same by number. */
int mapped_find_number(dev_t number, struct mapped *device)
{
	return find(NULL, number, device);
}

void mapped_destroy(struct mapped *device)
{
	free(device->target);
	free(device->table);
	free(device->status);
	*device = (struct mapped) { .number = 0 };
}

/* Is it one of those of dm.h? */
bool mapped_is(const struct mapped *device, const char *kind)
{
	return !strncmp(device->uuid, kind, strlen(kind));
}

/**
 * mapped_wait_gone() - wait a moment for a device that removes itself
 * @name: its name
 *
 * It may stay because others use it. If it goes, nothing of it is left in
 * /dev/mapper where no udev cleans up.
 */
void mapped_wait_gone(const char *name)
{
	struct mapped device;
	int tries, users;

	for (tries = 0; tries < BUSY_TRIES; tries++) {
		if (mapped_find(name, &device)) {
			dm_mknodes(name);
			return;
		}
		users = device.open_count;
		mapped_destroy(&device);
		if (users)
			return;
		usleep(BUSY_PAUSE_US);
	}
}

/**
 * mapped_dependencies() - the devices that the table of a device names
 * @name: the device
 * @numbers: set, to be freed
 * @count: set
 *
 * Return: 0 or -errno.
 */
int mapped_dependencies(const char *name, dev_t **numbers, unsigned int *count)
{
	struct dm_task *task = named_task(DM_DEVICE_DEPS, name);
	struct dm_deps *deps = NULL;
	int r = -ENOMEM;
	u32 i;

	*numbers = NULL;
	*count = 0;
	if (!task)
		return -errno;
	if (!dm_task_run(task))
		r = -dm_task_get_errno(task);
	else
		deps = dm_task_get_deps(task);
	if (deps) {
		*numbers = calloc(deps->count + 1, sizeof(**numbers));
		for (i = 0; *numbers && i < deps->count; i++)
			(*numbers)[(*count)++] = deps->device[i];
		r = *numbers ? 0 : -ENOMEM;
	}
	dm_task_destroy(task);
	return r;
}

static int collect_names(struct dm_names *names, dev_t **numbers, unsigned int *count)
{
	dev_t *more;

	while (names->dev) {
		more = realloc(*numbers, (*count + 1) * sizeof(**numbers));
		if (!more)
			return -ENOMEM;
		*numbers = more;
		more[(*count)++] = names->dev;
		if (!names->next)
			break;
		names = (struct dm_names *)((char *)names + names->next);
	}
	return 0;
}

/**
 * mapped_list() - all devices there are
 * @numbers: set, to be freed
 * @count: set
 *
 * Return: 0 or -errno.
 */
int mapped_list(dev_t **numbers, unsigned int *count)
{
	struct dm_task *task = dm_task_create(DM_DEVICE_LIST);
	struct dm_names *names;
	int r = -ENOMEM;

	*numbers = NULL;
	*count = 0;
	if (!task)
		return r;
	if (!dm_task_run(task)) {
		r = -dm_task_get_errno(task);
	} else {
		names = dm_task_get_names(task);
		r = names ? collect_names(names, numbers, count) : -ENOMEM;
	}
	dm_task_destroy(task);
	return r;
}

/**
 * mapped_encoded_bytes() - how long device-mapper makes a name or uuid
 * @text: the name or uuid
 *
 * Return: bytes; libdevmapper writes all but these characters as four.
 */
size_t mapped_encoded_bytes(const char *text)
{
	static const char plain[] = "0123456789#+-.:=@_ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz";
	size_t bytes = 0;

	for (; *text; text++)
		bytes += strchr(plain, *text) ? 1 : 4;
	return bytes;
}

/* Is a name not too long? Return: 0 or STATUS_USAGE. */
int mapped_check_length(const char *name)
{
	if (mapped_encoded_bytes(name) < MAPPED_NAME_BYTES)
		return 0;
	return fail(STATUS_USAGE,
		    "the name of a device has at most %d bytes (each but A-Z a-z 0-9 #+-.:=@_ counts four): %s",
		    MAPPED_NAME_BYTES - 1, name);
}

/**
 * mapped_check_name() - whether a device can have this name
 * @name: moved behind "/dev/mapper/" where that is written before it
 *
 * Return: 0 or STATUS_USAGE.
 */
int mapped_check_name(const char **name)
{
	static const char *const reserved[] = { "", ".", "..", "control" };
	size_t i, prefix = strlen(dm_dir());

	if (!strncmp(*name, dm_dir(), prefix) && (*name)[prefix] == '/')
		*name += prefix + 1;
	for (i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (!strcmp(*name, reserved[i]))
			return fail(STATUS_USAGE, "'%s' cannot be the name of a device", *name);
	if (strchr(*name, '/'))
		return fail(STATUS_USAGE, "'%s' cannot be the name of a device: it has a '/'",
			    *name);
	return mapped_check_length(*name);
}
