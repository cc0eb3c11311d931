/* SPDX-License-Identifier: MIT */
/*
 * session.h - one recording: probes on, events collected, records written in order of time.
 *
 * A session owns the BPF object, its ring buffer and the collector, and borrows the trace writer.
 * cmd_record.c drives it: open, (let COMMAND exec | snapshot), poll until it ends, stop, close.
 * Nothing here talks to the user.
 */
#ifndef CORUN_RECORD_SESSION_H
#define CORUN_RECORD_SESSION_H

#include "base/error.h"
#include "record/marks.h"
#include "trace/trace.h"

enum target_kind {
	TARGET_COMMAND, /* tgids[0] is the child; it joins the set at its exec */
	TARGET_PIDS,    /* tgids */
	TARGET_COMM,    /* tgids that match now, and whatever execs or renames itself to match */
	TARGET_CGROUP,  /* tgids in it now, and whatever execs inside it */
	TARGET_ALL,
};

enum gil_mode { GIL_SAMPLE = 0, GIL_OFF, GIL_PROBE };

struct session_config {
	enum target_kind target;
	const s32 *tgids;          /* kernel tgids, n_tgids of them */
	size_t n_tgids;
	const char *comm_glob;     /* TARGET_COMM: '*', '?' and literal bytes, at most 15 */
	u64 cgroup_id;             /* TARGET_CGROUP on cgroup v2, 0 otherwise */
	size_t ring_bytes;         /* 0: default; a power of two times the page size */
	enum gil_mode gil;
	bool tasks_go;             /* goroutines as tasks; wants `marks` */
	const char *probes;        /* file that maps USDT probes to tasks, or NULL; wants `marks` */
	char *const *command;      /* TARGET_COMMAND: its words, up to a NULL */
	bool user_stacks, kernel_stacks;
	bool redact;               /* leave arguments and paths out */
	struct marks *marks;       /* what the programs tell by themselves (marks.h), or NULL; borrowed */
};

struct session_stats {
	u64 events, lost;          /* so far */
	u32 running, in_flight;    /* now; in flight: running, ready and blocked but parked */
	u32 threads;               /* alive in the traced set */
	u64 joined;                /* threads that ever were in it */
};

struct session;

/* Load and attach every probe. -EPERM, -ENOENT (no BTF) ... with @err saying the remedy. */
int session_open(struct session **session, const struct session_config *config,
		 struct trace_writer *writer, struct error *err);
/* Attach targets: take the snapshot of living threads and open the window. For TARGET_COMMAND the
 * window opens by itself at the child's exec; call it all the same, before letting the child go. */
int session_start(struct session *session, struct error *err);
/* Collect for up to @timeout_ms. 1: the traced set has died out (or COMMAND did, unless
 * @wait_all), 0: go on, -errno: the writer failed (what was written stays). */
int session_poll(struct session *session, int timeout_ms, bool wait_all, struct error *err);
/*
 * For who reads while it is recorded: ask also for what a switch would tell later (threads that were
 * woken and wait for a CPU, events that were lost) and flush the writer. Everything that happened before
 * *@until_ns is out.
 */
int session_settle(struct session *session, u64 *until_ns, struct error *err);
void session_stats(const struct session *session, struct session_stats *stats);
/* Probes off, rest of the ring collected, window closed. The writer is still open. */
int session_stop(struct session *session, struct error *err);
/* The window closed by itself: the set, or COMMAND, had ended. */
bool session_ended(const struct session *session);
/* tgids of the traced set still alive after stop, at most @max; returns how many there are. */
size_t session_survivors(const struct session *session, s32 *tgids, size_t max);
void session_close(struct session *session); /* NULL is fine */

/* One ability of this kernel or user, for `corun doctor`. */
struct ability {
	const char *name;     /* "sched_switch probe" */
	bool ok, required;
	char detail[160];     /* what was found */
	char remedy[240];     /* what to do if not ok */
};
/* Try each for real. Returns how many were filled, at most @max. */
size_t session_abilities(struct ability *abilities, size_t max);

#endif
