#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The disk below fails. In the metadata: the load is refused. In the data: exactly
# the sectors of the compressed blocks that lie in bad sectors are lost, for as long
# as they are bad, all else reads right, and the status line counts it.
. /lib.sh
# shellcheck source=/dev/null
. "$IMAGES/vars"

# of NAME SUFFIX: the variable NAME_SUFFIX
of() {
	eval "printf '%s\n' \"\$$1${2:+_$2}\""
}

# open_image NAME DEVICE: the target of image NAME on DEVICE, as "upper"
open_image() {
	# shellcheck disable=SC2046 # three words
	set -- "$2" $(of "$1")
	map upper "0 $3 $2 $1 $4"
}

# pass_through SECTORS DEVICE
pass_through() {
	printf '0 %s linear %s 0\n' "$1" "$2"
}

# with_bad SECTORS DEVICE [FIRST COUNT]...: a table of linear and error targets
with_bad() {
	wb_end=$1 wb_dev=$2 wb_at=0
	shift 2
	while [ $# -gt 0 ]; do
		[ "$wb_at" -eq "$1" ] ||
			printf '%s %s linear %s %s\n' $wb_at $(($1 - wb_at)) "$wb_dev" $wb_at
		printf '%s %s error\n' "$1" "$2"
		wb_at=$(($1 + $2))
		shift 2
	done
	[ "$wb_at" -eq "$wb_end" ] ||
		printf '%s %s linear %s %s\n' $wb_at $((wb_end - wb_at)) "$wb_dev" $wb_at
}

# change_lower TABLE: swap the table below an open target
change_lower() {
	dmsetup suspend --noflush --nolockfs lower && dmsetup load lower --table "$1" &&
		dmsetup resume lower
}

errors() { dmsetup status upper | awk '{ print $(NF - 1) }'; }
corrupt() { dmsetup status upper | awk '{ print $NF }'; }
events() { dmsetup info -c --noheadings -o events upper; }

# exactly NAME SIZE [FIRST COUNT]...: see damage.c
exactly() {
	ex_name=$1 ex_size=$2
	shift 2
	damage /dev/mapper/upper "$IMAGES/$ex_name.ref" "$ex_size" "$@"
}

# counted TEXT NAME COUNTER [FIRST COUNT]...: read sector by sector; the failed
# reads are what COUNTER of the status line grows by. A bare layer has none.
counted() {
	co_text=$1 co_name=$2 co_counter=$3
	shift 3
	co_before=$($co_counter) co_events=$(events)
	if ! co_failed=$(exactly "$co_name" 512 "$@"); then
		fail "$co_text" "$co_failed"
		return
	fi
	pass "$co_text"
	[ "$co_name" = bare ] && co_failed=0
	is "$co_text: the status line counts each" "$(($($co_counter) - co_before))" "$co_failed"
	sleep 0.4
	check "$co_text: a dm event was raised" [ "$(events)" -gt "$co_events" ]
}

# shellcheck disable=SC2046 # lists of sectors
bad_sectors() {
	disk=$(loop_setup "$IMAGES/$1") && size=$(sectors "$disk")
	dmsetup create --readonly lower --table "$(pass_through "$size" "$disk")"
	check "$1: opened" open_image "$1" /dev/mapper/lower
	change_lower "$(with_bad "$size" "$disk" $(of "$1" bad))"
	counted "$1, bad sectors: 512-byte reads" "$1" errors $(of "$1" lost)
	check "$1, bad sectors: 4 KiB reads" exactly "$1" 4096 $(of "$1" lost)
	check "$1, bad sectors: 64 KiB reads" exactly "$1" 65536 $(of "$1" lost)
	check "$1, bad sectors: buffered reads" exactly "$1" 0 $(of "$1" lost)
	change_lower "0 $size flakey $disk 0 0 1000 1 error_reads"
	check "$1, all sectors fail" exactly_nothing "$1"
	change_lower "$(pass_through "$size" "$disk")"
	check "$1: whole again" exactly "$1" 4096
	change_lower "0 $size delay $disk 0 20"
	check "$1, slow disk" devcheck /dev/mapper/upper "$IMAGES/$1.ref" direct-1m
	unmap upper
	unmap lower
	loop_drop "$disk"
}

# With no disk at all holes and zeroed segments are still there. Of compressed
# blocks only parts are cached, so that whole ones are read from the disk.
exactly_nothing() {
	case $1 in
	bare | fused) ! dd if=/dev/mapper/upper of=/dev/null bs=512 count=1 iflag=direct ;;
	*) exactly "$1" 65536 0 "$(sectors /dev/mapper/upper)" ;;
	esac
}

# shellcheck disable=SC2046 # lists of sectors
corrupted_reads() {
	disk=$(loop_setup "$IMAGES/$1") && size=$(sectors "$disk")
	dmsetup create --readonly lower --table "$(pass_through "$size" "$disk")"
	open_image "$1" /dev/mapper/lower
	change_lower "0 $size flakey $disk 0 0 1000 5 corrupt_bio_byte 600 r 66 0"
	counted "$1, a byte of each read is wrong" "$1" corrupt $(of "$1" corrupt)
	change_lower "$(pass_through "$size" "$disk")"
	check "$1: right again" exactly "$1" 4096
	unmap upper
	unmap lower
	loop_drop "$disk"
}

