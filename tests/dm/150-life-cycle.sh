#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Devices are suspended, given other tables, removed by force, lose their disk or
# their CPU, or come and go by the dozen, while readers compare what they read.
. /lib.sh
# shellcheck source=/dev/null
. "$IMAGES/vars"
REF=$IMAGES/ref
READERS='threads-direct random-buffered processes'

# A debug kernel is for the long form of this.
if [ -e /sys/kernel/debug/kmemleak ]; then
	ROUNDS=10
else
	ROUNDS=4
fi
DEVICES=100

table_of() {
	eval "printf '%s\n' \"\$$1\"" | sed "s|RAW|$RAW_DISK|g"
}

# gently COMMAND...: it gives way to dmsetup, which would wait for half a minute for its
# turn where a CPU is slow.
gently() {
	sh -c 'renice -n 10 -p $$ >/dev/null && exec "$@"' gently "$@"
}

# start_readers DEVICE: until stop_readers; what goes wrong is in /tmp/wrong
start_readers() {
	rm -f /tmp/stop /tmp/wrong
	for mode in $READERS; do
		(
			seed=1
			while [ ! -e /tmp/stop ]; do
				gently devcheck -s $seed "$1" "$REF" "$mode" >"/tmp/out-$mode" 2>&1 ||
					cat "/tmp/out-$mode" >>/tmp/wrong
				seed=$((seed + 1))
			done
			echo $seed >"/tmp/seed-$mode"
		) &
	done
}

stop_readers() {
	touch /tmp/stop
	wait
	[ ! -s /tmp/wrong ] || cat /tmp/wrong
	[ ! -s /tmp/wrong ]
}

# suspend_and_resume [OPTION]
suspend_and_resume() {
	for round in $(seq $ROUNDS); do
		dmsetup suspend ${1:+"$1"} upper || return 1
		sleep 0.05
		dmsetup resume upper || return 1
		sleep 0.05
	done
}

# other_tables [OPTION]
other_tables() {
	for round in $(seq $((ROUNDS / 2))); do
		for form in $forms; do
			dmsetup load --readonly upper --table "$(table_of "$form")" &&
				dmsetup suspend ${1:+"$1"} upper && dmsetup resume upper || return 1
			sleep 0.05
		done
	done
}

# A loaded table that is dropped, while the live one is in use.
dropped_tables() {
	for form in $forms $forms; do
		dmsetup load --readonly upper --table "$(table_of "$form")" &&
			dmsetup clear upper || return 1
	done
}

# shellcheck disable=SC2154 # set in vars
under_load() {
	for form in lz4 small bare; do
		map upper "$(table_of "$form")"
		start_readers /dev/mapper/upper
		check "$form: suspend and resume" suspend_and_resume
		check "$form: suspend without flush" suspend_and_resume --noflush
		check "$form: readers saw nothing of it" stop_readers
		unmap upper
	done
	map upper "$(table_of lz4)"
	start_readers /dev/mapper/upper
	check "other tables and back" other_tables
	check "other tables without flush" other_tables --noflush
	check "tables loaded and dropped" dropped_tables
	[ ! -d /sys/module/dm_overlaybd/holders ] ||
		check "the module cannot be removed" sh -c '! rmmod dm_overlaybd 2>/dev/null'
	check "readers saw nothing of it" stop_readers
	unmap upper
}

removed_by_force() {
	map upper "$(table_of lz4)"
	start_readers /dev/mapper/upper
	sleep 0.3
	dmsetup remove --force upper >/tmp/out 2>&1
	sleep 0.3
	touch /tmp/stop
	wait
	is "removed by force: no wrong data" "$(grep 'should be' /tmp/wrong)" ''
	for _ in 1 2 3 4 5; do
		dmsetup info upper >/dev/null 2>&1 || break
		dmsetup remove --force upper >/dev/null 2>&1
		sleep 0.2
	done
	check "removed by force: gone" [ ! -e /sys/block/dm-0 ]
}

