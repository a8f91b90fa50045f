# SPDX-License-Identifier: GPL-2.0
# Helpers of the numbered tests, sourced by them in the guest:
#
#	. /lib.sh
#	check "what is proved" COMMAND...
#	done_testing
#
# In the environment: IMAGES, the folder of what NNN-name.py made; RAW_DISK, the
# block device made of its raw.img.

tap_count=0

pass() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

# fail TEXT [REASON]
fail() {
	tap_count=$((tap_count + 1))
	echo "not ok $tap_count - $1"
	[ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/#   /'
}

skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

done_testing() {
	echo "1..$tap_count"
}

# check TEXT COMMAND...: passes if the command succeeds; shows its output if not.
check() {
	check_text=$1
	shift
	if check_output=$("$@" 2>&1); then
		pass "$check_text"
	else
		fail "$check_text" "$* failed
$check_output"
	fi
}

# is TEXT GOT WANT
is() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "got:  $2
want: $3"
	fi
}

# Empties the kernel log; what it held is judged at the end of the test all the same.
forget_log() {
	dmesg -c >>/tmp/forgotten-log
}

# map NAME TABLE: a read-only device /dev/mapper/NAME.
map() {
	dmsetup create --readonly "$1" --table "$2"
}

unmap() {
	for _ in 1 2 3 4 5; do
		dmsetup remove "$1" 2>/dev/null && return
		sleep 0.1
	done
	dmsetup remove "$1"
}

# expect_fail TEXT TABLE ERRNO REASON [DMLOAD-OPTION...]: the table is refused
# with this errno, and the kernel log says why: "<target>: <REASON>".
expect_fail() {
	expect_text=$1 expect_table=$2 expect_errno=$3 expect_reason=$4
	shift 4
	expect_got=$(dmload "$@" "$expect_table")
	case $expect_got in
	"$expect_errno "*": $expect_reason"*) pass "$expect_text" ;;
	*) fail "$expect_text" "table: $(printf %.300s "$expect_table")
got:   $expect_got
want:  $expect_errno ... $expect_reason" ;;
	esac
}

# loop_setup FILE [OPTION...]: prints the new read-only loop device. A file that
# is not a multiple of 512 loses its end: the host pads image files.
loop_setup() {
	loop_file=$1
	shift
	loop_dev=$(losetup -f) && losetup -r "$@" "$loop_dev" "$loop_file" &&
		echo "$loop_dev"
}

loop_drop() {
	losetup -d "$1"
}

# load_modules LIST [PARAMETER...]: the modules that tests/qemu/run has put beside,
# the last one with parameters. Those that are there already stay as they are.
load_modules() {
	lm_list=/modules/$1
	shift
	[ -e "$lm_list" ] || return 1
	for lm_name in $(head -n -1 "$lm_list"); do
		lm_there=/sys/module/$(basename "$lm_name" .ko | tr - _)
		[ -e "$lm_there" ] || insmod "/modules/$lm_name" || return 1
	done
	insmod "/modules/$(tail -n 1 "$lm_list")" "$@"
}

# sectors DEV
sectors() {
	blockdev --getsz "$1"
}

# Everything that overlaybd open could leave behind.
there() {
	cat /sys/block/loop*/loop/backing_file /sys/block/dm-*/dm/name 2>/dev/null
	ls /dev/mapper
}

# nothing_new BEFORE: all that was made since is gone, or about to
nothing_new() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(there)" = "$1" ] && return
		sleep 0.2
	done
	there
	return 1
}

# said STATUS TEXT COMMAND...: it ends with this status and says this
said() {
	said_status=$1 said_text=$2
	shift 2
	said_got=$("$@" 2>&1)
	set -- $? "$@"
	printf '%s\n' "$said_got"
	[ "$1" -eq "$said_status" ] || { echo "status $1"; return 1; }
	case $said_got in
	*"$said_text"*) ;;
	*) return 1 ;;
	esac
}
