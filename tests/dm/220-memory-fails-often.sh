#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Half of all allocations of the readers and of every kernel thread that works
# for them fail, also those that may wait: reads end right or with ENOMEM.
. /lib.sh
# shellcheck source=/dev/null
. "$IMAGES/vars"
debug=/sys/kernel/debug

# mark_kworkers VALUE: those there are, and those kthreadd will make
mark_kworkers() {
	echo "$1" >/proc/2/make-it-fail
	for task in /proc/[0-9]*; do
		case $(cat "$task/comm" 2>/dev/null) in
		kworker*) echo "$1" >"$task/make-it-fail" 2>/dev/null ;;
		esac
	done
}

set_probability() {
	for kind in failslab fail_page_alloc; do
		echo "$1" >$debug/$kind/probability
	done
}

# storms WORDS...: several readers at once
storms() {
	for number in 1 2 3; do
		{ memfail storm "$@" || echo "reader $number failed"; } >/tmp/storm-$number 2>&1 &
	done
	wait
}

for kind in failslab fail_page_alloc; do
	echo 0 >$debug/$kind/verbose
	echo N >$debug/$kind/ignore-gfp-wait
	echo Y >$debug/$kind/task-filter
	echo -1 >$debug/$kind/times
done
echo 0 >$debug/fail_page_alloc/min-order
dd if="$RAW_DISK" of=/dev/ram0 bs=1M 2>/dev/null

for name in lz4 zstd small stack; do
	eval "table=\$$name"
	map storm "$(echo "$table" | sed 's|RAW|/dev/ram0|g')"
	for percent in 3 50; do
		mark_kworkers 1
		set_probability $percent
		storms /dev/mapper/storm "$IMAGES/$name.ref" 15
		set_probability 0
		mark_kworkers 0
		is "$name: reads while $percent % of allocations fail" \
			"$(grep -v '^#' /tmp/storm-*)" ""
		grep -h '^#' /tmp/storm-*
	done
	check "$name: the device has taken no harm" \
		devcheck /dev/mapper/storm "$IMAGES/$name.ref" random-direct
	is "$name: no read error was counted" "$(dmsetup status storm | awk '{ print $(NF - 1), $NF }')" "0 0"
	unmap storm
done
done_testing
