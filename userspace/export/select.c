/* SPDX-License-Identifier: MIT */
#include "export/select.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "trace/trace.h"

#define PASS(s, call, ...)                                                                         \
	do {                                                                                       \
		if ((s)->format->sink->call)                                                       \
			(s)->format->sink->call((s)->ctx, __VA_ARGS__);                            \
	} while (0)

static u64 clamp(const struct selection *s, u64 ts)
{
	return ts < s->from ? s->from : ts > s->to ? s->to : ts;
}

bool select_has(const s32 *list, size_t n, s32 value)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == value)
			return true;
	return !n;
}

static bool wants_process(const struct selection *s, s32 tgid)
{
	return select_has(s->options->tgids, s->options->n_tgids, tgid);
}

static bool wants(const struct selection *s, const struct thread *t)
{
	if (t->outsider || (t->kernel && !s->kernel))
		return false;
	if (s->options->comm && (t->id >= s->n_named || !s->named[t->id]))
		return false;
	return wants_process(s, t->tgid) && select_has(s->options->tids, s->options->n_tids, t->tid);
}

static void on_lost(struct selection *s, const struct record *rec)
{
	struct record cut = *rec;

	cut.ts = clamp(s, rec->ts);
	cut.lost.until_ns = clamp(s, rec->lost.until_ns);
	idle_lost(&s->idle, rec->cpu);
	if (cut.ts < s->to && (cut.ts == rec->ts || cut.ts < cut.lost.until_ns))
		PASS(s, record, &cut);
}

static void on_record(void *ctx, const struct record *rec)
{
	struct selection *s = ctx;

	/* Who traced everything gets programs, and kernel threads when they ask for them. */
	if (rec->type == REC_META && !strcmp(rec->meta.key, "target") &&
	    !strcmp(rec->meta.value, "all")) {
		s->kernel = s->options->all_idle;
		s->everything = true;
	}
	if (s->open)
		curves_advance(&s->curves, clamp(s, rec->ts));
	if (rec->type == REC_LOST && s->open)
		on_lost(s, rec);
	else
		PASS(s, record, rec);
}

static void on_window_begin(void *ctx, u64 ts)
{
	struct selection *s = ctx;

	s->open = true;
	s->curves.parked = model_parked(s->model);
	s->from = ts + s->options->from_ns;
	s->to = s->options->to_ns ? ts + s->options->to_ns : UINT64_MAX;
	if (s->everything && s->options->all_idle)
		idle_init(&s->idle, s->format->idle, s->ctx, s->from);
	PASS(s, window_begin, s->from);
	curves_begin(&s->curves, s->from);
}

static void on_process_start(void *ctx, const struct process *process, u64 ts)
{
	struct selection *s = ctx;

	if (wants_process(s, process->tgid) && ts < s->to)
		PASS(s, process_start, process, clamp(s, ts));
}

static void on_process_exec(void *ctx, const struct process *process, u64 ts)
{
	struct selection *s = ctx;

	if (wants_process(s, process->tgid) && ts < s->to)
		PASS(s, process_exec, process, clamp(s, ts));
}

static void on_process_end(void *ctx, const struct process *process, u64 ts)
{
	struct selection *s = ctx;

	if (wants_process(s, process->tgid))
		PASS(s, process_end, process, clamp(s, ts));
}

static void on_thread_start(void *ctx, const struct thread *thread, u64 ts)
{
	struct selection *s = ctx;

	if (!wants(s, thread) || ts > s->to)
		return;
	s->threads++;
	curves_enter(&s->curves, thread, clamp(s, ts));
	lanes_enter(&s->lanes, thread, clamp(s, ts));
	PASS(s, thread_start, thread, clamp(s, ts));
}

static void on_thread_rename(void *ctx, const struct thread *thread, u64 ts)
{
	struct selection *s = ctx;

	if (wants(s, thread))
		PASS(s, thread_rename, thread, clamp(s, ts));
}

static void on_state(void *ctx, const struct span *span)
{
	struct selection *s = ctx;
	struct span cut = *span;

	if (!wants(s, span->thread))
		return;
	cut.start_ns = clamp(s, span->start_ns);
	cut.end_ns = clamp(s, span->end_ns);
	curves_enter(&s->curves, span->thread, cut.end_ns);
	if (span->state == STATE_WAITING)
		lanes_woken(&s->lanes, span->thread, span->waker, cut.end_ns);
	if (span->thread->state == STATE_WAITING)
		lanes_enter(&s->lanes, span->thread, cut.end_ns);
	if (span->state == STATE_RUNNING)
		idle_ran(&s->idle, span->cpu, cut.start_ns, cut.end_ns);
	if (cut.start_ns == cut.end_ns ||
	    (span->state == STATE_WAITING &&
	     span->end_ns - span->start_ns < s->options->min_wait_ns))
		return;
	PASS(s, state, &cut);
}

