/* SPDX-License-Identifier: MIT */
/* runtime_file.h - which program files and libraries hold a runtime; each is read once. */
#ifndef CORUN_RECORD_RUNTIME_FILE_H
#define CORUN_RECORD_RUNTIME_FILE_H

#include "record/process.h"
#include "record/runtime_type.h"

#define RUNTIME_FILES 64

struct runtime_file {
	const struct runtime_type *type;
	u64 dev, ino, size, mtime_ns;
	int code;                       /* of elf_find() */
	u64 base, value[RUNTIME_SYMBOLS], offset[RUNTIME_SYMBOLS];
	bool probed;
};

struct runtime_files {
	struct runtime_file known[RUNTIME_FILES]; /* a ring: the oldest makes room */
	u32 n;
	char *complaints[RUNTIME_FILES];  /* paths that were complained of */
	u32 n_complaints;
};

/* @type's symbols in @file: 0 and *@known, until the next call; -ENOENT: it is not in there; another
 * -errno: the file cannot be read (-EINVAL: it is no sound ELF file). */
int runtime_file_get(struct runtime_files *files, const struct process_file *file,
		     const struct runtime_type *type, struct runtime_file **known);
/* Their addresses in the process that has mapped @file; 0: that one is not there. */
void runtime_file_place(const struct runtime_file *known, const struct process_file *file,
			u64 at[RUNTIME_SYMBOLS]);
/* Whether nothing was said of @path yet; something will be said now. */
bool runtime_file_complain(struct runtime_files *files, const char *path);
void runtime_files_free(struct runtime_files *files);

#endif
