#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What a device says about the sizes it likes, and what comes of it: whoever reads
# on is read ahead for in few large reads below, whoever does not is not; and the
# compressed bytes do not stay in memory.
# shellcheck disable=SC2154 # the sizes and places come from vars

. /lib.sh
# shellcheck source=/dev/null
. "$IMAGES/vars"

raw=${RAW_DISK#/dev/}

# map_of TARGET PLACE...: as the device "device"
map_of() {
	target=$1
	shift
	map device "0 $sectors $target $(echo "$*" | sed "s|RAW|$RAW_DISK|g")"
	dm=/sys/block/$(basename "$(readlink -f /dev/mapper/device)")
	[ -d "$dm" ] || dm=/sys/block/dm-$(dmsetup info -c --noheadings -o minor device | tr -d ' ')
}

queue() {
	cat "$dm/queue/$1"
}

larger() {
	[ "$1" -gt "$2" ] && echo "$1" || echo "$2"
}

# says TEXT BLOCK: the largest block of the layers
says() {
	lower=/sys/block/$raw/queue
	is "$1: sectors of 512 bytes" "$(queue logical_block_size)" 512
	is "$1: physical blocks" "$(queue physical_block_size)" \
		"$(larger "$2" "$(cat "$lower/physical_block_size")")"
	is "$1: smallest useful read" "$(queue minimum_io_size)" \
		"$(larger "$2" "$(cat "$lower/minimum_io_size")")"
	is "$1: best read" "$(queue optimal_io_size)" 65536
	check "$1: read-ahead of at least two of these" \
		[ "$(queue read_ahead_kb)" -ge 128 ]
}

# below FIELD COMMAND...: by how much it grows in the statistics of the disk
below() {
	field=$1
	shift
	before=$(awk "{ print \$$field }" "/sys/block/$raw/stat")
	"$@" || return 1
	echo $(($(awk "{ print \$$field }" "/sys/block/$raw/stat") - before))
}

read_device() {
	dd if=/dev/mapper/device of=/dev/null "$@" 2>/dev/null
}

drop_caches() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
}

cached() {
	awk '/^(Buffers|Cached):/ { kib += $2 } END { print kib }' /proc/meminfo
}

for block in 512 4096 65536; do
	eval "place=\$zfile_$block"
	map_of zfile "$place"
	says "zfile of $block-byte blocks" $block
	unmap device
done
# A disk whose own best read is no multiple of the blocks on it, as of many arrays: the
# kernel would call the device misaligned, and say that it has no best read.
array() {
	ar_line="0 $((5 * 5984)) striped 5 32"
	for ar_place in 0 6000 12000 18000 24000; do
		ar_line="$ar_line /dev/ram0 $ar_place"
	done
	dmsetup create array --table "$ar_line"
}
place=${zfile_65536#RAW }
check "an array" array
dd if="$RAW_DISK" of=/dev/mapper/array bs=512 skip="${place#*@}" \
	count=$((${place%@*} / 512 + 1)) 2>/dev/null
map_of zfile "/dev/mapper/array ${place%@*}"
says "zfile of 65536-byte blocks on an array" 65536
is "it is aligned" "$(cat "$dm/alignment_offset")" 0
is "the kernel does not complain" "$(dmesg | grep "alignment inconsistency")" ""
unmap device
unmap array

# A disk that can be polled, which a ZFile on it cannot.
polled() {
	mount -t configfs configfs /sys/kernel/config 2>/dev/null
	mkdir /sys/kernel/config/nullb/polled && cd /sys/kernel/config/nullb/polled &&
		echo 16 >size && echo 1 >memory_backed && echo 1 >poll_queues && echo 1 >power
}
check "a disk that can be polled" polled
dd if="$RAW_DISK" of=/dev/polled bs=512 skip="${place#*@}" \
	count=$((${place%@*} / 512 + 1)) 2>/dev/null
map_of zfile "/dev/polled ${place%@*}"
is "it can, and the zfile on it cannot" \
	"$(cat /sys/block/polled/queue/io_poll) $(queue io_poll)" "1 0"
unmap device
echo 0 >/sys/kernel/config/nullb/polled/power
rmdir /sys/kernel/config/nullb/polled

map_of lsmt "$layer_plain" "$layer_packed"
says "lsmt, a layer of it in 16384-byte blocks" 16384
unmap device

map_of zfile "$zfile_4096"
# It stays open: the last one to close it drops its pages.
exec 5</dev/mapper/device
read_device bs=64k count=2
drop_caches
before=$(cached)
reads=$(below 1 read_device bs=4k)
# The page cache reads 128 KiB at a time, from anywhere: that is up to three parts
# between multiples of 64 KiB. Some more for the index; without it there were 2048.
check "8 MiB in reads of 4 KiB: $reads reads below" [ "$reads" -le $((64 * 3 + 8)) ]
grown=$(($(cached) - before))
# The content and nothing beside it: the compressed bytes are half as many.
check "and $grown KiB more in the page cache" [ "$grown" -le $((8192 + 512)) ]
drop_caches
fetched=$(below 3 read_device bs=4k count=1 skip=1000)
check "one read of 4 KiB: $fetched sectors below" [ "$fetched" -le 24 ]
exec 5<&-
unmap device
done_testing
