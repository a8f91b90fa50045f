#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Stacks from 1 layer to one too many; the same layer more than once.
exec plan -j 2 -r "$RAW_DISK" "$IMAGES/plan"
