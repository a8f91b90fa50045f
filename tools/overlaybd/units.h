/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers as people write and read them. */

#ifndef OBD_UNITS_H
#define OBD_UNITS_H

#include <linux/types.h>

#define SECTOR_SHIFT	9
#define SECTOR_BYTES	512U

/* Room for what human_bytes() writes. */
#define HUMAN_BYTES	24

int parse_bytes(const char *text, u64 *bytes);
int parse_number(const char *text, u64 low, u64 high, u64 *number);
const char *human_bytes(u64 bytes, char buffer[HUMAN_BYTES]);

static inline u64 sectors_down(u64 bytes)
{
	return bytes >> SECTOR_SHIFT;
}

static inline u64 sectors_up(u64 bytes)
{
	return (bytes >> SECTOR_SHIFT) + !!(bytes % SECTOR_BYTES);
}

static inline u64 round_up_to(u64 value, u64 unit)
{
	return (value + unit - 1) / unit * unit;
}

#endif /* OBD_UNITS_H */
