/* SPDX-License-Identifier: MIT */
/*
 * chrome.c - Chrome trace JSON, in the shape that the Perfetto UI makes most of.
 *
 * Each span is told twice: as a thread state (ph T: native state and CPU tracks, names from a closed
 * set so that colours and standard SQL work) and as a slice (ph X: the user's words and all details;
 * portable). --compat leaves T out. Slices of a thread tile its life, so they never overlap.
 *
 * A wake-up is a flow from inside the waker's "On CPU" slice to the woken thread's next slice, both
 * at the time of the wake-up. The importer binds the end to the slice that is open there, so the
 * flow is written after that slice.
 *
 * Times are microseconds since the window opened, with the nanoseconds as decimals: a double holds
 * them exactly up to 104 days.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "export/export.h"
#include "export/words.h"
#include "trace/syscall.h"
#include "trace/text.h"

/* Linux's largest process id is 4194304 (PID_MAX_LIMIT): what lies above is free for our own
 * tracks, and for a number that is used a second time. */
#define PID_STEP 4194304
/* Perfetto takes 32-bit numbers: room for 300 uses of one number below it. */
#define OVERALL_PID (2000000000)

#define FLUSH_AT ((size_t)128 << 10)

struct lane {
	s64 tid;            /* as written */
	struct buf place;   /* "pid":1,"tid":2 */
	bool has_wake, named;
	u64 wake_ns;        /* a wake-up that is not yet drawn, and from where */
	s64 waker_pid, waker_tid;
};

struct group {
	s64 pid;
	bool touched, counted;
	struct counts told; /* counters as last written */
};

struct chrome {
	struct out *out;
	struct model *model;
	bool compat, open, first;
	struct buf json, name, meta;
	u64 begin, now, flows, lost;
	struct lane *lanes;
	struct group *groups;
	u32 n_lanes, n_groups;
	u32 *touched;
	u32 n_touched, cap_touched;
	struct group overall;
	struct map used_pids, used_tids;
};

/* ---- small pieces of JSON ---- */

static void put_time(struct buf *b, const char *key, u64 ns)
{
	char digits[4] = {'.', (char)('0' + ns / 100 % 10), (char)('0' + ns / 10 % 10),
			  (char)('0' + ns % 10)};

	buf_puts(b, key);
	buf_put_u64(b, ns / 1000);
	buf_put(b, digits, sizeof(digits));
}

static u64 since_begin(const struct chrome *c, u64 ts)
{
	return ts > c->begin ? ts - c->begin : 0;
}

static void event_begin(struct chrome *c)
{
	if (c->json.len > FLUSH_AT) {
		out_put(c->out, c->json.data, c->json.len);
		buf_clear(&c->json);
	}
	buf_puts(&c->json, c->first ? "\n{" : ",\n{");
	c->first = false;
}

static void put_string(struct buf *b, const char *key, const char *value)
{
	buf_puts(b, key);
	buf_put_json(b, value);
}

/* ---- numbers of processes and threads ---- */

/* @number, or a free one above it when an earlier process or thread had the same. */
static s64 unique_number(struct map *used, s32 number)
{
	uintptr_t times = (uintptr_t)map_get(used, (u32)number);

	map_set(used, (u32)number, (void *)(times + 1));
	return number + (s64)(times % 400) * PID_STEP;
}

static struct group *group_of(struct chrome *c, const struct process *p)
{
	if (p->id >= c->n_groups) {
		u32 n = p->id * 2 + 16;
		struct group *groups = realloc(c->groups, n * sizeof(*groups));

		if (!groups) {
			c->json.failed = true;
			return &c->overall;
		}
		memset(groups + c->n_groups, 0, (n - c->n_groups) * sizeof(*groups));
		c->groups = groups;
		c->n_groups = n;
	}
	if (!c->groups[p->id].pid)
		c->groups[p->id].pid = unique_number(&c->used_pids, p->tgid);
	return &c->groups[p->id];
}

static struct lane *lane_of(struct chrome *c, const struct thread *t)
{
	struct group *group = group_of(c, t->process);
	struct lane *lane;

