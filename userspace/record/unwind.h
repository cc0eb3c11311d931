/* SPDX-License-Identifier: MIT */
/*
 * unwind.h - from registers and the top of a stack to the calls that led there, by the unwind tables
 * of the code itself (.eh_frame), through elfutils' libdwfl. Correct for -O2 and without frame
 * pointers; where there is no table, it ends: nothing is guessed.
 */
#ifndef CORUN_RECORD_UNWIND_H
#define CORUN_RECORD_UNWIND_H

#include "event.h"
#include "record/code_file.h"

#define UNWIND_FRAMES 24
#define UNWIND_READS 256

struct unwind; /* an address space as it was when it was looked at */

struct unwind_frame {
	u64 pc;       /* as it stood on the stack: behind the call, but for the first */
	u64 address;  /* the same in the file's own addresses; 0 if there is no file */
	u32 file;     /* code_file.id; 0: code of no file */
	u32 exact;    /* 1: pc is the instruction itself */
};

/* A word that unwinding looked at. */
struct unwind_read {
	u64 address, value;
};

struct unwind_result {
	struct unwind_frame frames[UNWIND_FRAMES];
	u32 n_frames;
	struct unwind_read reads[UNWIND_READS];
	u32 n_reads;
	bool strange;  /* met code that no known mapping holds: the map may be out of date */
};

/* Look at the mappings of @tgid. 0, -ESRCH: it is gone, -ENOSYS: built without libdwfl ... */
int unwind_new(struct unwind **unwind, s32 tgid, struct code_files *files);
void unwind_free(struct unwind *unwind); /* NULL is fine */
void unwind_stack(struct unwind *unwind, const struct ev_stack *stack, struct unwind_result *result);

#endif
