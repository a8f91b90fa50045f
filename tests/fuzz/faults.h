/* SPDX-License-Identifier: GPL-2.0 */
/* What can go wrong around the code under test, and when it does. */

#ifndef TESTS_FUZZ_FAULTS_H
#define TESTS_FUZZ_FAULTS_H

#include <stdbool.h>

/**
 * struct fault - one kind of fault
 * @countdown: it happens when this gets from 1 to 0; 0: never
 * @happened: it has happened
 */
struct fault {
	unsigned int countdown;
	bool happened;
};

extern struct fault fault_allocation;
extern struct fault fault_signal;
extern struct fault fault_read;

static inline bool fault_now(struct fault *fault)
{
	if (!fault->countdown || --fault->countdown)
		return false;
	fault->happened = true;
	return true;
}

static inline void fault_set(struct fault *fault, unsigned int countdown)
{
	fault->countdown = countdown;
	fault->happened = false;
}

#endif /* TESTS_FUZZ_FAULTS_H */
