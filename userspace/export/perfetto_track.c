/* SPDX-License-Identifier: MIT */
/* perfetto_track.c - tracks, slices and counters as TrackEvents, with strings told once. */
#include <stdio.h>
#include <stdlib.h>

#include "export/chrome_wait.h"
#include "export/perfetto.h"
#include "export/words.h"
#include "trace/syscall.h"

#define SEQUENCE_CLEARED 1
#define SEQUENCE_NEEDS 2
/* Sleeps of ever other lengths would make ever more strings: forget them all now and then. */
#define STRINGS_MAX 65536

/* What a wait's slice begins with, from the category on. */
struct wait_bytes {
	struct wait_info of;
	u8 *data;
	u32 len;
};

static u64 uuid(const struct perfetto *p, u64 number)
{
	return p->part->index * UUID_PART + number;
}

/* ---- strings ---- */

static u64 text_hash(const char *text)
{
	u64 hash = 0xcbf29ce484222325ULL; /* FNV-1a */

	while (*text)
		hash = (hash ^ (u8)*text++) * 0x100000001b3ULL;
	return hash ? hash : 1;
}

static void tell_string(struct perfetto *p, u32 field, u64 id, const char *text)
{
	size_t len = strlen(text);
	u8 *entry, *end, *packet;

	/* Field 1 is the number, 2 the text, in EventName, EventCategory and InternedString alike. */
	buf_clear(&p->body);
	if (!buf_reserve(&p->body, 2 * len + 128))
		return;
	entry = (u8 *)p->body.data + len + 64;
	end = pb_bytes(pb_int(entry, 1, id), 2, text, len);
	packet = pb_int((u8 *)p->body.data, PACKET_SEQUENCE, p->sequence);
	packet = pb_int(packet, PACKET_SEQUENCE_FLAGS, p->cleared ? SEQUENCE_CLEARED : SEQUENCE_NEEDS);
	p->cleared = false;
	{
		u8 *interned = malloc(len + 64), *stop;

		if (!interned) {
			p->failed = true;
			return;
		}
		stop = pb_bytes(interned, field, entry, (size_t)(end - entry));
		packet = pb_bytes(packet, PACKET_INTERNED, interned, (size_t)(stop - interned));
		free(interned);
	}
	perfetto_packet(p, (u8 *)p->body.data, (size_t)(packet - (u8 *)p->body.data));
}

static u64 string_id(struct perfetto *p, struct strings *strings, const char *text)
{
	u64 key = text_hash(text);
	uintptr_t id = (uintptr_t)map_get(&strings->ids, key);

	if (id)
		return id;
	id = (uintptr_t)++strings->n;
	p->failed |= map_set(&strings->ids, key, (void *)id) != 0;
	tell_string(p, strings->field, id, text);
	return id;
}

void perfetto_strings_free(struct strings *strings)
{
	map_free(&strings->ids);
	strings->ids = (struct map){0};
	strings->n = 0;
}

int perfetto_waits_init(struct perfetto *p)
{
	p->waits = calloc(WAIT_TEXTS, sizeof(*p->waits));
	return p->waits ? 0 : -ENOMEM;
}

void perfetto_waits_clear(struct perfetto *p)
{
	for (u32 i = 0; p->waits && i < WAIT_TEXTS; i++) {
		free(p->waits[i].data);
		p->waits[i].data = NULL;
	}
}

/* Between two events, when there are too many. */
static void forget_strings(struct perfetto *p)
{
	if (p->events.n + p->texts.n < STRINGS_MAX)
		return;
	perfetto_strings_free(&p->categories);
	perfetto_strings_free(&p->events);
	perfetto_strings_free(&p->annotations);
	perfetto_strings_free(&p->texts);
	perfetto_waits_clear(p);
	p->cleared = true;
}

/* ---- tracks ---- */

