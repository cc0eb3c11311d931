/* SPDX-License-Identifier: MIT */
/*
 * collect.h - events of several CPUs in, records of a trace in order of time out. Pure: no libbpf,
 * no clock; the session feeds it.
 *
 * An event waits here until nothing older can come any more (the watermark, see session.c) and a
 * little longer (COLLECT_HOLD_NS): a wake-up travels inside the switch that lets the woken thread
 * run, and is put where it happened. A wake-up that is older than that goes out "late"; the trace
 * puts it into its place.
 *
 * Each CPU numbers its events. A gap becomes REC_LOST, with the times of the events around it.
 */
#ifndef CORUN_RECORD_COLLECT_H
#define CORUN_RECORD_COLLECT_H

#include "base/error.h"
#include "base/map.h"
#include "event.h"
#include "trace/record.h"

#define COLLECT_HOLD_NS (50 * NSEC_PER_MSEC)

struct collect;

struct collect_sites {
	u32 user, kernel; /* 0: not known */
};

struct collect_ops {
	/* A record in order of time; @late: it belongs earlier. 0 or -errno, which sticks. */
	int (*put)(void *ctx, const struct record *rec, bool late);
	/* The lock, holder and kind of a futex wait, from the words around it. May be NULL. */
	void (*futex)(void *ctx, const struct ev_futex *ev, s32 tgid, struct rec_wait *wait);
	/* The record of a change of holder of a runtime's lock. May be NULL: there are none. */
	bool (*gil)(void *ctx, const struct ev_gil *ev, struct record *rec);
	/* A process of the set was replaced by another image, or has ended (args NULL). May be NULL. */
	void (*process)(void *ctx, s32 tgid, const char *args);
	/* Call sites (rec_site ids) of the stacks behind an event, as it arrives. May be NULL. */
	void (*sites)(void *ctx, const struct ev_block *ev, const struct ev_stack *stack, size_t len,
		      struct collect_sites *sites);
	/* Command line of a process that existed before, as in rec_thread.args. May be NULL. */
	const char *(*args)(void *ctx, s32 tgid);
};

struct collect_config {
	s32 command_tgid; /* its exec opens the window; 0: collect_window() does */
	bool wait_all;    /* the end of COMMAND does not close the window */
	bool redact;
};

int collect_new(struct collect **collect, const struct collect_config *config,
		const struct collect_ops *ops, void *ctx);
void collect_free(struct collect *collect);

/* One event as the probes wrote it. 0, -EINVAL for one that is no event, -ENOMEM. */
int collect_event(struct collect *collect, const void *event, size_t len);
/* Nothing older than @watermark will come: put out what is older than that less the hold. Returns
 * 0 or the first error of put(). */
int collect_advance(struct collect *collect, u64 watermark);
/* Whether the end of COMMAND leaves the window open until the last of the set has ended. */
void collect_set_wait_all(struct collect *collect, bool wait_all);
/* What was lost so far: @next_seq[cpu] are the counters of @n_cpus CPUs, read at some time from @before_ns
 * to @after_ns; every event that has such a number and will ever come has been given to collect_event(). */
int collect_settle(struct collect *collect, const u32 *next_seq, size_t n_cpus, u64 before_ns, u64 after_ns);
/* Open the window at @ts (attach). */
int collect_window(struct collect *collect, u64 ts);
/* Everything out; @next_seq[cpu] are the counters of @n_cpus CPUs now: what is missing at the end is
 * lost too. Closes the window at @ts if it is open. */
int collect_finish(struct collect *collect, u64 ts, const u32 *next_seq, size_t n_cpus);

/* The window has closed: the set, or COMMAND, has ended. */
bool collect_ended(const struct collect *collect);
u64 collect_events(const struct collect *collect);
u64 collect_lost(const struct collect *collect);
u32 collect_threads(const struct collect *collect);
u64 collect_joined(const struct collect *collect); /* threads, the dead ones too */
u32 collect_running(const struct collect *collect);
u32 collect_in_flight(const struct collect *collect);
/* Kernel tid of the thread of @tgid whose tid in the innermost pid namespace is @ns_tid; -1: none.
 * As of the event that is being put out. */
s32 collect_tid(const struct collect *collect, s32 tgid, s32 ns_tid);
/* The same of any process whose pid namespace is that of @tgid, which @same_ns tells of two tgids. */
s32 collect_tid_shared(const struct collect *collect, s32 tgid, s32 ns_tid,
		       bool (*same_ns)(s32 a, s32 b));
/* tgids with living threads, at most @max; returns how many there are. */
size_t collect_alive(const struct collect *collect, s32 *tgids, size_t max);

#endif
