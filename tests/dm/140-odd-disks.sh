#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Disks with sectors of 4096 bytes, with tiny requests, of two segments, with gaps
# between segments, that do not merge, with interrupts instead of inline completion: all
# is read right. A bare layer cannot lie on sectors of 4096 bytes and is refused.
. /lib.sh
# shellcheck source=/dev/null
. "$IMAGES/vars"
nullb=/sys/kernel/config/nullb
MODES='buffered-4k direct-512 direct-1m direct-512-aligned-3.5k shuffled-direct-64k threads-direct'

of() {
	eval "printf '%s\n' \"\$$1\""
}

# make_disk ATTRIBUTE=VALUE...: /dev/odd, in memory
make_disk() {
	mkdir $nullb/odd
	for word in size=16 memory_backed=1 "$@"; do
		echo "${word#*=}" >"$nullb/odd/${word%%=*}" || return 1
	done
	echo 1 >$nullb/odd/power
}

drop_disk() {
	echo 0 >$nullb/odd/power
	rmdir $nullb/odd
}

# on_disk IMAGE SECTOR: put the image on /dev/odd; "table" opens it
on_disk() {
	dd if="$IMAGES/$1" of=/dev/odd bs=512 seek="$2" 2>/dev/null && sync
	lies_on /dev/odd "$@"
}

# lies_on DISK IMAGE SECTOR: the same for one that is there already
# shellcheck disable=SC2046 # three words
lies_on() {
	set -- "$1" "$3" $(of "$2")
	table="0 $4 $3 $1 $5@$2"
}

# queue_of DISK ATTRIBUTE
queue_of() {
	cat "/sys/block/${1#/dev/}/queue/$2"
}

# read_all TEXT IMAGE SECTOR [MODES]
read_all() {
	modes=$4
	for mode in ${modes:-$MODES}; do
		devcheck /dev/mapper/upper "$IMAGES/$2.ref" "$mode" || return 1
	done
}

# right TEXT IMAGE SECTOR [MODES]: the image is there already
right() {
	check "$2 on $1, from sector $3: opened" map upper "$table"
	check "$2 on $1, from sector $3: read" read_all "$@"
	is "$2 on $1, from sector $3: sectors of 512 bytes" \
		"$(blockdev --getss /dev/mapper/upper)" 512
	unmap upper
}

# all_right TEXT IMAGE SECTOR [MODES]
all_right() {
	on_disk "$2" "$3"
	right "$@"
}

# A device that gets larger sectors under an open image, as by a reload of its table.
grows() {
	check "$1: a disk with sectors of 4096 bytes" make_disk blocksize=4096
	on_disk "$1" 0
	plain_disk=$(loop_setup "$IMAGES/$1")
	map lower "0 $(sectors "$plain_disk") linear $plain_disk 0"
	table=${table%/dev/odd *}/dev/mapper/lower\ ${table##* }
	map first "$table"
	check "$1, sectors of 512 bytes: read" devcheck /dev/mapper/first "$IMAGES/$1.ref" direct-64k
	dmsetup suspend lower
	dmsetup load --readonly lower --table "0 $((($(sectors "$plain_disk") + 7) / 8 * 8)) linear /dev/odd 0"
	dmsetup resume lower
	is "$1: now they have 4096" "$(blockdev --getss /dev/mapper/lower)" 4096
	forget_log
	is "$1, larger sectors: reads fail" "$(readat /dev/mapper/first 0 8 3 | cut -d' ' -f1)" 3
	is "$1, larger sectors: counted" \
		"$(dmsetup status first | awk '{ print $(NF - 1), $NF }')" "3 0"
	check "$1, larger sectors: the log says what to do" \
		sh -c "dmesg | grep -q 'has larger blocks than before: load the table again'"
	check "$1, larger sectors: opened again" map second "$table"
	check "$1, larger sectors: read" devcheck /dev/mapper/second "$IMAGES/$1.ref" direct-64k
	unmap second
	unmap first
	unmap lower
	loop_drop "$plain_disk"
	drop_disk
}

# waits_below DEVICE IMAGE: on that device, while "lower" becomes a device that always waits
# shellcheck disable=SC2046 # three words
waits_below() {
	wb_text="$2 on $1" name=$2
	reload_lower "0 $size linear $disk 0"
	set -- "$1" $(of "$2")
	table="0 $3 $2 /dev/mapper/$1 $4"
	map first "$table"
	is "$wb_text, a read that must not wait" \
		"$(readat -n /dev/mapper/first 0 8 | cut -d' ' -f1)" 0
	reload_lower "0 $size flakey $disk 0 1000 0"
	is "$wb_text, it would wait below: EAGAIN" \
		"$(readat -n /dev/mapper/first 0 8 | cut -d' ' -f1)" 1
	is "$wb_text, that is no error, and no event" "$(dmsetup status first |
		awk '{ print $(NF - 1), $NF }') $(dmsetup info -c --noheadings -o events first)" \
		"0 0 0"
	check "$wb_text, other reads are right" \
		devcheck /dev/mapper/first "$IMAGES/$name.ref" direct-64k
	unmap first
}

