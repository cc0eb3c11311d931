/* SPDX-License-Identifier: MIT */
/*
 * report_text.c - the figures for people who have never heard of a run queue: the sentence first,
 * then the three figures, then where the time went, at most 80 columns.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "metrics/locks_text.h"
#include "metrics/path_text.h"
#include "metrics/phases.h"
#include "metrics/report.h"
#include "metrics/sched_text.h"
#include "metrics/tasks_verdict.h"
#include "metrics/threads_text.h"
#include "metrics/together_text.h"
#include "metrics/verdict.h"
#include "trace/syscall.h"
#include "trace/text.h"

#define BAR_COLUMNS 34
#define TOP_LINES 8

struct text {
	const struct report *r;
	const struct report_look *look;
	struct buf *b;
};

static void put_duration(struct text *t, u64 ns)
{
	buf_put_duration(t->b, ns, 0);
}

/* A bar of @share (0 to 1) of BAR_COLUMNS, in eighths where the terminal has them. */
static void put_bar(struct text *t, double share)
{
	static const char *const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	int eighths = (int)(share * BAR_COLUMNS * 8 + 0.5);

	if (!t->look->utf8) {
		for (int i = 0; i < (eighths + 4) / 8; i++)
			buf_putc(t->b, '#');
		return;
	}
	for (; eighths >= 8; eighths -= 8)
		buf_puts(t->b, "█");
	buf_puts(t->b, parts[eighths > 0 ? eighths : 0]);
}

/* Bytes of @text that take at most @columns; *@width: what they take. */
static size_t head_bytes(const char *text, size_t len, int columns, int *width)
{
	size_t at = 0;

	for (*width = 0; at < len;) {
		int n = utf8_sequence((const unsigned char *)text + at, len - at);
		int more = utf8_columns(text + at, (size_t)n);

		if (*width + more > columns)
			break;
		*width += more;
		at += (size_t)n;
	}
	return at;
}

/* @text, which is well-formed, cut in the middle to @columns; returns the columns that it takes. */
static int put_cut(struct buf *b, const char *text, size_t len, int columns)
{
	int width = utf8_columns(text, len), head, tail = 0;
	size_t at;

	if (width <= columns) {
		buf_put(b, text, len);
		return width;
	}
	if (columns < 8) {
		at = head_bytes(text, len, columns, &head);
		buf_put(b, text, at);
		return head;
	}
	at = head_bytes(text, len, columns - 3 - (columns - 3) / 3, &head);
	buf_put(b, text, at);
	buf_puts(b, "...");
	while (utf8_columns(text + at, len - at) > (columns - 3) / 3)
		at += (size_t)utf8_sequence((const unsigned char *)text + at, len - at);
	tail = utf8_columns(text + at, len - at);
	buf_put(b, text + at, len - at);
	return head + 3 + tail;
}

void report_put_name(struct buf *b, const char *text, bool utf8, int columns)
{
	struct buf clean = BUF_INIT;
	size_t len = strlen(text);
	int width = 0;

	for (size_t i = 0; i < len;) {
		int n = utf8_sequence((const unsigned char *)text + i, len - i);
		int good = utf8_printable((const unsigned char *)text + i, len - i);

		if (!good || (good > 1 && !utf8))
			buf_putc(&clean, '?');
		else
			buf_put(&clean, text + i, (size_t)good);
		i += n ? (size_t)n : 1;
	}
	if (clean.len)
		width = put_cut(b, clean.data, clean.len, columns);
	b->failed |= clean.failed;
	for (; width < columns; width++)
		buf_putc(b, ' ');
	buf_free(&clean);
}

static void put_name(struct text *t, const char *text, int columns)
{
	report_put_name(t->b, text, t->look->utf8, columns);
}

static double share_of(u64 part, u64 whole)
{
	return whole ? (double)part / (double)whole : 0;
}

/* What the verdict's way out would bring, of the whole window, where it can be told. */
static void put_prediction(struct text *t, const struct verdict *v)
{
	const struct report *r = t->r;
	struct what_if_options no_gil = {.no_gil = true};
	struct buf line = BUF_INIT;
	struct what_if answer;

	if (v->cause != CAUSE_GIL || r->figures != meter_stretch(r->meter, 0) || report_ask(r, &no_gil, &answer) ||
	    answer.refusal)
		return;
	what_if_sentence(&answer, t->look->korean, &line);
	t->b->failed |= line.failed;
	if (!line.failed)
		buf_put_wrapped(t->b, line.data, 0, REPORT_COLUMNS);
	buf_free(&line);
}

