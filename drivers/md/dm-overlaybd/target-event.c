// SPDX-License-Identifier: GPL-2.0
/*
 * Telling user space that a read of a target failed.
 */

#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/jiffies.h>
#include <linux/kobject.h>

#include "target-event.h"

/* Where one read fails, others are likely to: they are told of together. */
#define EVENT_DELAY		msecs_to_jiffies(100)

/*
 * Who is told may look at the device, as udev does, and read what fails. After some
 * events the next ones are a long time apart.
 */
#define EVENTS_SOON		16
#define EVENT_LONG_DELAY	(60 * HZ)

static void target_event_work(struct work_struct *work)
{
	struct target_event *ev = container_of(to_delayed_work(work),
					       struct target_event, work);
	char *envp[2] = { "DM_OVERLAYBD_READ_FAILED=1", NULL };
	struct gendisk *disk = dm_disk(dm_table_get_md(ev->ti->table));

	if (ev->raised < EVENTS_SOON)
		WRITE_ONCE(ev->raised, ev->raised + 1);
	dm_table_event(ev->ti->table);
	kobject_uevent_env(&disk_to_dev(disk)->kobj, KOBJ_CHANGE, envp);
}

/**
 * obd_target_event_init() - get ready, in a constructor
 * @ev: the event
 * @ti: the target
 */
void obd_target_event_init(struct target_event *ev, struct dm_target *ti)
{
	ev->ti = ti;
	ev->raised = 0;
	INIT_DELAYED_WORK(&ev->work, target_event_work);
}

/**
 * obd_target_event_exit() - raise the event now if it is due, in a destructor
 * @ev: the event
 *
 * No read is in flight any more. May sleep.
 */
void obd_target_event_exit(struct target_event *ev)
{
	flush_delayed_work(&ev->work);
}

/**
 * obd_target_event_failed_read() - raise a dm event and a uevent
 * @ev: the event
 *
 * Any context. However many reads fail before user space is told, it is told
 * once; the status line has the numbers.
 */
void obd_target_event_failed_read(struct target_event *ev)
{
	bool soon = READ_ONCE(ev->raised) < EVENTS_SOON;

	schedule_delayed_work(&ev->work, soon ? EVENT_DELAY : EVENT_LONG_DELAY);
}