	if (t->id >= c->n_lanes) {
		u32 n = t->id * 2 + 64;
		struct lane *lanes = realloc(c->lanes, n * sizeof(*lanes));

		if (!lanes) {
			c->json.failed = true;
			return NULL;
		}
		memset(lanes + c->n_lanes, 0, (n - c->n_lanes) * sizeof(*lanes));
		c->lanes = lanes;
		c->n_lanes = n;
	}
	lane = &c->lanes[t->id];
	if (!lane->tid) {
		lane->tid = unique_number(&c->used_tids, t->tid);
		buf_printf(&lane->place, "\"pid\":%" PRId64 ",\"tid\":%" PRId64, group->pid, lane->tid);
	}
	return lane;
}

/* ---- names ---- */

static void put_metadata(struct chrome *c, const char *what, s64 pid, s64 tid, const char *name)
{
	event_begin(c);
	buf_printf(&c->json, "\"ph\":\"M\",\"name\":\"%s\",\"pid\":%" PRId64 ",\"tid\":%" PRId64
		   ",\"args\":{\"name\":", what, pid, tid);
	buf_put_json(&c->json, name);
	buf_puts(&c->json, "}}");
}

static void put_sort_index(struct chrome *c, const char *what, s64 pid, s64 tid, s64 index)
{
	event_begin(c);
	buf_printf(&c->json, "\"ph\":\"M\",\"name\":\"%s\",\"pid\":%" PRId64 ",\"tid\":%" PRId64
		   ",\"args\":{\"sort_index\":%" PRId64 "}}", what, pid, tid, index);
}

static void name_thread(struct chrome *c, const struct thread *t)
{
	struct lane *lane = lane_of(c, t);

	if (!lane || lane->named)
		return;
	lane->named = true;
	put_metadata(c, "thread_name", group_of(c, t->process)->pid, lane->tid, thread_label(t));
	put_sort_index(c, "thread_sort_index", group_of(c, t->process)->pid, lane->tid, t->id);
}

static void name_process(struct chrome *c, const struct process *p)
{
	struct group *g = group_of(c, p);

	put_metadata(c, "process_name", g->pid, g->pid, p->name);
}

/* ---- counters ---- */

static void put_counter(struct chrome *c, s64 pid, const char *name, u32 value)
{
	event_begin(c);
	buf_puts(&c->json, "\"ph\":\"C\",\"name\":\"");
	buf_puts(&c->json, name);
	buf_puts(&c->json, "\",\"pid\":");
	buf_put_u64(&c->json, (u64)pid);
	put_time(&c->json, ",\"ts\":", since_begin(c, c->now));
	buf_puts(&c->json, ",\"args\":{\"threads\":");
	buf_put_u64(&c->json, value);
	buf_puts(&c->json, "}}");
}

static void put_counters(struct chrome *c, struct group *g, const struct counts *n)
{
	u32 parked = model_parked(c->model);
	u32 flight = counts_concurrency(n, parked);
	u32 told = counts_concurrency(&g->told, parked);

	if (!g->counted || n->running != g->told.running)
		put_counter(c, g->pid, "running", n->running);
	if (!g->counted || flight != told)
		put_counter(c, g->pid, "in flight", flight);
	if (n->ready != g->told.ready)
		put_counter(c, g->pid, "ready", n->ready);
	for (int kind = 0; kind < KINDS; kind++) {
		if (n->waiting[kind] != g->told.waiting[kind]) {
			buf_clear(&c->name);
			buf_puts(&c->name, "waiting: ");
			buf_puts(&c->name, kind_table[kind].label);
			put_counter(c, g->pid, c->name.data, n->waiting[kind]);
		}
	}
	if (n->unknown != g->told.unknown)
		put_counter(c, g->pid, "unknown", n->unknown);
	g->told = *n;
	g->counted = true;
}

/* Time moves on: what has changed at `now` is settled. */
static void settle(struct chrome *c)
{
	if (!c->n_touched)
		return;
	put_counters(c, &c->overall, model_counts(c->model));
	for (u32 i = 0; i < c->n_touched; i++) {
		struct group *g = &c->groups[c->touched[i]];

		g->touched = false;
		put_counters(c, g, model_process_counts(c->model, c->touched[i]));
	}
	c->n_touched = 0;
}

static void touch(struct chrome *c, const struct process *p)
{
	struct group *g = group_of(c, p);

	if (g->touched || g == &c->overall)
		return;
	if (!c->cap_touched || c->n_touched == c->cap_touched) {
		u32 cap = c->cap_touched ? c->cap_touched * 2 : 64;
		u32 *touched = realloc(c->touched, cap * sizeof(*touched));

		if (!touched) {
			c->json.failed = true;
			return;
		}
		c->touched = touched;
		c->cap_touched = cap;
	}
	g->touched = true;
	c->touched[c->n_touched++] = p->id;
}

