#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What IMA measures of a table. The last test: measuring cannot be ended.
. /lib.sh
# shellcheck source=/dev/null
. "$IMAGES/vars"
ima=/sys/kernel/security/ima

# measured NAME: of the targets of the last table that was loaded for this device
measured() {
	sed -n 's/.* dm_table_load //p' $ima/ascii_runtime_measurements |
		while read -r record; do
			printf '%s\n' "$record" | xxd -r -p
			echo
		done | grep ";name=$1," | tail -n 1 | sed 's/.*;target_index=/target_index=/'
}

# version TARGET
version() {
	dmsetup targets | sed -n "s/^$1  *v//p"
}

mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
check "tables are measured from now on" \
	sh -c "echo 'measure func=CRITICAL_DATA label=device-mapper' >$ima/policy"

# shellcheck disable=SC2154 # set in vars
{
	bare=$bare_bytes@$bare_start
	packed=$packed_bytes@$packed_start
	packed_range=start=$packed_start,bytes=$packed_bytes
	layer_0=start_0=$bare_start,bytes_0=$bare_bytes
	layer_1=start_1=$packed_start,bytes_1=$packed_bytes
	zfile_sectors=$bare_sectors
}
number=$(cat "/sys/block/${RAW_DISK#/dev/}/dev")

map one "0 $zfile_sectors zfile $RAW_DISK $packed"
is "zfile" "$(measured one)" "target_index=0,target_begin=0,target_len=$zfile_sectors,\
target_name=zfile,target_version=$(version zfile),device_name=$number,$packed_range;"
unmap one

map two "0 512 lsmt $RAW_DISK $bare $RAW_DISK $packed"
is "lsmt" "$(measured two)" "target_index=0,target_begin=0,target_len=512,\
target_name=lsmt,target_version=$(version lsmt),layers=2,\
layer_1=$number,$layer_1,layer_0=$number,$layer_0;"
unmap two

# As many layers as there is room for, the topmost first, and each as a whole.
layers='' want=''
for layer in $(seq 0 254); do
	layers="$layers $RAW_DISK $bare"
	want=",layer_$layer=$number,start_$layer=$bare_start,bytes_$layer=$bare_bytes$want"
done
map many "0 512 lsmt$layers"
got=$(measured many)
got=${got#*,layers=255}
unmap many
is "255 layers: it ends as it should" "${got##*"${got%?}"}" ";"
got=${got%;}
is "255 layers: the topmost ones" "$(printf %.${#got}s "$want")" "$got"
check "255 layers: some of them" [ "${#got}" -gt 1000 ]
is "255 layers: the last one is whole" "${got##*,}" "bytes_${got##*_}"
done_testing
