// SPDX-License-Identifier: GPL-2.0
/*
 * listen
 *
 * Turns auditing on and prints what the kernel tells user space of block devices and
 * of device-mapper, a line each, until it is killed:
 *
 *	listening
 *	uevent ACTION=change DEVPATH=... SUBSYSTEM=block ...
 *	audit 1338 audit(...): module=... op=... ...
 */
#define _GNU_SOURCE
#include "lib/dm-util.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UEVENT_GROUP 1
#define ROOM (32 << 20)

static int netlink_open(int protocol, unsigned int groups)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = groups };
	int room = ROOM, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
		die("netlink socket of protocol %d: %s", protocol, strerror(errno));
	return fd;
}

static void turn_audit_on(int fd)
{
	struct {
		struct nlmsghdr head;
		struct audit_status status;
	} request = {
		.head = {
			.nlmsg_len = sizeof(request),
			.nlmsg_type = AUDIT_SET,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		},
		.status = {
			.mask = AUDIT_STATUS_ENABLED | AUDIT_STATUS_BACKLOG_LIMIT,
			.enabled = 1,
			.backlog_limit = 8192,
		},
	};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char rest[1024];
	} answer;

	if (send(fd, &request, sizeof(request), 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < (ssize_t)NLMSG_LENGTH(sizeof(int)))
		die("cannot turn auditing on: %s", strerror(errno));
	if (answer.head.nlmsg_type != NLMSG_ERROR || answer.error.error)
		die("cannot turn auditing on: %s", strerror(-answer.error.error));
}

/* "change@/devices/...", then words, each with a NUL behind it. */
static void print_uevent(char *message, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++)
		if (!message[i])
			message[i] = ' ';
	if (strstr(message, " SUBSYSTEM=block "))
		printf("uevent %s\n", strchr(message, ' ') + 1);
}

static void print_audit(const struct nlmsghdr *head, size_t len)
{
	if (head->nlmsg_type == AUDIT_DM_CTRL || head->nlmsg_type == AUDIT_DM_EVENT)
		printf("audit %u %.*s\n", head->nlmsg_type, (int)(len - NLMSG_HDRLEN),
		       (const char *)NLMSG_DATA(head));
}

int main(void)
{
	struct pollfd fds[] = {
		{ .events = POLLIN, .fd = netlink_open(NETLINK_KOBJECT_UEVENT, UEVENT_GROUP) },
		{ .events = POLLIN, .fd = netlink_open(NETLINK_AUDIT, AUDIT_NLGRP_READLOG) },
	};
	union {
		struct nlmsghdr head;
		char bytes[16384];
	} message;
	int control = netlink_open(NETLINK_AUDIT, 0);

	turn_audit_on(control);
	close(control);
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("listening");
	while (poll(fds, 2, -1) > 0) {
		for (int i = 0; i < 2; i++) {
			ssize_t len;

			if (!fds[i].revents)
				continue;
			len = recv(fds[i].fd, message.bytes, sizeof(message) - 1, 0);
			if (len < 0)
				die("netlink: %s", strerror(errno));
			message.bytes[len] = '\0';
			if (i)
				print_audit(&message.head, len);
			else
				print_uevent(message.bytes, len);
		}
	}
	return 1;
}
