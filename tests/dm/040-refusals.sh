#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Every way in which a table line can be wrong has its own reason in the kernel
# log, and a refused load leaves nothing behind.
exec plan -r "$RAW_DISK" "$IMAGES/plan"
