#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the scripts here share: which targets there are, what each consists of,
# how they are compiled. Source it, do not run it, in the top folder of the tree.
# shellcheck shell=bash disable=SC2034 # used by who sources it

FUZZ_TARGETS=(format segments jump-table codec image text)

driver=drivers/md/dm-overlaybd
tool=tools/overlaybd
fuzz=tests/fuzz

# Debian packages: for compiling, for libFuzzer, for coverage.
FUZZ_PACKAGES=(gcc libc6-dev python3 liblz4-dev libzstd-dev libjson-c-dev uuid-dev libdevmapper-dev)
LIBFUZZER_PACKAGES=(clang libclang-rt-14-dev llvm-14)

# What the command's reader consists of, without file.c: fuzz targets have
# their files in memory.
reader=("$tool"/{tar,layer,stack,view,image,disk,units,message,progress,pipeline}.c
	"$tool"/{zfile-read,codec,crc32c,check,config,place}.c
	"$driver/format.c" "$driver/segment-index.c" "$fuzz/memory-files.c")

# fuzz_sources TARGET: sets sources, options (for the compiler) and libraries.
fuzz_sources() {
	sources=("$fuzz/fuzz-$1.c" "$fuzz/faults.c")
	options=(-std=gnu11 -D_GNU_SOURCE -g -Wall -Wextra -Werror
		-Wno-missing-field-initializers -I"$fuzz/include" -I"$tool/include")
	libraries=()
	case $1 in
	format) sources+=("$driver/format.c" "$tool/crc32c.c") ;;
	segments) sources+=("$driver/segment-index.c") ;;
	jump-table)
		sources+=("$driver"/{format,jump-table,vfile}.c "$tool/crc32c.c")
		;;
	codec)
		sources+=("$driver/codec.c" "$tool"/{codec,message}.c)
		libraries=(-llz4 -lzstd)
		;;
	image)
		sources+=("${reader[@]}")
		libraries=(-llz4 -lzstd -ljson-c -pthread)
		;;
	text)
		sources+=("$tool"/{tar,config,message,place,units}.c
			"$fuzz"/{memory-files,text-faults}.c)
		options+=(-include "$fuzz/text-faults.h")
		libraries=(-ljson-c)
		;;
	esac
}

SANITIZE=(-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all)

# fuzz_build TARGET OUTPUT: with libFuzzer.
fuzz_build() {
	fuzz_sources "$1"
	[ ! -f "$fuzz/mutate-$1.c" ] || sources+=("$fuzz/mutate-$1.c")
	clang -O2 -fsanitize=fuzzer "${SANITIZE[@]}" "${options[@]}" -o "$2" \
		"${sources[@]}" "${libraries[@]}"
}

# fuzz_build_coverage TARGET OUTPUT: to be run on a corpus.
fuzz_build_coverage() {
	fuzz_sources "$1"
	clang -O1 -fprofile-instr-generate -fcoverage-mapping "${options[@]}" -o "$2" \
		"${sources[@]}" "$fuzz/replay.c" "${libraries[@]}"
}

# fuzz_build_replay TARGET OUTPUT OPTION...: with gcc alone.
fuzz_build_replay() {
	fuzz_sources "$1"
	gcc -O1 "${options[@]}" "${@:3}" -o "$2" "${sources[@]}" "$fuzz/replay.c" \
		"${libraries[@]}"
}
