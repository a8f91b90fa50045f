# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What tests/bench/run and tests/bench/profile share: content, images, the guest
# and its boot. The caller has set TOP and sourced tests/lib/common.sh.

BENCH=$TOP/tests/bench
BENCH_CACHE=$OBD_CACHE/bench
CONTENT_MIB=96

mkdir -p "$BENCH_CACHE/images" || exit 1

# Where a built overlaybd-tcmu is, if there is one.
[ -z "${PEER_OBD:-}" ] || PEER_OBD=$(realpath "$PEER_OBD") || exit 1

# Loaded in every guest, whatever it measures, so that all start alike.
BENCH_MODULES="brd dm-mod dm-bufio crc32c-intel libcrc32c lz4_decompress zstd_decompress
	erofs squashfs dm-verity sha256-ssse3 loop ext4 null_blk nbd"

# The module that measures the floor, in $work.
build_floor() (
	dir=$BENCH_CACHE/floor-$KERNEL_VERSION
	mkdir -p "$dir"
	flock 7
	for file in "$BENCH"/guest/floor/*; do
		cmp -s "$file" "$dir/${file##*/}" || cp "$file" "$dir/"
	done
	make -s -C "$KERNEL_HEADERS" M="$dir" modules >"$work/floor.log" 2>&1 || {
		cat "$work/floor.log" >&2
		exit 1
	}
	cp "$dir/floor.ko" "$work/"
) 7>"$BENCH_CACHE/floor.lock"

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

# A second content, to see that the results are not those of the first: shared
# libraries, from the other end of the list.
make_libs() {
	find /usr/lib -xdev -type f -name '*.so*' -size +16k -print0 | LC_ALL=C sort -rz |
		xargs -0 cat 2>/dev/null | head -c $((CONTENT_MIB << 20)) >"$image"
	[ "$(wc -c <"$image")" -eq $((CONTENT_MIB << 20)) ]
}

# The folder whose only file "data" is the content: in $folder.
content_folder() {
	folder=$work/folder-${CONTENT##*/}
	mkdir -p "$folder"
	[ -f "$folder/data" ] || {
		cp "$CONTENT" "$folder/data"
		touch -d '2026-01-01 00:00:00 UTC' "$folder/data" "$folder"
	}
}

# make_file_system ext4|erofs: with the content in one file, not compressed; a
# stack needs whole segments.
make_file_system() {
	content_folder
	case $1 in
	ext4) make_ext4 "$folder" ;;
	erofs)
		need_packages erofs-utils
		mkfs.erofs --quiet -T0 -U 00000000-0000-0000-0000-000000000000 \
			"$image" "$folder" >/dev/null
		;;
	esac && truncate -s %16384 "$image"
}

# make_ext4 FOLDER
make_ext4() {
	mke2fs -q -t ext4 -O ^has_journal -m 0 -b 4096 -E root_owner=0:0 \
		-U 00000000-0000-0000-0000-000000000000 -d "$1" "$image" 128m >/dev/null
}

# zfile-ALGORITHM-KIBk[-nocrc]
make_zfile() {
	local kib=${1#zfile-*-} crc=1 algorithm
	case $kib in *-nocrc) crc=0 kib=${kib%-nocrc} ;; esac
	algorithm=${1#zfile-}
	"$work/mkimage" zfile "${algorithm%%-*}" $((${kib%k} * 1024)) $crc "$CONTENT" "$2"
}

# The layers PREFIX.0, PREFIX.1 ... one behind the other in FILE, each at a multiple
# of 4096; FILE.layers says where: start sector, bytes, bytes of the layer within.
# join_layers PREFIX COUNT FILE
join_layers() {
	local number bytes start=0
	: >"$3"
	for ((number = 0; number < $2; number++)); do
		bytes=$(stat -c %s "$1.$number")
		cat "$1.$number" >>"$3"
		truncate -s %4096 "$3"
		printf '%s %s %s\n' $((start / 512)) "$bytes" "$(stat -c %s "$1.$number.lsmt")"
		start=$(stat -c %s "$3")
	done >"$3.layers"
}

# stack-plain|lz4|zstd-LAYERS, segments-LAYERS-SEGMENTS
make_stack() {
	local kind=$1 layers=$2 prefix=$work/layer number
	case $kind in
	segments) "$work/mkimage" segments "$layers" "$3" "$prefix" ;;
	*) "$work/mkimage" lsmt "$layers" "$CONTENT" "$prefix" ;;
	esac || return 1
	for ((number = 0; number < layers; number++)); do
		mv "$prefix.$number" "$prefix.$number.lsmt"
		case $kind in
		lz4 | zstd)
			"$work/mkimage" zfile "$kind" 4096 1 "$prefix.$number.lsmt" \
				"$prefix.$number" || return 1
			;;
		*) ln "$prefix.$number.lsmt" "$prefix.$number" ;;
		esac
	done
	join_layers "$prefix" "$layers" "$image"
	rm -f "$prefix".*
}

