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

# ends_soon PID: within some reads of the disk, which cannot be interrupted. Whether
# it stays as a zombie depends on what else the shell waits for.
ends_soon() {
	for _ in $(seq 40); do
		case $(cat "/proc/$1/stat" 2>/dev/null) in
		'' | *') Z '*) return 0 ;;
		esac
		sleep 0.1
	done
	return 1
}

# was_reason ERRNO TEXT: of a load since this test began
was_reason() {
	dmesg | grep -q "device-mapper: table:.*: $2 (-$1)"
}

# kill_loads SECONDS: one that reads the index, if so much time is right, and one that
# waits for that one to open the layer.
kill_loads() {
	load_in_background one "$table"
	one=$!
	sleep "$1"
	load_in_background two "$table"
	two=$!
	sleep 0.9
	for load in $two $one; do
		kill -9 "$load"
		ends_soon "$load" || ended=no
	done
	wait
	[ -z "$(dmsetup table --inactive one)" ] || left=$(dmsetup table --inactive one)
	unmap one
	unmap two
}

# were_reasons: for this kind of layer
were_reasons() {
	case $kind in
	zfile)
		was_reason EINTR "Interrupted while waiting for the layer to be opened" &&
			was_reason EINTR "Interrupted while reading ZFile index"
		;;
	lsmt) was_reason EINTR "Interrupted while reading LSMT index" ;;
	esac
}

# How far a load has come after a time depends on the machine.
killed_in_time() {
	for seconds in 1.1 1.4 1.8 2.3 2.9 3.6 4.4; do
		kill_loads $seconds
		! were_reasons || return 0
	done
	return 1
}

for kind in zfile lsmt; do
	eval "table=\$$kind"
	disk=$(loop_setup "$IMAGES/$kind")
	table=$(echo "$table" | sed 's|LOWER|/dev/mapper/slow|')
	dmsetup create --readonly slow --table "0 $(sectors "$disk") delay $disk 0 $DELAY_MS"

	ended=yes left=
	check "$kind, killed while it reads or waits: the reasons" killed_in_time
	is "$kind, killed: ends" $ended yes
	is "$kind, killed: no table is left" "$left" ''
	dmsetup suspend slow
	dmsetup load slow --table "0 $(sectors "$disk") linear $disk 0"
	dmsetup resume slow
	check "$kind: loads afterwards" map one "$table"
	check "$kind: reads afterwards" devcheck /dev/mapper/one /dev/null direct-1m
	unmap one
	unmap slow
	loop_drop "$disk"
done

# What comes after reading takes a moment only: loads are killed later and later
# until one was hit there.
now_ms() {
	awk '{ print int($1 * 1000) }' /proc/uptime
}

# load_killed_after MS
load_killed_after() {
	load_in_background combs "$combs"
	one=$!
	usleep "${1}000"
	kill -9 $one 2>/dev/null
	wait $one 2>/dev/null
	unmap combs
}

merged_and_packed() {
	was_reason EINTR "Interrupted while merging layers" &&
		was_reason EINTR "Interrupted while packing segments"
}

interrupt_combs() {
	start=$(now_ms)
	map combs "$combs" || return 1
	whole=$(($(now_ms) - start))
	unmap combs
	for try in $(seq 0 99); do
		load_killed_after $((whole * (try % 20 + 1) / 20))
		! merged_and_packed || return 0
	done
	return 1
}

disk0=$(loop_setup "$IMAGES/comb0")
disk1=$(loop_setup "$IMAGES/comb1")
# shellcheck disable=SC2154 # set in vars
combs=$(echo "$combs" | sed "s|LOOP0|$disk0|; s|LOOP1|$disk1|")
check "lsmt, merging layers and packing segments: can be killed" interrupt_combs
check "lsmt, merging layers: the reason" was_reason EINTR "Interrupted while merging layers"
check "lsmt, packing segments: the reason" \
	was_reason EINTR "Interrupted while packing segments"
check "lsmt, merging and packing: loads afterwards" map combs "$combs"
check "lsmt, merging and packing: reads afterwards" \
	devcheck /dev/mapper/combs /dev/null direct-1m
unmap combs
loop_drop "$disk0"
loop_drop "$disk1"
done_testing
