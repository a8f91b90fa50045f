// SPDX-License-Identifier: GPL-2.0
/*
 * The tar wrapper around a layer: an optional pax header, then one member.
 *
 * Only the forms that overlaybd's own reader understands are accepted: ustar,
 * with the payload at 512 or 1536.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "tar.h"

#define TAR_PAX_OFFSET	512	/* payload of the pax header */

struct tar_header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char linkname[100];
	char magic[6];
	char version[2];
	char uname[32];
	char gname[32];
	char devmajor[8];
	char devminor[8];
	char prefix[155];
	char padding[12];
};
_Static_assert(sizeof(struct tar_header) == TAR_BLOCK_BYTES, "tar header");

/* Octal digits, blanks around them. Return: false when there is anything else. */
static bool parse_octal(const char *field, size_t length, u64 *value)
{
	size_t i = 0;

	*value = 0;
	while (i < length && field[i] == ' ')
		i++;
	for (; i < length && field[i] >= '0' && field[i] <= '7'; i++)
		*value = *value << 3 | (field[i] - '0');
	while (i < length && (field[i] == ' ' || !field[i]))
		i++;
	return i == length;
}

/* The sum of all bytes, the checksum field taken as blanks. */
static u32 header_sum(const struct tar_header *h)
{
	const unsigned char *bytes = (const void *)h;
	u32 sum = ' ' * sizeof(h->checksum);
	size_t i;

	for (i = 0; i < sizeof(*h); i++)
		sum += bytes[i];
	for (i = 0; i < sizeof(h->checksum); i++)
		sum -= (unsigned char)h->checksum[i];
	return sum;
}

static bool is_tar_header(const struct tar_header *h)
{
	u64 sum;

	return !memcmp(h->magic, "ustar", 5) && !memcmp(h->version, "00", 2) &&
	       parse_octal(h->checksum, sizeof(h->checksum), &sum) &&
	       sum == header_sum(h);
}

/* One "<length> <key>=<value>\n" of a pax header; returns its length or 0. */
static size_t pax_record(const char *text, size_t room, u64 *size)
{
	static const char key[] = " size=";
	unsigned long length;
	char *end;

	if (*text < '1' || *text > '9')
		return 0;
	length = strtoul(text, &end, 10);
	if (length > room || length < (size_t)(end - text) + 3 ||
	    *end != ' ' || text[length - 1] != '\n')
		return 0;
	if (!strncmp(end, key, strlen(key)))
		*size = strtoull(end + strlen(key), NULL, 10);
	return length;
}

/* Find a size in the records of a one-block pax header. */
static bool parse_pax(const char *block, size_t bytes, u64 *size)
{
	char text[TAR_BLOCK_BYTES + 1];
	size_t at = 0, length;

	memcpy(text, block, bytes);
	text[bytes] = 0;
	for (; at < bytes; at += length) {
		length = pax_record(text + at, bytes - at, size);
		if (!length)
			return false;
	}
	return true;
}

static int refuse(const struct file *file, const char *why)
{
	return fail(STATUS_REFUSED, "%s: tar wrapper: %s", file->path, why);
}

/* Look behind a pax header; @header becomes the member's own. */
static int read_pax(const struct file *file, struct tar_header *header, u64 *size)
{
	char block[TAR_BLOCK_BYTES];
	u64 bytes;
	int r;

	if (!parse_octal(header->size, sizeof(header->size), &bytes) ||
	    !bytes || bytes > sizeof(block))
		return refuse(file, "the pax header is not exactly one block");
	if (file->bytes < TAR_PREFIX_BYTES)
		return refuse(file, "ends within the pax header");
	r = file_read(file, block, sizeof(block), TAR_PAX_OFFSET);
	if (!r)
		r = file_read(file, header, sizeof(*header),
			      TAR_PREFIX_BYTES - TAR_BLOCK_BYTES);
	if (r)
		return r;
	if (!parse_pax(block, bytes, size))
		return refuse(file, "malformed pax header");
	if (!is_tar_header(header))
		return refuse(file, "no member behind the pax header (unfinished?)");
	return 0;
}

