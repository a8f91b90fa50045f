#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What is told of a block that is corrupt: a line in the kernel log, a counter in the
# status line, a dm event, a uevent and an audit record. What is told of tables: audit
# records. Many failed reads in a row are told of in few events.
. /lib.sh
# shellcheck source=/dev/null
. "$IMAGES/vars"

of() {
	eval "printf '%s\n' \"\$$1${2:+_$2}\""
}

# number_of WHICH WORDS...: of WORDS
number_of() {
	shift "$1"
	printf '%s\n' "$1"
}

corrupt() { dmsetup status upper | awk '{ print $NF }'; }
read_errors() { dmsetup status upper | awk '{ print $(NF - 1) }'; }
events() { dmsetup info -c --noheadings -o events upper; }

# heard PATTERN: how many lines since forget_all. What there is to hear arrives after
# the delay of the events, and some more on a slow machine.
heard() { tail -n "+$((forgotten + 1))" /tmp/heard | grep -c -- "$1"; }
forget_all() {
	forgotten=$(wc -l </tmp/heard)
	forget_log
}
settle() { sleep 0.3; }

logged() { dmesg | grep -c "device-mapper: zfile: .*$1"; }
failed_events() { heard "^uevent .*ACTION=change .*DM_OVERLAYBD_READ_FAILED=1 .*$node "; }
records() { heard "^audit 1339 .*: module=zfile op=verify-block dev=$number sector=$1 res=0"; }

# open_upper NAME: on /dev/mapper/lower
# shellcheck disable=SC2046 # three words
open_upper() {
	set -- $(of "$1")
	map upper "0 $2 $1 /dev/mapper/lower $3@16"
}

listen >/tmp/heard &
listener=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
	grep -q '^listening$' /tmp/heard && break
	sleep 0.3
done

# on_lower NAME: a device with the image, which begins at sector 16
on_lower() {
	disk=$(loop_setup "$IMAGES/$1")
	dmsetup create --readonly lower --table "0 $(sectors "$disk") linear $disk 0"
	below=$(dmsetup info -c --noheadings -o blkdevname lower)
}

reload_lower() {
	dmsetup suspend --noflush --nolockfs lower
	dmsetup load lower --table "$1"
	dmsetup resume lower
}

drop_lower() {
	unmap lower
	loop_drop "$disk"
}

# What messages about the device "upper" call it.
know_upper() {
	number=$(dmsetup info -c --noheadings -o major,minor --separator : upper)
	node=DEVNAME=$(dmsetup info -c --noheadings -o blkdevname upper)
}

opened() {
	forget_all
	check "$1: opened" open_upper "$1"
	know_upper
	settle
	ctr="^audit 1338 .*: module=$kind op=ctr .* dev=$number error_msg='success' res=1"
	is "$1: one audit record of it" "$(heard "$ctr") $(heard '^audit ')" "1 1"
	is "$1: nothing in the log" "$(dmesg | grep device-mapper:)" ""
}

closed() {
	forget_all
	check "$1: removed" unmap upper
	settle
	dtr="^audit 1338 .*: module=$kind op=dtr .* dev=$number error_msg='success' res=1"
	is "$1: one audit record of it" "$(heard "$dtr") $(heard '^audit ')" "1 1"
}

# told TEXT NAME SECTOR SECTORS WANTED-SECTOR: of a read of the bad block
told() {
	line="$below: ZFile at sector 16: block 7 at byte $(of "$2" byte) "
	corrupt_before=$(corrupt) events_before=$(events)
	forget_all
	dmsetup wait upper "$events_before" >/dev/null &
	waiter=$!
	is "$1: fails" "$(readat /dev/mapper/upper "$3" "$4" | cut -d' ' -f1)" 1
	settle
	is "$1: one line in the log" "$(logged "$line") $(logged .)" "1 1"
	is "$1: counted" $(($(corrupt) - corrupt_before)) 1
	is "$1: one uevent" "$(failed_events)" 1
	is "$1: one dm event" $(($(events) - events_before)) 1
	wait $waiter
	is "$1: who waits for it gets it" $? 0
	is "$1: one audit record" "$(records "$5") $(heard '^audit ')" "1 1"
}

