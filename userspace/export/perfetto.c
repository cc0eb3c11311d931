/* SPDX-License-Identifier: MIT */
/*
 * perfetto.c - Perfetto's own format, for its UI and its SQL.
 *
 * Running and ready go in as the kernel's scheduler events (perfetto_sched.c), so that states, CPU
 * tracks, priorities, wakers and the UI's analyses of them are native. What the scheduler does not
 * know - in what a thread waits, who holds it, how many do what - are TrackEvents
 * (perfetto_track.c).
 *
 * Its times are ns since the window opened.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "export/perfetto.h"
#include "export/words.h"

#define FLUSH_AT ((size_t)1 << 20)

u8 *perfetto_begin(struct perfetto *p, size_t len)
{
	u8 *at;

	if (p->data.len + len > FLUSH_AT) {
		out_put(p->out, p->data.data, p->data.len);
		buf_clear(&p->data);
	}
	if (!buf_reserve(&p->data, len + 16)) {
		p->failed = true;
		return NULL;
	}
	/* Trace.packet is field 1. */
	at = (u8 *)p->data.data + p->data.len;
	*at++ = 1 << 3 | 2;
	at = pb_varint(at, len);
	p->data.len = (size_t)((char *)at + len - p->data.data);
	return at;
}

void perfetto_packet(struct perfetto *p, const u8 *fields, size_t len)
{
	u8 *at = perfetto_begin(p, len);

	if (at)
		memcpy(at, fields, len);
}

bool perfetto_grow(struct perfetto *p, void **array, u32 *n, size_t size, u32 want)
{
	u32 cap = want * 2 + 64;
	void *bigger;

	if (want < *n)
		return true;
	bigger = realloc(*array, cap * size);
	if (!bigger) {
		p->failed = true;
		return false;
	}
	memset((char *)bigger + *n * size, 0, (cap - *n) * size);
	*array = bigger;
	*n = cap;
	return true;
}

/* The trace processor reads the numbers of end states by the kernel's version; ours are those of
 * 4.14 and later, which is all that corun runs on. */
static void put_system(struct perfetto *p)
{
	u8 name[352], info[384], packet[416], *at;

	at = pb_string(name, 1, "Linux");
	at = pb_string(at, 3, p->release[0] ? perfetto_text(p, 0, p->release) : "5.0");
	at = pb_bytes(info, 1, name, (size_t)(at - name));
	at = pb_bytes(packet, PACKET_SYSTEM_INFO, info, (size_t)(at - info));
	perfetto_packet(p, packet, (size_t)(at - packet));
}

/* One more line of the "corun" block: a ChromeMetadata in a ChromeEventBundle, which the trace processor
 * puts into its table `metadata` as "cr-corun.KEY". */
static void note_meta(struct perfetto *p, const char *key, const char *value)
{
	struct buf line = BUF_INIT, name = BUF_INIT;
	u8 *at;

	buf_printf(&name, "corun.%s", perfetto_text(p, 0, key));
	value = perfetto_text(p, 1, value);
	if (!name.failed && buf_reserve(&line, name.len + strlen(value) + 32) &&
	    buf_reserve(&p->meta, name.len + strlen(value) + 64)) {
		at = pb_string(pb_string((u8 *)line.data, 1, name.data), 2, value);
		at = pb_bytes((u8 *)p->meta.data + p->meta.len, 2, line.data, (size_t)(at - (u8 *)line.data));
		p->meta.len = (size_t)((char *)at - p->meta.data);
	} else {
		p->failed = true;
	}
	buf_free(&line);
	buf_free(&name);
}

/* At the end, when the losses are known. Of several traces the first one's. */
static void put_meta(struct perfetto *p)
{
	struct buf text = BUF_INIT, packet = BUF_INIT;
	u8 *at;

	buf_printf(&text, "%" PRIu64, p->lost);
	note_meta(p, "lost_events", text.data ? text.data : "");
	buf_clear(&text);
	buf_printf(&text, "%" PRIu64, model_window_end(p->model) - model_window_begin(p->model));
	note_meta(p, "window_ns", text.data ? text.data : "");
	note_meta(p, "clock", "ts are ns since the window opened, CLOCK_MONOTONIC");
	note_meta(p, "running", "threads on a CPU: parallelism");
	note_meta(p, "in flight", "threads running, ready, or waiting in a kind that is not parked: concurrency");
	if (buf_reserve(&packet, p->meta.len + 16)) {
		at = pb_bytes((u8 *)packet.data, PACKET_CHROME_EVENTS, p->meta.data, p->meta.len);
		perfetto_packet(p, (u8 *)packet.data, (size_t)(at - (u8 *)packet.data));
	} else {
		p->failed = true;
	}
	buf_free(&text);
	buf_free(&packet);
}

