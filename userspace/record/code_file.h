/* SPDX-License-Identifier: MIT */
/*
 * code_file.h - the ELF files that traced processes run code from, each opened once: a process that
 * ends, or a file that is replaced, takes nothing away.
 */
#ifndef CORUN_RECORD_CODE_FILE_H
#define CORUN_RECORD_CODE_FILE_H

#include "base/map.h"
#include "base/types.h"

struct code_file {
	u32 id;        /* 1, 2 ... */
	int fd;
	bool sound;    /* may be given to libelf: elf_sound() */
	u64 dev, ino;
	char *name;    /* without its folder; never NULL */
	void *symbols; /* symbolize.c's own; NULL: not looked at */
};

struct code_files {
	struct code_file **list;
	u32 n, cap;
};

/* The file at @start to @end in the memory of @tgid, mapped from @path as it sees it; NULL: it cannot
 * be opened. */
struct code_file *code_file_get(struct code_files *files, s32 tgid, u64 start, u64 end,
				const char *path);
struct code_file *code_file_by_id(const struct code_files *files, u32 id);
void code_files_free(struct code_files *files);

#endif
