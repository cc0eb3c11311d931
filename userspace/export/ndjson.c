/* SPDX-License-Identifier: MIT */
/*
 * ndjson.c - a trace as tables for databases: one JSON object a line, whose "table" says which
 * table it is a row of. TABLES.md describes them all.
 *
 * Every row has host, boot_id, ts (ns since the window opened) and wall_ns, so that the traces of a
 * fleet can be put together. What is not known is left out: it reads as NULL.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/map.h"
#include "export/curves.h"
#include "export/export.h"
#include "export/json.h"
#include "export/lanes.h"
#include "trace/syscall.h"
#include "trace/text.h"

struct ndjson {
	struct json json;
	struct model *model;
	const struct export_part *part;
	struct buf place;       /* `,"host":"web-1","boot_id":"..."` */
	struct map met;         /* thread id + 1: has a row in `span` */
	char *command, *kernel;
	u64 lost, begin, end;
	bool open, failed;
};

static u64 time_of(const struct ndjson *n, u64 ts)
{
	u64 since = ts - n->part->zero_ns;

	return (s64)since > 0 ? since : 0;
}

/* Names are literals of this file. */
static void put_int(struct ndjson *n, const char *name, u64 value)
{
	size_t len = strlen(name);
	char *p = json_room(&n->json, len + 32);

	p = put_bytes(put_lit(p, ",\""), name, len);
	p = put_u64(put_lit(p, "\":"), value);
	json_wrote(&n->json, p);
}

static void put_name(struct ndjson *n, const char *name)
{
	json_put(&n->json, ",\"", 2);
	json_puts(&n->json, name);
	json_put(&n->json, "\":", 2);
}

static void put_text(struct ndjson *n, const char *name, const char *value)
{
	if (!value || !value[0])
		return;
	put_name(n, name);
	json_string(&n->json, value);
}

static void put_bool(struct ndjson *n, const char *name, bool value)
{
	put_name(n, name);
	json_puts(&n->json, value ? "true" : "false");
}

/* Ids of a process or thread: left out where there is none. */
static void put_id(struct ndjson *n, const char *name, u32 id)
{
	if (id != NO_THREAD)
		put_int(n, name, id);
}

/* As text: 64-bit numbers lose bits in JSON readers. */
static void put_address(struct ndjson *n, const char *name, u64 value)
{
	put_name(n, name);
	json_printf(&n->json, "\"0x%" PRIx64 "\"", value);
}

static void row_begin(struct ndjson *n, const char *table, u64 ts)
{
	json_puts(&n->json, "{\"table\":\"");
	json_puts(&n->json, table);
	json_put(&n->json, "\"", 1);
	json_put_buf(&n->json, &n->place);
	put_int(n, "ts", time_of(n, ts));
	if (n->part->wall_zero_ns)
		put_int(n, "wall_ns", n->part->wall_zero_ns + time_of(n, ts));
}

static void row_end(struct ndjson *n)
{
	json_put(&n->json, "}\n", 2);
}

static void put_thread(struct ndjson *n, const struct thread *t)
{
	put_int(n, "thread", t->id);
	put_int(n, "tid", (u64)t->tid);
	put_int(n, "tgid", (u64)t->tgid);
}

/* ---- rows ---- */

static void put_wait(struct ndjson *n, const struct span *span)
{
	const struct wait_info *w = span->wait;

	row_begin(n, "wait", span->start_ns);
	put_thread(n, span->thread);
	put_int(n, "dur", span->end_ns - span->start_ns);
	put_text(n, "kind", kind_table[w->kind].name);
	if (w->rec.nr >= 0)
		put_text(n, "call", syscall_name(w->rec.nr));
	if (w->rec.fd_kind)
		put_text(n, "descriptor", fd_kind_name(w->rec.fd_kind));
	put_text(n, "object", w->desc);
	put_text(n, "local", w->local);
	if (w->rec.flags & WAIT_TIMED)
		put_int(n, "timeout", w->rec.timeout_ns);
	put_bool(n, "io", w->rec.flags & WAIT_IO);
	if (w->rec.lock_kind)
		put_address(n, "lock", w->rec.lock);
	put_id(n, "holder", w->owner);
	put_id(n, "waker", span->waker);
	if (span->waker_context)
		put_text(n, "context", waker_context_name(span->waker_context));
	put_text(n, "site", w->site);
	put_text(n, "kernel", w->func);
	row_end(n);
}

