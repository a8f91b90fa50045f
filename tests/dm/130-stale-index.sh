#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A device gets other content between two opens: the second sees that, also
# while the first is still there and reads what it can.
. /lib.sh
# shellcheck source=/dev/null
. "$IMAGES/vars"

of() {
	eval "printf '%s\n' \"\$$1\""
}

# shellcheck disable=SC2046 # three words
open_as() {
	set -- "$1" "$3" $(of "$2")
	map "$1" "0 $4 $3 $2 $5"
}

# reads_as DEVICE NAME LETTER
reads_as() {
	devcheck "/dev/mapper/$1" "$IMAGES/$2.$3.ref" direct-4k &&
		devcheck "/dev/mapper/$1" "$IMAGES/$2.$3.ref" buffered-512
}

# What was there when the device was opened, and what is there now, is all it may read.
sane() {
	damage -o "$IMAGES/$2.b.ref" "/dev/mapper/$1" "$IMAGES/$2.a.ref" 4096
}

another_file() {
	disk=$(loop_setup "$IMAGES/$1.a")
	open_as first "$1" "$disk"
	check "$1: the first file" reads_as first "$1" a
	loopchange "$disk" "$IMAGES/$1.b"
	check "$1, other file: opened while the first is" open_as second "$1" "$disk"
	check "$1, other file: read" reads_as second "$1" b
	check "$1, other file: the first device reads nothing else" sane first "$1"
	loopchange "$disk" "$IMAGES/$1.a"
	check "$1, first file again: opened" open_as third "$1" "$disk"
	check "$1, first file again: read" reads_as third "$1" a
	check "$1, first file again: the first device reads it" reads_as first "$1" a
	for device in first second third; do
		unmap $device
	done
	loop_drop "$disk"
}

# The loop device is detached and attached, with nothing else changed.
attached_again() {
	for letter in a b; do
		disk=$(loop_setup "$IMAGES/$1.$letter")
		open_as upper "$1" "$disk"
		check "$1, attached again: $letter" reads_as upper "$1" $letter
		unmap upper
		loop_drop "$disk"
	done
}

# Content is written over, as a logical volume would be.
written_over() {
	cp "$IMAGES/$1.a" /tmp/image
	disk=$(loop_setup /tmp/image)
	open_as first "$1" "$disk"
	reads_as first "$1" a || fail "$1, written over: before"
	cat "$IMAGES/$1.b" >/tmp/image
	check "$1, written over: opened while the first is" open_as second "$1" "$disk"
	check "$1, written over: read" reads_as second "$1" b
	unmap second
	check "$1, written over: the first device reads nothing else" sane first "$1"
	cat "$IMAGES/$1.a" >/tmp/image
	check "$1, written over again: opened while the first is" open_as third "$1" "$disk"
	check "$1, written over again: read" reads_as third "$1" a
	unmap third
	unmap first
	loop_drop "$disk"
	rm /tmp/image
}

# What is read of the jump table while other content is there is not what the next one
# who opens the image gets.
parts_of_another() {
	cp "$IMAGES/$1.a" /tmp/image
	disk=$(loop_setup /tmp/image)
	open_as first "$1" "$disk"
	cat "$IMAGES/$1.b" >/tmp/image
	check "$1, parts of another: the first device reads that" reads_as first "$1" b
	cat "$IMAGES/$1.a" >/tmp/image
	check "$1, parts of another: opened again" open_as second "$1" "$disk"
	check "$1, parts of another: read" reads_as second "$1" a
	unmap second
	unmap first
	loop_drop "$disk"
	rm /tmp/image
}

# A part of the jump table that is wrong, but not in its sum, does not stay.
repaired() {
	cp "$IMAGES/$1.a" /tmp/image
	disk=$(loop_setup /tmp/image)
	open_as first "$1" "$disk"
	cat "$IMAGES/$1.bad" >/tmp/image
	is "$1, repaired: a block that has no length" \
		"$(readat /dev/mapper/first 1 1 | cut -d" " -f1)" 1
	cat "$IMAGES/$1.a" >/tmp/image
	check "$1, repaired: reads right again" reads_as first "$1" a
	unmap first
	loop_drop "$disk"
	rm /tmp/image
}

