/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Telling user space that a read of a target failed.
 */

#ifndef DM_OVERLAYBD_TARGET_EVENT_H
#define DM_OVERLAYBD_TARGET_EVENT_H

#include <linux/device-mapper.h>
#include <linux/workqueue.h>

/**
 * struct target_event - how a target tells of failed reads
 * @ti: the target
 * @work: raises the event, some time after the first read that failed
 * @raised: how many there were, up to a limit; changed by @work only
 */
struct target_event {
	struct dm_target *ti;
	struct delayed_work work;
	unsigned int raised;
};

void obd_target_event_init(struct target_event *ev, struct dm_target *ti);
void obd_target_event_exit(struct target_event *ev);
void obd_target_event_failed_read(struct target_event *ev);

#endif /* DM_OVERLAYBD_TARGET_EVENT_H */
