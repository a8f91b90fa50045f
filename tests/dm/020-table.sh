#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Table and status lines, read-only devices, what the devices say of themselves,
# targets inside larger tables.

. /lib.sh
. "$IMAGES/vars"

loop_z=$(loop_setup "$IMAGES/packed0")
loop_l=$(loop_setup "$IMAGES/plain1")

# fails COMMAND...
fails() {
	! "$@"
}

reads_as() {
	devcheck "/dev/mapper/$1" "$IMAGES/$2" direct-64k
}

# What `dmsetup table` prints makes the same device again.
round_trip() {
	check "$1: create" map first "$2"
	check "$1: content" reads_as first "$3"
	printed=$(dmsetup table first)
	check "$1: remove" unmap first
	check "$1: create from what dmsetup table printed" map second "$printed"
	is "$1: the same table again" "$(dmsetup table second)" "$printed"
	check "$1: content again" reads_as second "$3"
	unmap second
}

zfile_file="0 $unpacked_sectors zfile $loop_z $packed0_bytes"
zfile_raw="0 $unpacked_sectors zfile $RAW_DISK $packed0_bytes@$packed0_start"
plain_raw="$RAW_DISK $plain0_bytes@$plain0_start"
packed_raw="$RAW_DISK $packed1_bytes@$packed1_start"
round_trip "zfile on a whole device" "$zfile_file" unpacked
round_trip "zfile at a start sector" "$zfile_raw" unpacked
round_trip "zfile, no optional argument" "$zfile_raw 0" unpacked
round_trip "lsmt of one layer" "0 $sectors lsmt $plain_raw" lower
round_trip "lsmt of a compressed layer" "0 $sectors lsmt $loop_z $packed0_bytes" lower
round_trip "lsmt of plain and compressed" "0 $sectors lsmt $plain_raw $packed_raw" stack
round_trip "lsmt by major:minor, no optional argument" \
	"0 $sectors lsmt $(cat "/sys/block/${loop_z##*/}/dev") $packed0_bytes \
$(cat "/sys/block/${loop_l##*/}/dev") $plain1_bytes 0" stack
map shown "$zfile_raw"
is "the table line as it is documented" "$(dmsetup table shown)" \
	"0 $unpacked_sectors zfile $(cat "/sys/block/${RAW_DISK##*/}/dev") \
$packed0_bytes@$packed0_start"
unmap shown
map shown "$zfile_file"
is "no start sector is shown when it is 0" "$(dmsetup table shown)" \
	"0 $unpacked_sectors zfile $(cat "/sys/block/${loop_z##*/}/dev") $packed0_bytes"
unmap shown

# Read-only, always.
expect_fail "a writable zfile table" "$zfile_raw" \
	EINVAL "Device must be readonly (use dmsetup create --readonly)" -w
expect_fail "a writable lsmt table" "0 $sectors lsmt $plain_raw" \
	EINVAL "Device must be readonly (use dmsetup create --readonly)" -w
for table in "$zfile_raw" "0 $sectors lsmt $plain_raw"; do
	target=$(echo "$table" | cut -d' ' -f3)
	map dut "$table"
	is "$target: the device is read-only" "$(blockdev --getro /dev/mapper/dut)" 1
	check "$target: cannot be written to" \
		fails dd if=/dev/zero of=/dev/mapper/dut bs=512 count=1 conv=fsync
	blockdev --setrw /dev/mapper/dut 2>/dev/null
	check "$target: cannot be written to after blockdev --setrw" \
		fails dd if=/dev/zero of=/dev/mapper/dut bs=512 count=1 conv=fsync
	check "$target: blkdiscard is refused" fails blkdiscard -f /dev/mapper/dut
	check "$target: unharmed" reads_as dut \
		"$([ "$target" = zfile ] && echo unpacked || echo lower)"
	unmap dut
done

# What the device says of itself.
map dut "0 $sectors lsmt $plain_raw $loop_z $packed0_bytes"
is "size" "$(sectors /dev/mapper/dut)" "$sectors"
is "logical block size" "$(blockdev --getss /dev/mapper/dut)" 512
is "devices below" "$(dmsetup deps -o blkdevname dut)" \
	"2 dependencies	: (${loop_z##*/}) (${RAW_DISK##*/})"
unmap dut

# Status: live figures, and the same number of words for every device.
map dut "$zfile_raw"
is "zfile status names the codec and the block size" \
	"$(dmsetup status dut | cut -d' ' -f1-5)" "0 $unpacked_sectors zfile lz4 4096"
dd if=/dev/mapper/dut of=/dev/null bs=64k 2>/dev/null
is "zfile status: no error" "$(dmsetup status dut | grep -c ' 0 0$')" 1
unmap dut
map dut "0 $sectors lsmt $plain_raw $packed_raw"
is "lsmt status: 2 layers, 1 of them compressed" \
	"$(dmsetup status dut | cut -d' ' -f1-6)" "0 $sectors lsmt 2 1 $sectors"
is "lsmt status: no error" "$(dmsetup status dut | grep -c ' 0 0$')" 1
unmap dut

# Inside larger tables, and shorter than the image.
dmsetup create --readonly dut <<-END
	0 16 error
	16 $sectors lsmt $plain_raw $packed_raw
	$((16 + sectors)) $unpacked_sectors zfile $loop_z $packed0_bytes
END
check "before the target: error" fails dd if=/dev/mapper/dut of=/dev/null bs=512 count=1
dd if=/dev/mapper/dut of=/tmp/part bs=512 skip=16 count="$sectors" 2>/dev/null
check "lsmt in the middle of a table" cmp /tmp/part "$IMAGES/stack"
dd if=/dev/mapper/dut of=/tmp/part bs=512 skip=$((16 + sectors)) 2>/dev/null
check "zfile at the end of a table" cmp /tmp/part "$IMAGES/unpacked"
rm /tmp/part
unmap dut
map dut "0 77 lsmt $plain_raw"
is "a table shorter than the image" "$(sectors /dev/mapper/dut)" 77
check "shorter: content" reads_as dut lower
unmap dut

# Another table under the same device.
map dut "0 $sectors lsmt $plain_raw"
check "reload" dmsetup reload --readonly dut --table "0 $sectors lsmt $plain_raw $packed_raw"
check "before resume: the old content" reads_as dut lower
check "suspend and resume" dmsetup resume dut
check "after resume: the new content" reads_as dut stack
check "a refused reload" fails dmsetup reload --readonly dut --table "0 9 lsmt $RAW_DISK 9"
check "leaves the device as it was" reads_as dut stack
check "suspend" dmsetup suspend dut
check "resume" dmsetup resume dut
check "after that: the same content" reads_as dut stack
unmap dut

loop_drop "$loop_z"
loop_drop "$loop_l"
done_testing
