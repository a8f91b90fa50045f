#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Every image of the golden set, made by the real tools, reads as its manifest
# says, fused and stacked; damaged ones are refused or give I/O errors.
exec plan -j 2 -r "$RAW_DISK" "$IMAGES/plan"