static void on_state(void *ctx, const struct span *span)
{
	struct ndjson *n = ctx;

	if (!map_get(&n->met, span->thread->id + 1))
		n->failed |= map_set(&n->met, span->thread->id + 1, n) != 0;
	row_begin(n, "span", span->start_ns);
	put_thread(n, span->thread);
	put_int(n, "dur", span->end_ns - span->start_ns);
	put_text(n, "state", state_names[span->state]);
	if (span->state == STATE_RUNNING) {
		if (span->cpu >= 0)
			put_int(n, "cpu", (u64)span->cpu);
		if (span->prio) /* 0: it ran before the first switch that told */
			put_int(n, "priority", span->prio);
	} else if (span->state == STATE_READY) {
		put_bool(n, "preempted", span->preempted);
		put_id(n, "preempted_by", span->preempted_by);
	} else if (span->state == STATE_WAITING) {
		put_text(n, "kind", kind_table[span->wait->kind].name);
	}
	row_end(n);
	if (span->state == STATE_WAITING)
		put_wait(n, span);
}

static void on_wakeup(void *ctx, const struct wakeup *w)
{
	struct ndjson *n = ctx;

	row_begin(n, "wakeup", w->ts);
	put_thread(n, w->wakee);
	if (w->waker)
		put_int(n, "waker", w->waker->id);
	put_text(n, "context", waker_context_name(w->context));
	put_bool(n, "causal", w->causal);
	if (w->cpu >= 0 && w->cpu != CORUN_NO_CPU)
		put_int(n, "cpu", (u64)w->cpu);
	row_end(n);
}

static void on_lock_wait(void *ctx, const struct lock_wait *w)
{
	struct ndjson *n = ctx;

	row_begin(n, "lock_wait", w->start_ns);
	put_thread(n, w->thread);
	put_int(n, "dur", w->end_ns - w->start_ns);
	put_text(n, "kind", kind_table[w->kind].name);
	put_address(n, "lock", w->lock);
	put_int(n, "blocked", w->blocked_ns);
	put_int(n, "turns", w->turns);
	put_id(n, "holder", w->owner);
	put_id(n, "releaser", w->releaser);
	put_bool(n, "got_it", w->got_it);
	put_text(n, "site", w->site);
	row_end(n);
}

static void on_lock(void *ctx, const struct lock_lane *lane, u64 start, u64 end)
{
	struct ndjson *n = ctx;

	row_begin(n, "lock_hold", start);
	put_int(n, "tgid", (u64)lane->tgid);
	put_int(n, "dur", end - start);
	put_text(n, "kind", kind_table[lane->kind].name);
	put_address(n, "lock", lane->lock);
	put_id(n, "holder", lane->holder);
	put_int(n, "waiters", lane->max_waiters);
	row_end(n);
}

static void on_curve(void *ctx, u32 process, u64 ts, u32 changed, const u32 *now)
{
	struct ndjson *n = ctx;

	for (; changed; changed &= changed - 1) {
		u32 curve = (u32)__builtin_ctz(changed);

		row_begin(n, "sample", ts);
		put_id(n, "process", process);
		put_text(n, "curve", curve_name(curve));
		put_int(n, "value", now[curve]);
		row_end(n);
	}
}

static void on_task_state(void *ctx, const struct task_span *span)
{
	struct ndjson *n = ctx;

	row_begin(n, "task_span", span->start_ns);
	put_int(n, "task", span->task->id);
	put_int(n, "dur", span->end_ns - span->start_ns);
	put_text(n, "state", state_names[span->state]);
	if (span->state == STATE_WAITING)
		put_text(n, "kind", kind_table[span->wait_kind].name);
	if (span->thread)
		put_int(n, "thread", span->thread->id);
	put_text(n, "object", span->what);
	put_text(n, "site", span->at);
	row_end(n);
}

static void on_task_end(void *ctx, const struct task *task, u64 ts)
{
	struct ndjson *n = ctx;

	row_begin(n, "task", task->start_ns);
	put_int(n, "task", task->id);
	put_int(n, "tgid", (u64)task->tgid);
	put_int(n, "dur", ts - task->start_ns);
	put_text(n, "name", task->name);
	put_text(n, "kind", task->kind);
	put_text(n, "site", task->site);
	put_int(n, "steps", task->steps);
	put_id(n, "creator", task->creator);
	put_text(n, "outcome", task->cut ? "cut" : task_outcome_name(task->outcome));
	row_end(n);
}

static void on_region(void *ctx, const struct region *region)
{
	struct ndjson *n = ctx;

	row_begin(n, "region", region->start_ns);
	if (region->thread)
		put_thread(n, region->thread);
	put_int(n, "dur", region->end_ns - region->start_ns);
	put_text(n, "name", region->name);
	row_end(n);
}

static void put_life(struct ndjson *n, u64 start, u64 end)
{
	put_int(n, "dur", (end ? end : model_window_end(n->model)) - start);
	put_bool(n, "ended", end != 0);
}

