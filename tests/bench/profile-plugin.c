// SPDX-License-Identifier: GPL-2.0
/*
 * A QEMU TCG plugin that counts how often every instruction of the guest runs
 * between the two marks of guest/reader.c, and writes "<address> <count>" lines.
 *
 *	-plugin profile-plugin.so,out=FILE
 *
 * Debian packages QEMU's plugins but not their header: what is used of that
 * interface (version 1) is declared here.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT		__attribute__((visibility("default")))
#define TABLE_BITS	22
#define TABLE_SIZE	(1u << TABLE_BITS)
#define MARK_BYTES	8

struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { OP_ADD_U64 };
enum { CB_NO_REGS };

typedef void (*tb_trans_cb)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*insn_exec_cb)(unsigned int vcpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, tb_trans_cb cb);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    insn_exec_cb cb, int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn,
						int op, void *ptr, uint64_t imm);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
						 size_t at);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

EXPORT int qemu_plugin_version = 1;

/* Open addressing; the address of a slot stays what it is. */
static struct slot {
	uint64_t address;
	uint64_t count;
} *table;

static const uint8_t begin[MARK_BYTES] = { 0x0f, 0x1f, 0x84, 0x00, 0x0b, 0xd0, 0xbe, 0x0b };
static const uint8_t end[MARK_BYTES] = { 0x0f, 0x1f, 0x84, 0x00, 0x0e, 0xd0, 0xbe, 0x0e };
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
		const void *bytes = qemu_plugin_insn_data(insn);

		qemu_plugin_register_vcpu_insn_exec_inline(insn, OP_ADD_U64,
			counter(qemu_plugin_insn_vaddr(insn)), 1);
		if (qemu_plugin_insn_size(insn) != MARK_BYTES)
			continue;
		if (!memcmp(bytes, begin, MARK_BYTES))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_begin, CB_NO_REGS, NULL);
		else if (!memcmp(bytes, end, MARK_BYTES))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_end, CB_NO_REGS, NULL);
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
