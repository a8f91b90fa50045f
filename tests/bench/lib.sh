# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What tests/bench/run and tests/bench/profile share: content, images, the guest
# and its boot. The caller has set TOP and sourced tests/lib/common.sh.

BENCH=$TOP/tests/bench
BENCH_CACHE=$OBD_CACHE/bench
CONTENT_MIB=96

mkdir -p "$BENCH_CACHE/images" || exit 1

# Loaded in every guest, whatever it measures, so that all start alike.
BENCH_MODULES="brd dm-mod dm-bufio crc32c-intel libcrc32c lz4_decompress zstd_decompress
	erofs squashfs dm-verity sha256-ssse3 loop ext4 null_blk nbd"

# Changed files only, so that make does nothing when nothing changed.
copy_sources() {
	(cd "$1" && find . \( -name '*.[ch]' -o -name Makefile -o -name Kbuild \) \
		! -name '*.mod.c' ! -name '.*.c') | while read -r file; do
		cmp -s "$1/$file" "$2/$file" && continue
		mkdir -p "$2/$(dirname "$file")" && cp "$1/$file" "$2/$file"
	done
}

# build_module SOURCE NAME: SOURCE as a module NAME.ko in $work.
build_module() (
	key=$(printf '%s' "$TOP" | cksum | cut -d' ' -f1)
	dir=$BENCH_CACHE/module/$KERNEL_VERSION-$key/$2
	mkdir -p "$dir"
	copy_sources "$1" "$dir"
	make -s -C "$KERNEL_HEADERS" M="$dir" CONFIG_DM_OVERLAYBD=m modules \
		>"$work/build.log" 2>&1 || {
		cat "$work/build.log" >&2
		exit 1
	}
	cp "$dir/$2.ko" "$work/$2.ko"
)