static void put_threads(struct ndjson *n)
{
	struct map processes = {0};

	for (u32 i = 0; i < model_n_threads(n->model); i++) {
		const struct thread *t = model_thread(n->model, i);

		if (!map_get(&n->met, i + 1))
			continue;
		n->failed |= map_set(&processes, t->process->id + 1, n) != 0;
		row_begin(n, "thread", t->start_ns);
		put_thread(n, t);
		put_life(n, t->start_ns, t->end_ns);
		put_int(n, "process", t->process->id);
		put_text(n, "name", thread_label(t));
		put_id(n, "parent", t->parent);
		put_int(n, "voluntary", t->voluntary);
		put_int(n, "involuntary", t->involuntary);
		put_int(n, "migrations", t->migrations);
		row_end(n);
	}
	for (u32 i = 0; i < model_n_processes(n->model); i++) {
		const struct process *p = model_process(n->model, i);

		if (!map_get(&processes, i + 1))
			continue;
		row_begin(n, "process", p->start_ns);
		put_int(n, "process", i);
		put_int(n, "tgid", (u64)p->tgid);
		put_life(n, p->start_ns, p->end_ns);
		put_text(n, "name", p->name);
		if (p->n_images)
			put_text(n, "command", p->images[p->n_images - 1]);
		put_id(n, "parent", p->parent);
		row_end(n);
	}
	map_free(&processes);
}

static void put_trace(struct ndjson *n)
{
	row_begin(n, "trace", n->begin);
	put_int(n, "dur", n->end - n->begin);
	put_text(n, "command", n->command);
	put_text(n, "kernel", n->kernel);
	put_int(n, "lost", n->lost);
	if (n->part->count > 1 && n->part->unsure_ns >= 0)
		put_int(n, "wall_unsure", (u64)n->part->unsure_ns);
	row_end(n);
}

/* ---- beginning and end ---- */

static void note(struct ndjson *n, char **text, const char *value)
{
	free(*text);
	*text = strdup(value);
	n->failed |= !*text;
}

static void on_lost(struct ndjson *n, const struct record *rec)
{
	n->lost += rec->lost.count;
	if (!n->open)
		return;
	row_begin(n, "loss", rec->ts);
	put_int(n, "dur", rec->lost.until_ns > rec->ts ? rec->lost.until_ns - rec->ts : 0);
	put_int(n, "cpu", rec->cpu);
	put_int(n, "lost", rec->lost.count);
	row_end(n);
}

static void on_record(void *ctx, const struct record *rec)
{
	struct ndjson *n = ctx;

	if (rec->type == REC_META && !strcmp(rec->meta.key, "command"))
		note(n, &n->command, rec->meta.value);
	else if (rec->type == REC_META && !strcmp(rec->meta.key, "kernel"))
		note(n, &n->kernel, rec->meta.value);
	else if (rec->type == REC_LOST)
		on_lost(n, rec);
}

static void on_idle(void *ctx, u32 cpu, u64 start, u64 end)
{
	struct ndjson *n = ctx;

	row_begin(n, "idle", start);
	put_int(n, "dur", end - start);
	put_int(n, "cpu", cpu);
	row_end(n);
}

static void on_window_begin(void *ctx, u64 ts)
{
	struct ndjson *n = ctx;

	n->begin = n->end = ts;
	n->open = true;
}

static void on_window_end(void *ctx, u64 ts)
{
	((struct ndjson *)ctx)->end = ts;
}

static int ndjson_close(void *ctx)
{
	struct ndjson *n = ctx;
	bool failed;

	if (n->open) {
		put_threads(n);
		put_trace(n);
	}
	n->json.failed |= n->failed || n->place.failed;
	failed = json_close(&n->json) != 0;
	buf_free(&n->place);
	map_free(&n->met);
	free(n->command);
	free(n->kernel);
	free(n);
	return failed ? -ENOMEM : 0;
}

static int ndjson_open(void **ctx, struct out *out, struct model *model,
		       const struct export_options *options)
{
	struct ndjson *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	if (json_open(&n->json, out)) {
		free(n);
		return -ENOMEM;
	}
	n->model = model;
	n->part = options->part;
	buf_puts(&n->place, ",\"host\":");
	buf_put_json(&n->place, n->part->host);
	buf_puts(&n->place, ",\"boot_id\":");
	buf_put_json(&n->place, n->part->boot_id);
	*ctx = n;
	return 0;
}

static const struct model_sink ndjson_sink = {
	.record = on_record,
	.window_begin = on_window_begin,
	.state = on_state,
	.wakeup = on_wakeup,
	.lock_wait = on_lock_wait,
	.region = on_region,
	.task_state = on_task_state,
	.task_end = on_task_end,
	.window_end = on_window_end,
};

const struct export_format export_ndjson = {
	.name = "ndjson",
	.extension = ".ndjson",
	.summary = "tables for databases, a JSON object a line",
	.sink = &ndjson_sink,
	.curve = on_curve,
	.lock = on_lock,
	.idle = on_idle,
	.open = ndjson_open,
	.close = ndjson_close,
};
