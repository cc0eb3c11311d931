/* SPDX-License-Identifier: MIT */
/*
 * chrome.c - Chrome trace JSON, in the shape that the Perfetto UI makes most of.
 *
 * Each span is told twice: as a thread state (ph T: native state and CPU tracks, names from a
 * closed set so that colours and standard SQL work) and as a slice (ph X: the user's words and all
 * details; portable). --compat leaves T out. Slices of a thread tile its life, so they never overlap.
 *
 * A wake-up is a flow from inside the waker's "On CPU" slice to the woken thread's next slice, both
 * at the time of the wake-up. The importer binds the end to the slice that is open there, so the
 * flow is written after that slice.
 *
 * Times are microseconds since the window opened, with the nanoseconds as decimals: a double holds
 * them exactly up to 104 days.
 *
 * Half of what an export of a large trace costs is the writing of its bytes: keys that say nothing
 * new are left out (the CPU of an "On CPU" slice, when its thread state has it).
 */
#include <stdlib.h>
#include <string.h>

#include "export/chrome.h"
#include "export/words.h"
#include "trace/text.h"

/* An event without its names: keys and five numbers. */
#define EVENT_ROOM 256

static void put_state(struct chrome *c, const struct row *row, const struct span *span)
{
	char *p = json_room(&c->json, EVENT_ROOM + row->place_len);

	p = put_lit(p, ",\n{\"ph\":\"T\",\"name\":\"");
	switch (span->state) {
	case STATE_RUNNING:
		p = put_lit(p, "Running");
		break;
	case STATE_READY:
		p = put_lit(p, "R");
		if (span->preempted)
			*p++ = '+';
		break;
	case STATE_WAITING:
		p = put_lit(p, "Blocked: ");
		p = put_bytes(p, kind_table[span->wait->kind].label,
			      strlen(kind_table[span->wait->kind].label));
		break;
	case STATE_STOPPED:
		p = put_lit(p, "Stopped");
		break;
	default:
		p = put_lit(p, "Unknown");
	}
	*p++ = '"';
	p = put_bytes(p, row->place, row->place_len);
	p = put_us(p, chrome_time(c, span->start_ns));
	p = chrome_dur(c, p, span->start_ns, span->end_ns);
	if (span->state == STATE_RUNNING && span->cpu >= 0) {
		p = put_lit(p, ",\"args\":{\"cpu\":");
		p = put_u64(p, (u64)span->cpu);
		*p++ = '}';
	} else if (span->state == STATE_WAITING && span->wait->rec.flags & WAIT_IO) {
		p = put_lit(p, ",\"args\":{\"io_wait\":1}");
	}
	*p++ = '}';
	json_wrote(&c->json, p);
}

static void put_wait_args(struct chrome *c, const struct span *span, const struct wait_text *text)
{
	const char *begin = ",\"args\":{", *before = begin; /* no args where nothing is known */

	if (text->args_len) {
		json_puts(&c->json, before);
		json_put(&c->json, text->args, text->args_len);
		before = ",";
	}
	if (span->waker != NO_THREAD) {
		const struct row *waker = rows_ref(&c->rows, span->waker);

		if (waker && waker->ref) {
			json_puts(&c->json, before);
			json_puts(&c->json, span->wait->rec.lock_kind ? "\"released_by\":" : "\"woken_by\":");
			json_put(&c->json, waker->ref, waker->ref_len);
			before = ",";
		}
	}
	/* That a thread was the cause shows by its name. */
	if (span->waker_context && (span->waker == NO_THREAD || span->waker_context != WAKER_TASK)) {
		json_puts(&c->json, before);
		json_puts(&c->json, "\"woken_from\":\"");
		json_puts(&c->json, waker_context_name(span->waker_context));
		json_put(&c->json, "\"", 1);
		before = ",";
	}
	if (before != begin)
		json_put(&c->json, "}", 1);
}

/* Category (what figures call it) and name of what is no wait. */
static char *put_name(struct chrome *c, char *p, const struct span *span)
{
	const char *state = state_names[span->state];

	if (span->state == STATE_RUNNING)
		return put_lit(p, "running\",\"name\":\"On CPU\"");
	if (span->state == STATE_READY && !span->preempted)
		return put_lit(p, "ready\",\"name\":\"Ready\"");
	p = put_bytes(p, state, strlen(state));
	p = put_lit(p, "\",\"name\":");
	json_wrote(&c->json, p);
	buf_clear(&c->name);
	words_span(&c->name, c->model, span);
	json_string(&c->json, c->name.data);
	return json_room(&c->json, EVENT_ROOM);
}

