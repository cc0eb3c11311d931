/* SPDX-License-Identifier: MIT */
/*
 * tasks_verdict.h - the verdict over tasks: what verdict.h says of threads and CPUs, said of tasks and
 * the threads that run their steps. The rule: VERDICT.md.
 */
#ifndef CORUN_METRICS_TASKS_VERDICT_H
#define CORUN_METRICS_TASKS_VERDICT_H

#include "metrics/tasks.h"
#include "metrics/verdict.h"

struct task_verdict {
	struct verdict of;             /* usable_cpus: threads that run steps, as far as there are CPUs for them */
	u32 threads;                   /* that ran steps */
	const struct task_stall *stall; /* that held up others for longest, or NULL; the figures' own */
	bool leads;                    /* it says more than the verdict over threads: shown first */
};

/* False: no tasks were in flight, or never two at once on the whole: threads say all there is to say. */
bool task_verdict_judge(const struct report *report, const struct figures *figures,
			const struct task_figures *tasks, struct task_verdict *verdict);
/* Two to four lines of at most 80 columns. */
void task_verdict_text(const struct task_verdict *verdict, bool korean, bool utf8, struct buf *buf);
/* {"class":...,"cause":...,"leads":...,"threads":...,"text":...,"text_ko":...,"evidence":{...}} */
void task_verdict_json(const struct task_verdict *verdict, struct buf *buf);

#endif
