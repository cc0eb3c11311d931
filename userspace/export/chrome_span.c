/* SPDX-License-Identifier: MIT */
/*
 * chrome_span.c - what a thread did: as a native state (ph T), as a slice in words (ph X), and who
 * woke it (a flow, ph s and f).
 *
 * A program repeats itself: most waits of a thread are the one before once more. What was written for
 * it is kept and copied as long as its facts are the same.
 */
#include <inttypes.h>
#include <stdio.h>

#include "export/chrome.h"
#include "export/words.h"
#include "trace/syscall.h"
#include "trace/text.h"

/* All that the text of a wait is made of, as bytes to compare. */
static void put_facts(struct chrome *c, struct buf *facts, const struct wait_info *w)
{
	buf_put(facts, &w->rec, sizeof(w->rec));
	buf_puts(facts, w->desc);
	buf_putc(facts, '\0');
	buf_puts(facts, w->local);
	buf_putc(facts, '\0');
	buf_puts(facts, w->site);
	if (w->owner != NO_THREAD) {
		const struct buf *owner = chrome_reference(c, w->owner);

		buf_put(facts, owner->data, owner->len);
	}
}

static void put_key(struct buf *b, const char *key)
{
	buf_puts(b, b->len ? ",\"" : "\"");
	buf_puts(b, key);
	buf_puts(b, "\":");
}

static void put_text(struct buf *b, const char *key, const char *value)
{
	if (!value[0])
		return;
	put_key(b, key);
	buf_put_json(b, value);
}

static void put_call(struct buf *b, const struct rec_wait *rec)
{
	char number[8];

	snprintf(number, sizeof(number), "%d", rec->nr);
	put_text(b, "call", syscall_name(rec->nr) ? syscall_name(rec->nr) : number);
	/* As text: 64-bit numbers lose bits in JSON. */
	put_key(b, "call_args");
	buf_printf(b, "\"0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 "\"", rec->args[0],
		   rec->args[1], rec->args[2], rec->args[3]);
}

static void put_wait_args(struct chrome *c, struct buf *b, const struct wait_info *w)
{
	if (w->rec.nr >= 0)
		put_call(b, &w->rec);
	if (w->rec.fd_kind)
		put_text(b, "descriptor", fd_kind_name(w->rec.fd_kind));
	put_text(b, "on", w->desc);
	put_text(b, "local", w->local);
	if (w->rec.nfds) {
		put_key(b, "descriptors");
		buf_put_u64(b, w->rec.nfds);
	}
	if (w->rec.flags & WAIT_TIMED) {
		put_key(b, "timeout_ns");
		buf_put_u64(b, w->rec.timeout_ns);
	}
	if (w->rec.lock_kind) {
		put_key(b, "lock");
		buf_printf(b, "\"0x%" PRIx64 "\"", w->rec.lock);
		put_key(b, "word");
		buf_put_u64(b, w->rec.word);
		put_key(b, "held_by");
		if (w->owner != NO_THREAD) {
			const struct buf *owner = chrome_reference(c, w->owner);

			buf_put(b, owner->data, owner->len);
		} else {
			buf_puts(b, "\"not known\"");
		}
	}
	put_text(b, "site", w->site);
}

static void prepare_wait(struct chrome *c, struct lane *lane, const struct wait_info *w)
{
	struct buf *facts = &c->facts;

	buf_clear(facts);
	put_facts(c, facts, w);
	if (facts->len == lane->wait_facts.len &&
	    !memcmp(facts->data, lane->wait_facts.data, facts->len))
		return;
	buf_clear(&lane->wait_facts);
	buf_put(&lane->wait_facts, facts->data, facts->len);
	buf_clear(&c->scratch);
	words_wait(&c->scratch, c->model, w);
	buf_clear(&lane->wait_name);
	buf_put_json(&lane->wait_name, c->scratch.data);
	buf_clear(&lane->wait_args);
	put_wait_args(c, &lane->wait_args, w);
	c->failed |= lane->wait_facts.failed || lane->wait_name.failed || lane->wait_args.failed;
}

/* "pid":1,"tid":2,"ts":10.5,"dur":3.2 */
static void put_place(struct chrome *c, const struct lane *lane, const struct span *span)
{
	json_buf(&c->json, &lane->place);
	json_lit(&c->json, ",\"ts\":");
	json_us(&c->json, since_begin(c, span->start_ns));
	json_lit(&c->json, ",\"dur\":");
	json_us(&c->json, span->end_ns - span->start_ns);
}

static void put_waiting(struct chrome *c, struct lane *lane, const struct span *span)
{
	struct json *j = &c->json;

	prepare_wait(c, lane, span->wait);
	json_text(j, kind_table[span->wait->kind].name);
	json_lit(j, "\",\"name\":");
	json_buf(j, &lane->wait_name);
	json_lit(j, ",");
	put_place(c, lane, span);
	json_lit(j, ",\"args\":{");
	json_buf(j, &lane->wait_args);
	if (span->waker != NO_THREAD) {
		if (lane->wait_args.len)
			json_lit(j, ",");
		if (span->wait->rec.lock_kind)
			json_lit(j, "\"released_by\":");
		else
			json_lit(j, "\"woken_by\":");
		json_buf(j, chrome_reference(c, span->waker));
	}
	/* That a thread was the cause shows by its name. */
	if (span->waker_context && (span->waker == NO_THREAD || span->waker_context != WAKER_TASK)) {
		if (lane->wait_args.len || span->waker != NO_THREAD)
			json_lit(j, ",");
		json_lit(j, "\"woken_from\":\"");
		json_text(j, waker_context_name(span->waker_context));
		json_lit(j, "\"");
	}
	json_lit(j, "}}");
}