/* ---- spans ---- */

static void put_thread_ref(struct chrome *c, const char *key, u32 id)
{
	const struct thread *t = model_thread(c->model, id);

	buf_clear(&c->name);
	buf_printf(&c->name, "%s (%d)", thread_label(t), t->tid);
	put_string(&c->json, key, c->name.data);
}

static void put_call(struct buf *b, const struct rec_wait *rec)
{
	const char *name = syscall_name(rec->nr);

	buf_puts(b, ",\"call\":\"");
	if (name)
		buf_puts(b, name);
	else
		buf_put_u64(b, (u64)rec->nr);
	/* As text: 64-bit numbers lose bits in JSON. */
	buf_printf(b, "\",\"call_args\":\"0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 "\"",
		   rec->args[0], rec->args[1], rec->args[2], rec->args[3]);
}

static void put_wait_args(struct chrome *c, const struct span *span)
{
	const struct wait_info *w = span->wait;
	struct buf *b = &c->json;

	put_string(b, "\"kind\":", kind_table[w->kind].name);
	if (w->rec.nr >= 0)
		put_call(b, &w->rec);
	if (w->rec.fd_kind)
		put_string(b, ",\"descriptor\":", fd_kind_name(w->rec.fd_kind));
	if (w->desc[0])
		put_string(b, ",\"on\":", w->desc);
	if (w->local[0])
		put_string(b, ",\"local\":", w->local);
	if (w->rec.nfds)
		buf_printf(b, ",\"descriptors\":%u", w->rec.nfds);
	if (w->rec.flags & WAIT_TIMED)
		put_time(b, ",\"timeout_us\":", w->rec.timeout_ns);
	if (w->rec.lock_kind) {
		buf_printf(b, ",\"futex\":\"0x%" PRIx64 "\",\"word\":%u", w->rec.lock, w->rec.word);
		if (w->owner != NO_THREAD)
			put_thread_ref(c, ",\"held_by\":", w->owner);
		else
			buf_puts(b, ",\"held_by\":\"not known\"");
	}
	if (w->site[0])
		put_string(b, ",\"site\":", w->site);
	if (span->waker != NO_THREAD)
		put_thread_ref(c, w->rec.lock_kind ? ",\"released_by\":" : ",\"woken_by\":", span->waker);
	if (span->waker_context)
		put_string(b, ",\"woken_from\":", waker_context_name(span->waker_context));
}

static void put_slice(struct chrome *c, const struct lane *lane, const struct span *span)
{
	struct buf *b = &c->json;

	event_begin(c);
	buf_puts(b, "\"ph\":\"X\",\"cat\":\"");
	buf_puts(b, span->state == STATE_WAITING ? kind_table[span->wait->kind].role :
						   state_names[span->state]);
	buf_clear(&c->name);
	words_span(&c->name, c->model, span);
	put_string(b, "\",\"name\":", c->name.data);
	buf_putc(b, ',');
	buf_put(b, lane->place.data, lane->place.len);
	put_time(b, ",\"ts\":", since_begin(c, span->start_ns));
	put_time(b, ",\"dur\":", span->end_ns - span->start_ns);
	buf_puts(b, ",\"args\":{");
	if (span->state == STATE_RUNNING && span->cpu >= 0) {
		buf_puts(b, "\"cpu\":");
		buf_put_u64(b, (u64)span->cpu);
	} else if (span->state == STATE_WAITING) {
		put_wait_args(c, span);
	} else if (span->state == STATE_READY && !span->preempted && span->waker != NO_THREAD) {
		put_thread_ref(c, "\"woken_by\":", span->waker);
	}
	buf_puts(b, "}}");
}