static void put_descriptor(struct perfetto *p, const u8 *data, size_t len)
{
	u8 *packet = malloc(len + 16), *end;

	if (!packet) {
		p->failed = true;
		return;
	}
	end = pb_bytes(packet, PACKET_TRACK_DESCRIPTOR, data, len);
	perfetto_packet(p, packet, (size_t)(end - packet));
	free(packet);
}

void perfetto_track(struct perfetto *p, u64 id, u64 parent, const char *name, u32 rank,
		    const char *description)
{
	u8 *data = malloc(strlen(name) + strlen(description) + 128), *at = data;

	if (!data) {
		p->failed = true;
		return;
	}
	at = pb_int(at, TRACK_UUID, uuid(p, id));
	at = pb_string(at, TRACK_NAME, name);
	if (parent)
		at = pb_int(at, TRACK_PARENT, uuid(p, parent));
	at = pb_int(at, TRACK_CHILD_ORDER, EXPLICIT_ORDER);
	at = pb_int(at, TRACK_RANK, rank);
	if (description[0])
		at = pb_string(at, TRACK_DESCRIPTION, description);
	put_descriptor(p, data, (size_t)(at - data));
	free(data);
}

static void describe_process(struct perfetto *p, const struct process *process)
{
	size_t len = strlen(process->name) + strlen(p->part->label);
	u8 *data, *at, *inner;

	if (!perfetto_grow(p, (void **)&p->processes, &p->n_processes, sizeof(bool), process->id) ||
	    p->processes[process->id])
		return;
	p->processes[process->id] = true;
	data = malloc(3 * len + 256);
	if (!data) {
		p->failed = true;
		return;
	}
	buf_clear(&p->words);
	if (p->part->label[0])
		buf_printf(&p->words, "%s: ", p->part->label);
	buf_puts(&p->words, process->name);
	inner = data + 2 * len + 128;
	at = pb_int(inner, PROCESS_PID, (u64)rows_pid(&p->rows, process));
	at = pb_string(at, PROCESS_NAME, p->words.failed ? "" : p->words.data);
	at = pb_bytes(pb_int(pb_int(data, TRACK_UUID, uuid(p, UUID_PROCESS(process->id))), TRACK_RANK,
			     10 + process->id), TRACK_PROCESS, inner, (size_t)(at - inner));
	put_descriptor(p, data, (size_t)(at - data));
	free(data);
}

u64 perfetto_process_track(struct perfetto *p, const struct process *process)
{
	describe_process(p, process);
	return UUID_PROCESS(process->id);
}

static void put_thread(struct perfetto *p, const struct thread *t)
{
	const struct row *row = rows_get(&p->rows, t);
	size_t len = strlen(thread_label(t));
	u8 *data, *inner, *at;

	if (!row)
		return;
	data = malloc(2 * len + 256);
	if (!data) {
		p->failed = true;
		return;
	}
	inner = data + len + 128;
	at = pb_int(pb_int(inner, THREAD_PID, (u64)row->pid), THREAD_TID, (u64)row->tid);
	at = pb_string(at, THREAD_NAME, thread_label(t));
	at = pb_bytes(pb_int(pb_int(data, TRACK_UUID, uuid(p, UUID_THREAD(t->id))), TRACK_RANK, t->id),
		      TRACK_THREAD, inner, (size_t)(at - inner));
	put_descriptor(p, data, (size_t)(at - data));
	free(data);
}

u64 perfetto_thread_track(struct perfetto *p, const struct thread *t)
{
	if (perfetto_grow(p, (void **)&p->threads, &p->n_threads, sizeof(bool), t->id) &&
	    !p->threads[t->id]) {
		p->threads[t->id] = true;
		describe_process(p, t->process);
		put_thread(p, t);
	}
	return UUID_THREAD(t->id);
}

/* Names come late, and a later description replaces an earlier one. */
void perfetto_rename(struct perfetto *p, const struct thread *t)
{
	if (t->id < p->n_threads && p->threads[t->id])
		put_thread(p, t);
	perfetto_waits_clear(p);
}