# what_is_told NAME
# shellcheck disable=SC2046 # lists of words
what_is_told() {
	kind=$(number_of 1 $(of "$1"))
	lost=$(number_of 1 $(of "$1" lost)) many=$(number_of 2 $(of "$1" lost))
	on_lower "$1"
	opened "$1"
	forget_all
	is "$1, a good block" "$(readat /dev/mapper/upper 0 8 | cut -d' ' -f1)" 0
	settle
	is "$1, a good block: nothing is told" "$(heard .) $(dmesg | grep -c device-mapper:)" "0 0"
	told "$1, the block" "$1" "$lost" "$many" "$lost"
	told "$1, what is around it too" "$1" $((lost - 4)) $((many + 7)) "$lost"
	told "$1, a part of it" "$1" $((lost + 3)) 2 $((lost + 3))
	closed "$1"
	drop_lower
}

# Five hundred reads fail as fast as they can.
burst() {
	on_lower crc
	kind=zfile
	opened crc
	corrupt_before=$(corrupt) events_before=$(events)
	forget_all
	# shellcheck disable=SC2046 # two words
	set -- $(readat /dev/mapper/upper 56 8 500)
	settle
	most=$(($2 / 100 + 2))
	echo "# 500 reads in $2 ms: $(failed_events) uevents, $(heard '^audit ') audit records"
	is "many reads: all fail" "$1" 500
	is "many reads: all are counted" $(($(corrupt) - corrupt_before)) 500
	is "many reads: all are audited" "$(records 56)" 500
	check "many reads: few uevents" [ "$(failed_events)" -ge 1 ]
	check "many reads: one in 100 ms at most" [ "$(failed_events)" -le $most ]
	is "many reads: as many dm events" $(($(events) - events_before)) "$(failed_events)"
	check "many reads: some lines in the log" [ "$(logged .)" -ge 1 ]
	check "many reads: few lines in the log" [ "$(logged .)" -le $(($2 / 500 + 20)) ]
	forget_all
	is "the last read" "$(readat /dev/mapper/upper 56 8 | cut -d' ' -f1)" 1
	unmap upper
	is "the last read: told of before the device goes" "$(failed_events)" 1
	drop_lower
}

# Who is told of a failed read looks at the device, as udev does, and fails again.
read_when_told() {
	on_lower crc
	kind=zfile
	opened crc
	forget_all
	for _ in $(seq 40); do
		readat /dev/mapper/upper 56 8 >/dev/null
		settle
	done
	is "read whenever told: the first sixteen times" "$(failed_events)" 16
	unmap upper
	is "read whenever told: and in the end" "$(failed_events)" 17
	drop_lower
}

# read_ahead_fails NAME TARGET SECTOR: something below is suspended, where read-ahead
# fails: nothing is lost.
read_ahead_fails() {
	on_lower "$1"
	kind=$2
	opened "$1"
	forget_all
	dmsetup suspend --noflush --nolockfs lower
	readat -a /dev/mapper/upper "$3" 32
	dmsetup resume lower
	settle
	is "read-ahead of $1 fails: it is no error" "$(read_errors) $(failed_events)" "0 0"
	check "read-ahead of $1 fails: then it is read" dd if=/dev/mapper/upper of=/dev/null \
		bs=4k skip=$(($3 / 8)) count=4
	unmap upper
	drop_lower
}

