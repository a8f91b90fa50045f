// SPDX-License-Identifier: GPL-2.0
/*
 * A QEMU TCG plugin that counts which instruction of the kernel writes to which
 * cache line on which CPU, between the two marks of guest/reader.c, and writes
 * "<line> <instruction> <count on CPU 0> <count on CPU 1>" lines for the lines
 * that both wrote to.
 *
 *	-plugin shared-plugin.so,out=FILE
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugin.h"

#define TABLE_BITS	22
#define TABLE_SIZE	(1u << TABLE_BITS)
#define CPUS		2
#define KERNEL		(1ull << 63)

EXPORT int qemu_plugin_version = 1;

/* For a line alone (instruction 0), and for each instruction that writes to it. */
static struct slot {
	uint64_t line;
	uint64_t instruction;
	uint64_t count[CPUS];
} *table;

static uint32_t used;
static bool counting;
static const char *out;

static struct slot *find(uint64_t line, uint64_t instruction)
{
	uint64_t key = (line ^ instruction * 0xff51afd7ed558ccdu) * 0x9e3779b97f4a7c15u;
	uint32_t at = key >> (64 - TABLE_BITS);

	while (table[at].line &&
	       (table[at].line != line || table[at].instruction != instruction))
		at = (at + 1) % TABLE_SIZE;
	if (!table[at].line && ++used == TABLE_SIZE / 8 * 7) {
		fprintf(stderr, "shared-plugin: too many cache lines\n");
		exit(1);
	}
	table[at].line = line;
	table[at].instruction = instruction;
	return &table[at];
}

static void on_write(unsigned int vcpu, uint32_t info, uint64_t address, void *data)
{
	uint64_t line = address & ~63ull;

	/* QEMU 7.2 does not filter by MEM_WRITES. */
	if (!counting || address < KERNEL || vcpu >= CPUS || !qemu_plugin_mem_is_store(info))
		return;
	find(line, 0)->count[vcpu]++;
	find(line, (uintptr_t)data)->count[vcpu]++;
}

static void on_begin(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	counting = true;
}

static void on_end(unsigned int vcpu, void *data)
{
	FILE *f = fopen(out, "w");

	(void)vcpu;
	(void)data;
	counting = false;
	if (!f)
		abort();
	for (struct slot *s = table; s < table + TABLE_SIZE; s++) {
		const uint64_t *both;

		if (!s->instruction)
			continue;
		both = find(s->line, 0)->count;
		if (both[0] && both[1])
			fprintf(f, "%" PRIx64 " %" PRIx64 " %" PRIu64 " %" PRIu64 "\n", s->line,
				s->instruction, s->count[0], s->count[1]);
	}
	fclose(f);
}

static void on_translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);

		if (address >= KERNEL)
			qemu_plugin_register_vcpu_mem_cb(insn, on_write, CB_NO_REGS, MEM_WRITES,
							 (void *)(uintptr_t)address);
		watch_marks(insn, on_begin, on_end);
	}
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4))
		return -1;
	out = strdup(argv[0] + 4);
	table = calloc(TABLE_SIZE, sizeof(*table));
	if (!out || !table)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
