/* SPDX-License-Identifier: MIT */
/* report_json.c - the figures as JSON. Times are integers in ns; keys are only ever added. */
#include <inttypes.h>
#include <stdlib.h>

#include "metrics/figures_json.h"
#include "metrics/phases.h"
#include "metrics/report.h"
#include "metrics/series.h"
#include "metrics/tasks_verdict.h"
#include "metrics/verdict.h"

static void put_number(struct buf *b, const char *key, u64 value)
{
	buf_printf(b, "\"%s\":%" PRIu64, key, value);
}

static void put_text(struct buf *b, const char *key, const char *value)
{
	buf_printf(b, "\"%s\":", key);
	buf_put_json(b, value);
}

static u64 since(const struct report *r, u64 ts)
{
	u64 begin = model_window_begin(r->model);

	return ts > begin ? ts - begin : 0;
}

static void put_command(struct buf *b, const char *command)
{
	buf_puts(b, "\"command\":[");
	for (const char *p = command; *p;) {
		const char *end = p;

		while (*end && *end != ' ')
			end++;
		if (p != command)
			buf_putc(b, ',');
		buf_put_json_n(b, p, (size_t)(end - p));
		p = *end ? end + 1 : end;
	}
	buf_putc(b, ']');
}

static void put_target(struct buf *b, const struct report *r)
{
	bool first = true;

	buf_puts(b, "\"target\":{");
	put_command(b, r->command);
	buf_puts(b, ",\"tgids\":[");
	for (u32 i = 0; i < model_n_processes(r->model); i++) {
		const struct process *p = model_process(r->model, i);

		if (p->outsider || !p->start_ns)
			continue;
		buf_printf(b, first ? "%d" : ",%d", p->tgid);
		first = false;
	}
	buf_printf(b, "],\"cpus\":%u,\"usable_cpus\":%.3f,", r->cpus, r->usable_cpus);
	if (r->quota_cpus > 0)
		buf_printf(b, "\"quota_cpus\":%.3f,", r->quota_cpus);
	put_text(b, "kernel", r->kernel);
	buf_putc(b, ',');
	put_text(b, "host", r->host);
	buf_putc(b, ',');
	put_text(b, "started", r->started);
	if (r->exit_status >= 0)
		buf_printf(b, ",\"exit_status\":%d", r->exit_status);
	buf_putc(b, '}');
}

static void put_window(struct buf *b, const struct report *r)
{
	const struct host_figures *host = meter_host(r->meter);
	const struct figures *f = r->figures;
	u64 steal = host->last.steal_ns - host->first.steal_ns;
	u64 interrupts = host->last.irq_ns + host->last.softirq_ns - host->first.irq_ns -
			 host->first.softirq_ns;

	buf_puts(b, "\"window\":{");
	put_number(b, "duration_ns", f->duration_ns);
	buf_putc(b, ',');
	put_number(b, "begin_ns", since(r, f->begin_ns));
	buf_putc(b, ',');
	put_number(b, "idle_ns", f->duration_ns - f->active_ns);
	buf_putc(b, ',');
	put_number(b, "steal_ns", steal);
	buf_putc(b, ',');
	put_number(b, "interrupt_ns", interrupts);
	if (host->n_cgroup) {
		buf_putc(b, ',');
		put_number(b, "throttled_ns",
			   host->cgroup_last.throttled_ns - host->cgroup_first.throttled_ns);
	}
	buf_puts(b, "},\"losses\":{");
	put_number(b, "events", r->lost_events);
	buf_putc(b, ',');
	put_number(b, "gaps", meter_losses(r->meter)->gaps);
	buf_putc(b, ',');
	put_number(b, "unknown_ns", f->time.ns[USAGE_UNKNOWN]);
	buf_printf(b, ",\"conflicts\":%" PRIu64 ",\"trace\":\"%s\"}", model_conflicts(r->model),
		   r->status == TRACE_WHOLE ? "whole" : r->status == TRACE_CUT ? "cut" : "damaged");
}

/* The curves as points, where they were asked for, with a comma in front. */
static void put_series(struct buf *b, const struct report *r, const struct series *series, u64 end_ns)
{
	if (!r->points || !series)
		return;
	buf_putc(b, ',');
	series_json(series, end_ns, r->points, b);
}

