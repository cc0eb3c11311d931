/* SPDX-License-Identifier: MIT */
/* elf.h - where a file's symbols stand once it is mapped. Nothing but libelf; no process is touched. */
#ifndef CORUN_RECORD_ELF_H
#define CORUN_RECORD_ELF_H

#include "base/types.h"

struct elf_symbol {
	const char *name; /* with a '.' before it: a section's */
	u64 value;     /* as in the file; 0: not there */
	u64 offset;    /* where its bytes stand in the file; 0: nowhere */
	u64 size;
};

/*
 * Whether the open file @fd may be given to libelf and libdw, which take a file's word for the size
 * of its tables: it is an ELF file of this machine's kind, and its sections fit into it.
 */
bool elf_sound(int fd);

/*
 * Fill in @symbols from the .dynsym and, for what that lacks, from the .symtab of the open file
 * @fd. *@base is the address in the file's own terms of its first byte (the load bias is where
 * offset 0 was mapped, less *@base). 0 if at least one was found, -ENOENT if none, -EINVAL for a
 * file that is no sound ELF file of this machine's kind, -ENOMEM.
 *
 * The file may be hostile, and of any size: it is read, never mapped, and of its tables 64 MiB.
 */
int elf_find(int fd, struct elf_symbol *symbols, size_t n, u64 *base);

#endif