# A part of the jump table that was once read wrong is not believed for ever.
corrupted_index() {
	disk=$(loop_setup "$IMAGES/small") && size=$(sectors "$disk")
	dmsetup create --readonly lower --table "$(pass_through "$size" "$disk")"
	open_image small /dev/mapper/lower
	change_lower "0 $size flakey $disk 0 0 1000 5 corrupt_bio_byte 600 r 66 0"
	ci_before=$(($(errors) + $(corrupt)))
	ci_failed=$(damage -o "$IMAGES/small.ref" /dev/mapper/upper "$IMAGES/small.ref" 512)
	is "small, a byte of each read is wrong: no wrong data" $? 0
	check "small, a byte of each read is wrong: blocks are lost" [ "$ci_failed" -gt 0 ]
	is "small, a byte of each read is wrong: counted" \
		$(($(errors) + $(corrupt) - ci_before)) "$ci_failed"
	change_lower "$(pass_through "$size" "$disk")"
	check "small: right again" exactly small 4096
	unmap upper
	unmap lower
	loop_drop "$disk"
}

# shellcheck disable=SC2046 # lists of sectors
truncated_file() {
	cp "$IMAGES/$1" /tmp/image
	disk=$(loop_setup /tmp/image)
	open_image "$1" "$disk"
	truncate -s $(($(of "$1" cut) * 512)) /tmp/image
	echo 3 >/proc/sys/vm/drop_caches
	counted "$1, file truncated" "$1" errors $(of "$1" cut_lost)
	check "$1, file truncated: buffered reads" exactly "$1" 0 $(of "$1" cut_lost)
	cat "$IMAGES/$1" >/tmp/image
	check "$1: whole again" exactly "$1" 4096
	check "$1: removed" unmap upper
	loop_drop "$disk"
	rm /tmp/image
}

# refused_with NAME SECTOR ERRNO REASON: with this bad sector
# shellcheck disable=SC2046 # three words
refused_with() {
	dmsetup create --readonly lower --table "$(with_bad "$size" "$disk" "$2" 1)"
	set -- "$1" "$3" "$4" $(of "$1")
	expect_fail "$1: refused, $3" "0 $5 $4 /dev/mapper/lower $6" "$2" "$3"
	unmap lower
}

bad_metadata() {
	disk=$(loop_setup "$IMAGES/$1") && size=$(sectors "$disk")
	refused_with "$1" 0 EIO "Cannot read the layer's header"
	if [ "$1" = bare ]; then
		refused_with bare 7 EIO "Cannot read LSMT header"
		refused_with bare "$(of bare index)" EIO "Cannot read LSMT index"
		refused_with bare $((size - 1)) EIO "Cannot read LSMT trailer"
	else
		refused_with "$1" $((size - 1)) EIO "Cannot read the layer's trailer"
		# A short index may lie in a sector of the trailer.
		[ "$(of "$1" index)" -ge $((size - 2)) ] ||
			refused_with "$1" "$(of "$1" index)" EIO "Cannot read ZFile index"
	fi
	loop_drop "$disk"
}

# log_says PATTERN: or else what it says
log_says() {
	dmesg | grep -o 'zfile: .*' >/tmp/log_says
	grep -q "$1" /tmp/log_says || {
		tail -n 3 /tmp/log_says
		return 1
	}
}

# lost_with TEXT SECTOR EIO REASON [BYTE]: a read fails, and the kernel log says why,
# and where in the file
lost_with() {
	is "$1: $3" "$(readat /dev/mapper/upper "$2" 1 | sed 's/^1 .*/EIO/')" "$3"
	check "$1: the log says, $4" log_says \
		"zfile: .*: ZFile at sector 0: block [0-9]* at byte ${5:-[0-9]*} $4"
}

# shellcheck disable=SC2046 # lists of sectors
lost_blocks() {
	disk=$(loop_setup "$IMAGES/nocrc")
	open_image nocrc "$disk"
	set -- $(of nocrc lost)
	lost_with "a block of garbage" "$1" EIO "does not decompress"
	unmap upper
	loop_drop "$disk"

	disk=$(loop_setup "$IMAGES/lz4") && size=$(sectors "$disk")
	dmsetup create --readonly lower --table "$(pass_through "$size" "$disk")"
	open_image lz4 /dev/mapper/lower
	change_lower "0 $size flakey $disk 0 0 1000 5 corrupt_bio_byte 600 r 66 0"
	set -- $(of lz4 corrupt)
	lost_with "a changed byte" "$1" EIO "has a wrong checksum"
	unmap upper
	unmap lower
	loop_drop "$disk"

	disk=$(loop_setup "$IMAGES/small") && size=$(sectors "$disk")
	dmsetup create --readonly lower --table "$(pass_through "$size" "$disk")"
	open_image small /dev/mapper/lower
	change_lower "0 $size flakey $disk 0 0 1000 5 corrupt_bio_byte 600 r 66 0"
	lost_with "a changed index" "$small_index_lost" EIO \
		"has another size now: the index has changed" "$small_index_byte"
	unmap upper
	unmap lower
	loop_drop "$disk"
}

# First, since the kernel does not log what there is too much of.
lost_blocks
# shellcheck disable=SC2154 # set in vars
for name in $all; do
	bad_metadata "$name"
	bad_sectors "$name"
	truncated_file "$name"
	[ "$(of "$name" corrupt)" ] && corrupted_reads "$name"
done
corrupted_index
done_testing
