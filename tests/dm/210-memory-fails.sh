#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Each allocation of a table load fails once, or all from one on: the load is refused
# with a reason, or goes on without, and nothing is left behind. Then the same, but
# for the second, with reads.
. /lib.sh
# shellcheck source=/dev/null
. "$IMAGES/vars"
debug=/sys/kernel/debug

for kind in failslab fail_page_alloc; do
	echo 0 >$debug/$kind/verbose
	echo N >$debug/$kind/ignore-gfp-wait
done
echo 0 >$debug/fail_page_alloc/min-order
# Those of vmalloc, too.
echo N >$debug/fail_page_alloc/ignore-gfp-highmem
echo Y >$debug/failslab/task-filter
echo -1 >$debug/failslab/times
dd if="$RAW_DISK" of=/dev/ram0 bs=1M 2>/dev/null

# On a disk that does not end with a whole page the jump table takes two caches.
map odd "0 $(($(sectors /dev/ram0) - 1)) linear /dev/ram0 0"

# table_of NAME
table_of() {
	to_disk=/dev/ram0
	[ "$1" = small ] && to_disk=/dev/mapper/odd
	eval "echo \"\$$1\"" | sed "s|RAW|$to_disk|g"
}

reasons=
# loads_fail MODE TEXT
loads_fail() {
	if output=$(memfail "$1" "$table" "$IMAGES/$name.ref" "$other"); then
		pass "$name: $2"
		echo "$output" | grep '^#'
	else
		fail "$name: $2" "$output"
	fi
	reasons="$reasons
$output"
}

for name in lz4 trailer zstd small stack; do
	table=$(table_of $name)
	# Other layers: those of the table must not be open already.
	other=$(table_of "$([ $name = lz4 ] && echo trailer || echo lz4)")
	loads_fail load "each allocation of a load fails once"
	echo 100 >$debug/failslab/probability
	loads_fail short "all allocations of a load fail from one on"
	echo 0 >$debug/failslab/probability
	map memfail "$table"
	check "$name: each allocation of a read fails once" \
		memfail read /dev/mapper/memfail "$IMAGES/$name.ref"
	check "$name: the device has taken no harm" \
		devcheck /dev/mapper/memfail "$IMAGES/$name.ref" random-direct
	unmap memfail
done

# How many allocations come before one differs from load to load, and the step at which
# it is to fail may find another one: what is there once in a load is tried until it fails.
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
	case $reasons in
	*"Cannot allocate list of layers"*) break ;;
	esac
	loads_fail load "each allocation of a load fails once, again"
done

# What ZSTD works in is whole pages and not of a slab, and more of them than anything
# else of an image with small blocks takes at once.
name=workspace other=$(table_of lz4)
table=$(table_of $name)
echo 5 >$debug/fail_page_alloc/min-order
echo Y >$debug/fail_page_alloc/task-filter
echo -1 >$debug/fail_page_alloc/times
for kind in failslab fail_page_alloc; do
	echo 100 >$debug/$kind/probability
done
loads_fail short "all allocations of a load fail from one on, those of many pages always"
for kind in failslab fail_page_alloc; do
	echo 0 >$debug/$kind/probability
done

unmap odd

while read -r reason; do
	case $reasons in
	*": $reason"*) pass "a reason was: $reason" ;;
	*) fail "a reason was: $reason" ;;
	esac
done <<END
Cannot allocate zfile context
Cannot allocate ZFile context
Cannot allocate ZFile jump table
Cannot allocate ZFile reserve
Cannot allocate decompression workspaces
Cannot allocate device range
Cannot allocate layer
Cannot allocate lsmt context
Cannot allocate list of layers
Cannot allocate LSMT context
Cannot allocate LSMT header
Cannot allocate LSMT segments
Cannot allocate merged segments
Cannot allocate segment index
Cannot create ZFile workqueue
Cannot create a cache for the ZFile index
Cannot read the layer's header
Cannot read the layer's trailer
Cannot read ZFile index
Cannot read LSMT header
Cannot read LSMT trailer
Cannot read LSMT index
Device lookup failed
END
printf '%s\n' "$reasons" | grep -v '^$' | sort -u | sed 's/^/# /'
done_testing
