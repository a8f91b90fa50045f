#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The newest Debian 12 cloud kernel of the 6.12 series and its headers, taken
# from the archive and unpacked under $OBD_CACHE (nothing is installed).
#
# Run it: prints shell assignments. Source it: sets them.
#	KERNEL_VERSION	6.12.N+deb12-cloud-amd64
#	KERNEL_IMAGE	its bzImage
#	KERNEL_MODULES	its lib/modules/$KERNEL_VERSION, with modules.dep
#	KERNEL_HEADERS	a kernel build directory for `make -C ... M=...`
#
# Who sources it sets OBD_LIB to the folder of this file first.

if [ -z "${OBD_LIB:-}" ]; then
	OBD_LIB=$(cd "$(dirname "$0")" && pwd) || exit 1
fi
# shellcheck source=tests/lib/common.sh
. "$OBD_LIB/common.sh"

PATH=$PATH:/usr/sbin:/sbin

stock_newest() {
	apt-cache pkgnames linux-headers-6.12 2>/dev/null |
		sed -n 's/^linux-headers-\(6\.12\..*-cloud-amd64\)$/\1/p' | sort -V | tail -n 1
}

# Without package lists (a machine without network): the newest in the cache.
stock_cached() {
	for dir in "$OBD_CACHE"/stock-kernel/6.12*; do
		[ -d "$dir" ] && basename "$dir"
	done | sort -V | tail -n 1
}

# stock_unpack VERSION DIR: download and unpack all packages of VERSION.
stock_unpack() (
	base=${1%-cloud-amd64}
	mkdir -p "$2/deb" && cd "$2/deb" || exit 1
	# apt warns when its own user cannot write here; it downloads anyway.
	set -- "linux-image-$1" "linux-headers-$1" \
		"linux-headers-$base-common" "linux-kbuild-$base"
	apt-get -q download "$@" >../apt.log 2>&1 ||
		{ as_root apt-get -q update && apt-get -q download "$@"; } \
			>../apt.log 2>&1 || {
		cat ../apt.log >&2
		exit 1
	}
	for deb in *.deb; do
		dpkg -x "$deb" .. || exit 1
	done
	rm -rf ../deb ../apt.log
)

# stock_prepare VERSION DIR: make the unpacked tree usable where it lies.
stock_prepare() (
	final=$OBD_CACHE/stock-kernel/$1
	headers=$2/usr/src/linux-headers-$1
	sed -i "s|^include */usr/src/|include $final/usr/src/|" "$headers/Makefile"
	if ! grep -q "^include $final/" "$headers/Makefile"; then
		say "the headers' Makefile has an unknown form: $headers/Makefile"
		exit 1
	fi
	for link in "$headers"/*; do
		target=$(readlink "$link") || continue
		case $target in
		/*) ln -sfn "$final$target" "$link" ;;
		esac
	done
	[ -d "$2/lib/modules/$1" ] || mv "$2/usr/lib/modules" "$2/lib/" || exit 1
	depmod -b "$2" "$1"
)

# shellcheck disable=SC2034 # the caller uses what this sets
stock_kernel() {
	# pahole: the module build runs it when the headers ask for BTF.
	need_packages kmod dwarves gcc make
	KERNEL_VERSION=$(stock_newest)
	if [ -z "$KERNEL_VERSION" ]; then
		as_root apt-get -q update >"$OBD_CACHE/apt.log" 2>&1
		KERNEL_VERSION=$(stock_newest)
	fi
	[ -n "$KERNEL_VERSION" ] || KERNEL_VERSION=$(stock_cached)
	[ -n "$KERNEL_VERSION" ] || die "no linux-headers-6.12*-cloud-amd64 in this archive"

	stock_dir=$OBD_CACHE/stock-kernel/$KERNEL_VERSION
	if [ ! -d "$stock_dir" ]; then
		(
			flock 8
			[ ! -d "$stock_dir" ] || exit 0
			say "fetching the stock kernel $KERNEL_VERSION"
			mkdir -p "$OBD_CACHE/stock-kernel"
			new=$(mktemp -d "$OBD_CACHE/stock-kernel/new.XXXXXX") || exit 1
			trap 'rm -rf "$new"' EXIT
			stock_unpack "$KERNEL_VERSION" "$new" &&
			stock_prepare "$KERNEL_VERSION" "$new" &&
			chmod 755 "$new" && mv "$new" "$stock_dir"
		) 8>"$OBD_CACHE/stock-kernel.lock" || die "cannot get the stock kernel"
	fi
	KERNEL_IMAGE=$stock_dir/boot/vmlinuz-$KERNEL_VERSION
	KERNEL_MODULES=$stock_dir/lib/modules/$KERNEL_VERSION
	KERNEL_HEADERS=$stock_dir/usr/src/linux-headers-$KERNEL_VERSION
}

stock_kernel

case $0 in
*stock-kernel.sh)
	for name in VERSION IMAGE MODULES HEADERS; do
		eval "printf \"KERNEL_%s='%s'\n\" $name \"\$KERNEL_$name\""
	done
	;;
esac
