/* SPDX-License-Identifier: MIT */
/*
 * tasks.h - what the tasks of a recording add up to, for the window and for each marked region.
 *
 * Like figures.h for threads: exact sums over the states that the model tells. With C, P and D over
 * tasks: P = running, C = running + ready + waiting in kinds that are not parked, D = running + ready,
 * less those whose thread is held back in a GIL interval. A region marked more than once is the union
 * of its times.
 */
#ifndef CORUN_METRICS_TASKS_H
#define CORUN_METRICS_TASKS_H

#include "base/buf.h"
#include "metrics/curve.h"
#include "metrics/figures.h"
#include "model/model.h"

#define TASK_ROWS 10000 /* tasks listed one by one in a stretch; the sums have all */
#define TASK_PLACES 4096

/* What it costs to send things to other processes: phases of steps. */
struct task_price {
	u64 pickling_ns, unpickling_ns, transferring_ns;
	u64 messages, bytes; /* pickled */
};

/* One task in a stretch. */
struct task_row {
	u32 id, creator;     /* NO_TASK: not known */
	s32 tgid;
	char *name, *kind, *site;
	u64 start_ns, end_ns; /* life; end_ns 0: it outlived the stretch */
	u64 steps;           /* ended in the stretch */
	u64 longest_step_ns;
	struct usage time;   /* in the stretch */
	struct task_price price;
	u8 outcome;
	bool ended;          /* by itself: the outcome holds */
};

/* Where tasks wait, and for what. */
struct task_place {
	char *what, *at;
	u64 waits, wait_ns, max_ns;
};

/* The longest step on a thread: meanwhile its event loop ran nobody else. */
struct task_stall {
	u32 thread;          /* id */
	u32 task;
	char *name;          /* the task's */
	u64 start_ns, end_ns;
	u64 running_ns;      /* of it on a CPU */
	u64 blocked_ns;      /* its longest wait in a system call ... */
	enum wait_kind kind; /* ... and that wait's kind */
	char *line;          /* where it waited, from the recording's call sites, or NULL */
	char *from, *to;     /* lines of the awaits before and after it, "" if not known */
	u32 kept_ready;      /* tasks that were ready when it ended */
};

struct task_figures {
	char *name;          /* region's, NULL: the window */
	u64 begin_ns, end_ns;
	u64 duration_ns, active_ns; /* active: C >= 1 */
	struct curve parallelism, concurrency, demand, alive;
	struct figures_peak peaks[PEAKS];
	struct series *series; /* the curves as points; NULL: not asked for */
	struct usage time;
	struct task_price price;
	u64 steps;
	u32 n_tasks;         /* that lived in it */
	struct map thread_map; /* thread id + 1 of those that ended steps in it */
	u32 n_threads;
	struct map row_map;  /* task id + 1 -> struct task_row */
	struct task_row **rows; /* in order of first appearance */
	u32 n_rows, cap_rows;
	struct map place_map;
	struct task_place **places;
	u32 n_places, cap_places;
	struct map stall_map; /* thread id + 1 -> struct task_stall */
	bool failed;
};

struct task_meter;

/* 0 or -ENOMEM. @points: keep the series of every stretch. */
int task_meter_new(struct task_meter **meter, struct model *model, bool points);
void task_meter_free(struct task_meter *meter);
const struct model_sink *task_meter_sink(void);
/* After model_finish(). The window is number 0. */
u32 task_meter_n(const struct task_meter *meter);
const struct task_figures *task_meter_stretch(const struct task_meter *meter, u32 i);
/* The stretch of region @name (NULL: the window), or NULL. */
const struct task_figures *task_meter_named(const struct task_meter *meter, const char *name);
int task_meter_error(const struct task_meter *meter);

/* The longest stall of all threads, or NULL; those of each thread, longest first (free the array). */
const struct task_stall *task_figures_stall(const struct task_figures *figures);
struct task_stall **task_figures_stalls(const struct task_figures *figures, size_t *n);

/* What stands in "tasks":{...} of the report, without the braces. */
void tasks_json(const struct task_figures *figures, const struct model *model, struct buf *buf);
/* The same for people, at most 80 columns; nothing without tasks. */
void tasks_text(const struct task_figures *figures, bool utf8, struct buf *buf);
/* @name in at most @columns, its head; what would move the cursor, or is not ASCII without @utf8: '?'. */
void tasks_put_name(struct buf *buf, const char *name, bool utf8, int columns);

#endif
