#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Disks that speak SCSI, with sectors of 512 and of 4096 bytes: bad sectors cost
# exactly the compressed blocks in them, small requests and sector numbers beyond 32
# bits do no harm, a disk may go offline and come back, or go for good under load.
. /lib.sh
# shellcheck source=/dev/null
. "$IMAGES/vars"
driver=/sys/bus/pseudo/drivers/scsi_debug
parameters=/sys/module/scsi_debug/parameters
MEDIUM_ERRORS=2	# of the parameter "opts"
# The disk repeats its content every DISK_MIB, up to 4 TiB.
DISK_MIB=8 FAR=$((1 << 32))

of() {
	eval "printf '%s\n' \"\$$1${2:+_$2}\""
}

# make_disk SECTOR-SIZE: $disk with the images on it; it writes 4096 bytes at once
make_disk() {
	unit=$1
	load_modules scsi dev_size_mb=$DISK_MIB virtual_gb=4096 sector_size="$unit" \
		physblk_exp=$((unit == 512 ? 3 : 0)) \
		delay=0 medium_error_count=0 max_queue=16 || return 1
	for _ in $(seq 50); do
		disk=$(ls -d $driver/adapter*/host*/target*/*/block/sd* 2>/dev/null) &&
			[ -b "/dev/${disk##*/}" ] && break
		sleep 0.1
	done
	scsi=/sys/block/${disk##*/}/device
	queue=/sys/block/${disk##*/}/queue
	disk=/dev/${disk##*/}
	dd if="$IMAGES/disk" of="$disk" bs=1M conv=fsync 2>/dev/null
}

drop_disk() {
	rmmod scsi_debug
}

# table IMAGE [SECTOR]: of the image on the disk, which begins again at SECTOR
# shellcheck disable=SC2046 # three words
table() {
	set -- "$(($(of "$1" place) + ${2:-0}))" $(of "$1")
	printf '0 %s %s %s %s@%s\n' "$3" "$2" "$disk" "$4" "$1"
}

# bad_sectors IMAGE [FIRST COUNT]: in sectors of the disk from the image on
bad_sectors() {
	echo $(($(of "$1" place) * 512 / unit + ${2:-0})) >$parameters/medium_error_start
	echo "${3:-0}" >$parameters/medium_error_count
	echo $(($# > 1 ? MEDIUM_ERRORS : 0)) >$driver/opts
}

errors() { dmsetup status upper | awk '{ print $(NF - 1) }'; }

# exactly IMAGE SIZE [FIRST COUNT]...: ENODATA, as the disk says, for who does not
# read through the page cache
exactly() {
	ex_name=$1 ex_size=$2
	shift 2
	if [ "$ex_size" -eq 0 ]; then
		damage /dev/mapper/upper "$IMAGES/$ex_name.ref" 0 "$@"
	else
		damage -m /dev/mapper/upper "$IMAGES/$ex_name.ref" "$ex_size" "$@"
	fi
}

# shellcheck disable=SC2046 # lists of sectors
bad_data() {
	map upper "$(table "$1")"
	bad_sectors "$1" $(of "$1" "medium_$unit")
	set -- "$1" $(of "$1" "medium_lost_$unit")
	bd_name=$1
	shift
	# No read that is counted may touch two blocks, as 4 KiB of a layer may.
	bd_size=$([ "$bd_name" = fused ] && echo 512 || echo 4096)
	bd_before=$(errors)
	bd_failed=$(exactly "$bd_name" "$bd_size" "$@")
	is "$bd_name, sectors of $unit, bad ones: reads of $bd_size" "$?" 0
	if [ "$bd_name" != bare ]; then
		is "$bd_name, sectors of $unit, bad ones: the status line counts each" \
			$(($(errors) - bd_before)) "$bd_failed"
	fi
	check "$bd_name, sectors of $unit, bad ones: 64 KiB reads" exactly "$bd_name" 65536 "$@"
	check "$bd_name, sectors of $unit, bad ones: buffered reads" exactly "$bd_name" 0 "$@"
	bad_sectors "$bd_name"
	check "$bd_name, sectors of $unit: whole again" exactly "$bd_name" 65536
	unmap upper
}

# A part of the jump table that is read only now: ENODATA, as the disk says.
# shellcheck disable=SC2154 # set in vars
bad_index() {
	map upper "$(table small)"
	bad_sectors small $((small_index * 512 / unit + 4096 / unit)) 1
	check "small, sectors of $unit, bad index: ENODATA" sh -c \
		"readat /dev/mapper/upper 1026 1 2>&1 |
			grep -q 'No data available'"
	is "small, sectors of $unit, bad index: counted" "$(errors)" 1
	bad_sectors small
	check "small, sectors of $unit: whole again" exactly small 65536
	unmap upper
}

bad_metadata() {
	bad_sectors "$1" 0 1
	expect_fail "$1, sectors of $unit: bad header" "$(table "$1")" \
		ENODATA "Cannot read the layer's header"
	bad_sectors "$1"
}

# in_modes TEXT IMAGE SECTOR MODE...
in_modes() {
	im_text=$1 im_name=$2
	check "$2, sectors of $unit, $1: opened" map upper "$(table "$2" "$3")"
	shift 3
	for mode in "$@"; do
		check "$im_name, sectors of $unit, $im_text: $mode" \
			devcheck /dev/mapper/upper "$IMAGES/$im_name.ref" "$mode"
	done
	unmap upper
}

small_requests() {
	is_kb=$(cat "$queue/max_sectors_kb")
	echo 4 >"$queue/max_sectors_kb"
	is "sectors of $unit: requests of 4 KiB at most" "$(cat "$queue/max_sectors_kb")" 4
	for name in $1; do
		in_modes "small requests" "$name" 0 direct-1m direct-512-aligned-3.5k
	done
	echo "$is_kb" >"$queue/max_sectors_kb"
}

unmerged_requests() {
	echo 2 >"$queue/nomerges"
	is "sectors of $unit: requests that are not merged" "$(cat "$queue/nomerges")" 2
	for name in $1; do
		in_modes "no merges" "$name" 0 direct-1m random-buffered
	done
	echo 0 >"$queue/nomerges"
}

# A disk that is taken offline gives errors, and nothing is lost for good.
offline() {
	map upper "$(table lz4)"
	echo offline >"$scsi/state"
	check "sectors of $unit, offline: reads fail" \
		sh -c '! dd if=/dev/mapper/upper of=/dev/null bs=64k count=1 iflag=direct 2>/dev/null'
	check "sectors of $unit, offline: counted" [ "$(errors)" -gt 0 ]
	echo running >"$scsi/state"
	check "sectors of $unit, online again: whole again" exactly lz4 65536
	unmap upper
}

# deleted IMAGE: the disk goes while readers read
deleted() {
	map upper "$(table "$1")"
	rm -f /tmp/stop /tmp/wrong
	for mode in threads-direct random-buffered processes; do
		(
			while [ ! -e /tmp/stop ]; do
				devcheck /dev/mapper/upper "$IMAGES/$1.ref" $mode >>/tmp/wrong 2>&1
			done
		) &
	done
	sleep 0.5
	is "$1, sectors of $unit, before: no errors" "$(cat /tmp/wrong)" ''
	echo 1 >"$scsi/delete"
	sleep 0.3
	touch /tmp/stop
	wait
	check "$1, sectors of $unit, disk deleted: EIO" grep -q 'Input/output error' /tmp/wrong
	is "$1, sectors of $unit, disk deleted: no wrong data" "$(grep 'should be' /tmp/wrong)" ''
	[ "$1" = bare ] || check "$1, sectors of $unit, disk deleted: counted" [ "$(errors)" -gt 0 ]
	check "$1, sectors of $unit, disk deleted: the device can be removed" unmap upper
}

# What of a stack can lie on sectors of 4096 bytes.
large_sectors() {
	small_disk=$(loop_setup "$IMAGES/bare")
	# shellcheck disable=SC2154 # set in vars
	on_loop="$small_disk ${bare##* }"
	on_disk=$(table fused | cut -d' ' -f4-)
	expect_fail "a bare layer on sectors of $unit" "$(table bare)" EINVAL \
		"Device of an uncompressed layer must have 512-byte sectors"
	expect_fail "a bare layer on sectors of $unit, above others" \
		"0 2048 lsmt $on_loop $on_disk $(table bare | cut -d' ' -f4-)" EINVAL \
		"Device of an uncompressed layer must have 512-byte sectors"
	check "the log says which layer" sh -c \
		"dmesg | grep -q 'lsmt: layer 2 ([0-9:]*): Device of an uncompressed layer'"
	map upper "0 2048 lsmt $on_loop $on_disk"
	check "a compressed layer on sectors of $unit, above one on sectors of 512" \
		devcheck /dev/mapper/upper "$IMAGES/fused.ref" random-direct
	is "both: sectors of 512 bytes" "$(blockdev --getss /dev/mapper/upper)" 512
	unmap upper
	loop_drop "$small_disk"
}

# Layers of one stack that lie differently in what the disk writes at once.
# shellcheck disable=SC2154 # odd_place is set in vars
odd_layers() {
	is "a disk that writes 4096 bytes at once" \
		"$(cat "$queue/physical_block_size")" 4096
	forget_log
	map upper "$(table bare) $disk ${bare##* }@$odd_place"
	is "layers at any sector: nothing in the log" "$(dmesg | grep device-mapper:)" ""
	check "layers at any sector: right" devcheck /dev/mapper/upper "$IMAGES/bare.ref" \
		random-direct
	unmap upper
}

[ -e /modules/scsi ] || skip_all "no module scsi_debug"
for size in 512 4096; do
	forms='lz4 zstd small fused'
	[ $size -eq 4096 ] || forms="$forms bare"
	make_disk $size
	is "a disk with sectors of $size" "$(blockdev --getss "$disk")" "$size"
	for name in $forms; do
		bad_data "$name"
	done
	bad_index
	bad_metadata lz4
	small_requests "$forms"
	unmerged_requests "$forms"
	for name in $forms; do
		in_modes "beyond 2 TiB" "$name" $FAR direct-64k
	done
	if [ $size -eq 4096 ]; then
		large_sectors
	else
		bad_metadata bare
		offline
		odd_layers
	fi
	deleted "$([ $size -eq 512 ] && echo bare || echo small)"
	check "sectors of $size: the disk's driver can be removed" drop_disk
done
make_disk 512
deleted lz4
drop_disk
done_testing
