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

seed=$(date +%s)
echo "# seed $seed"
read_all "zfile lz4 4k" "$zfile_lz4_4k" mixed
read_all "zfile lz4 512" "$zfile_lz4_512" mixed
read_all "zfile lz4 64k" "$zfile_lz4_64k" mixed
read_all "zfile zstd 4k" "$zfile_zstd_4k" mixed
read_all "zfile zstd 64k" "$zfile_zstd_64k_nocrc" mixed
read_all "lsmt over plain layers" "$lsmt_plain" stack
read_all "lsmt over compressed layers" "$lsmt_fused" stack
map below-0 "$(echo "$below_0" | sed "s|RAW|$RAW_DISK|g")"
map below-1 "$(echo "$below_1" | sed "s|RAW|$RAW_DISK|g")"
read_all "lsmt over zfile devices" "$lsmt_stacked" stack
unmap below-0
unmap below-1
done_testing
