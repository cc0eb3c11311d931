/* SPDX-License-Identifier: MIT */
/*
 * runtime.h - language runtimes with one lock over all their threads (CPython's GIL, Ruby's GVL),
 * found in the traced processes and made readable for the probes.
 *
 * Looking is lazy: a process is looked at when one of its threads waits on a futex or starts
 * another thread, because without either nobody waits for such a lock, and because ld.so maps a
 * runtime's library only after the exec. Nothing here stops a process or waits for it; every
 * answer is checked against what the runtime's own memory must look like, and a runtime that fails
 * is reported once.
 *
 * Events are shown twice: as they arrive (a few ms after they happened, while the process still
 * stands as it was), and in order of time when records are made of them.
 */
#ifndef CORUN_RECORD_RUNTIME_H
#define CORUN_RECORD_RUNTIME_H

#include "base/types.h"
#include "event.h"
#include "trace/record.h"

struct runtimes;

struct runtimes_ops {
	/* A record of its own, at rec->ts, which lies in the past. */
	void (*put)(void *ctx, const struct record *rec);
	/* How the probes read the lock of @tgid; NULL: it has none any more. @fork: unless they know. */
	void (*publish)(void *ctx, s32 tgid, const struct ev_runtime *how, bool fork);
	/* Where the runtime keeps the state of thread @tid (the kernel's). */
	void (*thread)(void *ctx, s32 tid, u64 address);
	/* Tell every change of the lock, where the function at @offset of the file @path returns
	 * (@taken) or begins. NULL: samples will do. */
	void (*probe)(void *ctx, const char *path, u64 offset, bool taken);
	/* Kernel tid of a thread of @tgid by its tid in the innermost namespace, -1. */
	s32 (*tid)(void *ctx, s32 tgid, s32 ns_tid);
};

/* @redact: notes name files without their folders. */
int runtimes_new(struct runtimes **runtimes, const struct runtimes_ops *ops, bool redact, void *ctx);
void runtimes_free(struct runtimes *runtimes); /* NULL is fine */
/* The recording ends at @ts: what was not found out is noted. */
void runtimes_finish(struct runtimes *runtimes, u64 ts);

/* An event as it arrives. @now: CLOCK_MONOTONIC. */
void runtimes_event(struct runtimes *runtimes, const struct ev_head *event, u64 now);
/* In order of time: kind, lock and holder of a futex wait of @tgid. False: no runtime's business,
 * @wait is as it was. @wait says what the words around the futex say. */
bool runtimes_futex(struct runtimes *runtimes, const struct ev_futex *event, s32 tgid,
		    struct rec_wait *wait);
/* As it arrives: the place in the runtime's own code that the probes saw, as text. */
bool runtimes_place(const struct runtimes *runtimes, s32 tgid, u64 code, u64 instr, char *text,
		    size_t size);
/* As it arrives: the same of a wait that the probes could not look into. */
bool runtimes_late(const struct runtimes *runtimes, s32 tid, const struct ev_wait *wait, u64 *code,
		   u64 *instr);
/* In order of time: another holder. False: not readable as a record. */
bool runtimes_gil(struct runtimes *runtimes, const struct ev_gil *event, struct record *rec);

#endif
