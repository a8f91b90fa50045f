/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What of drivers/md/dm-audit.h the targets use, for a build outside of a kernel
 * tree: the packaged headers of a kernel do not have that file. A kernel tree's own
 * is found before this one.
 */

#ifndef DM_AUDIT_H
#define DM_AUDIT_H

#include <linux/audit.h>
#include <linux/device-mapper.h>

#ifdef CONFIG_DM_AUDIT

void dm_audit_log_bio(const char *dm_msg_prefix, const char *op,
		      struct bio *bio, sector_t sector, int result);
void dm_audit_log_ti(int audit_type, const char *dm_msg_prefix, const char *op,
		     struct dm_target *ti, int result);

static inline void dm_audit_log_ctr(const char *dm_msg_prefix,
				    struct dm_target *ti, int result)
{
	dm_audit_log_ti(AUDIT_DM_CTRL, dm_msg_prefix, "ctr", ti, result);
}

static inline void dm_audit_log_dtr(const char *dm_msg_prefix,
				    struct dm_target *ti, int result)
{
	dm_audit_log_ti(AUDIT_DM_CTRL, dm_msg_prefix, "dtr", ti, result);
}

#else /* CONFIG_DM_AUDIT */

static inline void dm_audit_log_bio(const char *dm_msg_prefix, const char *op,
				    struct bio *bio, sector_t sector, int result)
{
}

static inline void dm_audit_log_ctr(const char *dm_msg_prefix,
				    struct dm_target *ti, int result)
{
}

static inline void dm_audit_log_dtr(const char *dm_msg_prefix,
				    struct dm_target *ti, int result)
{
}

#endif /* CONFIG_DM_AUDIT */

#endif /* DM_AUDIT_H */
