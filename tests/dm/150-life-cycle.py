#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
from form_images import make

make()