/* The process order and our own groups, once a file or part. */
void perfetto_head(struct perfetto *p)
{
	u8 root[32], *at = pb_int(root, TRACK_UUID, 0);

	at = pb_int(at, TRACK_PROCESS_ORDER, EXPLICIT_PROCESS_ORDER);
	if (!p->part->index)
		put_descriptor(p, root, (size_t)(at - root));
	buf_clear(&p->words);
	buf_puts(&p->words, p->part->label);
	buf_puts(&p->words, p->part->label[0] ? ": Concurrency and parallelism" :
						 "Concurrency and parallelism");
	perfetto_track(p, UUID_CURVES, 0, p->words.failed ? "" : p->words.data, 1,
		       "How many threads of the export run (parallelism), are in flight (concurrency: "
		       "running, ready, or waiting in a kind that is not parked), and wait in each kind.");
}

/* ---- slices ---- */

static void put_event(struct perfetto *p, u64 ts, u32 type, u64 track, const u8 *rest, size_t len)
{
	u8 event[2048], packet[2200], *at;

	if (len > sizeof(event) - 64)
		len = 0;
	at = pb_int(pb_int(event, EVENT_TYPE, type), EVENT_TRACK, uuid(p, track));
	if (len)
		memcpy(at, rest, len);
	at += len;
	len = (size_t)(at - event);
	at = pb_int(pb_int(packet, PACKET_TIMESTAMP, ts), PACKET_SEQUENCE, p->sequence);
	at = pb_bytes(at, PACKET_TRACK_EVENT, event, len);
	perfetto_packet(p, packet, (size_t)(at - packet));
}

static u8 *put_annotation(struct perfetto *p, u8 *at, const char *name, const char *text)
{
	u8 inner[32], *end;

	if (!text[0])
		return at;
	end = pb_int(inner, ANNOTATION_NAME, string_id(p, &p->annotations, name));
	end = pb_int(end, ANNOTATION_TEXT, string_id(p, &p->texts, text));
	return pb_bytes(at, EVENT_ANNOTATION, inner, (size_t)(end - inner));
}

static u8 *put_thread_name(struct perfetto *p, u8 *at, const char *name, u32 thread)
{
	const struct thread *t = model_thread(p->model, thread);

	buf_clear(&p->words);
	buf_printf(&p->words, "%s (%d)", thread_label(t), t->tid);
	return p->words.failed ? at : put_annotation(p, at, name, p->words.data);
}

static u8 *make_wait(struct perfetto *p, u8 *at, const struct wait_info *w)
{
	const char *call = w->rec.nr >= 0 ? syscall_name(w->rec.nr) : NULL;
	char lock[24];

	buf_clear(&p->words);
	words_wait(&p->words, p->model, w);
	at = pb_int(at, EVENT_CATEGORY, string_id(p, &p->categories, kind_table[w->kind].name));
	at = pb_int(at, EVENT_NAME, string_id(p, &p->events, p->words.failed ? "" : p->words.data));
	at = put_annotation(p, at, "call", call ? call : "");
	at = put_annotation(p, at, "on", w->desc);
	if (w->rec.lock_kind) {
		snprintf(lock, sizeof(lock), "0x%llx", (unsigned long long)w->rec.lock);
		at = put_annotation(p, at, "lock", lock);
	}
	if (w->owner != NO_THREAD)
		at = put_thread_name(p, at, "held_by", w->owner);
	at = put_annotation(p, at, "kernel", w->func);
	return put_annotation(p, at, "site", w->site);
}

static const struct wait_bytes *wait_bytes(struct perfetto *p, const struct wait_info *w)
{
	struct wait_bytes *b = &p->waits[wait_hash(w)];
	u8 data[256], *end;

	if (b->data && wait_same(&b->of, w))
		return b;
	forget_strings(p);
	end = make_wait(p, data, w);
	free(b->data);
	b->len = (u32)(end - data);
	b->data = malloc(b->len);
	if (!b->data) {
		p->failed = true;
		b->len = 0;
		return b;
	}
	memcpy(b->data, data, b->len);
	b->of = *w;
	return b;
}

