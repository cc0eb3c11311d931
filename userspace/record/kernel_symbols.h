/* SPDX-License-Identifier: MIT */
/* kernel_symbols.h - names for addresses in the kernel, from /proc/kallsyms. */
#ifndef CORUN_RECORD_KERNEL_SYMBOLS_H
#define CORUN_RECORD_KERNEL_SYMBOLS_H

#include "base/types.h"

struct kernel_symbols;

/* 0; -EPERM: the addresses are hidden from this user (kernel.kptr_restrict). */
int kernel_symbols_read(struct kernel_symbols **symbols);
int kernel_symbols_parse(struct kernel_symbols **symbols, const char *text); /* in its format */
void kernel_symbols_free(struct kernel_symbols *symbols); /* NULL is fine */
/* The function that holds @address, NULL: none. */
const char *kernel_symbols_name(const struct kernel_symbols *symbols, u64 address);
/* Of a stack of return addresses, innermost first, the function that waits: the first one that is
 * not the scheduler's, nor of what looks at it. NULL: there is none. */
const char *kernel_symbols_wait(const struct kernel_symbols *symbols, const u64 *addresses, u32 n);

#endif