/**
 * tar_find_payload() - look for a tar wrapper
 * @file: the file
 * @is_tar: set to whether there is one
 * @offset: where the payload begins, in bytes; a multiple of 512
 * @bytes: exact length of the payload
 *
 * Without a wrapper the payload is the whole file. Return: 0 or a status.
 */
int tar_find_payload(const struct file *file, bool *is_tar, u64 *offset, u64 *bytes)
{
	struct tar_header header;
	u64 pax_size = 0, size;
	int r;

	*is_tar = false;
	*offset = 0;
	*bytes = file->bytes;
	if (file->bytes < sizeof(header))
		return 0;
	r = file_read(file, &header, sizeof(header), 0);
	if (r || !is_tar_header(&header))
		return r;

	*is_tar = true;
	*offset = TAR_BLOCK_BYTES;
	if (header.type == 'x' || header.type == 'g') {
		*offset = TAR_PREFIX_BYTES;
		r = read_pax(file, &header, &pax_size);
		if (r)
			return r;
	}
	if (strchr("xgLK", header.type) && header.type)
		return refuse(file, "more header blocks than one pax header");
	if (!parse_octal(header.size, sizeof(header.size), &size))
		return refuse(file, "malformed size");
	*bytes = pax_size ? pax_size : size;
	if (*bytes > file->bytes - *offset)
		return refuse(file, "the member is longer than the file (truncated?)");
	return 0;
}

/* Six digits, NUL, blank is what ends a field in this form of tar. */
static void put_field(char *field, int width, u64 value)
{
	char text[16];

	snprintf(text, sizeof(text), "%*llo ", width - 1, value);
	memcpy(field, text, width);
}

static void put_header_end(struct tar_header *h)
{
	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	put_field(h->checksum, 7, header_sum(h));
	h->checksum[7] = 0;
}

/**
 * tar_encode_prefix() - what comes before the payload
 * @prefix: filled in
 * @payload_bytes: exact length of the payload
 *
 * The bytes are those that overlaybd's own tools write: a pax header with the
 * size, and a member whose own size field is 0.
 */
void tar_encode_prefix(u8 prefix[TAR_PREFIX_BYTES], u64 payload_bytes)
{
	struct tar_header *pax = (void *)prefix;
	struct tar_header *member = (void *)(prefix + 2 * TAR_BLOCK_BYTES);
	char record[48];
	int digits, length;

	memset(prefix, 0, TAR_PREFIX_BYTES);
	/* The length counts itself, two digits as no payload is below 1000. */
	digits = snprintf(record, sizeof(record), "%llu", payload_bytes);
	length = snprintf(record, sizeof(record), "%d size=%llu\n",
			  digits + 9, payload_bytes);
	memcpy(prefix + TAR_PAX_OFFSET, record, length);

	strcpy(pax->name, "overlaybd.pax");
	put_field(pax->size, sizeof(pax->size), length);
	pax->type = 'x';
	put_header_end(pax);

	strcpy(member->name, "overlaybd.commit");
	put_field(member->mode, 7, 0100644);
	put_field(member->uid, 7, 0);
	put_field(member->gid, 7, 0);
	put_field(member->size, sizeof(member->size), 0);
	put_field(member->mtime, sizeof(member->mtime), 0);
	member->type = '0';
	strcpy(member->uname, "root");
	strcpy(member->gname, "root");
	put_header_end(member);
}

/* Zero bytes behind the payload: fill up the block, then two more. */
u64 tar_suffix_bytes(u64 payload_bytes)
{
	u64 fill = -payload_bytes % TAR_BLOCK_BYTES;

	return fill + 2 * TAR_BLOCK_BYTES;
}
