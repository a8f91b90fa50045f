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
 * A read that must not wait is sent again. Read-ahead fails wherever something below
 * is busy or suspended; who wants the data reads again.
 *
 * Return: true when it has, and not only in these ways.
 */
static inline bool obd_read_has_failed(const struct bio *bio, blk_status_t status)
{
	return status && status != BLK_STS_AGAIN && !(bio->bi_opf & REQ_RAHEAD);
}

#endif /* DM_OVERLAYBD_READ_STATUS_H */
