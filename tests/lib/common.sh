# SPDX-License-Identifier: GPL-2.0
# Shared by every script under tests/: where the cache is, how missing
# packages are installed, how messages are printed. Source it, do not run it.

# Downloads, unpacked kernels and kernel builds live here, never in the tree.
OBD_CACHE=${OBD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dm-overlaybd}
mkdir -p "$OBD_CACHE" || exit 1

say() { printf '%s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Run a command as root: directly, or through sudo.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		die "root is needed for: $* (no sudo here)"
	fi
}

# Waits while another one installs, as a machine does by itself at times.
install_packages() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y \
		--no-install-recommends -o DPkg::Lock::Timeout=600 "$@"
}

# need_packages PACKAGE...: install the Debian packages that are missing.
# Says what it installs; a no-op when everything is there.
need_packages() {
	missing=
	for package in "$@"; do
		dpkg-query -W -f='${Status}' "$package" 2>/dev/null |
			grep -q '^install ok installed$' || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	command -v apt-get >/dev/null 2>&1 ||
		die "missing packages:$missing (install them with your package manager)"
	say "installing Debian packages:$missing"
	(
		# One apt at a time, also between parallel test parts.
		flock 9
		# shellcheck disable=SC2086 # two lists of package names
		install_packages $missing >"$OBD_CACHE/apt.log" 2>&1 || {
			as_root apt-get update >>"$OBD_CACHE/apt.log" 2>&1 &&
			install_packages $missing >>"$OBD_CACHE/apt.log" 2>&1
		}
	) 9>"$OBD_CACHE/apt.lock" || die "apt-get failed, see $OBD_CACHE/apt.log"
}

# emulate LOG COMMAND...: a QEMU that keeps in LOG what the guest says. Two emulated CPUs
# may get into a race inside of it, as one boot in some hundreds does: if it crashes
# before the guest has said anything, it is started again.
emulate() {
	emulate_log=$1
	shift
	for _ in 1 2 3; do
		rm -f "$emulate_log"
		"$@" && return
		emulate_status=$?
		# 128 and the number of SIGSEGV
		{ [ $emulate_status -eq 139 ] && [ ! -s "$emulate_log" ]; } ||
			return "$emulate_status"
		echo "QEMU has crashed before the guest was up" >&2
	done
	return "$emulate_status"
}