void perfetto_slice(struct perfetto *p, u64 track, const struct span *span)
{
	const struct wait_bytes *begin = wait_bytes(p, span->wait);
	u8 end[64], *at = end;

	put_event(p, perfetto_time(p, span->start_ns), EVENT_BEGIN, track, begin->data, begin->len);
	if (span->waker != NO_THREAD)
		at = put_thread_name(p, at, span->wait->rec.lock_kind ? "released_by" : "woken_by",
				     span->waker);
	put_event(p, perfetto_time(p, span->end_ns), EVENT_END, track, end, (size_t)(at - end));
}

void perfetto_plain(struct perfetto *p, u64 track, const char *category, const char *name,
		    u64 start, u64 end)
{
	u8 data[64], *at;

	forget_strings(p);
	at = pb_int(data, EVENT_CATEGORY, string_id(p, &p->categories, category));
	at = pb_int(at, EVENT_NAME, string_id(p, &p->events, name));
	put_event(p, perfetto_time(p, start), EVENT_BEGIN, track, data, (size_t)(at - data));
	put_event(p, perfetto_time(p, end), EVENT_END, track, NULL, 0);
}

/* ---- counters ---- */

/* All of the set share one axis; a process has its own, below it. */
static void describe_counter(struct perfetto *p, u64 id, u64 parent, u32 curve)
{
	u8 data[256], counter[64], *at;
	char name[64];

	snprintf(name, sizeof(name), "%s%s", curve_is_kind(curve) ? "waiting: " : "",
		 curve_label(curve));
	at = pb_string(pb_string(counter, COUNTER_UNIT, "threads"), COUNTER_AXIS, "threads");
	at = pb_bytes(pb_int(data, TRACK_UUID, uuid(p, id)), TRACK_COUNTER, counter,
		      (size_t)(at - counter));
	at = pb_string(at, TRACK_NAME, name);
	at = pb_int(pb_int(at, TRACK_PARENT, uuid(p, parent)), TRACK_RANK, curve + 1);
	put_descriptor(p, data, (size_t)(at - data));
}

static void put_count(struct perfetto *p, u64 track, u64 ts, u32 value)
{
	u8 data[16], *at = pb_int(data, EVENT_COUNTER, value);

	put_event(p, perfetto_time(p, ts), EVENT_COUNT, track, data, (size_t)(at - data));
}

/* Of a process only what runs and what is in flight: what its threads wait in, slices and states
 * tell. */
static void process_curve(struct perfetto *p, u32 process, u64 ts, u32 changed, const u32 *now)
{
	if (!perfetto_grow(p, (void **)&p->process_curves, &p->n_process_curves, sizeof(u32), process))
		return;
	describe_process(p, model_process(p->model, process));
	for (u32 curve = CURVE_RUNNING; curve <= CURVE_FLIGHT; curve++) {
		u64 track = UUID_PROCESS_COUNTER(process, curve);

		if (!(changed & 1u << curve))
			continue;
		if (!(p->process_curves[process] & 1u << curve))
			describe_counter(p, track, UUID_PROCESS(process), curve);
		p->process_curves[process] |= 1u << curve;
		put_count(p, track, ts, now[curve]);
	}
}

void perfetto_curve(void *ctx, u32 process, u64 ts, u32 changed, const u32 *now)
{
	struct perfetto *p = ctx;

	if (process != NO_THREAD) {
		process_curve(p, process, ts, changed, now);
		return;
	}
	for (; changed; changed &= changed - 1) {
		u32 curve = (u32)__builtin_ctz(changed);

		if (!(p->counters & 1u << curve))
			describe_counter(p, UUID_COUNTER + curve, UUID_CURVES, curve);
		p->counters |= 1u << curve;
		put_count(p, UUID_COUNTER + curve, ts, now[curve]);
	}
}
