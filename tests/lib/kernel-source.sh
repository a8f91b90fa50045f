#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Print the directory of the newest Linux 6.12 source that Debian ships,
# downloading and unpacking it into $OBD_CACHE the first time. The tree is
# shared by everybody: copy it, never build or write in it.
set -eu
# shellcheck source=tests/lib/common.sh
. "$(dirname "$0")/common.sh"

name=linux-source-6.12
base=$OBD_CACHE/linux-source-

candidate() {
	LC_ALL=C apt-cache policy "$name" 2>/dev/null |
		sed -n 's/^  Candidate: //p' | grep -v '^(none)$'
}

cached() {
	find "$OBD_CACHE" -maxdepth 1 -name "linux-source-*" -printf '%f\n' |
		sed "s/^linux-source-//" | sort -V | tail -n 1 | grep .
}

# Same lock as need_packages: apt's lists have one writer at a time.
update_lists() {
	(flock 9; as_root apt-get update >>"$OBD_CACHE/apt.log" 2>&1) \
		9>"$OBD_CACHE/apt.lock"
}

# fetch VERSION DIR: a half-done tree never carries the final name.
fetch() {
	[ ! -d "$2" ] || return 0
	say "downloading and unpacking $name $1"
	work=$(mktemp -d "$OBD_CACHE/source.XXXXXX") &&
	trap 'rm -rf "$work"' EXIT &&
	(cd "$work" && apt-get download "$name=$1") >&2 &&
	dpkg-deb -x "$work"/*.deb "$work" &&
	tar -xJf "$work/usr/src/$name.tar.xz" -C "$work" &&
	mv -T "$work/$name" "$2"
}

command -v apt-cache >/dev/null 2>&1 ||
	die "no apt-cache here: the kernel source is taken from Debian's archive"
need_packages xz-utils

exec 8>"$OBD_CACHE/source.lock"
flock 8
version=$(candidate) || version=
if [ -z "$version" ] || ! fetch "$version" "$base$version"; then
	# No lists yet, or old ones that name a version the archive has dropped.
	# Without a network, the newest that is here.
	if ! update_lists || ! version=$(candidate) ||
		! fetch "$version" "$base$version"; then
		version=$(cached) || die "no $name to be had, see $OBD_CACHE/apt.log"
	fi
fi
printf '%s\n' "$base$version"
