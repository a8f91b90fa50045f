/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the plugins here use of QEMU's plugin interface (version 1); Debian
 * packages QEMU with plugins but without their header. And the marks that
 * guest/reader.c sets around what it measures.
 */
#ifndef BENCH_PLUGIN_H
#define BENCH_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define EXPORT		__attribute__((visibility("default")))
#define MARK_BYTES	8

struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { OP_ADD_U64 };
enum { CB_NO_REGS };
enum { MEM_WRITES = 2 };

typedef void (*tb_trans_cb)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*insn_exec_cb)(unsigned int vcpu, void *data);
typedef void (*mem_cb)(unsigned int vcpu, uint32_t info, uint64_t address, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, tb_trans_cb cb);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    insn_exec_cb cb, int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn,
						int op, void *ptr, uint64_t imm);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, mem_cb cb,
				      int flags, int what, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
						 size_t at);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
bool qemu_plugin_mem_is_store(uint32_t info);

static const uint8_t begin[MARK_BYTES] = { 0x0f, 0x1f, 0x84, 0x00, 0x0b, 0xd0, 0xbe, 0x0b };
static const uint8_t end[MARK_BYTES] = { 0x0f, 0x1f, 0x84, 0x00, 0x0e, 0xd0, 0xbe, 0x0e };

/* If this instruction is a mark, call what belongs to it when it runs. */
static inline void watch_marks(struct qemu_plugin_insn *insn, insn_exec_cb on_begin,
			       insn_exec_cb on_end)
{
	const void *bytes = qemu_plugin_insn_data(insn);

	if (qemu_plugin_insn_size(insn) != MARK_BYTES)
		return;
	if (!memcmp(bytes, begin, MARK_BYTES))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_begin, CB_NO_REGS, NULL);
	else if (!memcmp(bytes, end, MARK_BYTES))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_end, CB_NO_REGS, NULL);
}

#endif
