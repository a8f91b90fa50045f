#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Every row of the table "Hostile or damaged input", each image on a device of
# its own.
exec plan -j 2 "$IMAGES/plan"
