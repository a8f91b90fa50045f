# SPDX-License-Identifier: GPL-2.0
# Booting Debian's stock kernel with the module and a few programs, for scripts
# that show or try something in a virtual machine. Source it, do not run it.
#
# The caller sets, before it calls anything here:
#	TOP	top of this tree
#	work	a scratch folder
#	root	below it: what will be the guest's initramfs
# and sources tests/lib/stock-kernel.sh (KERNEL_VERSION, KERNEL_IMAGE, ...).
: "${TOP:?}" "${work:?}" "${root:?}" "${KERNEL_VERSION:?}"

# guest_build_module: dm-overlaybd.ko into $work. The sources go to a folder of
# their own, so that the tree stays clean; unchanged files keep their time stamp
# there, so that make does nothing.
guest_build_module() (
	key=$(printf '%s' "$TOP" | cksum | cut -d' ' -f1)
	dir=$OBD_CACHE/module/$KERNEL_VERSION-$key
	mkdir -p "$dir"
	flock 7
	cd "$TOP/drivers/md/dm-overlaybd" || exit 1
	find . \( -name '*.[ch]' -o -name Makefile \) ! -name '*.mod.c' |
	while read -r file; do
		cmp -s "$file" "$dir/$file" && continue
		mkdir -p "$dir/$(dirname "$file")" && cp "$file" "$dir/$file"
	done
	(cd "$dir" && find . -name '*.[ch]' ! -name '*.mod.c') | while read -r file; do
		[ -f "$file" ] || rm "$dir/$file"
	done
	make -s -j"$(nproc)" -C "$KERNEL_HEADERS" M="$dir" CONFIG_DM_OVERLAYBD=m \
		modules >"$work/module.log" 2>&1 || {
		cat "$work/module.log" >&2
		exit 1
	}
	cp "$dir/dm-overlaybd.ko" "$work/dm-overlaybd.ko"
) 7>"$OBD_CACHE/module.lock"

# guest_build_tools: the command, in the tree.
guest_build_tools() (
	flock 7
	make -s -j"$(nproc)" -C "$TOP" tools >"$work/tools.log" 2>&1 || {
		cat "$work/tools.log" >&2
		exit 1
	}
) 7>"$OBD_CACHE/tools.lock"

# guest_modules NAME...: these modules of the kernel and what they depend on go to
# /modules; /modules/list has them in the order to load them. What the kernel has
# built in is not listed.
guest_modules() {
	mkdir -p "$root/modules"
	for module in "$@"; do
		modprobe -d "${KERNEL_MODULES%/lib/modules/*}" -S "$KERNEL_VERSION" \
			--show-depends "$module" 2>/dev/null
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' |
	while read -r file; do
		name=$(basename "$file" .xz)
		grep -qx "$name" "$root/modules/list" 2>/dev/null && continue
		case $file in
		*.xz) xz -dc "$file" >"$root/modules/$name" ;;
		*) cp "$file" "$root/modules/$name" ;;
		esac || exit 1
		printf '%s\n' "$name" >>"$root/modules/list"
	done
}

# guest_programs PROGRAM...: with their libraries, and busybox for all the rest
guest_programs() {
	mkdir -p "$root/bin"
	cp "$(command -v busybox)" "$root/bin/busybox" || return 1
	for program in "$@"; do
		path=$(command -v "$program") || die "no program $program here"
		cp -L "$path" "$root/bin/" || return 1
		ldd "$path" 2>/dev/null | grep -o '/[^ ]*' | while read -r lib; do
			mkdir -p "$root$(dirname "$lib")"
			cp -L "$lib" "$root$lib"
		done
	done
}

# guest_pack FOLDER FILE
guest_pack() (
	cd "$1" && find . | cpio -o -H newc -R 0:0 --quiet >"$2"
)

# guest_boot SECONDS ACCEL QEMU-ARGUMENT...: what the guest writes to /dev/ttyS1
# comes out on stdout, the kernel's messages go to $work/console. (On a busy host the
# emulated timer may be too late for the kernel's check of it.)
guest_boot() {
	seconds=$1 accel=$2
	shift 2
	emulate "$work/serial" timeout --foreground -k 5 "$seconds" qemu-system-x86_64 \
		-nodefaults -no-user-config -display none -no-reboot \
		-M q35 -accel "$accel" -smp 2 -m 1024 \
		-cpu "$([ "$accel" = kvm ] && echo host ||
			echo qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+pclmulqdq,+rdrand)" \
		-kernel "$KERNEL_IMAGE" -serial "file:$work/console" \
		-append "console=ttyS0 loglevel=4 oops=panic panic=-1 no_timer_check mitigations=off cryptomgr.notests=1 random.trust_cpu=on" \
		-chardev "stdio,id=out,signal=off,logfile=$work/serial" -serial chardev:out "$@" </dev/null
}

# guest_accel: KVM may exist and yet not run a stock kernel: believe only a guest
# that ran, and remember what came of it.
guest_accel() {
	if [ ! -r /dev/kvm ] || [ ! -w /dev/kvm ]; then
		echo tcg,thread=multi
		return
	fi
	verdict=$OBD_CACHE/kvm-$(uname -r)
	if [ ! -f "$verdict" ]; then
		mkdir -p "$work/probe/bin"
		cp "$(command -v busybox)" "$work/probe/bin/"
		printf '#!/bin/busybox sh\n%s\n%s\n%s\n' '/bin/busybox mkdir /dev' \
			'/bin/busybox mount -t devtmpfs dev /dev; echo works >/dev/ttyS1' \
			'/bin/busybox reboot -f' >"$work/probe/init"
		chmod 755 "$work/probe/init"
		guest_pack "$work/probe" "$work/probe.cpio"
		guest_boot 20 kvm -initrd "$work/probe.cpio" >"$work/probe.out" 2>/dev/null
		if grep -q works "$work/probe.out"; then
			echo kvm
		else
			echo tcg,thread=multi
		fi >"$verdict"
	fi
	cat "$verdict"
}
