#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The KUnit suites, which ran while this kernel booted, have passed, and the
# boot has left nothing bad in the log.
. /lib.sh
results=/sys/kernel/debug/kunit

for suite in "$results"/*overlaybd*; do
	name=${suite##*/}
	# A test that was left out has not passed.
	if grep -q "^ok 1 $name" "$suite/results" && ! grep -q '# SKIP' "$suite/results"; then
		pass "$name: $(grep -c '^    ok ' "$suite/results") tests"
	else
		fail "$name" "$(cat "$suite/results")"
	fi
done
check "there are KUnit suites" [ "$tap_count" -gt 0 ]
trouble=$(grep -E 'BUG|WARNING|Oops|KASAN:|UBSAN:|possible.*deadlock|suspected memory leak' \
	/tmp/boot.log)
is "the log of the boot has no warning" "$trouble" ''
done_testing
