#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The verbs open, close and status of the command: what they make of which loop
# and helper devices, what images share, what they say; and nothing stays behind,
# neither after close nor after an open that failed or was ended.
. /lib.sh
files=$IMAGES/files
nullb=/sys/kernel/config/nullb

# fails_clean TEXT STATUS MESSAGE OPEN-ARGUMENT...
fails_clean() {
	fails_text=$1 fails_status=$2 fails_message=$3
	shift 3
	fails_before=$(there)
	check "$fails_text: refused" said "$fails_status" "$fails_message" overlaybd open "$@"
	check "$fails_text: nothing left" nothing_new "$fails_before"
}

content() {
	sha256sum <"/dev/mapper/$1" | cut -d' ' -f1
}

loops() {
	cat /sys/block/loop*/loop/backing_file 2>/dev/null | wc -l
}

field() {
	sed -n "s/^ *\"$1\":\"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$2"
}

before=$(there)

# --- how it is made -----------------------------------------------------------

stack="$files/stack.0 $files/stack.1 $files/stack.2 $files/stack.3"
# shellcheck disable=SC2086 # a list
overlaybd open --json --uuid me one $stack >/tmp/one
one_loops=$(loops)
is "--uuid" "$(dmsetup info -c --noheadings -o uuid one)" OVERLAYBD-IMAGE-me
is "--json: the uuid" "$(field uuid /tmp/one)" OVERLAYBD-IMAGE-me
is "--json: the path" "$(field path /tmp/one | head -n 1)" /dev/mapper/one
is "--json: one table line, the kernel's own" \
	"0 $(field sectors /tmp/one) $(field target /tmp/one) $(field table /tmp/one)" \
	"$(dmsetup table one)"
is "fused: one target over all layers" "$(dmsetup table one | cut -d' ' -f3)" lsmt
is "status lists what is open" "$(overlaybd status | grep -c '^[^ ]')" 1
overlaybd status --json one >/tmp/status
is "status knows the files" "$(field file /tmp/status | tr '\n' ' ')" "$stack "
is "status knows which layers are compressed" \
	"$(field compressed /tmp/status | tr '\n' ' ')" "false true true true "
is "status: counted from the kernel" "$(field extents /tmp/status) $(field memory /tmp/status)" \
	"$(dmsetup status one | cut -d' ' -f7,8)"