static void on_wakeup(void *ctx, const struct wakeup *wakeup)
{
	struct selection *s = ctx;
	struct wakeup told = *wakeup;

	if (!wants(s, wakeup->wakee) || wakeup->ts < s->from || wakeup->ts >= s->to)
		return;
	/* No arrow out of a thread that is left out; its name stays in what the wait says. */
	if (told.waker && !wants(s, told.waker))
		told.causal = false;
	PASS(s, wakeup, &told);
}

static void on_lock_wait(void *ctx, const struct lock_wait *wait)
{
	struct selection *s = ctx;
	struct lock_wait cut = *wait;

	cut.start_ns = clamp(s, wait->start_ns);
	cut.end_ns = clamp(s, wait->end_ns);
	if (wants(s, wait->thread))
		lanes_wait_over(&s->lanes, &cut);
	if (wants(s, wait->thread) && cut.start_ns < cut.end_ns &&
	    wait->end_ns - wait->start_ns >= s->options->min_wait_ns)
		PASS(s, lock_wait, &cut);
}

static void on_gil(void *ctx, s32 tgid, u64 lock, u32 holder, bool known, bool exact, u64 ts)
{
	struct selection *s = ctx;

	lanes_gil(&s->lanes, tgid, lock, holder, known, exact, clamp(s, ts));
	if (wants_process(s, tgid))
		PASS(s, gil, tgid, lock, holder, known, exact, clamp(s, ts));
}

static void on_region(void *ctx, const struct region *region)
{
	struct selection *s = ctx;
	struct region cut = *region;

	cut.start_ns = clamp(s, region->start_ns);
	cut.end_ns = clamp(s, region->end_ns);
	if (cut.start_ns < cut.end_ns && (!region->thread || wants(s, region->thread)))
		PASS(s, region, &cut);
}

static void on_region_begin(void *ctx, const struct region *region)
{
	struct selection *s = ctx;

	if (region->start_ns < s->to && (!region->thread || wants(s, region->thread)))
		PASS(s, region_begin, region);
}

static void on_task(void *ctx, const struct rec_task *task, u64 ts)
{
	struct selection *s = ctx;

	if (wants_process(s, task->tgid))
		PASS(s, task, task, clamp(s, ts));
}

/* Tasks go with their process: which thread runs one may change with every step. */
static void on_task_start(void *ctx, const struct task *task, u64 ts)
{
	struct selection *s = ctx;

	if (wants_process(s, task->tgid))
		PASS(s, task_start, task, clamp(s, ts));
}

static void on_task_rename(void *ctx, const struct task *task, u64 ts)
{
	struct selection *s = ctx;

	if (wants_process(s, task->tgid))
		PASS(s, task_rename, task, clamp(s, ts));
}

static void on_task_state(void *ctx, const struct task_span *span)
{
	struct selection *s = ctx;
	struct task_span cut = *span;

	cut.start_ns = clamp(s, span->start_ns);
	cut.end_ns = clamp(s, span->end_ns);
	if (wants_process(s, span->task->tgid) && cut.start_ns < cut.end_ns)
		PASS(s, task_state, &cut);
}

static void on_task_step(void *ctx, const struct task_step *step)
{
	struct selection *s = ctx;
	struct task_step cut = *step;

	cut.start_ns = clamp(s, step->start_ns);
	cut.end_ns = clamp(s, step->end_ns);
	if (wants_process(s, step->task->tgid) && cut.start_ns < cut.end_ns)
		PASS(s, task_step, &cut);
}

static void on_task_end(void *ctx, const struct task *task, u64 ts)
{
	struct selection *s = ctx;

	if (wants_process(s, task->tgid))
		PASS(s, task_end, task, clamp(s, ts));
}

static void on_window_end(void *ctx, u64 ts)
{
	struct selection *s = ctx;

	curves_end(&s->curves, clamp(s, ts));
	lanes_end(&s->lanes, clamp(s, ts));
	idle_end(&s->idle, clamp(s, ts));
	s->open = false;
	PASS(s, window_end, clamp(s, ts));
}

const struct model_sink select_sink = {
	.record = on_record,
	.window_begin = on_window_begin,
	.process_start = on_process_start,
	.process_exec = on_process_exec,
	.process_end = on_process_end,
	.thread_start = on_thread_start,
	.thread_rename = on_thread_rename,
	.state = on_state,
	.wakeup = on_wakeup,
	.lock_wait = on_lock_wait,
	.gil = on_gil,
	.region = on_region,
	.region_begin = on_region_begin,
	.task = on_task,
	.task_start = on_task_start,
	.task_rename = on_task_rename,
	.task_state = on_task_state,
	.task_step = on_task_step,
	.task_end = on_task_end,
	.window_end = on_window_end,
};

