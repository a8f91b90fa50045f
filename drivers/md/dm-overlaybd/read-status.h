/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which reads have failed.
 */

#ifndef DM_OVERLAYBD_READ_STATUS_H
#define DM_OVERLAYBD_READ_STATUS_H

#include <linux/blk_types.h>

/**
 * obd_read_has_failed() - has a reader been told that there is no data?
 * @bio: the read
 * @status: how it ended
 *
 * A read that must not wait is sent again, see obd_read_status(). Read-ahead fails
 * wherever something below is busy or suspended; who wants the data reads again.
 *
 * Return: true when it has, and not only in these ways.
 */
static inline bool obd_read_has_failed(const struct bio *bio, blk_status_t status)
{
	return status && status != BLK_STS_AGAIN && !(bio->bi_opf & REQ_RAHEAD);
}

/**
 * obd_read_status() - what to tell a reader
 * @bio: the read
 * @status: how it ended below
 *
 * A device that always waits calls a read that must not wait not supported. Nobody
 * sees that before, when such a device comes to lie further below.
 *
 * Return: BLK_STS_AGAIN for that, or @status.
 */
static inline blk_status_t obd_read_status(const struct bio *bio, blk_status_t status)
{
	if (status == BLK_STS_NOTSUPP && (bio->bi_opf & REQ_NOWAIT))
		return BLK_STS_AGAIN;
	return status;
}

#endif /* DM_OVERLAYBD_READ_STATUS_H */
