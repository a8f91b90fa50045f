// SPDX-License-Identifier: GPL-2.0
/* See faults.h. */

#include "faults.h"

struct fault fault_allocation;
struct fault fault_signal;
struct fault fault_read;
