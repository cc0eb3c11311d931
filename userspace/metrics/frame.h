/* SPDX-License-Identifier: MIT */
/*
 * frame.h - one interval of a live view, as what is shown of it: taken out of its report, so that it can be
 * drawn again, in another order or size, while the next one is being recorded.
 */
#ifndef CORUN_METRICS_FRAME_H
#define CORUN_METRICS_FRAME_H

#include "metrics/report.h"
#include "metrics/verdict.h"

#define FRAME_NAME 64 /* bytes kept of a name */

/* A process, or a thread, that had a life in the interval. */
struct frame_row {
	s32 tgid, tid;     /* tid 0: a process */
	u32 threads;       /* of a process, those that lived in the interval */
	char name[FRAME_NAME]; /* as the program chose it: any bytes */
	struct usage time; /* threads x ns */
};

/* A lock that was waited for. */
struct frame_lock {
	enum wait_kind kind;
	s32 tgid;
	u64 lock;
	char process[FRAME_NAME];
	u32 threads;       /* that waited */
	u64 waits, wait_ns, max_ns, unknown_ns; /* unknown_ns: of wait_ns the holder is not known */
	s32 holder;        /* tid of who held it for the most of wait_ns; 0: not known */
	char holder_name[FRAME_NAME];
	u64 holder_ns;
};

struct frame {
	u64 begin_ns, duration_ns; /* begin_ns: since the window's begin */
	u64 active_ns;             /* of it with C >= 1 */
	u64 known_ns;              /* of it no thread was unknown */
	double flight, flight_high, running, demand; /* means over the whole interval */
	u32 max_flight, max_running, max_demand;
	struct usage time;
	u32 parked;                /* bits of wait kinds */
	u32 cpus;
	double usable_cpus;        /* 0: not known */
	u64 lost;                  /* events */
	struct verdict verdict;
	struct frame_row *processes, *threads;
	u32 n_processes, n_threads;
	struct frame_lock *locks;  /* most waited for first */
	u32 n_locks;
};

/* 0 or -ENOMEM. Start from zeroed memory, or from a frame before, which is freed. */
int frame_take(struct frame *frame, const struct report *report);
void frame_free(struct frame *frame);

enum frame_sort {
	FRAME_BY_FLIGHT, /* time in flight */
	FRAME_BY_RUNNING,
	FRAME_BY_READY,
	FRAME_BY_WAITING, /* blocked in flight: neither running, nor ready, nor parked */
	FRAME_BY_ID,     /* tgid, tid */
	FRAME_SORTS,
};

const char *frame_sort_name(enum frame_sort sort);
/* Processes, or threads, most first; equal ones by their numbers. */
void frame_sort(struct frame *frame, enum frame_sort sort);

#endif