static void put_state(struct chrome *c, const struct lane *lane, const struct span *span)
{
	struct buf *b = &c->json;

	event_begin(c);
	buf_puts(b, "\"ph\":\"T\",\"name\":\"");
	switch (span->state) {
	case STATE_RUNNING:
		buf_puts(b, "Running");
		break;
	case STATE_READY:
		buf_puts(b, span->preempted ? "R+" : "R");
		break;
	case STATE_WAITING:
		buf_puts(b, "Blocked: ");
		buf_puts(b, kind_table[span->wait->kind].label);
		break;
	case STATE_STOPPED:
		buf_puts(b, "Stopped");
		break;
	default:
		buf_puts(b, "Unknown");
	}
	buf_puts(b, "\",");
	buf_put(b, lane->place.data, lane->place.len);
	put_time(b, ",\"ts\":", since_begin(c, span->start_ns));
	put_time(b, ",\"dur\":", span->end_ns - span->start_ns);
	if (span->state == STATE_RUNNING && span->cpu >= 0) {
		buf_puts(b, ",\"args\":{\"cpu\":");
		buf_put_u64(b, (u64)span->cpu);
		buf_putc(b, '}');
	} else if (span->state == STATE_WAITING && span->wait->rec.flags & WAIT_IO) {
		buf_puts(b, ",\"args\":{\"io_wait\":1}");
	}
	buf_putc(b, '}');
}

static void put_flow_end(struct chrome *c, char phase, u64 id, s64 pid, s64 tid, u64 ts)
{
	event_begin(c);
	buf_printf(&c->json, "\"ph\":\"%c\",\"cat\":\"wake\",\"name\":\"wakes\",\"id\":%" PRIu64
		   ",\"bp\":\"e\",\"pid\":%" PRId64 ",\"tid\":%" PRId64, phase, id, pid, tid);
	put_time(&c->json, ",\"ts\":", ts);
	buf_putc(&c->json, '}');
}

static void put_flow(struct chrome *c, struct lane *lane, const struct thread *t)
{
	u64 ts = since_begin(c, lane->wake_ns), id = ++c->flows;

	lane->has_wake = false;
	put_flow_end(c, 's', id, lane->waker_pid, lane->waker_tid, ts);
	put_flow_end(c, 'f', id, group_of(c, t->process)->pid, lane->tid, ts);
}

/* ---- the sink ---- */

static void on_lost(struct chrome *c, const struct record *rec)
{
	s64 tid = OVERALL_PID + 1 + rec->cpu;
	u64 end = rec->lost.until_ns > rec->ts ? rec->lost.until_ns : rec->ts;

	c->lost += rec->lost.count;
	buf_clear(&c->name);
	buf_printf(&c->name, "Events lost on CPU %u", rec->cpu);
	put_metadata(c, "thread_name", OVERALL_PID, tid, c->name.data);
	event_begin(c);
	buf_printf(&c->json, "\"ph\":\"X\",\"cat\":\"lost\",\"name\":\"%" PRIu64 " events lost here\","
		   "\"pid\":%d,\"tid\":%" PRId64, rec->lost.count, OVERALL_PID, tid);
	put_time(&c->json, ",\"ts\":", since_begin(c, rec->ts));
	put_time(&c->json, ",\"dur\":", since_begin(c, end) - since_begin(c, rec->ts));
	buf_putc(&c->json, '}');
}

static void on_record(void *ctx, const struct record *rec)
{
	struct chrome *c = ctx;

	if (rec->type == REC_META) {
		if (c->meta.len)
			buf_putc(&c->meta, ',');
		buf_put_json(&c->meta, rec->meta.key);
		put_string(&c->meta, ":", rec->meta.value);
	}
	if (!c->open)
		return;
	if (rec->ts > c->now) {
		settle(c);
		c->now = rec->ts;
	}
	if (rec->type == REC_LOST)
		on_lost(c, rec);
}

static void on_window_begin(void *ctx, u64 ts)
{
	struct chrome *c = ctx;

	c->open = true;
	c->begin = c->now = ts;
	put_metadata(c, "process_name", OVERALL_PID, OVERALL_PID, "Concurrency and parallelism");
	put_sort_index(c, "process_sort_index", OVERALL_PID, OVERALL_PID, -1);
}

static void on_process_start(void *ctx, const struct process *p, u64 ts)
{
	struct chrome *c = ctx;
	struct group *g = group_of(c, p);

	(void)ts;
	put_sort_index(c, "process_sort_index", g->pid, g->pid, p->id);
	touch(c, p);
}

static void on_thread_start(void *ctx, const struct thread *t, u64 ts)
{
	(void)ts;
	touch(ctx, t->process);
}

