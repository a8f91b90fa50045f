#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The module comes and goes; not while a device uses it.
. /lib.sh
# shellcheck source=/dev/null
. "$IMAGES/vars"

[ -d /sys/module/dm_overlaybd/holders ] || skip_all "the module is built in"

used_between() {
	for _ in $(seq 10); do
		rmmod dm_overlaybd && insmod /modules/dm-overlaybd.ko || return 1
		for form in lz4 zstd fused; do
			eval "table=\$$form"
			map upper "$(echo "$table" | sed "s|RAW|$RAW_DISK|g")" &&
				devcheck /dev/mapper/upper "$IMAGES/ref" shuffled-direct-512 &&
				unmap upper || return 1
		done
	done
}

unused() {
	for _ in $(seq 20); do
		rmmod dm_overlaybd && insmod /modules/dm-overlaybd.ko || return 1
	done
}

check "unloaded and loaded" unused
check "unloaded and loaded, used in between" used_between
# shellcheck disable=SC2154 # set in vars
map upper "$(echo "$lz4" | sed "s|RAW|$RAW_DISK|g")"
check "not unloaded while in use" sh -c '! rmmod dm_overlaybd 2>/dev/null'
check "and still works" devcheck /dev/mapper/upper "$IMAGES/ref" direct-64k
unmap upper
done_testing