# A slow disk whose file is swapped while ZFiles on it are opened and read, so that
# both ends and the index come from two files. Each device is one of the files for
# good, and none of them, which are all still open at the end, is shared with a
# device that is opened on the other file.
# shellcheck disable=SC2046 # three words
changed_meanwhile() {
	text="$1, changed meanwhile" image=$IMAGES/$1
	disk=$(loop_setup "$image.a")
	map lower "0 $(sectors "$disk") delay $disk 0 150"
	set -- "$1" $(of "$1")
	swapped "$disk" "$image.a" "$image.b" "$image.a.ref" "$image.b.ref" \
		/dev/mapper/lower "0 $3 $2 /dev/mapper/lower $4" >/tmp/swapped
	sed 's/^/# /' /tmp/swapped
	check "$text: some are made" grep '^made: [1-9]' /tmp/swapped
	check "$text: some are refused" grep '^refused: [1-9]' /tmp/swapped
	is "$text: each reads one file" "$(grep -v '^made:\|^refused:' /tmp/swapped)" ""
	for letter in a b; do
		loopchange "$disk" "$image.$letter"
		check "$text: then opened with $letter" open_as last "$1" /dev/mapper/lower
		check "$text: reads $letter" reads_as last "$1" $letter
		unmap last
	done
	for device in $(dmsetup ls | grep -o '^swapped[0-9]*'); do
		unmap "$device"
	done
	unmap lower
	loop_drop "$disk"
}

# reads_of DEVICE: how often it was read from
reads_of() {
	awk '{ print $1 }' "/sys/block/dm-$(dmsetup info -c --noheadings -o minor "$1")/stat"
}

first_sector() {
	readat /dev/mapper/first 0 1 >/dev/null
}

# Is there a read that is delayed?
delayed() {
	dmsetup status lower | grep -q ' delay 1 '
}

wait_until() {
	for _ in $(seq 100); do
		"$@" && return
		sleep 0.1
	done
}

# A block that was on its way when the ZFile was opened again does not get into the
# cache: who opened it then may know that the disk has other content.
on_its_way() {
	disk=$(loop_setup "$IMAGES/$1.a") && size=$(sectors "$disk")
	# The blocks are slow, header, index and trailer are not.
	map lower "0 1 linear $disk 0
1 $((size - 3)) delay $disk 1 5000
$((size - 2)) 2 linear $disk $((size - 2))"
	open_as first "$1" /dev/mapper/lower
	first_sector &
	reader=$!
	wait_until delayed
	open_as second "$1" /dev/mapper/lower
	check "$1, on its way: while it is opened again" kill -0 $reader
	wait $reader
	before=$(reads_of lower)
	first_sector
	is "$1, on its way: is read again after that" $(($(reads_of lower) - before)) 1
	first_sector
	is "$1, on its way: is cached then" $(($(reads_of lower) - before)) 1
	unmap first
	unmap second
	unmap lower
	loop_drop "$disk"
}

# Readers of a device that has nothing to do with all this, until readers_saw_nothing.
start_readers() {
	steady=$1 steady_disk=$(loop_setup "$IMAGES/$1.a")
	open_as steady "$1" "$steady_disk"
	for mode in threads-direct random-buffered; do
		while [ ! -e /tmp/stop ]; do
			devcheck /dev/mapper/steady "$IMAGES/$steady.a.ref" $mode || echo "$mode failed"
			sleep 0.3
		done >>/tmp/wrong 2>&1 &
	done
}

readers_saw_nothing() {
	touch /tmp/stop
	wait
	unmap steady
	loop_drop "$steady_disk"
	cat /tmp/wrong
	[ ! -s /tmp/wrong ]
}

on_its_way digest
for name in digest streamed; do
	changed_meanwhile $name
done
parts_of_another leaves
repaired leaves
start_readers nodigest
# shellcheck disable=SC2154 # set in vars
for name in $all; do
	another_file "$name"
	attached_again "$name"
	written_over "$name"
done
check "readers of another device saw nothing of it" readers_saw_nothing
done_testing