static void put_slice(struct chrome *c, struct lane *lane, const struct span *span)
{
	struct json *j = &c->json;

	event_begin(c);
	json_lit(j, "\"ph\":\"X\",\"cat\":\"");
	if (span->state == STATE_WAITING) {
		put_waiting(c, lane, span);
		return;
	}
	if (span->state == STATE_RUNNING) {
		json_lit(j, "running\",\"name\":\"On CPU\",");
		put_place(c, lane, span);
		if (span->cpu >= 0) {
			json_lit(j, ",\"args\":{\"cpu\":");
			json_u64(j, (u64)span->cpu);
			json_lit(j, "}");
		}
		json_lit(j, "}");
		return;
	}
	if (span->state == STATE_READY && !span->preempted) {
		json_lit(j, "ready\",\"name\":\"Ready\",");
	} else {
		json_text(j, state_names[span->state]);
		json_lit(j, "\",\"name\":");
		buf_clear(&c->scratch);
		words_span(&c->scratch, c->model, span);
		json_string(j, c->scratch.data);
		json_lit(j, ",");
	}
	put_place(c, lane, span);
	json_lit(j, "}");
}

static void put_state(struct chrome *c, const struct lane *lane, const struct span *span)
{
	struct json *j = &c->json;

	event_begin(c);
	json_lit(j, "\"ph\":\"T\",\"name\":\"");
	switch (span->state) {
	case STATE_RUNNING:
		json_lit(j, "Running\",");
		break;
	case STATE_READY:
		if (span->preempted)
			json_lit(j, "R+\",");
		else
			json_lit(j, "R\",");
		break;
	case STATE_WAITING:
		json_lit(j, "Blocked: ");
		json_text(j, kind_table[span->wait->kind].label);
		json_lit(j, "\",");
		break;
	case STATE_STOPPED:
		json_lit(j, "Stopped\",");
		break;
	default:
		json_lit(j, "Unknown\",");
	}
	put_place(c, lane, span);
	if (span->state == STATE_RUNNING && span->cpu >= 0) {
		json_lit(j, ",\"args\":{\"cpu\":");
		json_u64(j, (u64)span->cpu);
		json_lit(j, "}");
	} else if (span->state == STATE_WAITING && span->wait->rec.flags & WAIT_IO) {
		json_lit(j, ",\"args\":{\"io_wait\":1}");
	}
	json_lit(j, "}");
}

static void put_flow_end(struct chrome *c, const struct lane *lane, u64 id, u64 ts)
{
	struct json *j = &c->json;

	json_lit(j, ",\"name\":\"wakes\",\"cat\":\"wake\",\"bp\":\"e\",\"id\":");
	json_u64(j, id);
	json_lit(j, ",");
	json_buf(j, &lane->place);
	json_lit(j, ",\"ts\":");
	json_us(j, ts);
	json_lit(j, "}");
}

/* From inside the waker's "On CPU" slice to the woken thread's next slice, both at the time of the
 * wake-up. The importer binds the end to the slice that is open there: it comes after that slice. */
static void put_flow(struct chrome *c, struct lane *lane)
{
	u64 ts = since_begin(c, lane->wake_ns), id = ++c->flows;

	lane->has_wake = false;
	event_begin(c);
	json_lit(&c->json, "\"ph\":\"s\"");
	put_flow_end(c, &c->lanes[lane->waker], id, ts);
	event_begin(c);
	json_lit(&c->json, "\"ph\":\"f\"");
	put_flow_end(c, lane, id, ts);
}

void chrome_span(struct chrome *c, const struct span *span)
{
	struct lane *lane;

	/* References to other threads may move the lanes: make them all first. */
	if (span->waker != NO_THREAD)
		chrome_reference(c, span->waker);
	if (span->state == STATE_WAITING && span->wait->owner != NO_THREAD)
		chrome_reference(c, span->wait->owner);
	lane = chrome_lane(c, span->thread);
	if (!lane)
		return;
	if (!c->compat)
		put_state(c, lane, span);
	put_slice(c, lane, span);
	if (lane->has_wake && span->start_ns >= lane->wake_ns)
		put_flow(c, lane);
}

void chrome_lost(struct chrome *c, const struct record *rec)
{
	s64 tid = OVERALL_PID + 1 + rec->cpu;
	u64 end = rec->lost.until_ns > rec->ts ? rec->lost.until_ns : rec->ts;
	char name[40];

	c->lost += rec->lost.count;
	snprintf(name, sizeof(name), "Events lost on CPU %u", rec->cpu);
	chrome_metadata(c, "thread_name", OVERALL_PID, tid, name);
	buf_clear(&c->scratch);
	buf_printf(&c->scratch, "\"ph\":\"X\",\"cat\":\"lost\",\"name\":\"%" PRIu64 " events lost here\","
		   "\"pid\":%d,\"tid\":%" PRId64 ",\"ts\":", rec->lost.count, OVERALL_PID, tid);
	event_begin(c);
	json_buf(&c->json, &c->scratch);
	json_us(&c->json, since_begin(c, rec->ts));
	json_lit(&c->json, ",\"dur\":");
	json_us(&c->json, since_begin(c, end) - since_begin(c, rec->ts));
	json_lit(&c->json, "}");
}
