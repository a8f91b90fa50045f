#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What overlaybd open makes of golden images, of 14 layers, of tar blobs, of files
# of any length, fused and stacked, reads right; what is wrong it refuses itself;
# and nothing is left.
. /lib.sh
files=$IMAGES/files

content() {
	sha256sum <"/dev/mapper/$1" | cut -d' ' -f1
}

reads_right() {
	[ "$(sectors "/dev/mapper/$case_name")" = "$case_sectors" ] || return 1
	[ "$(blockdev --getro "/dev/mapper/$case_name")" = 1 ] || return 1
	[ "$case_sha" = - ] || [ "$(content "$case_name")" = "$case_sha" ] || return 1
	overlaybd status "$case_name" >/tmp/status || return 1
	grep -q '^  errors      0 read errors, 0 corrupt blocks$' /tmp/status || return 1
}

# opens_right SHA256 SECTORS NAME ARGUMENT...: opens, reads, closes
opens_right() {
	case_sha=$1 case_sectors=$2 case_name=$3
	shift 3
	overlaybd open "$@" || return 1
	reads_right
	set -- $?
	overlaybd close "$case_name" && return "$1"
}

before=$(there)
while read -r expect sha size name layers; do
	set --
	for layer in $layers; do
		set -- "$@" "$files/$layer"
	done
	if [ "$expect" = refused ]; then
		check "$name: refused with a reason" said 2 "overlaybd open: $files/" \
			overlaybd open "$name" "$@"
		continue
	fi
	check "$name, fused" opens_right "$sha" "$size" "$name" "$name" "$@"
	[ $# -eq 1 ] || check "$name, stacked" opens_right "$sha" "$size" "$name" \
		--stacked "$name" "$@"
done <"$IMAGES/cases"
check "nothing left" nothing_new "$before"
done_testing
