#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The module is removed and loaded again, with devices created and removed in
# between; it cannot be removed while a table is there.

. /lib.sh
. "$IMAGES/vars"

module=/modules/dm-overlaybd.ko
rounds=10 unused_rounds=20

[ -f "$module" ] || skip_all "the module is built into the kernel"
layer=$(echo "$layer" | sed "s|RAW|$RAW_DISK|")
layer_lz4=$(echo "$layer_lz4" | sed "s|RAW|$RAW_DISK|")
zfile_table="0 $plain_sectors zfile $layer"
fused_table="0 $device_sectors lsmt $layer"
lz4_table="0 $device_sectors lsmt $layer_lz4"
corrupt_table="0 $plain_sectors zfile $(echo "$corrupt" | sed "s|RAW|$RAW_DISK|")"
stacked_table="0 $device_sectors lsmt /dev/mapper/lower $plain_bytes"

references() {
	cat /sys/module/dm_overlaybd/refcnt
}

slab_caches() {
	find /sys/kernel/slab 2>/dev/null | grep -c '^/sys/kernel/slab/[^/]*$'
}

create_all() {
	map lower "$zfile_table" && map stacked "$stacked_table" &&
		map fused "$fused_table" && map lz4 "$lz4_table"
}

remove_all() {
	unmap lz4 && unmap fused && unmap stacked && unmap lower
}

reads_well() {
	devcheck /dev/mapper/stacked "$IMAGES/reference" buffered-4k &&
		devcheck /dev/mapper/fused "$IMAGES/reference" direct-512 &&
		devcheck /dev/mapper/lz4 "$IMAGES/reference" shuffled-direct-512
}

# What a corrupt block leaves to be done is done before the module goes.
corrupt_then_gone() {
	map corrupt "$corrupt_table" && [ "$(readat /dev/mapper/corrupt 8 8 20 | cut -d' ' -f1)" = 20 ] &&
		dmsetup remove corrupt && rmmod dm-overlaybd
}

one_round() {
	insmod "$module" && create_all && reads_well || return 1
	! rmmod dm-overlaybd || return 1
	remove_all && corrupt_then_gone
}

unused() {
	for _ in $(seq $unused_rounds); do
		insmod "$module" && rmmod dm-overlaybd || return 1
	done
}

is "no reference without a device" "$(references)" 0
create_all
is "references with four devices" "$([ "$(references)" -ge 4 ] && echo some)" some
if rmmod dm-overlaybd 2>/dev/null; then
	fail "the module cannot be removed while devices are there"
else
	pass "the module cannot be removed while devices are there"
fi
check "and they still work" reads_well
remove_all
is "no reference after the devices are gone" "$(references)" 0

dmsetup create --notable empty
dmsetup reload --readonly empty --table "$zfile_table"
if rmmod dm-overlaybd 2>/dev/null; then
	fail "nor while a table is loaded that is not live"
else
	pass "nor while a table is loaded that is not live"
fi
dmsetup remove empty
is "no reference after that" "$(references)" 0

check "remove the module" rmmod dm-overlaybd
if dmsetup targets | grep -Eq '^(zfile|lsmt) '; then
	fail "the targets are gone"
else
	pass "the targets are gone"
fi
caches=$(slab_caches)
round=0
while [ "$round" -lt "$rounds" ]; do
	round=$((round + 1))
	check "round $round of $rounds" one_round || break
done
check "loaded and removed, $unused_rounds times" unused
is "no slab cache is left" "$(slab_caches)" "$caches"
check "load the module" insmod "$module"
done_testing
