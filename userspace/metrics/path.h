/* SPDX-License-Identifier: MIT */
/*
 * path.h - the critical path: back from the end of the traced work, over wake-ups, lock hand-offs and
 * forks, to its start. Its stretches tile the window, or a region, exactly.
 *
 * It begins with the thread that ran last, in a region with the one that marked it. From there back in time: what a thread ran, and how long
 * it was ready, is its own. A wait that another traced thread ended was that thread's doing: the path
 * goes on with it, at the instant of the wake-up. A wait for the GIL or a mutex that the timer ended
 * goes on with the holder. A thread's first instant goes on with who forked it. A wait that was ended
 * by an interrupt, an outside process or nobody known stays on the path as that wait.
 * (Method: Yang and Miller, "Critical path analysis for the execution of parallel and distributed
 * programs", ICDCS 1988, walked backwards.)
 */
#ifndef CORUN_METRICS_PATH_H
#define CORUN_METRICS_PATH_H

#include "base/buf.h"
#include "metrics/figures.h"
#include "metrics/graph.h"

/* How the path came to the later end of a stretch: what the thread did for the one after it. */
enum path_edge {
	PATH_SAME = 0, /* the same thread goes on */
	PATH_WAKE,     /* it woke the thread of the next stretch */
	PATH_HOLDER,   /* it held the lock that the next one waited for */
	PATH_FORK,     /* it forked the next one */
	PATH_END,      /* the end of the window */
};

struct path_segment {
	u64 start_ns, end_ns; /* end_ns > start_ns */
	u32 thread;           /* NO_THREAD: before any thread that is known (then STATE_UNKNOWN) */
	u32 lock;             /* graph_lock() index, NO_LOCK */
	s16 nr;               /* waiting: system call, -1 none */
	u8 state, kind;       /* enum thread_state, enum wait_kind (waiting) */
	u8 edge;              /* enum path_edge at end_ns */
	bool outside;         /* waiting: ended by an interrupt, an outsider, or nobody known */
};

struct path_thread { u32 thread; struct usage time; };
struct path_sum { u32 key; u64 ns; };

struct path {
	u64 begin_ns, end_ns;
	u64 length_ns;                /* of its pieces together */
	struct usage time;
	u64 outside_ns;               /* waits of which the cause lies outside */
	u32 hops;                     /* changes of thread */
	struct path_thread *threads;  /* longest first */
	u32 n_threads;
	struct path_sum *locks;       /* key: graph_lock() index; longest first */
	u32 n_locks;
	struct path_sum *calls;       /* waits; key: system call + 1; longest first */
	u32 n_calls;
	struct path_segment *segments; /* in order of time; NULL unless asked for */
	u32 n_segments;
};

/* Through @n pieces of time, in order and apart; @n 0: the whole window. 0 or -errno (-ENOMEM, or the graph's
 * own). */
int path_find(struct path **path, const struct graph *graph, const struct figures_piece *pieces, u32 n,
	      bool segments);
void path_free(struct path *path);
/* For who has used them: they are most of it. NULL is fine. */
void path_drop_segments(struct path *path);

/* "critical_path":{...}, without a comma. Times are relative to the window. */
void path_json(const struct path *path, const struct graph *graph, struct buf *buf);

#endif
