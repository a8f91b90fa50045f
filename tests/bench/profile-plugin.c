// SPDX-License-Identifier: GPL-2.0
/*
 * A QEMU TCG plugin that counts how often every instruction of the guest runs
 * between the two marks of guest/reader.c, and writes "<address> <count>" lines.
 *
 *	-plugin profile-plugin.so,out=FILE
 * */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugin.h"

#define TABLE_BITS	22
#define TABLE_SIZE	(1u << TABLE_BITS)

EXPORT int qemu_plugin_version = 1;

/* Open addressing; the address of a slot stays what it is. */
static struct slot {
	uint64_t address;
	uint64_t count;
} *table;

static const char *out;

static uint64_t *counter(uint64_t address)
{
	uint32_t at = address * 0x9e3779b97f4a7c15u >> (64 - TABLE_BITS);

	while (table[at].address && table[at].address != address)
		at = (at + 1) % TABLE_SIZE;
	table[at].address = address;
	return &table[at].count;
}

static void on_begin(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	for (uint32_t i = 0; i < TABLE_SIZE; i++)
		table[i].count = 0;
}

static void on_end(unsigned int vcpu, void *data)
{
	FILE *f = fopen(out, "w");

	(void)vcpu;
	(void)data;
	if (!f)
		abort();
	for (uint32_t i = 0; i < TABLE_SIZE; i++)
		if (table[i].count)
			fprintf(f, "%" PRIx64 " %" PRIu64 "\n", table[i].address,
				table[i].count);
	fclose(f);
}

static void on_translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		qemu_plugin_register_vcpu_insn_exec_inline(insn, OP_ADD_U64,
			counter(qemu_plugin_insn_vaddr(insn)), 1);
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