# compiled SOURCE OUT OPTION...: once per content of tests/bench.
compiled() {
	local source=$1 out=$2 key binary
	shift 2
	key=$(cat "$source" "$BENCH"/guest/floor/*.h | sha256sum | cut -c1-16)
	binary=$BENCH_CACHE/$(basename "$out")-$key
	[ -x "$binary" ] || gcc -O2 -Wall -Wextra -o "$binary" "$source" "$@" || return 1
	cp "$binary" "$out"
}

# Program files of this machine; kept, so that later runs read the same.
make_content() {
	CONTENT=$BENCH_CACHE/images/raw
	[ -f "$CONTENT" ] && return
	find /usr/lib -xdev -type f \( -name '*.so*' -o -perm -100 \) -size +16k -print0 |
		LC_ALL=C sort -z | xargs -0 cat 2>/dev/null |
		head -c $((CONTENT_MIB << 20)) >"$CONTENT.new"
	[ "$(wc -c <"$CONTENT.new")" -eq $((CONTENT_MIB << 20)) ] ||
		die "less than $CONTENT_MIB MiB of programs in /usr/lib"
	mv "$CONTENT.new" "$CONTENT"
}

# The folder whose only file "data" is the content.
content_folder() {
	mkdir -p "$work/folder"
	[ -f "$work/folder/data" ] || {
		cp "$CONTENT" "$work/folder/data"
		touch -d '2026-01-01 00:00:00 UTC' "$work/folder/data" "$work/folder"
	}
}

# zfile-ALGORITHM-KIBk[-nocrc]
make_zfile() {
	local kib=${1#zfile-*-} crc=1 algorithm
	case $kib in *-nocrc) crc=0 kib=${kib%-nocrc} ;; esac
	algorithm=${1#zfile-}
	"$work/mkimage" zfile "${algorithm%%-*}" $((${kib%k} * 1024)) $crc "$CONTENT" "$2"
}

# make_image NAME FILE
make_image() {
	local size
	case $1 in
	zfile-*) make_zfile "$1" "$2" ;;
	erofs-lz4-*)
		need_packages erofs-utils
		content_folder
		size=${1##*-}
		mkfs.erofs --quiet -zlz4 -C$((${size%k} * 1024)) -T0 \
			-U 00000000-0000-0000-0000-000000000000 "$2" "$work/folder" >/dev/null
		;;
	squashfs-lz4-*)
		need_packages squashfs-tools
		content_folder
		size=${1##*-}
		mksquashfs "$work/folder" "$2" -quiet -no-progress -comp lz4 \
			-b "${size}" -no-fragments -all-root -mkfs-time 0 >/dev/null
		;;
	*) die "no way to make an image $1" ;;
	esac
}

# need_image NAME: makes it unless it is in the cache; name says all.
need_image() {
	local image=$BENCH_CACHE/images/$1
	[ -f "$image" ] || {
		say "making $1"
		make_image "$1" "$image.new" && mv "$image.new" "$image"
	}
}

add_modules() {
	for module in "$@"; do
		modprobe -d "${KERNEL_MODULES%/lib/modules/*}" -S "$KERNEL_VERSION" \
			--show-depends "$module" 2>/dev/null
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' |
	while read -r file; do
		name=$(basename "$file" .xz)
		xz -dc "$file" >"$root/modules/$name" || exit 1
		printf '%s\n' "$name" >>"$root/modules/list"
	done
}

add_program() {
	cp -L "$1" "$root/bin/" || return 1
	ldd "$1" 2>/dev/null | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "$root$(dirname "$lib")" && cp -L "$lib" "$root$lib"
	done
}

pack() (
	cd "$1" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --reproducible --quiet
)

# The part of the initramfs that all guests have, in $work/base.cpio.
make_base() {
	local root=$work/root
	mkdir -p "$root/bin" "$root/modules" "$root/proc" "$root/sys" "$root/dev" \
		"$root/tmp" "$root/images" "$root/mnt"
	# shellcheck disable=SC2086 # a list
	add_modules $BENCH_MODULES || return 1
	cp "$work/dm-overlaybd.ko" "$work/floor.ko" "$root/modules/"
	cp "$(command -v busybox)" "$root/bin/busybox"
	add_program "$(command -v dmsetup)"
	cp "$work/reader" "$root/bin/reader"
	cp "$BENCH/guest/init" "$BENCH/guest/setups" "$root/"
	chmod 755 "$root/init"
	pack "$root" >"$work/base.cpio"
}

# describe NAME: sets workloads and images from the list of names.
describe() {
	local line
	line=$(grep "^$1 " "$BENCH/names") || die "unknown name $1, see tests/bench/run -l"
	# shellcheck disable=SC2086 # columns
	set -- $line
	workloads=${2//,/ } images=${3//,/ }
	[ "$workloads" != - ] || workloads=
}

# make_guest DIR NAME [WORKLOADS]: $PROFILE set: the guest also tells its symbols.
make_guest() {
	local dir=$1 workloads images image
	describe "$2"
	mkdir -p "$dir/own/images"
	for image in $images; do
		need_image "$image" || return 1
		cp "$BENCH_CACHE/images/$image" "$dir/own/images/"
	done
	printf 'SETUP=%s\nWORKLOADS="%s"\nPROFILE=%s\n' "$2" "${3:-$workloads}" \
		"${PROFILE:-}" >"$dir/own/plan"
	{ cat "$work/base.cpio"; pack "$dir/own"; } >"$dir/initramfs"
	rm -r "$dir/own"
}

# Deterministic: without real time, without devices that need it.
QEMU_ARGS="-accel tcg,thread=single -smp 1 -m 2048 -icount shift=0,sleep=off
	-cpu qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+pclmulqdq
	-rtc base=2026-01-01,clock=vm -seed 1 -nodefaults -no-user-config
	-display none -no-reboot"
KERNEL_ARGS="console=ttyS0 loglevel=3 oops=panic panic=-1 mitigations=off nokaslr
	random.trust_cpu=off cryptomgr.notests=1 norandmaps"

# boot_guest DIR QEMU-ARGUMENT...: console and results are files in DIR.
boot_guest() {
	local dir=$1
	shift
	# shellcheck disable=SC2086 # lists
	timeout --foreground -k 5 900 qemu-system-x86_64 $QEMU_ARGS \
		-kernel "$KERNEL_IMAGE" -initrd "$dir/initramfs" \
		-append "${KERNEL_ARGS//$'\n\t'/ }" -serial "file:$dir/console" \
		-serial "file:$dir/results" "$@" </dev/null || return 1
	grep -q '^done' "$dir/results"
}

# All that does not depend on what is measured; $work goes away at exit.
bench_prepare() {
	need_packages qemu-system-x86 busybox-static dmsetup kmod cpio xz-utils \
		gcc libc6-dev make python3 liblz4-dev libzstd-dev
	# shellcheck source=tests/lib/stock-kernel.sh
	. "$OBD_LIB/stock-kernel.sh"
	work=$(mktemp -d "$OBD_CACHE/bench-run.XXXXXX") || exit 1
	trap 'rm -rf "$work"' EXIT
	trap 'exit 1' INT TERM
	compiled "$BENCH/mkimage.c" "$work/mkimage" -msse4.2 -llz4 -lzstd || exit 1
	compiled "$BENCH/guest/reader.c" "$work/reader" -static || exit 1
	make_content
	build_module "$TOP/drivers/md/dm-overlaybd" dm-overlaybd ||
		die "the module does not build"
	build_module "$BENCH/guest/floor" floor || die "floor.ko does not build"
	make_base || die "cannot pack the guest"
}
