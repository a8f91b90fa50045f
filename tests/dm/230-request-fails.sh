#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Bad blocks that dm-dust makes and that a write would heal, and requests that
# fail at random: what can be read is right, and when the faults are over all is.
. /lib.sh
# shellcheck source=/dev/null
. "$IMAGES/vars"
debug=/sys/kernel/debug

of() {
	eval "printf '%s\n' \"\$$1${2:+_$2}\""
}

# shellcheck disable=SC2046 # words
open_upper() {
	set -- "$2" $(of "$1")
	map upper "0 $3 $2 $1 $4"
}

# shellcheck disable=SC2046 # lists of sectors
dust() {
	disk=$(loop_setup "$IMAGES/$1") && size=$(sectors "$disk")
	dmsetup create --readonly lower --table "0 $size dust $disk 0 512"
	open_upper "$1" /dev/mapper/lower
	set -- "$1" $(of "$1" bad)
	name=$1
	shift
	while [ $# -gt 0 ]; do
		for sector in $(seq "$1" $(($1 + $2 - 1))); do
			dmsetup message lower 0 addbadblock "$sector"
		done
		shift 2
	done
	dmsetup message lower 0 enable
	for size in 512 4096 65536 0; do
		check "$name on dust, reads of $size" damage /dev/mapper/upper \
			"$IMAGES/$name.ref" $size $(of "$name" lost)
	done
	dmsetup message lower 0 disable
	check "$name on dust: whole again" \
		damage /dev/mapper/upper "$IMAGES/$name.ref" 4096
	unmap upper
	unmap lower
	loop_drop "$disk"
}

errors() { dmsetup status upper | awk '{ print $(NF - 1) }'; }

# Readers that may get errors but no wrong data: devcheck stops at the first error,
# damage does not. What fails in a bare layer is not counted.
fails_at_random() {
	dd if="$IMAGES/$1" of=/dev/ram0 bs=64k 2>/dev/null
	open_upper "$1" /dev/ram0
	echo 0 >$debug/fail_make_request/verbose
	echo -1 >$debug/fail_make_request/times
	echo 5 >$debug/fail_make_request/probability
	echo 1 >/sys/block/ram0/make-it-fail
	for seed in $(seq 20); do
		devcheck -s "$seed" /dev/mapper/upper "$IMAGES/$1.ref" threads-direct
	done >/tmp/out
	# An image of few large blocks takes few requests.
	echo 30 >$debug/fail_make_request/probability
	for size in 512 4096 65536 512 4096 65536; do
		damage -o "$IMAGES/$1.ref" /dev/mapper/upper "$IMAGES/$1.ref" $size
	done >/tmp/failed
	echo 0 >/sys/block/ram0/make-it-fail
	echo 0 >$debug/fail_make_request/probability
	is "$1: requests fail at random, no data is wrong" "$(grep 'should be' /tmp/out)" ''
	check "$1: and they did fail" grep -q 'Input/output error' /tmp/out
	is "$1: nor is any when readers go on" "$(grep -v '^[0-9]*$' /tmp/failed)" ''
	check "$1: which failed, too" grep -q '^[1-9]' /tmp/failed
	[ "$1" = bare ] || check "$1: which was counted" [ "$(errors)" -gt 0 ]
	check "$1: whole again" damage /dev/mapper/upper "$IMAGES/$1.ref" 4096
	unmap upper
}

# shellcheck disable=SC2154 # set in vars
for name in $all; do
	dust "$name"
	fails_at_random "$name"
done
done_testing
