/* SPDX-License-Identifier: MIT */
/*
 * process.h - look into another process from outside: its memory, threads and mapped files. It is
 * not stopped, and may end at any time: every call can fail with -ESRCH and the like.
 */
#ifndef CORUN_RECORD_PROCESS_H
#define CORUN_RECORD_PROCESS_H

#include "base/types.h"

/* 0, or -errno if not all of it could be read. */
int process_read(s32 tgid, u64 address, void *data, size_t size);
int process_read_u64(s32 tgid, u64 address, u64 *value);
/* Is @ns_tid, a tid in its innermost pid namespace, a thread of @tgid? */
bool process_has_thread(s32 tgid, s32 ns_tid);

/* A file whose beginning is mapped. */
struct process_file {
	s32 tgid;
	u64 start, end;    /* of the mapping of its offset 0 */
	const char *path;  /* as the process sees it, perhaps with " (deleted)" */
	bool is_program;
};

/* Each in turn, until @file returns something else than 0, which is returned. */
int process_files(s32 tgid, int (*file)(void *ctx, const struct process_file *file), void *ctx);
/* Its contents: a descriptor or -errno. */
int process_open(const struct process_file *file);

#endif
