#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The images of faulty_images, small enough for disks in memory."""
from faulty_images import make

make()