# A chain of uncompressed images with the segments of the stack of as many layers.
make_qcow2_chain() {
	local layers=$1 prefix=$work/chain number base=''
	"$work/mkimage" split "$layers" "$CONTENT" "$prefix" || return 1
	mkdir -p "$image.chain"
	for ((number = 0; number < layers; number++)); do
		qemu-img convert -q -f raw -O qcow2 -o cluster_size=16k "$prefix.$number" \
			"$image.chain/$number" &&
		{ [ -z "$base" ] || qemu-img rebase -u -F qcow2 -b "$base" \
			"$image.chain/$number"; } || return 1
		base=$number
		rm "$prefix.$number"
	done
	ln -s "$(basename "$image").chain/$base" "$image"
}

make_verity() {
	need_packages cryptsetup-bin
	veritysetup format --salt=00 --uuid=00000000-0000-0000-0000-000000000000 \
		--no-superblock "$CONTENT" "$image" |
		awk '/^Root hash/ { print $3 " 00" }' >"$image.table"
}

# What our own command makes of the content.
make_created() {
	"$TOP/tools/overlaybd/overlaybd" convert --from raw --to zfile --output "$image" "$CONTENT"
}

# make_image NAME[-of-CONTENT]: as $image
make_image() {
	local size
	case $1 in
	*-of-*) CONTENT=$BENCH_CACHE/images/${1##*-of-} && set -- "${1%-of-*}" ;;
	esac
	size=${1##*-}
	case $1 in
	libs) make_libs ;;
	files-*) make_file_system "$size" ;;
	created-lz4-4k) make_created ;;
	zfile-large) "$work/mkimage" large 16 "$image" ;;
	zfile-*) make_zfile "$1" "$image" ;;
	stack-plain-*) make_stack plain "$size" ;;
	stack-lz4-*) make_stack lz4 "$size" ;;
	stack-zstd-*) make_stack zstd "$size" ;;
	segments-*) size=${1#segments-} && make_stack segments "${size%-*}" "${size#*-}" ;;
	ext4-*)
		# A loop device drops a last sector that is not full.
		mkdir "$work/ext4" && cp "$BENCH_CACHE/images/${1#ext4-}" "$work/ext4/" &&
		truncate -s %4096 "$work/ext4/${1#ext4-}" &&
		make_ext4 "$work/ext4"
		rm -r "$work/ext4"
		;;
	erofs-lz4-*)
		need_packages erofs-utils
		content_folder
		mkfs.erofs --quiet -zlz4 -C$((${size%k} * 1024)) -T0 \
			-U 00000000-0000-0000-0000-000000000000 "$image" "$folder" >/dev/null
		;;
	squashfs-lz4-*)
		need_packages squashfs-tools
		content_folder
		mksquashfs "$folder" "$image" -quiet -no-progress -comp lz4 \
			-b "$size" -no-fragments -all-root -mkfs-time 0 >/dev/null
		;;
	qcow2-compressed)
		need_packages qemu-utils
		qemu-img convert -q -c -f raw -O qcow2 "$CONTENT" "$image"
		;;
	qcow2-chain-*) need_packages qemu-utils && make_qcow2_chain "$size" ;;
	verity) make_verity ;;
	*) die "no way to make an image $1" ;;
	esac
}