removed_when_closed() {
	map upper "$(table_of fused)"
	exec 3</dev/dm-0
	start_readers /dev/dm-0
	check "removed when closed: asked for" dmsetup remove --deferred upper
	check "removed when closed: reads while open" devcheck /dev/dm-0 "$REF" direct-64k
	check "removed when closed: readers saw nothing of it" stop_readers
	exec 3<&-
	for _ in $(seq 50); do
		[ -e /sys/block/dm-0 ] || break
		sleep 0.1
	done
	check "removed when closed: gone" [ ! -e /sys/block/dm-0 ]
}

# one_of_many NUMBER: makes a device of four kinds, reads it, waits until all are there,
# removes it
one_of_many() {
	kind=shared$(($1 % 4))
	map "many$1" "$(table_of $kind)" &&
		devcheck -s "$1" "/dev/mapper/many$1" "$IMAGES/$kind.ref" shuffled-direct-64k &&
		read -r _ </tmp/many/go && unmap "many$1" && echo "fine" >"/tmp/many/$1"
}

# Lets all of them go on when they are there, or when that takes too long: each takes an
# empty line.
wait_for_many() {
	for _ in $(seq 300); do
		there=$(dmsetup ls | grep -c '^many')
		[ "$there" -lt $DEVICES ] || break
		sleep 1
	done
	seq $DEVICES | tr -d 0-9 >&4
}

many_at_once() {
	mkdir -p /tmp/many
	mkfifo /tmp/many/go
	exec 4<>/tmp/many/go
	map upper "$(table_of fused)"
	start_readers /dev/mapper/upper
	makers=
	for number in $(seq $DEVICES); do
		one_of_many "$number" >"/tmp/many/$number.out" 2>&1 &
		makers="$makers $!"
	done
	wait_for_many
	is "$DEVICES devices at the same time" "$there" $DEVICES
	# shellcheck disable=SC2086 # a list
	wait $makers
	check "$DEVICES devices come and go: readers saw nothing of it" stop_readers
	unmap upper
	for number in $(seq $DEVICES); do
		[ -e "/tmp/many/$number" ] || cat "/tmp/many/$number.out"
	done
	is "$DEVICES devices that share layers come and go" \
		"$(cat /tmp/many/*[0-9] | grep -c fine)" $DEVICES
	exec 4>&-
	rm -r /tmp/many
}

cpus_come_and_go() {
	map upper "$(table_of zstd)"
	start_readers /dev/mapper/upper
	for round in $(seq $ROUNDS); do
		echo 0 >/sys/devices/system/cpu/cpu1/online && sleep 0.1 &&
			echo 1 >/sys/devices/system/cpu/cpu1/online && sleep 0.1 || break
	done
	check "CPUs come and go" [ "$round" = $ROUNDS ]
	check "CPUs come and go: readers saw nothing of it" stop_readers
	unmap upper
}

# A disk that is pulled out: reads fail, nothing hangs, the device goes.
disk_goes() {
	nullb=/sys/kernel/config/nullb
	mount -t configfs configfs /sys/kernel/config 2>/dev/null
	mkdir $nullb/gone
	echo 32 >$nullb/gone/size
	echo 1 >$nullb/gone/memory_backed
	echo 1 >$nullb/gone/power
	dd if="$RAW_DISK" of=/dev/gone bs=1M 2>/dev/null
	sync
	map upper "$(table_of "$1" | sed "s|$RAW_DISK|/dev/gone|g")"
	start_readers /dev/mapper/upper
	sleep 0.5
	is "$1: disk in use" "$(cat /tmp/wrong 2>/dev/null)" ''
	echo 0 >$nullb/gone/power
	sleep 0.3
	touch /tmp/stop
	wait
	check "$1, disk gone: reads fail" grep -q 'Input/output error' /tmp/wrong
	is "$1, disk gone: no wrong data" "$(grep 'should be' /tmp/wrong)" ''
	[ "$1" = bare ] ||
		check "$1, disk gone: counted" [ "$(dmsetup status upper | awk '{ print $(NF - 1) }')" -gt 0 ]
	check "$1, disk gone: the device can be removed" unmap upper
	rmdir $nullb/gone
}

under_load
removed_by_force
removed_when_closed
many_at_once
cpus_come_and_go
for form in lz4 zstd bare fused; do
	disk_goes $form
done
done_testing
