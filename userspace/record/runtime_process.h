/* SPDX-License-Identifier: MIT */
/* runtime_process.h - what each process was, from one exec (or its fork) to the next: by tgid and time. */
#ifndef CORUN_RECORD_RUNTIME_PROCESS_H
#define CORUN_RECORD_RUNTIME_PROCESS_H

#include "base/map.h"
#include "record/runtime_type.h"

/* Start from zeroed memory. Owns its processes; those that ended over 10 s ago are forgotten as others come. */
struct runtime_processes {
	struct map map;  /* tgid -> struct runtime_process, the newest */
	size_t sweep_at; /* so many of them: time to forget those that have ended */
};

/* What @tgid is, NULL: nothing known, or it has ended. */
struct runtime_process *runtime_process_now(const struct runtime_processes *all, s32 tgid);
/* What @tgid was at @ts (ns). */
struct runtime_process *runtime_process_at(const struct runtime_processes *all, s32 tgid, u64 ts);
/* It begins at @ts (ns); what it was before is kept behind it. NULL: out of memory. */
struct runtime_process *runtime_process_add(struct runtime_processes *all, s32 tgid, s32 ns_tgid, u64 ts);
void runtime_processes_free(struct runtime_processes *all);

#endif
