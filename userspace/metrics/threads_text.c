/* SPDX-License-Identifier: MIT */
#include "metrics/threads_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define TOP_LINES 8
#define NAME_COLUMNS 28

/* A line: a thread, a process, or the sum of those that are not shown. */
struct row {
	u32 id, threads;
	struct usage time;
	u64 switches;
};

static int by_running(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	u64 p = x->time.ns[USAGE_RUNNING], q = y->time.ns[USAGE_RUNNING];

	return p != q ? p < q ? 1 : -1 : x->id < y->id ? -1 : x->id > y->id;
}

static void row_add(struct row *sum, const struct row *more)
{
	usage_add(&sum->time, &more->time);
	sum->switches += more->switches;
	sum->threads += more->threads;
}

static void put_row(const struct row *row, const char *name, bool threads, const struct report_look *look,
		    struct buf *b)
{
	u64 columns[3] = {row->time.ns[USAGE_RUNNING], row->time.ns[USAGE_READY], usage_blocked(&row->time)};

	buf_puts(b, "    ");
	report_put_name(b, name, look->utf8, NAME_COLUMNS);
	for (int k = 0; k < 3; k++)
		buf_put_duration(b, columns[k], 10);
	buf_printf(b, " %8" PRIu64, row->switches);
	if (threads)
		buf_printf(b, " %7u", row->threads);
	buf_putc(b, '\n');
}

static void put_process_name(const struct report *r, u32 id, struct buf *b)
{
	const struct process *p = model_process(r->model, id);

	buf_printf(b, "%s (%d)", p->name, p->tgid);
}

/* @rows sorted; of processes (@processes) or threads. */
static void put_rows(const struct report *r, const struct report_look *look, const struct row *rows, u32 n,
		     bool processes, struct buf *b)
{
	u32 shown = look->all_threads || n <= TOP_LINES ? n : TOP_LINES;
	struct row rest = {0};
	struct buf name = BUF_INIT;
	char others[32];

	buf_printf(b, "\n  %-30s %9s %9s %9s %8s%s\n", processes ? "processes" : "threads", "running", "ready",
		   "blocked", "switches", processes ? " threads" : "");
	for (u32 i = 0; i < shown; i++) {
		buf_clear(&name);
		if (processes)
			put_process_name(r, rows[i].id, &name);
		else
			report_thread_label(r, rows[i].id, &name);
		put_row(&rows[i], name.data ? name.data : "", processes, look, b);
	}
	for (u32 i = shown; i < n; i++)
		row_add(&rest, &rows[i]);
	snprintf(others, sizeof(others), "%u more (--all-threads)", n - shown);
	if (shown < n)
		put_row(&rest, others, processes, look, b);
	buf_free(&name);
}

void threads_text(const struct report *r, const struct report_look *look, struct buf *b)
{
	const struct figures *f = r->figures;
	u32 n_processes = model_n_processes(r->model), n = 0, with_life = 0;
	struct row *threads = calloc(f->n_threads + 1, sizeof(*threads));
	struct row *processes = calloc(n_processes + 1, sizeof(*processes)); /* by id, then packed */

	b->failed |= !threads || !processes;
	for (u32 i = 0; threads && processes && i < f->n_threads; i++) {
		const struct thread_figures *tf = f->threads[i];

		if (!tf)
			continue;
		threads[n] = (struct row){i, 1, tf->time, tf->voluntary + tf->involuntary};
		row_add(&processes[model_thread(r->model, i)->process->id], &threads[n]);
		n++;
	}
	for (u32 i = 0; processes && i < n_processes; i++) {
		if (!processes[i].threads)
			continue;
		processes[with_life] = processes[i];
		processes[with_life++].id = i;
	}
	if (with_life > 1) {
		qsort(processes, with_life, sizeof(*processes), by_running);
		put_rows(r, look, processes, with_life, true, b);
	}
	if (n) {
		qsort(threads, n, sizeof(*threads), by_running);
		put_rows(r, look, threads, n, false, b);
	}
	free(threads);
	free(processes);
}
