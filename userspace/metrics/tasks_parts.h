/* SPDX-License-Identifier: MIT */
/* tasks_parts.h - what the halves of the task meter share: tasks.c follows the model, tasks_figures.c keeps what is
 * known of each task, each place that tasks wait at, and each stall. */
#ifndef CORUN_METRICS_TASKS_PARTS_H
#define CORUN_METRICS_TASKS_PARTS_H

#include "metrics/series.h"
#include "metrics/tasks.h"

#define REGIONS 64

struct stretch {
	struct task_figures *figures;
	u32 depth;    /* open marks; > 0: it is running */
	u64 since_ns; /* since when */
};

/* What a thread did in the step that it is in. */
struct in_step {
	u64 running_ns, blocked_ns;
	enum wait_kind kind;
	const char *line; /* the model's own */
};

struct task_meter {
	struct model *model;
	bool open;
	u64 last_ns;
	u32 parked;
	bool points;
	struct stretch stretches[REGIONS + 1];
	u32 n_stretches;
	struct map alive; /* task id + 1 -> struct task, the model's own */
	struct in_step *threads; /* by thread id */
	u32 n_threads;
	int error;
};

/* Memory is out: task_meter_error() tells. Returns NULL. */
void *tasks_fail(struct task_meter *m);
/* The row of @task in @f, made where there is none yet; NULL: memory is out. */
struct task_row *tasks_row(struct task_meter *m, struct task_figures *f, const struct task *task);
void tasks_note_place(struct task_meter *m, struct task_figures *f, const struct task_span *s, u64 ns);
void tasks_note_stall(struct task_meter *m, struct task_figures *f, const struct task_step *s,
		       const struct in_step *in);
void tasks_figures_free(struct task_figures *f);

#endif
