// SPDX-License-Identifier: GPL-2.0
/* Numbers as people write and read them. */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "units.h"

static int not_a_size(const char *text)
{
	return fail(STATUS_USAGE, "'%s' is not a size (examples: 4096, 4K, 10G)", text);
}

/* strtoull() without its tolerance of signs and blanks. */
static int parse_digits(const char *text, char **end, u64 *number)
{
	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;
	*number = strtoull(text, end, 10);
	return errno ? -1 : 0;
}

/**
 * parse_bytes() - read a size
 * @text: digits and at most one of K, M, G, T (powers of 1024), also as KiB...
 * @bytes: set to the size
 *
 * Return: 0 or STATUS_USAGE.
 */
int parse_bytes(const char *text, u64 *bytes)
{
	static const char suffixes[] = "KMGT";
	const char *suffix;
	int shift = 0;
	char *end;

	if (parse_digits(text, &end, bytes))
		return not_a_size(text);
	if (*end) {
		suffix = strchr(suffixes, toupper((unsigned char)*end));
		if (!suffix)
			return not_a_size(text);
		shift = 10 * (suffix - suffixes + 1);
		end++;
		if (!strcmp(end, "iB"))
			end += 2;
	}
	if (*end || *bytes > (~0ULL >> shift))
		return not_a_size(text);
	*bytes <<= shift;
	return 0;
}

/* Read a plain number between @low and @high. Return: 0 or STATUS_USAGE. */
int parse_number(const char *text, u64 low, u64 high, u64 *number)
{
	char *end;

	if (parse_digits(text, &end, number) || *end || *number < low || *number > high)
		return fail(STATUS_USAGE, "'%s' is not a number from %llu to %llu",
			    text, low, high);
	return 0;
}

/* "512 bytes", "12.0 MiB"; returns @buffer. */
const char *human_bytes(u64 bytes, char buffer[HUMAN_BYTES])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
	double value = bytes / 1024.0;
	int i = 0;

	if (bytes < 1024) {
		snprintf(buffer, HUMAN_BYTES, "%u bytes", (unsigned int)bytes);
		return buffer;
	}
	for (; value >= 1024 && i < 4; i++)
		value /= 1024;
	snprintf(buffer, HUMAN_BYTES, value == (u64)value ? "%.0f %s" : "%.1f %s",
		 value, units[i]);
	return buffer;
}
