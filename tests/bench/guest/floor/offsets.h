/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which units of an image are read, and in which order: the reader and the
 * module that measures the floor must agree.
 */
#ifndef BENCH_OFFSETS_H
#define BENCH_OFFSETS_H

struct offsets {
	unsigned long long units;
	unsigned long long mask;
	unsigned long long state;
};

static inline void offsets_init(struct offsets *o, unsigned long long units)
{
	o->units = units;
	o->mask = 1;
	while (o->mask < units)
		o->mask = o->mask << 1 | 1;
	o->state = 12345 & o->mask;
}

/* Every unit once in each period, in an order that looks random. */
static inline unsigned long long offsets_next(struct offsets *o)
{
	unsigned long long v;

	do {
		o->state = (o->state * 1664525 + 1013904223) & o->mask;
		/* The low bits of such a generator are poor: stir them. */
		v = o->state ^ o->state >> 7;
		v = (v * 0x2545f491) & o->mask;
		v ^= v >> 5;
	} while (v >= o->units);
	return v;
}

#endif