# Nor is it when the index cannot be read for it.
read_ahead_has_no_index() {
	on_lower wide
	kind=zfile
	opened wide
	forget_all
	reload_lower "0 $(sectors /dev/mapper/lower) error"
	readat -a /dev/mapper/upper 2048 32
	settle
	is "read-ahead without an index: it is no error" "$(read_errors) $(failed_events)" "0 0"
	is "a read without an index: fails" "$(readat /dev/mapper/upper 2048 8 | cut -d' ' -f1)" 1
	settle
	is "a read without an index: is one" "$(read_errors) $(failed_events)" "1 1"
	unmap upper
	drop_lower
}

# A layer that is there twice has failed once.
twice() {
	on_lower lsmt
	# shellcheck disable=SC2046,SC2154 # three words
	set -- $(of lsmt)
	map upper "0 $2 lsmt /dev/mapper/lower $3@16 /dev/mapper/lower $3@16"
	# shellcheck disable=SC2046 # two words
	is "a layer twice: the read fails" \
		"$(readat /dev/mapper/upper $(of lsmt lost) | cut -d' ' -f1)" 1
	is "a layer twice: one corrupt block" "$(corrupt)" 1
	unmap upper
	drop_lower
}

# Of two layers on two devices the one is named that has the block.
# shellcheck disable=SC2046,SC2154 # two words; set in vars
one_of_two_layers() {
	on_lower lsmt
	other_disk=$(loop_setup "$IMAGES/other")
	set -- $(of lsmt)
	map upper "0 $2 lsmt $other_disk $other_bytes@3 /dev/mapper/lower $3@16"
	know_upper
	set -- $(of lsmt lost)
	told "one of two layers" lsmt "$1" "$2" "$1"
	unmap upper
	loop_drop "$other_disk"
	drop_lower
}

# The disk fails: that is an event, but nobody has changed a block.
disk_fails() {
	on_lower crc
	kind=zfile
	opened crc
	errors_before=$(read_errors)
	reload_lower "0 $(sectors /dev/mapper/lower) error"
	forget_all
	is "the disk fails" "$(readat /dev/mapper/upper 0 8 | cut -d' ' -f1)" 1
	settle
	is "the disk fails: counted" $(($(read_errors) - errors_before)) 1
	is "the disk fails: one uevent" "$(failed_events)" 1
	is "the disk fails: no audit record" "$(heard '^audit ')" 0
	unmap upper
	drop_lower
}

# refused TEXT TARGET WORDS REASON: which is in the audit record too, and all there is
refused() {
	forget_all
	if map upper "0 8 $2 /dev/mapper/lower $3" 2>/dev/null; then
		fail "$1: refused"
		unmap upper
		return
	fi
	pass "$1: refused"
	settle
	record="^audit 1338 .*: module=$2 op=ctr .* error_msg='$4' res=0"
	is "$1: one audit record" "$(heard "$record") $(heard '^audit ')" "1 1"
}

# A reader that writes to the memory it reads to, while that happens, gets what it
# deserves, but does not make a good block look like a corrupt one.
writes_while_it_reads() {
	on_lower summed
	open_upper summed
	forget_all
	is "own memory written to: no read fails" "$(scribble /dev/mapper/upper 65536 5)" 0
	settle
	is "own memory written to: nothing is told" \
		"$(corrupt) $(logged "") $(failed_events) $(heard '^audit 1339')" "0 0 0 0"
	check "own memory written to: other reads are right" \
		devcheck /dev/mapper/upper "$IMAGES/summed.ref" direct-64k
	unmap upper
	drop_lower
}

# The log's rate limit may have had enough of the test before.
sleep 6
what_is_told crc
what_is_told lz4
what_is_told lsmt
burst
disk_fails
read_when_told
read_ahead_fails crc zfile 0
read_ahead_fails lsmt lsmt 48
read_ahead_has_no_index
twice
one_of_two_layers
writes_while_it_reads
on_lower crc
refused "no ZFile there" zfile 4096@8 "Not a ZFile: bad magic in the header"
refused "no length" zfile "" "A layer needs a device and a length"
refused "no layer there" lsmt 9000@8 "Not an LSMT layer: bad magic in the header"
drop_lower
kill $listener
done_testing
