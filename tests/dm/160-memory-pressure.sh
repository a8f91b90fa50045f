#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A compressed image in a file, in a file system, in a compressed layer: it reads
# right with hardly any memory, and so does a program that is run from there.
. /lib.sh
# shellcheck source=/dev/null
. "$IMAGES/vars"
LEFT_KIB=65536

mkdir -p /tmp/outer /tmp/cgroup /tmp/full
mount -t cgroup2 cgroup2 /tmp/cgroup && echo +memory >/tmp/cgroup/cgroup.subtree_control

# in_cgroup BYTES COMMAND...: with this much memory, cached pages included
in_cgroup() {
	mkdir -p /tmp/cgroup/small && echo "$1" >/tmp/cgroup/small/memory.max
	shift
	sh -c 'echo $$ >/tmp/cgroup/small/cgroup.procs && exec "$@"' sh "$@"
}

oom_kills() {
	awk '$1 == "oom_kill" { print $2 }' /tmp/cgroup/small/memory.events
}

# has_sum DEVICE: read from end to end through the page cache
has_sum() {
	blockdev --flushbufs "/dev/mapper/$1"
	[ "$(in_cgroup $((4 << 20)) md5sum <"/dev/mapper/$1")" = "$(md5sum <"$IMAGES/$1.ref")" ]
}

available() {
	awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo
}

# All memory but a little, in files that cannot be swapped out.
eat_memory() {
	mount -t tmpfs -o size=100% full /tmp/full
	dd if=/dev/zero of=/tmp/full/it bs=1M count=$((($(available) - LEFT_KIB) / 1024)) 2>/dev/null
}

drop_caches() {
	while [ ! -e /tmp/stop ]; do
		echo 3 >/proc/sys/vm/drop_caches
		sleep 0.05
	done
}

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
		[ "$pid" = "$dropper" ] || wait "$pid"
	done
	[ ! -e /tmp/failed ]
}

# shellcheck disable=SC2154 # set in vars
map outer "$(echo "$outer" | sed "s|RAW|$RAW_DISK|")"
check "a file system in the outer image" mount -t ext4 -o ro,noload /dev/mapper/outer /tmp/outer
disk=$(loop_setup /tmp/outer/inner.z)
# shellcheck disable=SC2154 # set in vars
check "an image in a file of it" map inner "$(echo "$inner" | sed "s|LOOP|$disk|")"
for device in outer inner; do
	check "$device: read in a cgroup of 4 MiB" has_sum $device
done
is "nobody was killed there" "$(oom_kills)" 0

eat_memory
check "memory is short" [ "$(available)" -lt $((2 * LEFT_KIB)) ]
rm -f /tmp/stop
drop_caches &
dropper=$!
check "all memory eaten, caches dropped all the time: read" read_both
check "the same, by many readers" read_at_once
for device in outer inner; do
	check "$device: read in a cgroup of 4 MiB" has_sum $device
done
touch /tmp/stop
wait $dropper
umount /tmp/full
is "nobody was killed" "$(dmesg | grep -E 'Out of memory|oom-kill')" ''
is "no read error" "$(dmsetup status | awk '{ print $(NF - 1), $NF }' | sort -u)" "0 0"
unmap inner
loop_drop "$disk"
umount /tmp/outer
unmap outer
rmdir /tmp/cgroup/small
umount /tmp/cgroup
done_testing