static void put_verdict(struct text *t)
{
	struct verdict_facts facts;
	struct verdict verdict;

	const struct figures *f = t->r->figures;
	struct task_verdict tasks;
	bool judged = (!f->name || f->name[0]) &&
		      task_verdict_judge(t->r, f, task_meter_named(t->r->tasks, f->name), &tasks);

	if (judged && tasks.leads)
		task_verdict_text(&tasks, t->look->korean, t->look->utf8, t->b);
	verdict_facts(t->r, f, &facts);
	verdict_judge(&facts, &verdict);
	verdict_text(&verdict, t->look->korean, t->b);
	put_prediction(t, &verdict);
	if (judged && !tasks.leads)
		task_verdict_text(&tasks, t->look->korean, t->look->utf8, t->b);
}

static void put_warnings(struct text *t)
{
	const struct report *r = t->r;
	const struct figures *f = r->figures;
	u64 alive = usage_alive(&f->time);

	if (r->lost_events || f->time.ns[USAGE_UNKNOWN]) {
		buf_printf(t->b, "! %" PRIu64 " events were lost; ", r->lost_events);
		put_duration(t, f->time.ns[USAGE_UNKNOWN]);
		buf_printf(t->b, " of threads' time is unknown (%.2f %%).\n",
			   100 * share_of(f->time.ns[USAGE_UNKNOWN], alive));
		buf_printf(t->b, "  Every figure is known over %.2f %% of the time.\n",
			   100 * share_of(f->known_ns, f->duration_ns));
	}
	if (r->status != TRACE_WHOLE) {
		buf_printf(t->b, "! The recording %s after ", r->status == TRACE_CUT ? "was cut" :
			   "is damaged");
		put_duration(t, f->duration_ns);
		buf_puts(t->b, ". All before that is whole.\n");
	}
	for (u32 i = 0; i < r->n_notes; i++) {
		buf_puts(t->b, "! ");
		buf_put_wrapped(t->b, r->notes[i], 2, REPORT_COLUMNS);
	}
}

static void put_window(struct text *t)
{
	const struct report *r = t->r;
	const struct host_figures *host = meter_host(r->meter);
	const struct figures *f = r->figures;
	u64 steal = host->last.steal_ns - host->first.steal_ns;

	buf_puts(t->b, "\n  window      ");
	put_duration(t, f->duration_ns);
	buf_puts(t->b, "   ");
	if (r->root_tgid) {
		put_name(t, r->command, 30);
		buf_printf(t->b, " (tgid %d)", r->root_tgid);
	} else {
		buf_puts(t->b, r->command[0] ? r->command : "attached");
	}
	buf_printf(t->b, "\n              %u CPU%s, %.1f usable   lost %" PRIu64, r->cpus,
		   r->cpus == 1 ? "" : "s", r->usable_cpus, r->lost_events);
	if (host->n_host > 1 && f->duration_ns && steal > f->duration_ns / 100) {
		buf_puts(t->b, "   taken by the hypervisor ");
		put_duration(t, steal);
	}
	buf_putc(t->b, '\n');
	if (r->quota_cpus > 0) {
		buf_printf(t->b, "              CPU quota %.2f CPUs, throttled for ", r->quota_cpus);
		put_duration(t, host->cgroup_last.throttled_ns - host->cgroup_first.throttled_ns);
		buf_putc(t->b, '\n');
	}
}

static void put_figure(struct text *t, const char *name, const struct curve *c, double scale)
{
	double mean = curve_mean(c, t->r->figures->active_ns);
	size_t start = t->b->len;
	int columns;

	buf_printf(t->b, "  %-11s %-5.*f ", name, mean < 1000 ? 1 : 0, mean);
	put_bar(t, scale > 0 ? mean / scale : 0);
	columns = utf8_columns(t->b->data + start, t->b->len - start);
	for (; columns < 20 + BAR_COLUMNS; columns++)
		buf_putc(t->b, ' ');
	buf_printf(t->b, "  max %u", c->max);
	if (c->max && c->max_ns > t->r->figures->begin_ns) {
		buf_puts(t->b, " at ");
		put_duration(t, c->max_ns - t->r->figures->begin_ns);
	}
	buf_putc(t->b, '\n');
}