static void put_processes(struct buf *b, const struct report *r)
{
	const struct figures *f = r->figures;
	u32 n = model_n_processes(r->model);
	struct usage *sums = calloc(n + 1, sizeof(*sums)); /* by the process's id */
	bool first = true;

	buf_puts(b, "\"processes\":[");
	b->failed |= !sums;
	for (u32 t = 0; sums && t < f->n_threads; t++)
		if (f->threads[t])
			usage_add(&sums[model_thread(r->model, t)->process->id], &f->threads[t]->time);
	for (u32 i = 0; sums && i < n; i++) {
		const struct process *p = model_process(r->model, i);

		if (p->outsider || !p->start_ns)
			continue;
		buf_printf(b, "%s{\"id\":%u,\"tgid\":%d,\"ns_tgid\":%d,", first ? "" : ",", p->id, p->tgid,
			   p->ns_tgid);
		first = false;
		if (p->parent != NO_THREAD)
			buf_printf(b, "\"parent\":%u,", p->parent);
		put_text(b, "name", p->name);
		buf_putc(b, ',');
		put_number(b, "start_ns", since(r, p->start_ns));
		buf_putc(b, ',');
		put_number(b, "end_ns", since(r, p->end_ns ? p->end_ns : model_window_end(r->model)));
		buf_puts(b, ",\"images\":[");
		for (u32 k = 0; k < p->n_images; k++) {
			if (k)
				buf_putc(b, ',');
			buf_put_json(b, p->images[k]);
		}
		buf_puts(b, "],");
		figures_usage_json(b, &sums[p->id]);
		figures_process_json(b, f, p->id, &sums[p->id]);
		if (p->id < f->n_processes && f->processes[p->id])
			put_series(b, r, f->processes[p->id]->series, f->end_ns);
		buf_putc(b, '}');
	}
	buf_putc(b, ']');
	free(sums);
}

static void put_thread(struct buf *b, const struct report *r, const struct thread *t,
		       const struct thread_figures *tf)
{
	buf_printf(b, "{\"id\":%u,\"tid\":%d,\"tgid\":%d,\"ns_tid\":%d,\"process\":%u,", t->id, t->tid,
		   t->tgid, t->ns_tid, t->process->id);
	put_text(b, "name", thread_label(t));
	buf_putc(b, ',');
	put_number(b, "start_ns", since(r, t->start_ns));
	buf_putc(b, ',');
	put_number(b, "end_ns", since(r, t->end_ns ? t->end_ns : model_window_end(r->model)));
	buf_putc(b, ',');
	put_number(b, "alive_ns", usage_alive(&tf->time));
	buf_putc(b, ',');
	figures_usage_json(b, &tf->time);
	buf_printf(b, ",\"switches\":{\"voluntary\":%" PRIu64 ",\"involuntary\":%" PRIu64
		   "},\"migrations\":%" PRIu64 ",\"max_delay_ns\":%" PRIu64, tf->voluntary,
		   tf->involuntary, tf->migrations, tf->max_delay_ns);
	if (tf->hists) {
		buf_putc(b, ',');
		figures_hist_json(b, "run_queue_delay", &tf->hists->delay);
		buf_putc(b, ',');
		figures_hist_json(b, "time_slice", &tf->hists->slice);
	}
	buf_putc(b, '}');
}

static void put_threads(struct buf *b, const struct report *r)
{
	const struct figures *f = r->figures;
	bool first = true;

	buf_puts(b, "\"threads\":[");
	for (u32 i = 0; i < f->n_threads; i++) {
		if (!f->threads[i])
			continue;
		if (!first)
			buf_putc(b, ',');
		first = false;
		put_thread(b, r, model_thread(r->model, i), f->threads[i]);
	}
	buf_putc(b, ']');
}

/* Followed by a comma, if there were any. */
static void put_tasks(struct buf *b, const struct report *r, const struct figures *f)
{
	const struct task_figures *tasks = task_meter_named(r->tasks, f->name);
	struct task_verdict verdict;

	if (!tasks || !tasks->n_tasks)
		return;
	buf_puts(b, "\"tasks\":{");
	tasks_json(tasks, r->model, b);
	put_series(b, r, tasks->series, tasks->end_ns);
	if (task_verdict_judge(r, f, tasks, &verdict)) {
		buf_puts(b, ",\"verdict\":");
		task_verdict_json(&verdict, b);
	}
	buf_puts(b, "},");
}

