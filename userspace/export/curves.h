/* SPDX-License-Identifier: MIT */
/*
 * curves.h - the counters of a timeline: how many threads run, are in flight, wait in each kind; of
 * all exported threads and of each process.
 *
 * A context switch changes several counts at one instant and often changes them back. A sample is
 * told once an instant is over, and only of the curves that differ from their last sample. That is
 * also when threads are looked at: the model does not tell of a state that is left at once.
 */
#ifndef CORUN_EXPORT_CURVES_H
#define CORUN_EXPORT_CURVES_H

#include "model/model.h"

enum {
	CURVE_RUNNING = 0,
	CURVE_FLIGHT,                   /* in flight */
	CURVE_READY,
	CURVE_KIND,                     /* + enum wait_kind */
	CURVE_STOPPED = CURVE_KIND + KINDS,
	CURVE_UNKNOWN,
	CURVES,
};

/* Of a process timelines draw what runs and what is in flight: what its threads wait in, their lanes tell. */
#define CURVES_OF_PROCESS (1u << CURVE_RUNNING | 1u << CURVE_FLIGHT)

_Static_assert(CURVES <= 32, "`changed` has a bit a curve");

/* @process: its id, NO_THREAD for all. Bits of @changed index @now. */
typedef void (*curves_emit)(void *ctx, u32 process, u64 ts, u32 changed, const u32 *now);

struct count_curve {
	u32 process;
	u32 touched; /* bit a curve: changed at `ts`, perhaps back again */
	bool fresh;  /* nothing told yet: the first sample names running and in flight, also at 0 */
	u32 now[CURVES], told[CURVES];
};

struct curves {
	u32 parked;
	curves_emit emit;
	void *ctx;
	u64 ts;                 /* instant of the changes that are not told yet */
	struct count_curve all;
	struct count_curve **process; /* by process id; NULL: nothing of it yet */
	u32 n_process;
	struct count_curve **touched;
	u32 n_touched, cap_touched;
	const struct thread **moved; /* changed their state at `ts` */
	u32 n_moved, cap_moved;
	struct { u8 in; bool moved; } *threads; /* by id; in: the curve it counts in, + 1; 0: none */
	u32 n_threads;
	bool failed;            /* out of memory */
};

void curves_init(struct curves *curves, u32 parked, curves_emit emit, void *ctx);
void curves_free(struct curves *curves);
/* First sample of all, at the window's begin. */
void curves_begin(struct curves *curves, u64 ts);
/* @thread changes its state at @ts; which it is shows when time moves on. */
void curves_enter(struct curves *curves, const struct thread *thread, u64 ts);
/* Tell what has changed up to now, when time has reached @ts. */
void curves_advance(struct curves *curves, u64 ts);
/* Every curve goes down to 0 at @ts, and that is told. */
void curves_end(struct curves *curves, u64 ts);
/* What the process's curves stand at, as told; NULL if nothing was. */
const u32 *curves_told(const struct curves *curves, u32 process);

/* One of the wait kinds. */
bool curve_is_kind(unsigned int curve);
/* "running", "in flight", "GIL" ... for people; "running", "in_flight", "gil" ... for columns. */
const char *curve_label(unsigned int curve);
const char *curve_name(unsigned int curve);

#endif