# need_image NAME: NAME and NAME.* in the cache, made there if they are not; the
# name says all about them, but not which command created an image.
need_image() {
	case $1 in
	*-of-*) need_image "${1##*-of-}" || return 1 ;;
	esac
	make_if_missing "$1"
}

make_if_missing() (
	flock 6
	case $1 in
	created-*) [ -f "$work/$1.made" ] || rm -f "$BENCH_CACHE/images/$1" ;;
	esac
	: >"$work/$1.made"
	[ ! -f "$BENCH_CACHE/images/$1" ] || exit 0
	say "making $1"
	mkdir -p "$work/new"
	image=$work/new/$1
	make_image "$1" || exit 1
	mv "$image".* "$BENCH_CACHE/images/" 2>/dev/null
	mv "$image" "$BENCH_CACHE/images/"
) 6>"$BENCH_CACHE/images.lock"

# qemu-nbd is large: only guests that run it have it.
make_nbd_programs() {
	local root=$work/nbd
	[ -f "$work/nbd.cpio" ] ||
		{ guest_programs qemu-nbd && guest_pack "$root" "$work/nbd.cpio"; }
}

# overlaybd-tcmu and the modules it needs: for its own guests, so that no other
# changes. The list has the modules of all guests first.
make_tcmu_programs() {
	local root=$work/tcmu libraries=$PEER_OBD/lib daemon=$PEER_OBD/bin/overlaybd-tcmu
	local -x LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
	flock 6
	[ ! -f "$work/tcmu.cpio" ] || return 0
	mkdir -p "$root/modules" "$root/lib" &&
	cp "$work/root/modules/list" "$root/modules/" &&
	guest_modules configfs target_core_user tcm_loop sd_mod || return 1
	! ldd "$daemon" | grep 'not found' >&2 ||
		die "libraries of $daemon are neither here nor in $libraries"
	guest_programs "$daemon" || return 1
	# The guest looks for them in /lib.
	[ ! -d "$root$libraries" ] || mv "$root$libraries"/* "$root/lib/" || return 1
	guest_pack "$root" "$work/tcmu.cpio"
} 6>"$work/tcmu.lock"

# The part of the initramfs that all guests have, in $work/base.cpio.
make_base() {
	mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/images" "$root/mnt"
	# shellcheck disable=SC2086 # a list
	guest_modules $BENCH_MODULES && guest_programs dmsetup || return 1
	cp "$work/dm-overlaybd.ko" "$work/floor.ko" "$root/modules/" &&
	cp "$work/reader" "$work/loadtime" "$root/bin/" &&
	cp "$BENCH/guest/init" "$BENCH/guest/setups" "$root/" || return 1
	chmod 755 "$root/init"
	guest_pack "$root" "$work/base.cpio"
}

# has_peer NAME: or it says what is missing, and ends.
has_peer() {
	case $1 in
	overlaybd_tcmu_*)
		[ -n "${PEER_OBD:-}" ] ||
			die "$1 needs PEER_OBD, a folder with a built bin/overlaybd-tcmu"
		[ -x "$PEER_OBD/bin/overlaybd-tcmu" ] ||
			die "PEER_OBD: no program $PEER_OBD/bin/overlaybd-tcmu"
		;;
	esac
}

# describe NAME: sets workloads and images from the list of names.
describe() {
	local line
	line=$(grep "^$1 " "$BENCH/names") || die "unknown name $1, see tests/bench/run -l"
	has_peer "$1"
	# shellcheck disable=SC2086 # columns
	set -- $line
	workloads=${2//,/ } images=${3//,/ }
	[ "$workloads" != - ] || workloads=
}

# make_guest DIR NAME [WORKLOADS]: $PROFILE set: the guest also tells its symbols.
make_guest() {
	local dir=$1 workloads images image extra=/dev/null content=$CONTENT sectors=''
	describe "$2"
	mkdir -p "$dir/own/images"
	for image in $images; do
		need_image "$image" || return 1
		cp -a "$BENCH_CACHE/images/$image" "$dir/own/images/"
		cp -a "$BENCH_CACHE/images/$image".* "$dir/own/images/" 2>/dev/null
	done
	# What the image is of, if not of the content; a file on it has the content.
	case $images in
	*-of-*) sectors=$(($(stat -c %s "$BENCH_CACHE/images/${images##*-of-}") / 512)) ;;
	files-*) sectors=$(($(stat -c %s "$BENCH_CACHE/images/$images") / 512)) ;;
	esac
	case $images in
	libs | *-of-libs) content=$BENCH_CACHE/images/libs ;;
	esac
	case $2 in
	nbd_*) extra=$work/nbd.cpio; make_nbd_programs || return 1 ;;
	overlaybd_tcmu_*) extra=$work/tcmu.cpio; make_tcmu_programs || return 1 ;;
	esac
	cat >"$dir/own/plan" <<-END
		SETUP=$2
		WORKLOADS="${3:-$workloads}"
		PROFILE=${PROFILE:-}
		SETTLE=${SETTLE:-8}
		SECTORS=$sectors
		SUM=$("$work/reader" sum "$content" $((CONTENT_MIB << 20)))
	END
	guest_pack "$dir/own" "$dir/own.cpio"
	cat "$work/base.cpio" "$extra" "$dir/own.cpio" >"$dir/initramfs"
	rm -r "$dir/own" "$dir/own.cpio"
}

# Deterministic: without real time, without devices that need it.
COUNTED="-accel tcg,thread=single -smp 1 -icount shift=0,sleep=off"
# shellcheck disable=SC2034 # for profile
COUNTED_TWO="-accel tcg,thread=single -smp 2 -icount shift=0,sleep=off"
# ... but for what two CPUs gain there is no count.
TIMED="-accel tcg,thread=multi -smp 2"
QEMU_ARGS="-m 2048 -cpu qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+pclmulqdq
	-rtc base=2026-01-01,clock=vm -seed 1 -nodefaults -no-user-config
	-display none -no-reboot"
KERNEL_ARGS="console=ttyS0 loglevel=3 oops=panic panic=-1 mitigations=off nokaslr
	random.trust_cpu=off cryptomgr.notests=1 norandmaps"

# boot_guest DIR QEMU-ARGUMENT...: console and results are files in DIR.
boot_guest() {
	local dir=$1 accel=$COUNTED
	shift
	[ "${dir##*/}" != two_cpus ] || accel=$TIMED
	# shellcheck disable=SC2086 # lists
	timeout --foreground -k 5 900 qemu-system-x86_64 $accel $QEMU_ARGS \
		-kernel "$KERNEL_IMAGE" -initrd "$dir/initramfs" \
		-append "${KERNEL_ARGS//$'\n\t'/ }" -serial "file:$dir/console" \
		-serial "file:$dir/results" "$@" </dev/null || return 1
	grep -q '^done' "$dir/results"
}

