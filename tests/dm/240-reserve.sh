#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Nobody gets more than eight pages in a row, as on a host whose memory is in pieces.
# Images with blocks of 64 KiB open all the same and are read by way of their reserve,
# with exactly the errors that there are with all memory.
. /lib.sh
# shellcheck source=/dev/null
. "$IMAGES/vars"
fail=/sys/kernel/debug/fail_page_alloc
PLENTY=1000000000

# in_pieces COMMAND...: it succeeds, and has asked for more pages in a row
in_pieces() {
	echo $PLENTY >$fail/times
	echo 100 >$fail/probability
	"$@"
	ip_status=$?
	echo 0 >$fail/probability
	[ "$ip_status" -eq 0 ] && [ "$(cat $fail/times)" -lt $PLENTY ]
}

counters() {
	dmsetup status upper | awk '{ print $(NF - 1), $NF }'
}

# read_all SIZE: what is lost is one block to the bad sector and one to its CRC, and
# the status line counts each read of them.
# shellcheck disable=SC2046 # a list of sectors
read_all() {
	set -- "$1" $((65536 / $1)) $(counters)
	damage /dev/mapper/upper "$IMAGES/ref" "$1" $(eval "echo \$${name}_lost") &&
		[ "$(counters)" = "$(($3 + $2)) $(($4 + $2))" ] || {
		counters
		return 1
	}
}

# read_at_once: a block that does not compress; prints how often it could not be read
read_at_once() {
	ra_got=$(readat -n /dev/mapper/upper 0 128) && echo "${ra_got% *}"
}

echo 0 >$fail/verbose
echo N >$fail/task-filter
echo N >$fail/ignore-gfp-wait
echo 4 >$fail/min-order

for name in lz4 zstd; do
	eval "table=\$$name below=\$${name}_below"
	map below "$(echo "$below" | sed "s|RAW|$RAW_DISK|")"
	check "$name: opened with memory in pieces" in_pieces map upper "$table"
	# First, for what was read with all memory may be in the block cache.
	for size in 512 4096 65536; do
		check "$name: reads of $size bytes with memory in pieces" in_pieces read_all $size
	done
	for size in 512 4096 65536; do
		check "$name: the same with all memory: reads of $size bytes" read_all $size
	done
	unmap upper
	unmap below

	# The target error, which was below, is none that never waits.
	eval "table=\$${name}_alone"
	map upper "$(echo "$table" | sed "s|RAW|$RAW_DISK|")"
	is "$name: a read that must not wait" "$(read_at_once)" 0
	is "$name: with memory in pieces it fails with EAGAIN" "$(in_pieces read_at_once)" 1
	unmap upper
done

# Blocks of 4 KiB do not need the reserve for that: what is read at once is shorter.
requests() {
	awk '{ print $1 }' "/sys/block/${RAW_DISK#/dev/}/stat"
}

# shellcheck disable=SC2154 # set in vars
map upper "$(echo "$fine" | sed "s|RAW|$RAW_DISK|")"
before=$(requests)
check "blocks of 4 KiB, memory in pieces: read" in_pieces devcheck /dev/mapper/upper \
	"$IMAGES/fine.ref" direct-64k
check "blocks of 4 KiB, memory in pieces: four of them at once" \
	[ $(($(requests) - before)) -le $((fine_sectors / 8 / 3)) ]
unmap upper

# A read that waits for memory, of a block that was small on disk before that and is
# large after it: it gets memory for a large one.
# shellcheck disable=SC2154 # set in vars
{
	cat "$IMAGES/many" >/dev/ram0
	map upper "0 $many"
	# On a very slow machine a worker gets its turn all the same.
	for _ in 1 2 3; do
		result=$(swapsizes /dev/ram0 /dev/mapper/upper "0 $many" "$many_index" 0 256)
		[ "$result" = read ] || break
	done
	is "a block that grows while its read waits" "$result" EIO
	check "a block that grows while its read waits: read as what it is then" sh -c \
		"dmesg | grep -q 'block 0 at byte 512 has a wrong checksum'"
	map again "0 $many"
	is "a block that has grown, opened again: as before" \
		"$(readat /dev/mapper/upper 0 1 | cut -d' ' -f1)" 0
	unmap again
	unmap upper
}
done_testing
