/* SPDX-License-Identifier: MIT */
/*
 * meter_parts.h - what the meter's own files share: meter.c is the sink, meter_stretch.c the stretches
 * of time and the processes' levels, meter_cut.c the window in intervals. Nobody else includes it.
 */
#ifndef CORUN_METRICS_METER_PARTS_H
#define CORUN_METRICS_METER_PARTS_H

#include "metrics/lock_table.h"
#include "metrics/meter.h"
#include "metrics/series.h"

/* A stretch of time with its figures; the window is stretch 0. */
struct stretch {
	struct figures *figures;
	u32 depth;         /* open marks of this name; > 0: it is running */
	u64 since_ns;      /* since when */
	u64 last_begin_ns, last_end_ns; /* the latest time that it ran, once it has ended */
	u32 thread;        /* who marked it this time, NO_THREAD */
};

/* What a process was at since `last_ns`; see meter_touch(). */
struct process_level {
	u64 last_ns;
	struct counts counts; /* waiting: of no other kinds than `kinds` has */
	u32 flight, demand;
	bool touched;
};

struct meter {
	struct model *model;
	u32 parked;
	u64 entered;           /* wait kinds that a thread has come to since last_ns */
	bool open, closed;
	u64 last_ns;
	int error;

	struct stretch stretches[METER_REGIONS + 2];
	u32 n_stretches;
	u64 regions_left_out;
	u64 from_ns, to_ns;    /* the stretch by time, absolute; stretch 1 if timed */
	bool timed;
	bool points;           /* series of every stretch and of its processes, too */

	u32 *alive;            /* thread ids; those that have died are dropped when it is walked */
	u32 n_alive, cap_alive;

	struct process_level *processes;
	u32 n_processes;
	u32 *touched;          /* process ids */
	u32 n_touched, cap_touched;

	u64 *affinity;         /* by thread id */
	u32 n_affinity;

	struct gil_history gils;
	struct host_figures host;
	struct loss_figures losses;
};

/* Append; false when memory is out. */
bool meter_push(u32 **list, u32 *n, u32 *cap, u32 value);
/* Keep the first error; 0 is none. */
void meter_note(struct meter *meter, int err);

/* Who is at @level, an enum peak_level or PEAKS + the wait kind, now: of all, or of @process. */
void meter_note_peak(const struct meter *meter, struct figures_peak *peak, unsigned int level,
		     const struct process *process);
/* Time moves on to @ts: the curves are taken until then. */
void meter_advance(struct meter *meter, u64 ts);
/* A thread of process @id changes its state at @ts. */
void meter_touch(struct meter *meter, u32 id, u64 ts);
/* Time moves on: take the levels of the processes that were touched. */
void meter_refresh(struct meter *meter);

void stretch_open(struct meter *meter, struct stretch *stretch, u64 ts);
void stretch_close(struct meter *meter, struct stretch *stretch, u64 ts);
/* NULL when memory is out; @name NULL: the window. There must be room for it. */
struct stretch *stretch_new(struct meter *meter, const char *name);
struct stretch *stretch_named(struct meter *meter, const char *name);

#endif