for loop in /sys/block/loop*/loop; do
	[ -e "$loop" ] || continue
	is "${loop%/loop}: read-only, detaches itself, no partitions" \
		"$(cat "${loop%/loop}/ro" "$loop/autoclear" "$loop/partscan" | tr '\n' ' ')" "1 1 0 "
	is "${loop%/loop}: sectors of 512 bytes" \
		"$(cat "${loop%/loop}/queue/logical_block_size")" 512
	case $(cat "$loop/backing_file") in
	"$files"/*) is "${loop%/loop}: direct I/O" "$(cat "$loop/dio")" 1 ;;
	esac
done

# shellcheck disable=SC2086 # a list
overlaybd open --json two $stack "$files/stack.4" >/tmp/two
is "common layers: the devices that are there are used" \
	"$(field reused /tmp/two | tr '\n' ' ')" "true true true true false "
is "common layers: only the new layer has a loop device of its own" "$(loops)" \
	$((one_loops + 1))
is "common layers: the same devices" "$(dmsetup table two | cut -d' ' -f4-11)" \
	"$(dmsetup table one | cut -d' ' -f4-11)"
check "close of one" overlaybd close one
check "the other still reads" content two
# shellcheck disable=SC2086 # a list
check "open again" overlaybd open one $stack
check "close of the other" overlaybd close two
check "the first still reads" content one
overlaybd close one
check "sharing: nothing left" nothing_new "$before"

user_loop=$(loop_setup "$files/stack.0")
overlaybd open --json one "$files/stack.0" >/tmp/one
is "a read-only loop device of the user's is used" "$(field reused /tmp/one)" true
overlaybd close one
is "and stays his" "$(cat "/sys/block/${user_loop#/dev/}/loop/backing_file")" "$files/stack.0"
loop_drop "$user_loop"
user_loop=$(loop_setup "$files/stack.0" -o 512)
overlaybd open --json one "$files/stack.0" >/tmp/one
is "one that begins elsewhere in the file is not used" "$(field reused /tmp/one)" false
overlaybd close one
loop_drop "$user_loop"

# shellcheck disable=SC2086 # a list
check "stacked: opened" overlaybd open --stacked one $stack
is "stacked: a device for each compressed layer" \
	"$(dmsetup ls --target zfile | cut -f1 | sort | tr '\n' ' ')" \
	"one-layer1 one-layer2 one-layer3 "
is "stacked: those below are marked" \
	"$(dmsetup info -c --noheadings -o uuid one-layer1 | cut -c1-16)" OVERLAYBD-LAYER-
overlaybd status --json one >/tmp/status
is "stacked: status knows the files all the same" \
	"$(field file /tmp/status | tr '\n' ' ')" "$stack "
is "stacked: status lists the image, not its parts" "$(overlaybd status | grep -c '^[^ ]')" 1
check "a part is not closed alone" said 1 "was not made by overlaybd open" \
	overlaybd close one-layer1
overlaybd close one
check "stacked: nothing left" nothing_new "$before"

check "config.v1.json" overlaybd open one "$files/config.v1.json"
is "config.v1.json: content" "$(content one)" "$(cat "$files/config-digest")"
overlaybd close one

# shellcheck disable=SC2016 # as they are
for name in 'a b' 'ä-ö' 'x\y' 'a$b"c' "it's" 'a,b;c%d' '-dash'; do
	check "the name $name: open" overlaybd open -- "$name" "$files/stack.0"
	overlaybd status --json -- "$name" >/tmp/status
	check "the name $name: the device" test -b "$(
		sed -n 's/^ *"path":"\(.*\)",$/\1/p' /tmp/status | sed 's/\\\\/\\/g; s/\\"/"/g')"
	check "the name $name: close" overlaybd close -- "$name"
done
for name in '' . .. control a/b; do
	fails_clean "the name '$name'" 1 "cannot be the name" -- "$name" "$files/stack.0"
done
check "close of a path" sh -c "overlaybd open one $files/stack.0 &&
	overlaybd close /dev/mapper/one"
check "names: nothing left" nothing_new "$before"

# --- layers on devices ---------------------------------------------------------

dd if="$files/plain" of=/dev/ram0 2>/dev/null
dd if="$files/stack.1" of=/dev/ram1 2>/dev/null
check "layers on devices and in files" overlaybd open --json one "$files/stack.0" /dev/ram1
is "no loop device for a device" "$(loops)" 1
check "close" overlaybd close one

# A bare layer does not say how long it is.
size=$(stat -c %s "$files/plain")
dd if="$files/plain" of=/dev/ram2 bs=512 seek=9 2>/dev/null
check "a bare layer on a longer device, without its length: refused" \
	said 2 "/dev/ram2: " overlaybd open one /dev/ram2
check "a bare layer on a longer device" overlaybd open --json one "/dev/ram2,$size@9"
is "a bare layer on a longer device: its place" "$(dmsetup table one | cut -d' ' -f5)" "$size@9"
overlaybd open two "$files/plain"
is "a bare layer on a longer device: its content" "$(content one)" "$(content two)"
overlaybd close two
overlaybd close one
cat "$files/plain" "$files/plain" >/tmp/twice
sync
check "a part of a file" overlaybd open --json one "/tmp/twice,$size@$((size / 512))"
is "a part of a file: its place" "$(dmsetup table one | cut -d' ' -f5)" \
	"$size@$((size / 512))"
overlaybd open two "/tmp/twice,$size"
is "parts of a file share its loop device" "$(loops)" 1
is "a part of a file: its content" "$(content one)" "$(content two)"
overlaybd close two
overlaybd close one
rm /tmp/twice

# exact DEVICE: /dev/mapper/exact, as long as the bare layer that is on it
exact() {
	dd if="$files/plain" of="$1" bs=4k 2>/dev/null && sync
	dmsetup create exact --table "0 $(($(stat -c %s "$files/plain") / 512)) linear $1 0"
}

# Unused bytes of the header are where swap space has its label.
exact /dev/ram0
mkswap /dev/mapper/exact >/dev/null
dd if="$files/plain" of=/dev/mapper/exact bs=390 count=1 conv=notrunc 2>/dev/null
check "a layer's device is in use" swapon /dev/mapper/exact
fails_clean "a layer's device is in use" 1 "the device of a layer is in use" \
	one "$files/stack.0" /dev/mapper/exact
swapoff /dev/mapper/exact
check "as soon as it is not" overlaybd open one "$files/stack.0" /dev/mapper/exact
check "close" overlaybd close one
unmap exact

mount -t configfs configfs /sys/kernel/config 2>/dev/null
mkdir $nullb/wide
for word in size=16 memory_backed=1 blocksize=4096 power=1; do
	echo "${word#*=}" >$nullb/wide/"${word%%=*}"
done
exact /dev/wide
fails_clean "the kernel refuses a layer" 2 "(its log says why: dmesg)" \
	one "$files/stack.1" "$files/stack.2" /dev/mapper/exact
unmap exact
echo 0 >$nullb/wide/power
rmdir $nullb/wide

# --- what fails -----------------------------------------------------------------

dmsetup create taken --table '0 8 error'
fails_clean "a name that is taken" 1 "already" taken "$files/stack.0" "$files/stack.1"
check "close of a device that is not ours" said 1 "was not made by overlaybd open" \
	overlaybd close taken
check "it is still there" test -b /dev/mapper/taken
check "status of a device that is not ours" said 1 "is no zfile or lsmt device" \
	overlaybd status taken
dmsetup remove taken
dmsetup create one-layer2 --table '0 8 error'
# shellcheck disable=SC2086 # a list
fails_clean "stacked, the name of a part is taken" 1 "already" --stacked one $stack
dmsetup remove one-layer2
check "close of nothing" said 1 "there is no device nothing" overlaybd close nothing
check "status of nothing" said 1 "there is no device nothing" overlaybd status nothing
if [ -e /modules/dm-overlaybd.ko ]; then
	rmmod dm-overlaybd
	fails_clean "no module" 1 "load the module dm-overlaybd" one "$files/stack.1"
	insmod /modules/dm-overlaybd.ko
fi
before_full=$(there)
check "output that cannot be written" said 3 "cannot write standard output" \
	sh -c "overlaybd open --json one $files/stack.1 >/dev/full"
check "output that cannot be written: nothing left" nothing_new "$before_full"

# Ended anywhere on its way it leaves all or nothing.
ended() {
	# shellcheck disable=SC2086 # an option or none
	overlaybd open $1 one "$files"/stack.* &
	ended_pid=$!
	usleep "$2"
	kill -TERM $ended_pid 2>/dev/null
	wait $ended_pid
	ended_status=$?
	if [ $ended_status -eq 0 ]; then
		overlaybd close one || return 1
	elif [ $ended_status -ne 143 ]; then
		echo "status $ended_status"
		return 1
	fi
	nothing_new "$before" || return 1
	echo $ended_status >>/tmp/ended
}
for usecs in 10000 30000 60000 90000 120000 160000 200000 250000 300000 400000; do
	check "SIGTERM after $usecs us: nothing left" ended "" $usecs
	check "stacked, SIGTERM after $usecs us: nothing left" ended --stacked $usecs
done
echo "# ended with: $(tr '\n' ' ' </tmp/ended)"

# --- what create reads ----------------------------------------------------------

dmsetup create lower --table '0 8192 linear /dev/ram3 0'
dmsetup create upper --table '0 8192 linear /dev/mapper/lower 0'
mke2fs /dev/mapper/upper >/dev/null
mkdir -p /tmp/mnt
mount -t ext4 /dev/mapper/upper /tmp/mnt
check "create from a device with another on it that is mounted: refused" \
	said 1 "is mounted and writable" overlaybd create /dev/ram3 -o /tmp/ram3.obd
mount -o remount,ro /tmp/mnt
check "create from a device with another on it that is mounted read-only" \
	overlaybd create -q /dev/ram3 -o /tmp/ram3.obd
umount /tmp/mnt
dmsetup remove upper
dmsetup remove lower
rm -f /tmp/ram3.obd

# --- close --------------------------------------------------------------------

mke2fs /dev/ram1 >/dev/null
overlaybd create -q /dev/ram1 -o /tmp/fs.obd
mkdir -p /tmp/mnt
overlaybd open one /tmp/fs.obd
check "an image is mounted" mount -t ext4 -o ro /dev/mapper/one /tmp/mnt
check "close while it is mounted" said 1 "--deferred" overlaybd close one
check "it is still there" test -d /tmp/mnt/lost+found
check "close --deferred" said 0 "will be removed" overlaybd close --deferred one
is "status says so" "$(overlaybd status one | grep -c 'to be removed')" 1
umount /tmp/mnt
sleep 1
dmsetup mknodes	# udev's work
check "gone when it is unmounted" nothing_new "$before"
done_testing
