#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Every damaged or hostile image gets its own refusal, or I/O errors for exactly
# the damaged blocks. 100 loads leave nothing behind.
exec plan -r "$RAW_DISK" "$IMAGES/plan"
