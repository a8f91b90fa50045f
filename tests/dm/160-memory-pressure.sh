#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A compressed image in a file, in a file system, in a layer, in a compressed image:
# it reads right with hardly any memory, and so does a program that is run from
# there. When all is over the kernel holds what it held before.
. /lib.sh
# shellcheck source=/dev/null
. "$IMAGES/vars"
LEFT_KIB=65536
MIB=$((1 << 20))

# in_cgroup MIB COMMAND...: with this much memory, cached pages included
in_cgroup() {
	mkdir -p "/tmp/cgroup/$1" && echo $(($1 * MIB)) >"/tmp/cgroup/$1/memory.max"
	ic_tasks=/tmp/cgroup/$1/cgroup.procs
	shift
	sh -c 'echo $$ >"$0" && exec "$@"' "$ic_tasks" "$@"
}

oom_kills() {
	awk '$1 == "oom_kill" { print $2 }' "/tmp/cgroup/$1/memory.events"
}

# start_eater COMMAND...: which ends with memeater; wait until it is full
start_eater() {
	"$@" >/tmp/eater 2>&1 &
	eater=$!
	for _ in $(seq 600); do
		grep -q full /tmp/eater && return
		sleep 0.1
	done
	return 1
}

stop_eater() {
	kill -9 "$(cut -d' ' -f1 /tmp/eater)"
	wait "$eater" 2>/dev/null
}

# has_sum MIB DEVICE [PROGRAM]: read from end to end, through the page cache
has_sum() {
	blockdev --flushbufs "/dev/mapper/$2"
	[ "$(in_cgroup "$1" ${3:+"$3"} md5sum <"/dev/mapper/$2")" = \
		"$(md5sum <"$IMAGES/$2.ref")" ]
}

available() {
	awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo
}

start_dropper() {
	rm -f /tmp/stop
	(
		while [ ! -e /tmp/stop ]; do
			echo 3 >/proc/sys/vm/drop_caches
			sleep 0.05
		done
	) &
	dropper=$!
}

stop_dropper() {
	touch /tmp/stop
	wait $dropper
}

# A program that is there nowhere else.
program_reads() {
	for _ in 1 2 3; do
		echo 3 >/proc/sys/vm/drop_caches
		[ "$(/tmp/outer/busybox md5sum </dev/mapper/inner)" = \
			"$(md5sum <"$IMAGES/inner.ref")" ] || return 1
	done
}

read_both() {
	for mode in random-buffered random-direct; do
		devcheck /dev/mapper/inner "$IMAGES/inner.ref" $mode &&
			devcheck /dev/mapper/outer "$IMAGES/outer.ref" $mode || return 1
	done
}

read_at_once() {
	rm -f /tmp/failed
	for seed in 1 2 3; do
		for device in inner outer; do
			devcheck -s $seed /dev/mapper/$device "$IMAGES/$device.ref" threads-direct ||
				touch /tmp/failed &
		done
	done
	program_reads || touch /tmp/failed
	for pid in $(jobs -p); do
		[ "$pid" = "$dropper" ] || [ "$pid" = "$eater" ] || wait "$pid"
	done
	[ ! -e /tmp/failed ]
}

# shellcheck disable=SC2154 # set in vars
map_all() {
	map below "$(echo "$below" | sed "s|RAW|$RAW_DISK|")" && map outer "$outer" &&
		mount -t ext4 -o ro,noload /dev/mapper/outer /tmp/outer &&
		disk=$(loop_setup /tmp/outer/inner.z) &&
		map inner "$(echo "$inner" | sed "s|LOOP|$disk|")"
}

unmap_all() {
	unmap inner && loop_drop "$disk" && umount /tmp/outer && unmap outer && unmap below
}

# What comes and goes with a set of devices, read by a program that lies on them.
use_all() {
	map_all && /tmp/outer/busybox dd if=/dev/mapper/inner of=/dev/null bs=64k 2>/dev/null &&
		unmap_all && echo 3 >/proc/sys/vm/drop_caches
}

if [ "${1:-}" = use ]; then
	use_all
	exit
fi

# stack_of COUNT: a table of so many layers with a million segments each
stack_of() {
	# shellcheck disable=SC2154 # set in vars
	so_layer=$(echo "$million" | sed "s|RAW|$RAW_DISK|") so_line="0 8 lsmt"
	for _ in $(seq "$1"); do
		so_line="$so_line $so_layer"
	done
	echo "$so_line"
}

sectors_read() {
	awk '{ print $3 }' "/sys/block/${RAW_DISK#/dev/}/stat"
}

mkdir -p /tmp/outer /tmp/cgroup
mount -t cgroup2 cgroup2 /tmp/cgroup && echo +memory >/tmp/cgroup/cgroup.subtree_control
map_all
is "an image in a file, in a file system, in a stack of targets" $? 0
for device in outer inner; do
	check "$device: read in a cgroup of 4 MiB" has_sum 4 $device
done
is "nobody was killed there" "$(oom_kills 4)" 0

start_eater in_cgroup 64 memeater -b $((54 * MIB))
is "most of a cgroup of 64 MiB is eaten" $? 0
start_dropper
for device in outer inner; do
	check "$device: read there by a program that lies on it" \
		has_sum 64 $device /tmp/outer/busybox
done
stop_dropper
is "nobody was killed there" "$(oom_kills 64)" 0
stop_eater

start_eater memeater -l $LEFT_KIB
is "all memory is eaten" $? 0
check "memory is short" [ "$(available)" -lt $((2 * LEFT_KIB)) ]
start_dropper
check "all memory eaten, caches dropped all the time: read" read_both
before=$(sectors_read)
expect_fail "too many segments" "$(stack_of 17)" EFBIG \
	"Too many segments in all layers together"
check "they are refused before any is read" [ $(($(sectors_read) - before)) -lt 1000 ]
expect_fail "more segments than there is memory for" "$(stack_of 16)" ENOMEM \
	"Not enough memory for the segments of all layers"
check "the same, by many readers" read_at_once
for device in outer inner; do
	check "$device: read in a cgroup of 4 MiB" has_sum 4 $device
done
stop_dropper
stop_eater
is "nobody was killed but who ate it" \
	"$(dmesg | grep -E 'Killed process|oom-kill' | grep -v memeater)" ''
is "no read error" "$(dmsetup status | awk '{ print $(NF - 1), $NF }' | sort -u)" "0 0"
check "all devices removed" unmap_all
check "what the kernel holds is as before" leftover 10 sh "$0" use
bufio=/sys/module/dm_bufio/parameters/current_allocated_bytes
[ ! -e $bufio ] || is "dm-bufio holds nothing" "$(cat $bufio)" 0
rmdir /tmp/cgroup/4 /tmp/cgroup/64
umount /tmp/cgroup
done_testing
