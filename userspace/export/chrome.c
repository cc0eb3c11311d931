/* SPDX-License-Identifier: MIT */
/*
 * chrome.c - Chrome trace JSON, in the shape that the Perfetto UI makes most of.
 *
 * Each span is told twice: as a thread state (ph T: native state and CPU tracks, names from a closed
 * set so that colours and standard SQL work) and as a slice (ph X: the user's words and all details;
 * portable). --compat leaves T out. Slices of a thread tile its life, so they never overlap.
 *
 * Times are microseconds since the window opened, with the nanoseconds as decimals: a double holds
 * them exactly up to 104 days.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "export/chrome.h"
#include "export/export.h"

static void on_record(void *ctx, const struct record *rec)
{
	struct chrome *c = ctx;

	if (rec->type == REC_META) {
		if (c->meta.len)
			buf_putc(&c->meta, ',');
		buf_put_json(&c->meta, rec->meta.key);
		buf_putc(&c->meta, ':');
		buf_put_json(&c->meta, rec->meta.value);
	}
	if (!c->open)
		return;
	if (rec->ts > c->now) {
		chrome_settle(c);
		c->now = rec->ts;
	}
	if (rec->type == REC_LOST)
		chrome_lost(c, rec);
}

static void on_window_begin(void *ctx, u64 ts)
{
	struct chrome *c = ctx;

	c->open = true;
	c->begin = c->now = ts;
	chrome_metadata(c, "process_name", OVERALL_PID, OVERALL_PID, "Concurrency and parallelism");
	chrome_sort_index(c, "process_sort_index", OVERALL_PID, OVERALL_PID, 0);
}

static void on_process_start(void *ctx, const struct process *p, u64 ts)
{
	struct chrome *c = ctx;
	struct group *g = chrome_group(c, p);

	(void)ts;
	if (g)
		chrome_sort_index(c, "process_sort_index", g->pid, g->pid, p->id + 1);
	chrome_touch(c, p);
}

static void on_thread_start(void *ctx, const struct thread *t, u64 ts)
{
	(void)ts;
	chrome_touch(ctx, t->process);
}

static void on_wakeup(void *ctx, const struct wakeup *w)
{
	struct chrome *c = ctx;
	struct lane *lane;

	/* An arrow needs a slice to start in: not from interrupts, nor from who is not traced. */
	if (!w->causal || !w->waker || w->waker->outsider || w->waker->state != STATE_RUNNING ||
	    w->waker->since_ns >= w->ts || !chrome_lane(c, w->waker))
		return;
	lane = chrome_lane(c, w->wakee);
	if (!lane)
		return;
	lane->has_wake = true;
	lane->wake_ns = w->ts;
	lane->waker = w->waker->id;
}

static void on_state(void *ctx, const struct span *span)
{
	struct chrome *c = ctx;

	chrome_touch(c, span->thread->process);
	chrome_span(c, span);
	if (span->thread->state == STATE_NONE)
		chrome_name_thread(c, span->thread);
}

static void on_process_end(void *ctx, const struct process *p, u64 ts)
{
	(void)ts;
	chrome_name_process(ctx, p);
}

static void on_window_end(void *ctx, u64 ts)
{
	struct chrome *c = ctx;

	c->now = ts;
	chrome_settle(c);
	c->open = false;
}

static int chrome_open(void **ctx, struct out *out, struct model *model,
		       const struct export_options *options)
{
	struct chrome *c = calloc(1, sizeof(*c));

	if (!c || json_init(&c->json, out)) {
		free(c);
		return -ENOMEM;
	}
	c->model = model;
	c->compat = options->compat;
	c->first = true;
	c->overall.pid = OVERALL_PID;
	json_lit(&c->json, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
	*ctx = c;
	return 0;
}

/* Processes that outlived the window have no name yet, nor have threads whose end was not seen. */
static void name_the_rest(struct chrome *c)
{
	for (u32 i = 0; i < model_n_processes(c->model); i++) {
		const struct process *p = model_process(c->model, i);

		if (!p->outsider && p->start_ns && !p->end_ns)
			chrome_name_process(c, p);
	}
	for (u32 i = 0; i < model_n_threads(c->model) && i < c->n_lanes; i++)
		if (c->lanes[i].tid)
			chrome_name_thread(c, model_thread(c->model, i));
}

static void put_block(struct chrome *c)
{
	struct json *j = &c->json;

	json_lit(j, "\n],\n\"corun\":{");
	json_buf(j, &c->meta);
	if (c->meta.len)
		json_lit(j, ",");
	json_lit(j, "\"lost_events\":");
	json_u64(j, c->lost);
	json_lit(j, ",\"window_ns\":");
	json_u64(j, model_window_end(c->model) - model_window_begin(c->model));
	json_lit(j, ",\"clock\":\"ts are microseconds since the window opened, CLOCK_MONOTONIC\""
		    ",\"definitions\":{\"running\":\"threads on a CPU: parallelism\","
		    "\"in flight\":\"threads running, ready, or waiting in a kind that is not parked: "
		    "concurrency\"}}}\n");
}

static int chrome_close(void *ctx)
{
	struct chrome *c = ctx;
	bool failed;

	name_the_rest(c);
	put_block(c);
	failed = c->failed || c->meta.failed || c->scratch.failed;
	if (!failed)
		json_flush(&c->json);
	chrome_lanes_free(c);
	free(c->touched);
	map_free(&c->used_pids);
	map_free(&c->used_tids);
	json_free(&c->json);
	buf_free(&c->meta);
	buf_free(&c->scratch);
	buf_free(&c->facts);
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