static void on_record(void *ctx, const struct record *rec)
{
	struct perfetto *p = ctx;

	if (rec->type == REC_META && !p->part->index)
		note_meta(p, rec->meta.key, rec->meta.value);
	if (rec->type == REC_META && !strcmp(rec->meta.key, "kernel"))
		snprintf(p->release, sizeof(p->release), "%s", rec->meta.value);
	if (rec->type == REC_LOST && p->begun)
		perfetto_lost(p, rec);
}

static void on_window_begin(void *ctx, u64 ts)
{
	struct perfetto *p = ctx;

	p->begun = true;
	p->begin_ns = perfetto_time(p, ts);
	if (!p->part->index)
		put_system(p);
	perfetto_head(p);
}

static void on_thread_rename(void *ctx, const struct thread *t, u64 ts)
{
	(void)ts;
	perfetto_rename(ctx, t);
}

static void on_wakeup(void *ctx, const struct wakeup *w)
{
	struct perfetto *p = ctx;

	arrows_note(&p->arrows, w);
	perfetto_wakeup(p, w);
}

static void on_state(void *ctx, const struct span *span)
{
	struct perfetto *p = ctx;
	u64 track = perfetto_thread_track(p, span->thread);

	switch (span->state) {
	case STATE_RUNNING:
		perfetto_running(p, span);
		break;
	case STATE_READY:
		perfetto_ready(p, span);
		break;
	case STATE_WAITING:
		perfetto_slice(p, track, span);
		break;
	default:
		buf_clear(&p->words);
		words_span(&p->words, p->model, span);
		if (!p->words.failed)
			perfetto_plain(p, track, state_names[span->state], p->words.data,
				       span->start_ns, span->end_ns);
	}
}

static void on_window_end(void *ctx, u64 ts)
{
	struct perfetto *p = ctx;

	(void)ts;
	p->begun = false;
	perfetto_sched_end(p);
	if (!p->part->index)
		put_meta(p);
}

static int perfetto_close(void *ctx)
{
	struct perfetto *p = ctx;
	bool failed;

	failed = p->failed || p->meta.failed || p->data.failed || p->body.failed || p->words.failed || p->rows.failed ||
		 p->arrows.failed;
	if (!failed && p->data.len)
		out_put(p->out, p->data.data, p->data.len);
	perfetto_waits_clear(p);
	perfetto_sched_free(p);
	perfetto_strings_free(&p->categories);
	perfetto_strings_free(&p->events);
	perfetto_strings_free(&p->texts);
	perfetto_stacks_clear(p);
	rows_free(&p->rows);
	arrows_free(&p->arrows);
	free(p->waits);
	free(p->ready);
	free(p->threads);
	free(p->processes);
	perfetto_count_free(p);
	buf_free(&p->data);
	buf_free(&p->body);
	buf_free(&p->words);
	buf_free(&p->name);
	buf_free(&p->meta);
	buf_free(&p->clean[0]);
	buf_free(&p->clean[1]);
	map_free(&p->locks);
	free(p);
	return failed ? -ENOMEM : 0;
}

static int perfetto_open(void **ctx, struct out *out, struct model *model,
			 const struct export_options *options)
{
	struct perfetto *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->out = out;
	p->model = model;
	p->part = options->part;
	p->sequence = p->part->index + 1;
	p->cleared = true;
	p->categories.field = INTERNED_CATEGORY;
	p->events.field = INTERNED_EVENT;
	p->texts.field = INTERNED_TEXT;
	p->frames.field = INTERNED_FUNCTION;
	rows_init(&p->rows, model, p->part);
	*ctx = p;
	return perfetto_waits_init(p);
}

static const struct model_sink perfetto_sink = {
	.record = on_record,
	.window_begin = on_window_begin,
	.thread_rename = on_thread_rename,
	.wakeup = on_wakeup,
	.state = on_state,
	.region = perfetto_region,
	.task_start = perfetto_task_start,
	.task_state = perfetto_task_state,
	.window_end = on_window_end,
};

const struct export_format export_perfetto = {
	.name = "perfetto",
	.extension = ".pftrace",
	.summary = "Perfetto's own format, a seventh of the size",
	.sink = &perfetto_sink,
	.curve = perfetto_curve,
	.lock = perfetto_lock,
	.path = perfetto_path,
	.open = perfetto_open,
	.close = perfetto_close,
};