static void on_wakeup(void *ctx, const struct wakeup *w)
{
	struct chrome *c = ctx;
	struct lane *lane;
	s64 pid, tid;

	/* An arrow needs a slice to start in: not from interrupts, nor from who is not traced. */
	if (!w->causal || !w->waker || w->waker->outsider || w->waker->state != STATE_RUNNING ||
	    w->waker->since_ns >= w->ts)
		return;
	lane = lane_of(c, w->waker);
	if (!lane)
		return;
	pid = group_of(c, w->waker->process)->pid;
	tid = lane->tid;
	lane = lane_of(c, w->wakee); /* may move the lanes */
	if (!lane)
		return;
	lane->has_wake = true;
	lane->wake_ns = w->ts;
	lane->waker_pid = pid;
	lane->waker_tid = tid;
}

static void on_state(void *ctx, const struct span *span)
{
	struct chrome *c = ctx;
	struct lane *lane = lane_of(c, span->thread);

	if (!lane)
		return;
	touch(c, span->thread->process);
	if (!c->compat)
		put_state(c, lane, span);
	put_slice(c, lane, span);
	if (lane->has_wake && span->start_ns >= lane->wake_ns)
		put_flow(c, lane, span->thread);
	if (span->thread->state == STATE_NONE)
		name_thread(c, span->thread);
}

static void on_process_end(void *ctx, const struct process *p, u64 ts)
{
	(void)ts;
	name_process(ctx, p);
}

static void on_window_end(void *ctx, u64 ts)
{
	struct chrome *c = ctx;

	c->now = ts;
	settle(c);
	c->open = false;
}

static int chrome_open(void **ctx, struct out *out, struct model *model,
		       const struct export_options *options)
{
	struct chrome *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->out = out;
	c->model = model;
	c->compat = options->compat;
	c->first = true;
	c->overall.pid = OVERALL_PID;
	buf_puts(&c->json, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
	*ctx = c;
	return 0;
}

/* Processes that outlived the window have no name yet, nor have threads whose end was not seen. */
static void name_the_rest(struct chrome *c)
{
	for (u32 i = 0; i < model_n_processes(c->model); i++) {
		const struct process *p = model_process(c->model, i);

		if (!p->outsider && p->start_ns && !p->end_ns)
			name_process(c, p);
	}
	for (u32 i = 0; i < model_n_threads(c->model) && i < c->n_lanes; i++)
		if (c->lanes[i].tid)
			name_thread(c, model_thread(c->model, i));
}

static int chrome_close(void *ctx)
{
	struct chrome *c = ctx;
	bool failed;

	name_the_rest(c);
	buf_puts(&c->json, "\n],\n\"corun\":{");
	if (c->meta.len) {
		buf_put(&c->json, c->meta.data, c->meta.len);
		buf_putc(&c->json, ',');
	}
	buf_printf(&c->json, "\"lost_events\":%" PRIu64 ",\"window_ns\":%" PRIu64
		   ",\"clock\":\"ts are microseconds since the window opened, CLOCK_MONOTONIC\""
		   ",\"definitions\":{\"running\":\"threads on a CPU: parallelism\","
		   "\"in flight\":\"threads running, ready, or waiting in a kind that is not parked: "
		   "concurrency\"}}}\n", c->lost,
		   model_window_end(c->model) - model_window_begin(c->model));
	failed = c->json.failed || c->meta.failed;
	if (!failed)
		out_put(c->out, c->json.data, c->json.len);
	for (u32 i = 0; i < c->n_lanes; i++)
		buf_free(&c->lanes[i].place);
	free(c->lanes);
	free(c->groups);
	free(c->touched);
	map_free(&c->used_pids);
	map_free(&c->used_tids);
	buf_free(&c->json);
	buf_free(&c->name);
	buf_free(&c->meta);
	free(c);
	return failed ? -ENOMEM : 0;
}

static const struct model_sink chrome_sink = {
	.record = on_record,
	.window_begin = on_window_begin,
	.process_start = on_process_start,
	.process_end = on_process_end,
	.thread_start = on_thread_start,
	.state = on_state,
	.wakeup = on_wakeup,
	.window_end = on_window_end,
};

const struct export_format export_chrome = {
	.name = "chrome",
	.extension = ".json",
	.summary = "Chrome trace JSON, for ui.perfetto.dev and others",
	.sink = &chrome_sink,
	.open = chrome_open,
	.close = chrome_close,
};
