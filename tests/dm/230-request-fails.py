#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
from faulty_images import make

make()