static void put_usage_line(struct text *t, const char *label, u64 ns, u64 whole)
{
	double share = share_of(ns, whole);

	buf_printf(t->b, "    %-16s %5.1f %%", label, 100 * share);
	if (share * BAR_COLUMNS >= 0.5) {
		buf_puts(t->b, "  ");
		put_bar(t, share);
	}
	buf_putc(t->b, '\n');
}

static int by_time(const void *a, const void *b)
{
	const u64 *x = *(const u64 *const *)a, *y = *(const u64 *const *)b;

	return *x < *y ? 1 : *x > *y ? -1 : 0;
}

/* States and kinds that are in flight (or, @parked, that are not), most time first. */
static void put_usages(struct text *t, bool parked)
{
	const struct usage *u = &t->r->figures->time;
	u32 kinds = model_parked(t->r->model);
	const u64 *order[USAGE_SLOTS];
	u64 whole = 0;
	size_t n = 0;

	for (unsigned int slot = 0; slot < USAGE_SLOTS; slot++) {
		if (usage_in_flight(slot, kinds) == parked || !u->ns[slot])
			continue;
		order[n++] = &u->ns[slot];
		whole += u->ns[slot];
	}
	if (!n)
		return;
	qsort(order, n, sizeof(order[0]), by_time);
	buf_puts(t->b, parked ? "\n  not in flight, " : "\n  time in flight, ");
	put_duration(t, whole);
	buf_puts(t->b, parked ? " (waiting for others' work)\n" : "\n");
	for (size_t i = 0; i < n; i++)
		put_usage_line(t, usage_label((unsigned int)(order[i] - u->ns)), *order[i], whole);
}

static void put_calls(struct text *t)
{
	size_t n, shown = 0;
	struct call_figures **calls = figures_calls(t->r->figures, &n);

	u64 rest = 0;

	for (size_t i = 0; calls && i < n; i++) {
		const struct call_figures *c = calls[i];
		const char *name = c->nr < 0 ? "page fault" : syscall_name(c->nr);

		if (shown == TOP_LINES && !t->look->all_threads) {
			rest += c->waits;
			continue;
		}
		if (!shown++)
			buf_printf(t->b, "\n  %-20s %-12s %-14s %7s %9s\n", "waits in", "on", "kind",
				   "waits", "longest");
		buf_printf(t->b, "    %-18s %-12s %-14s %7" PRIu64 "   ", name ? name : "?",
			   c->fd_kind ? fd_kind_name(c->fd_kind) : "", kind_table[c->kind].label, c->waits);
		put_duration(t, c->max_ns);
		buf_putc(t->b, '\n');
		sites_put_line(&c->sites, c->wait_ns, t->b);
	}
	if (rest)
		buf_printf(t->b, "    %-18s %-12s %-14s %7" PRIu64 "   (--all-threads)\n", "others", "", "", rest);
	free(calls);
}

void report_text(const struct report *r, const struct report_look *look, struct buf *b)
{
	struct text t = {r, look, b};
	const struct figures *f = r->figures;
	double scale = curve_mean(&f->concurrency, f->active_ns);

	put_verdict(&t);
	put_warnings(&t);
	put_window(&t);
	put_figure(&t, "in flight", &f->concurrency, scale);
	put_figure(&t, "running", &f->parallelism, scale);
	put_figure(&t, "demand", &f->demand, scale);
	put_usages(&t, false);
	put_usages(&t, true);
	if (f == meter_stretch(r->meter, 0))
		phases_text(r->phases, r, look, b);
	together_text(r, look, b);
	if (!f->name || f->name[0])
		tasks_text(task_meter_named(r->tasks, f->name), look->utf8, b);
	locks_text(r, look, b);
	path_text(r, look, b);
	if (r->asked)
		what_if_text(&r->what_if, b);
	threads_text(r, look, b);
	sched_text(r, look, b);
	put_calls(&t);
}