static void put_slice(struct chrome *c, const struct row *row, const struct span *span)
{
	const struct wait_text *text = NULL;
	char *p = json_room(&c->json, EVENT_ROOM);

	p = put_lit(p, ",\n{\"ph\":\"X\",\"cat\":\"");
	if (span->state == STATE_WAITING) {
		text = wait_text(&c->waits, span->wait);
		json_wrote(&c->json, p);
		json_put(&c->json, text->name, text->name_len);
		p = json_room(&c->json, EVENT_ROOM);
	} else {
		p = put_name(c, p, span);
	}
	p = put_bytes(p, row->place, row->place_len);
	p = put_us(p, chrome_time(c, span->start_ns));
	p = chrome_dur(c, p, span->start_ns, span->end_ns);
	if (c->compat && span->state == STATE_RUNNING && span->cpu >= 0) {
		p = put_lit(p, ",\"args\":{\"cpu\":");
		p = put_u64(p, (u64)span->cpu);
		*p++ = '}';
	}
	json_wrote(&c->json, p);
	if (text)
		put_wait_args(c, span, text);
	json_put(&c->json, "}", 1);
}

static void put_flow_end(struct chrome *c, const struct row *row, char phase, u64 id, u64 ts)
{
	char *p = json_room(&c->json, EVENT_ROOM + row->place_len);

	p = put_lit(p, ",\n{\"ph\":\"");
	*p++ = phase;
	p = put_lit(p, "\",\"cat\":\"wake\",\"name\":\"wakes\",\"id\":");
	p = put_u64(p, id);
	if (phase == 'f')
		p = put_lit(p, ",\"bp\":\"e\"");
	p = put_bytes(p, row->place, row->place_len);
	p = put_us(p, chrome_time(c, ts));
	*p++ = '}';
	json_wrote(&c->json, p);
}

/* From @waker's slice to @wakee's, both at @ts. */
static void put_flow(struct chrome *c, u32 waker, const struct thread *wakee, u64 ts)
{
	u64 id = ++c->flows * c->part->count + c->part->index;
	const struct row *row = rows_get(&c->rows, model_thread(c->model, waker));

	if (row)
		put_flow_end(c, row, 's', id, ts);
	row = rows_get(&c->rows, wakee);
	if (row)
		put_flow_end(c, row, 'f', id, ts);
}

/* ---- the sink ---- */

static void on_record(void *ctx, const struct record *rec)
{
	struct chrome *c = ctx;

	if (rec->type == REC_META)
		chrome_note_meta(c, &rec->meta);
	else if (rec->type == REC_LOST && c->open)
		chrome_lost(c, rec);
}

static void on_window_begin(void *ctx, u64 ts)
{
	struct chrome *c = ctx;

	c->open = true;
	c->begin = c->end = ts;
}

static void on_thread_rename(void *ctx, const struct thread *t, u64 ts)
{
	struct chrome *c = ctx;

	(void)ts;
	rows_renamed(&c->rows, t);
	wait_texts_clear(&c->waits);
}

static void on_wakeup(void *ctx, const struct wakeup *w)
{
	struct chrome *c = ctx;

	arrows_note(&c->arrows, w);
}

static void on_state(void *ctx, const struct span *span)
{
	struct chrome *c = ctx;
	const struct thread *t = span->thread;
	struct row *row = rows_get(&c->rows, t);
	u32 waker;

	if (!row)
		return;
	row->used = true;
	if (!c->compat)
		put_state(c, row, span);
	put_slice(c, row, span);
	waker = arrows_take(&c->arrows, t->id, span->start_ns);
	if (waker != NO_THREAD)
		put_flow(c, waker, t, span->start_ns);
}

static void on_window_end(void *ctx, u64 ts)
{
	struct chrome *c = ctx;

	c->end = ts;
	c->open = false;
}

static int chrome_close(void *ctx)
{
	struct chrome *c = ctx;
	bool failed;

	chrome_tail(c);
	failed = c->failed || c->rows.failed || c->waits.failed || c->name.failed || c->meta.failed ||
		 c->arrows.failed;
	c->json.failed |= failed;
	failed = json_close(&c->json) != 0;
	wait_texts_free(&c->waits);
	chrome_lanes_free(c);
	rows_free(&c->rows);
	arrows_free(&c->arrows);
	buf_free(&c->name);
	buf_free(&c->meta);
	free(c);
	return failed ? -ENOMEM : 0;
}

static int chrome_open(void **ctx, struct out *out, struct model *model,
		       const struct export_options *options)
{
	struct chrome *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	if (json_open(&c->json, out)) {
		free(c);
		return -ENOMEM;
	}
	c->model = model;
	c->part = options->part;
	c->compat = options->compat;
	rows_init(&c->rows, model, c->part);
	c->waits.rows = &c->rows;
	chrome_head(c);
	*ctx = c;
	return 0;
}

static const struct model_sink chrome_sink = {
	.record = on_record,
	.window_begin = on_window_begin,
	.thread_rename = on_thread_rename,
	.state = on_state,
	.wakeup = on_wakeup,
	.region = chrome_region,
	.task_start = chrome_task_start,
	.task_state = chrome_task_state,
	.task_end = chrome_task_end,
	.window_end = on_window_end,
};

const struct export_format export_chrome = {
	.name = "chrome",
	.extension = ".json",
	.summary = "Chrome trace JSON, for ui.perfetto.dev and others",
	.sink = &chrome_sink,
	.curve = chrome_curve,
	.lock = chrome_lock,
	.path = chrome_path,
	.idle = chrome_idle,
	.open = chrome_open,
	.close = chrome_close,
};