# What lies below is swapped, as by a reload of its table: for a device that always
# waits, and for one that is too short.
swapped_below() {
	disk=$(loop_setup "$IMAGES/$1") && size=$(sectors "$disk")
	dmsetup create --readonly lower --table "0 $size linear $disk 0"
	dmsetup create --readonly middle --table "0 $size linear /dev/mapper/lower 0"
	waits_below lower "$1"
	waits_below middle "$1"
	unmap middle

	dmsetup create --notable second
	dmsetup load --readonly second --table "$(echo "$table" | sed s/middle/lower/)"
	reload_lower "0 $((size - 1)) linear $disk 0"
	check "$name, too short when it is resumed: refused" \
		sh -c '! dmsetup resume second && dmesg | grep -q "too small for target"'
	unmap second
	unmap lower
	loop_drop "$disk"
}

reload_lower() {
	dmsetup suspend lower && dmsetup load --readonly lower --table "$1" &&
		dmsetup resume lower
}

mount -t configfs configfs /sys/kernel/config 2>/dev/null
check "a disk with sectors of 4096 bytes" make_disk blocksize=4096
is "its sectors" "$(blockdev --getss /dev/odd)" 4096
for name in lz4 zstd small fused; do
	for sector in 0 3 8 701; do
		all_right "4096-byte sectors" $name $sector
	done
done
on_disk bare 8
expect_fail "a bare layer on 4096-byte sectors" "$table" EINVAL \
	"Device of an uncompressed layer must have 512-byte sectors"
on_disk lz4 0
map middle "$table"
is "the zfile on it has sectors of 512 bytes" "$(blockdev --getss /dev/mapper/middle)" 512
unmap middle
drop_disk

grows lz4
grows small
swapped_below lz4
swapped_below bare

# shellcheck disable=SC2154 # set in vars
check "a disk with requests of one page" make_disk blocksize=512 max_sectors=8
for name in $all; do
	all_right "requests of 4 KiB" "$name" 5
done
drop_disk

is "a disk with requests of two segments" "$(queue_of "$RAW_DISK" max_segments)" 2
for name in $all; do
	sector=$(of "${name}_place")
	lies_on "$RAW_DISK" "$name" "$sector"
	right "two segments" "$name" "$sector"
done

check "a disk that joins only whole pages" make_disk blocksize=512 virt_boundary=1
for name in $all; do
	all_right "page boundaries" "$name" 5
done
drop_disk

check "a disk" make_disk blocksize=512
echo 2 >/sys/block/odd/queue/nomerges
is "that does not merge requests" "$(queue_of /dev/odd nomerges)" 2
for name in $all; do
	all_right "no merges" "$name" 5
done
drop_disk

check "a disk with timers" make_disk blocksize=512 irqmode=2 completion_nsec=100000
for name in $all; do
	all_right "timer interrupts" "$name" 5 "direct-64k threads-direct processes"
done
drop_disk
done_testing