/* A second process has come: the first one's counters begin, where they stand. */
static void tell_single(struct selection *s, u64 ts)
{
	u32 stand = 0;

	for (u32 i = 0; i < CURVES; i++)
		if (s->single_now[i] || i <= CURVE_FLIGHT)
			stand |= 1u << i;
	s->format->curve(s->ctx, s->single, ts, stand, s->single_now);
	s->single_now = NULL;
}

static void on_curve(void *ctx, u32 process, u64 ts, u32 changed, const u32 *now)
{
	struct selection *s = ctx;

	if (!s->format->curve)
		return;
	if (process != NO_THREAD) {
		if (s->single == NO_THREAD) {
			s->single = process;
			s->single_now = now;
		}
		if (process == s->single && s->single_now)
			return;
		if (s->single_now)
			tell_single(s, ts);
	}
	s->format->curve(s->ctx, process, ts, changed, now);
}

static void on_lane(void *ctx, const struct lock_lane *lane, u64 start, u64 end)
{
	struct selection *s = ctx;

	if (s->format->lock)
		s->format->lock(s->ctx, lane, start, end);
}

void select_init(struct selection *s, const struct export_format *format, void *ctx,
		 const struct export_options *options, const struct model *model)
{
	s->format = format;
	s->ctx = ctx;
	s->options = options;
	s->model = model;
	s->kernel = true;
	s->single = NO_THREAD;
	curves_init(&s->curves, model_parked(model), on_curve, s);
	lanes_init(&s->lanes, on_lane, s);
}

void select_free(struct selection *s)
{
	curves_free(&s->curves);
	lanes_free(&s->lanes);
	idle_free(&s->idle);
	free(s->named);
}

/* ---- --comm: a thread is chosen for its whole life by a name that it may get late ---- */

struct naming {
	const char *glob;
	u8 *named;
	u32 n;
	bool failed;
};

static void name_thread(void *ctx, const struct thread *t, u64 ts)
{
	struct naming *naming = ctx;

	(void)ts;
	if (t->id >= naming->n) {
		u32 n = t->id * 2 + 256;
		u8 *bigger = realloc(naming->named, n);

		if (!bigger) {
			naming->failed = true;
			return;
		}
		memset(bigger + naming->n, 0, n - naming->n);
		naming->named = bigger;
		naming->n = n;
	}
	if (!fnmatch(naming->glob, t->comm, 0) || (t->name && !fnmatch(naming->glob, t->name, 0)) ||
	    !fnmatch(naming->glob, t->process->name, 0))
		naming->named[t->id] = 1;
}

/* Read the trace for its names, and rewind it. *@model stays the caller's, to be freed. */
static int read_names(struct naming *naming, struct trace_reader *reader, struct model **model,
		      struct error *err)
{
	static const struct model_sink sink = {
		.thread_start = name_thread, .thread_rename = name_thread,
	};
	int code = model_new(model, err);

	if (!code)
		code = model_add_sink(*model, &sink, naming);
	if (!code)
		code = model_read(*model, reader, err);
	/* Names that came without a call: by a name record, an exec. */
	for (u32 i = 0; !code && i < model_n_threads(*model); i++)
		name_thread(naming, model_thread(*model, i), 0);
	if (!code && naming->failed)
		code = error_set(err, -ENOMEM, "out of memory");
	if (code)
		return code;
	code = trace_reader_rewind(reader);
	return code ? error_set(err, code, "--comm reads the trace twice, and this one cannot be "
				"read again: put it into a file first") : 0;
}

int select_find_named(struct selection *s, const char *glob, struct trace_reader *reader,
		      struct error *err)
{
	struct naming naming = {.glob = glob};
	struct model *model = NULL;
	int code = read_names(&naming, reader, &model, err);

	s->named = naming.named;
	s->n_named = naming.n;
	model_free(model);
	return code;
}

int select_find_tids(struct map *tids, const char *glob, struct trace_reader *reader,
		     struct error *err)
{
	struct naming naming = {.glob = glob};
	struct model *model = NULL;
	int code = read_names(&naming, reader, &model, err);

	for (u32 i = 0; !code && i < model_n_threads(model) && i < naming.n; i++)
		if (naming.named[i] && map_set(tids, (u32)model_thread(model, i)->tid, tids))
			code = error_set(err, -ENOMEM, "out of memory");
	free(naming.named);
	model_free(model);
	return code;
}