/* Followed by a comma, if it is known. */
static void put_path(struct buf *b, const struct report *r, const struct figures *f)
{
	const struct path *path = report_path(r, f);

	if (!path)
		return;
	path_json(path, r->graph, b);
	buf_putc(b, ',');
}

static void put_verdict(struct buf *b, const struct report *r, const struct figures *f)
{
	struct verdict_facts facts;
	struct verdict verdict;

	verdict_facts(r, f, &facts);
	verdict_judge(&facts, &verdict);
	buf_puts(b, "\"verdict\":");
	verdict_json(&verdict, b);
}

static void put_lines(struct buf *b, const char *key, char *const *lines, u32 n)
{
	buf_printf(b, "\"%s\":[", key);
	for (u32 i = 0; i < n; i++) {
		if (i)
			buf_putc(b, ',');
		buf_put_json(b, lines[i]);
	}
	buf_putc(b, ']');
}

void report_interval_json(const struct report *r, struct buf *b)
{
	buf_printf(b, "{\"schema\":1,\"target\":{\"cpus\":%u,\"usable_cpus\":%.3f},", r->cpus, r->usable_cpus);
	put_window(b, r);
	buf_putc(b, ',');
	figures_json(b, r->figures);
	buf_putc(b, ',');
	put_processes(b, r);
	buf_putc(b, ',');
	put_threads(b, r);
	buf_putc(b, ',');
	figures_locks_json(b, r->figures, r->model);
	buf_putc(b, ',');
	figures_syscalls_json(b, r->figures);
	buf_putc(b, ',');
	put_verdict(b, r, r->figures);
	buf_puts(b, "}\n");
}

void report_json(const struct report *r, struct buf *b)
{
	const struct figures *f = r->figures;
	bool first = true;

	buf_puts(b, "{\"schema\":1,");
	put_target(b, r);
	buf_putc(b, ',');
	put_window(b, r);
	buf_putc(b, ',');
	figures_json(b, f);
	buf_putc(b, ',');
	put_processes(b, r);
	buf_putc(b, ',');
	put_threads(b, r);
	buf_putc(b, ',');
	figures_locks_json(b, f, r->model);
	buf_putc(b, ',');
	figures_syscalls_json(b, f);
	buf_putc(b, ',');
	/* There are none of a stretch that was chosen by time. */
	if (!f->name || f->name[0])
		put_tasks(b, r, f);
	put_path(b, r, f);
	if (r->asked) {
		what_if_json(&r->what_if, b);
		buf_putc(b, ',');
	}
	put_verdict(b, r, f);
	buf_putc(b, ',');
	phases_json(r->phases, r, b);
	put_series(b, r, f->series, f->end_ns);
	buf_puts(b, ",\"regions\":[");
	for (u32 i = 1; i < meter_n_stretches(r->meter); i++) {
		const struct figures *region = meter_stretch(r->meter, i);

		if (!region->name)
			continue;
		buf_puts(b, first ? "{" : ",{");
		first = false;
		put_text(b, "name", region->name);
		buf_printf(b, ",\"times\":%u,\"window\":{\"duration_ns\":%" PRIu64 ",\"begin_ns\":%" PRIu64
			   ",\"idle_ns\":%" PRIu64 "},", region->times, region->duration_ns,
			   since(r, region->begin_ns), region->duration_ns - region->active_ns);
		put_tasks(b, r, region);
		put_path(b, r, region);
		figures_json(b, region);
		buf_putc(b, ',');
		put_verdict(b, r, region);
		put_series(b, r, region->series, region->end_ns);
		buf_putc(b, '}');
	}
	buf_puts(b, "],");
	/* Facts are the program's own words, which may be no JSON at all: texts. */
	put_lines(b, "facts", r->facts, r->n_facts);
	buf_putc(b, ',');
	put_lines(b, "notes", r->notes, r->n_notes);
	buf_puts(b, "}\n");
}