# All that does not depend on what is measured; $work goes away at exit.
bench_prepare() {
	need_packages qemu-system-x86 busybox-static dmsetup kmod cpio xz-utils \
		e2fsprogs gcc libc6-dev make python3 liblz4-dev libzstd-dev uuid-dev \
		libjson-c-dev libdevmapper-dev
	# shellcheck source=tests/lib/stock-kernel.sh
	. "$OBD_LIB/stock-kernel.sh"
	work=$(mktemp -d "$OBD_CACHE/bench-run.XXXXXX") || exit 1
	root=$work/root
	# shellcheck source=tests/lib/guest.sh
	. "$OBD_LIB/guest.sh"
	trap 'rm -rf "$work"' EXIT
	trap 'exit 1' INT TERM
	compiled "$BENCH/mkimage.c" "$work/mkimage" -msse4.2 -llz4 -lzstd || exit 1
	compiled "$BENCH/guest/reader.c" "$work/reader" -static || exit 1
	compiled "$BENCH/guest/loadtime.c" "$work/loadtime" -static "$TOP/tests/dm/lib/dm-util.c" || exit 1
	make_content
	guest_build_tools || die "the command does not build"
	guest_build_module || die "the module does not build"
	build_floor || die "floor.ko does not build"
	make_base || die "cannot pack the guest"
}
