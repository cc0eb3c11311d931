/* SPDX-License-Identifier: MIT */
/* perfetto_slice.c - waits, locks, tasks and regions as slices; hand-offs of locks as arrows. */
#include <stdio.h>
#include <stdlib.h>

#include "export/chrome_wait.h"
#include "export/perfetto.h"
#include "export/words.h"

/* What a wait's slice begins with, from the category on. */
struct wait_bytes {
	struct wait_info of;
	u8 *data;
	u32 len;
};

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

static void put_event(struct perfetto *p, u64 ts, u32 type, u64 track, const u8 *rest, size_t len)
{
	u64 uuid = perfetto_uuid(p, track), now = perfetto_time(p, ts);
	size_t event = 3 + pb_size(uuid) + len;
	u8 *at = perfetto_begin(p, 3 + pb_size(now) + pb_size(p->sequence) + pb_size(event) + event);

	if (!at)
		return;
	at = pb_int(pb_int(at, PACKET_TIMESTAMP, now), PACKET_SEQUENCE, p->sequence);
	at = pb_varint(pb_varint(at, PACKET_TRACK_EVENT << 3 | 2), event);
	at = pb_int(pb_int(at, EVENT_TYPE, type), EVENT_TRACK, uuid);
	if (len)
		memcpy(at, rest, len);
}

static u8 *make_wait(struct perfetto *p, u8 *at, const struct wait_info *w)
{
	char lock[24];

	buf_clear(&p->name);
	words_wait(&p->name, p->model, w);
	at = pb_int(at, EVENT_CATEGORY, perfetto_string(p, &p->categories, kind_table[w->kind].name));
	at = pb_int(at, EVENT_NAME, perfetto_string(p, &p->events, p->name.failed ? "" : p->name.data));
	at = perfetto_note_text(p, at, NOTE_CALL, wait_call(w));
	at = perfetto_note_text(p, at, NOTE_ON, w->desc);
	if (w->rec.lock_kind) {
		snprintf(lock, sizeof(lock), "0x%llx", (unsigned long long)w->rec.lock);
		at = perfetto_note_text(p, at, NOTE_LOCK, lock);
	}
	if (w->owner != NO_THREAD)
		at = perfetto_note_thread(p, at, NOTE_HELD_BY, w->owner);
	at = perfetto_note_text(p, at, NOTE_KERNEL, w->func);
	if (!w->site[0])
		return at;
	at = perfetto_note_text(p, at, NOTE_SITE, w->site);
	return pb_int(at, EVENT_CALLSTACK, perfetto_stack(p, w->site));
}

static const struct wait_bytes *wait_bytes(struct perfetto *p, const struct wait_info *w)
{
	struct wait_bytes *b = &p->waits[wait_hash(w)];
	u8 data[256], *end;

	if (b->data && wait_same(&b->of, w))
		return b;
	perfetto_strings_fresh(p);
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

/* One end of an arrow: an instant on a thread's track. */
static void put_arrow_end(struct perfetto *p, const struct thread *t, u64 ts, u64 name, u32 field, u64 flow)
{
	u64 track = perfetto_thread_track(p, t);
	u8 data[48], *at;

	at = pb_int(data, EVENT_CATEGORY, perfetto_string(p, &p->categories, "wake"));
	at = pb_fixed64(pb_int(at, EVENT_NAME, name), field, flow);
	put_event(p, ts, EVENT_INSTANT, track, data, (size_t)(at - data));
}

/*
 * A lock goes from thread to thread. Every wake-up's waker stands in the scheduler's events already, where the viewer
 * shows it; an arrow takes two instants of 31 bytes, since arrows are drawn from the end of a slice to the begin of one
 * and running is none.
 */
static void put_hand_off(struct perfetto *p, const struct thread *waker, const struct thread *wakee, u64 ts)
{
	u64 flow = ++p->flows * p->part->count + p->part->index;

	put_arrow_end(p, waker, ts, perfetto_arrow_end(p, ARROW_WAKES, wakee), EVENT_FLOW, flow);
	put_arrow_end(p, wakee, ts, perfetto_arrow_end(p, ARROW_WOKEN, waker), EVENT_FLOW_END, flow);
}

void perfetto_slice(struct perfetto *p, u64 track, const struct span *span)
{
	u32 waker = arrows_take(&p->arrows, span->thread->id, span->end_ns);
	const struct wait_bytes *begin = wait_bytes(p, span->wait);
	u8 end[64], *at = end;

	put_event(p, span->start_ns, EVENT_BEGIN, track, begin->data, begin->len);
	if (span->waker != NO_THREAD)
		at = perfetto_note_thread(p, at, span->wait->rec.lock_kind ? NOTE_RELEASED_BY : NOTE_WOKEN_BY,
					  span->waker);
	put_event(p, span->end_ns, EVENT_END, track, end, (size_t)(at - end));
	if (waker != NO_THREAD && span->wait->rec.lock_kind)
		put_hand_off(p, model_thread(p->model, waker), span->thread, span->end_ns);
}

void perfetto_plain(struct perfetto *p, u64 track, const char *category, const char *name,
		    u64 start, u64 end)
{
	u8 data[64], *at;

	perfetto_strings_fresh(p);
	at = pb_int(data, EVENT_CATEGORY, perfetto_string(p, &p->categories, category));
	at = pb_int(at, EVENT_NAME, perfetto_string(p, &p->events, name));
	put_event(p, start, EVENT_BEGIN, track, data, (size_t)(at - data));
	put_event(p, end, EVENT_END, track, NULL, 0);
}
