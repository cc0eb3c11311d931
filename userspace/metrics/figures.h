/* SPDX-License-Identifier: MIT */
/*
 * figures.h - what one stretch of a recording adds up to: the window, or a region.
 *
 * Everything here is a sum, a maximum or a bounded table over the states that the model tells: exact
 * to the nanosecond (no sampling), and in memory that grows with threads, locks and calls, never
 * with events. The meter (meter.h) fills it; reports read it.
 *
 * Definitions are those of DESIGN "Words". At every instant, over the traced threads:
 *
 *     P = running                       C = running + ready + waiting in kinds that are not parked
 *     C high = C + unknown              D = running + ready - held back in a GIL interval
 *
 * A region that is marked more than once, or nested in itself, is one stretch: the union of its
 * times.
 */
#ifndef CORUN_METRICS_FIGURES_H
#define CORUN_METRICS_FIGURES_H

#include "base/map.h"
#include "metrics/curve.h"
#include "metrics/hist.h"
#include "metrics/sites.h"
#include "model/model.h"

/* Where a thread's time goes: one slot a state, waiting split by kind. */
enum usage_slot {
	USAGE_RUNNING = 0,
	USAGE_READY,
	USAGE_STOPPED,
	USAGE_UNKNOWN,
	USAGE_KIND, /* + enum wait_kind */
	USAGE_SLOTS = USAGE_KIND + KINDS,
};

struct usage {
	u64 ns[USAGE_SLOTS];
};

/* The slot of a state; @kind counts only for STATE_WAITING. STATE_NONE has none: -1. */
int usage_slot_of(enum thread_state state, enum wait_kind kind);
/* Name in files ("running", "file-lock"), for people ("file lock"), colour family. */
const char *usage_name(unsigned int slot);
const char *usage_label(unsigned int slot);
/* In flight by the given parked kinds: running, ready, waits that are not parked. */
bool usage_in_flight(unsigned int slot, u32 parked);
void usage_add(struct usage *sum, const struct usage *more);
/* All slots: the time alive. */
u64 usage_alive(const struct usage *usage);
u64 usage_flight(const struct usage *usage, u32 parked);
u64 usage_blocked(const struct usage *usage);

struct thread_figures {
	struct usage time;
	u64 voluntary, involuntary; /* switches: it blocked / it could have gone on */
	u64 migrations;
	u64 delay_ns, delays, max_delay_ns; /* ready: waiting for a CPU */
	struct thread_hists *hists; /* NULL: one of more than FIGURES_HISTS threads */
	s32 last_cpu;
};

/* Distributions of one thread: kept for the first threads of a stretch, so that a program that starts
 * a million of them does not cost a gigabyte. */
#define FIGURES_HISTS 1024

struct thread_hists {
	struct hist delay, slice; /* as in struct figures */
};

struct series;

/* Series of processes are kept for the first ones of a stretch: each may take 220 kB. */
#define FIGURES_SERIES 256

/* The levels that have a peak. */
enum peak_level { PEAK_RUNNING, PEAK_FLIGHT, PEAK_DEMAND, PEAKS };

/* Who made up a level when it peaked: some of them. */
struct figures_peak {
	u32 ids[8], n;         /* threads, or tasks */
};

struct process_figures {
	struct curve parallelism, concurrency, demand;
	struct figures_peak peaks[PEAKS];
	u32 waiting_max[KINDS];
	struct series *series; /* from the stretch's begin, as all series are; NULL: not kept */
};

/* A table of waits by call and by what was waited on. */
struct call_figures {
	s16 nr;            /* -1: in no call (a page fault) */
	u8 fd_kind, kind;
	u64 waits, wait_ns, max_ns;
	struct sites sites, functions; /* where in the code, and in which of the kernel's functions */
};

struct preemption {
	u32 by, victim;    /* thread ids; by NO_THREAD: not known */
	u64 times, ns;     /* ns: ready until it ran again */
};

struct holder_figures {
	u32 thread;        /* NO_THREAD: not known */
	u64 waits, wait_ns;
};

struct lock_figures {
	enum wait_kind kind;
	s32 tgid;
	const struct process *process;  /* of the first who waited */
	u64 lock;
	u64 waits, wait_ns, blocked_ns;
	struct hist waits_hist;
	struct map holder_map;          /* struct holder_figures by thread id */
	struct holder_figures **holders; /* the same sorted, after figures_sort_locks() */
	u32 n_holders;
	struct holder_figures unknown;
	struct map releaser_map;        /* likewise: who let go of it, or woke the waiter, and ended the wait */
	struct holder_figures **releasers;
	u32 n_releasers;
	struct map threads;             /* ids + 1 of those who waited */
	struct sites sites;
	/* Of those who got it after a wait, in order: another one than before, the same one again. */
	u64 hand_offs, got_back;
	u32 last_taker;                 /* thread id, NO_THREAD: none yet */
};

/* One time that a stretch ran. */
struct figures_piece {
	u64 begin_ns, end_ns;
	u32 thread;            /* who marked it, NO_THREAD: nobody, or not known */
};

#define FIGURES_PIECES 4096

struct figures {
	char *name;            /* region's name; NULL: the window */
	u64 begin_ns, end_ns;  /* first begin, last end */
	u64 duration_ns;       /* time covered: end - begin, less the gaps between repeats */
	u64 active_ns;         /* of it with C >= 1 */
	u32 times;             /* how often a region was entered */
	bool forever;          /* ended with the window, not by its mark */
	struct figures_piece *pieces; /* FIGURES_PIECES at most; `times` says how many there were */
	u32 n_pieces;

	struct curve parallelism, concurrency, concurrency_high, demand, alive;
	struct figures_peak peaks[PEAKS], waiting_peaks[KINDS];
	u32 waiting_max[KINDS];        /* most that waited in a kind at once, and when first */
	u64 waiting_max_ns[KINDS];
	u64 known_ns;          /* of duration_ns no thread was unknown */
	struct series *series; /* the curves as points; NULL: not asked for */

	/* joint[k].at[m]: ns with k running while m were in flight */
	struct curve *joint;
	u32 n_joint;

	struct usage time;
	struct thread_figures **threads;   /* by thread id; NULL: had no life in the stretch */
	u32 n_threads, n_hists;
	struct process_figures **processes;
	u32 n_processes, n_series;

	struct hist delay;     /* ready: from runnable to running, after wake-ups and preemptions */
	struct hist slice;     /* running: from switched in to switched out */
	u64 voluntary, involuntary, migrations;

	struct map calls;      /* struct call_figures */
	struct map preemptions;
	struct map locks;
	struct lock_figures **lock_list;
	u32 n_locks, cap_locks;
	u64 wakeups, wakeups_causal;

	bool failed;           /* memory ran out: the figures are short */
};

struct thread_figures *figures_thread(struct figures *figures, u32 id);
struct process_figures *figures_process(struct figures *figures, u32 id);
/* Add @span from @from on (not before its start). @ended: the state really ended at span->end_ns;
 * false: the stretch did, and the state goes on. */
void figures_charge(struct figures *figures, const struct span *span, u64 from, bool ended);
void figures_free(struct figures *figures);

/* Sorted tables, made after the end; the caller frees the array, not what it points to. */
struct call_figures **figures_calls(const struct figures *figures, size_t *n);
struct preemption **figures_preemptions(const struct figures *figures, size_t *n);
/* Sort lock_list and list the holders of each by waited time, most first. */
void figures_sort_locks(struct figures *figures);

#endif
