#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# All ways to read a device give the same bytes: block sizes, buffered, O_DIRECT
# at any alignment, mmap, random order, several readers at once.

. /lib.sh
. "$IMAGES/vars"

# read_all NAME TABLE REFERENCE
read_all() {
	map dut "$(echo "$2" | sed "s|RAW|$RAW_DISK|g")" || fail "$1: create"
	for mode in $(devcheck -l); do
		check "$1: $mode" devcheck -s "$seed" /dev/mapper/dut "$IMAGES/$3" "$mode"
	done
	unmap dut
}

# read_long NAME TABLE: all of it in one request, if memory has huge pages
read_long() {
	map dut "$(echo "$2" | sed "s|RAW|$RAW_DISK|g")" || fail "$1: create"
	stat=/sys/block/dm-$(dmsetup info -c --noheadings -o minor dut)/stat
	check "$1: direct-whole" devcheck /dev/mapper/dut "$IMAGES/long" direct-whole
	if [ "$1" = "lsmt, long" ] && [ -e /sys/kernel/mm/transparent_hugepage ]; then
		check "$1: more sectors at once than a segment can have" \
			[ "$(awk '{ print int($3 / $1) }' "$stat")" -gt 16383 ]
	fi
	unmap dut
}

seed=$(date +%s)
echo "# seed $seed"
read_all "zfile lz4 4k" "$zfile_lz4_4k" mixed
read_all "zfile lz4 512" "$zfile_lz4_512" mixed
read_all "zfile lz4 64k" "$zfile_lz4_64k" mixed
read_all "zfile zstd 4k" "$zfile_zstd_4k" mixed
read_all "zfile zstd 64k" "$zfile_zstd_64k_nocrc" mixed
read_all "lsmt over plain layers" "$lsmt_plain" stack
read_all "lsmt over compressed layers" "$lsmt_fused" stack
read_long "lsmt, long" "$long"
read_long "zfile, long" "$long_zfile"
map below-0 "$(echo "$below_0" | sed "s|RAW|$RAW_DISK|g")"
map below-1 "$(echo "$below_1" | sed "s|RAW|$RAW_DISK|g")"
read_all "lsmt over zfile devices" "$lsmt_stacked" stack
unmap below-0
unmap below-1
done_testing
