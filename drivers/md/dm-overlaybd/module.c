// SPDX-License-Identifier: GPL-2.0
/*
 * OverlayBD images as block devices: the targets "zfile" and "lsmt".
 */

#include <linux/device-mapper.h>
#include <linux/module.h>

#include "block-cache.h"
#include "buffer.h"
#include "targets.h"
#include "zfile-io.h"

static int __init dm_overlaybd_init(void)
{
	int r;

	r = obd_buffer_stash_init();
	if (r)
		return r;
	r = obd_block_cache_init();
	if (r)
		goto bad_cache;
	r = zfile_io_init();
	if (r)
		goto bad_io;
	r = dm_register_target(&zfile_target);
	if (r)
		goto bad_zfile;
	r = dm_register_target(&lsmt_target);
	if (r)
		goto bad_lsmt;
	return 0;

bad_lsmt:
	dm_unregister_target(&zfile_target);
bad_zfile:
	zfile_io_exit();
bad_io:
	obd_block_cache_exit();
bad_cache:
	obd_buffer_stash_exit();
	return r;
}

static void __exit dm_overlaybd_exit(void)
{
	dm_unregister_target(&lsmt_target);
	dm_unregister_target(&zfile_target);
	zfile_io_exit();
	obd_block_cache_exit();
	obd_buffer_stash_exit();
}

module_init(dm_overlaybd_init);
module_exit(dm_overlaybd_exit);

MODULE_DESCRIPTION(DM_NAME " OverlayBD image targets");
MODULE_AUTHOR("The dm-overlaybd authors");
MODULE_LICENSE("GPL");
MODULE_ALIAS("dm-zfile");
MODULE_ALIAS("dm-lsmt");
