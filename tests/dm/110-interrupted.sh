#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A table load on a slow disk can be killed: it ends soon, with a reason, leaves
# nothing behind, and the same table loads afterwards.
. /lib.sh
# shellcheck source=/dev/null
. "$IMAGES/vars"
DELAY_MS=800

# load_in_background NAME TABLE
load_in_background() {
	dmsetup create "$1" --notable
	dmsetup load --readonly "$1" --table "$2" >/dev/null 2>&1 &
}

# ends_soon PID: within some reads of the disk, which cannot be interrupted. Nobody
# has waited for it, so that it stays as a zombie.
ends_soon() {
	for _ in $(seq 40); do
		grep -q '^State:.*Z' "/proc/$1/status" && return 0
		sleep 0.1
	done
	return 1
}

# was_reason TEXT: of a load since the last dmesg -c
was_reason() {
	dmesg | grep -q "device-mapper: table:.*: $1"
}

for kind in zfile lsmt; do
	eval "table=\$$kind"
	disk=$(loop_setup "$IMAGES/$kind")
	table=$(echo "$table" | sed 's|LOWER|/dev/mapper/slow|')
	dmsetup create --readonly slow --table "0 $(sectors "$disk") delay $disk 0 $DELAY_MS"

	load_in_background one "$table"
	one=$!
	sleep 1.1
	load_in_background two "$table"
	two=$!
	sleep 0.9
	if [ $kind = zfile ]; then
		kill -9 $two
		check "zfile, waiting for another load: ends" ends_soon $two
		check "zfile, waiting for another load: the reason" was_reason \
			"Interrupted while waiting for the layer to be opened"
	fi
	kill -9 $one
	check "$kind, reading the index: ends" ends_soon $one
	check "$kind, reading the index: the reason" was_reason "Interrupted while reading .* index"
	kill -9 $two 2>/dev/null
	wait
	check "$kind, killed: no table is left" [ -z "$(dmsetup table --inactive one)" ]
	unmap one
	unmap two
	dmsetup suspend slow
	dmsetup load slow --table "0 $(sectors "$disk") linear $disk 0"
	dmsetup resume slow
	check "$kind: loads afterwards" map one "$table"
	check "$kind: reads afterwards" devcheck /dev/mapper/one /dev/null direct-1m
	unmap one
	unmap slow
	loop_drop "$disk"
done
done_testing
