/* SPDX-License-Identifier: MIT */
/*
 * perfetto_sched.c - running and ready as the kernel's own events, in Perfetto's compact form: per
 * CPU, arrays of times, next threads, priorities and end states of switches, and of wake-ups.
 *
 * Switches are made from the spans, not from the records: what is exported is what the model says,
 * and between two threads of the export a CPU is idle, whoever else ran there.
 */
#include <stdlib.h>

#include "export/perfetto.h"

#define BUNDLE_SWITCHES 16384

/* prev_state as the sched_switch event has it (kernel 4.14 and later): TASK_REPORT_MAX is "still
 * runnable, preempted"; EXIT_DEAD is what a dead thread shows. */
enum { STATE_PREEMPTED = 0x100, STATE_EXIT_DEAD = 0x10 };
/* include/linux/trace_events.h: the waker's context. */
enum { FLAG_HARDIRQ = 0x08, FLAG_SOFTIRQ = 0x10 };

static void put_varint(struct buf *b, u64 value)
{
	if (buf_reserve(b, 10))
		b->len = (size_t)(pb_varint((u8 *)b->data + b->len, value) - (u8 *)b->data);
}

static u8 *put_array(u8 *at, u32 field, const struct buf *b)
{
	return b->len ? pb_bytes(at, field, b->data, b->len) : at;
}

static void flush(struct perfetto *p, u32 cpu)
{
	struct sched_cpu *c = &p->cpus[cpu];
	struct buf *arrays[] = {&c->time, &c->state, &c->next, &c->prio, &c->name, &c->wtime, &c->wpid,
				&c->wcpu, &c->wprio, &c->wname, &c->wflags, &c->names};
	static const u32 fields[] = {COMPACT_SWITCH_TIME, COMPACT_SWITCH_STATE, COMPACT_SWITCH_NEXT,
				     COMPACT_SWITCH_PRIO, COMPACT_SWITCH_NAME, COMPACT_WAKING_TIME,
				     COMPACT_WAKING_PID, COMPACT_WAKING_CPU, COMPACT_WAKING_PRIO,
				     COMPACT_WAKING_NAME, COMPACT_WAKING_FLAGS};
	size_t size = 256;
	u8 *compact, *at, *bundle, *fields_end;

	if (!c->n)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++) {
		size += arrays[i]->len + 16;
		p->failed |= arrays[i]->failed;
	}
	/* A wake-up without flags is by a thread. */
	while (c->wflags.len && !c->wflags.data[c->wflags.len - 1])
		c->wflags.len--;
	compact = malloc(3 * size);
	if (!compact || p->failed) {
		p->failed = true;
		free(compact);
		return;
	}
	at = compact;
	/* The table holds whole fields; the rest are packed arrays. */
	memcpy(at, c->names.data, c->names.len);
	at += c->names.len;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		at = put_array(at, fields[i], arrays[i]);
	bundle = compact + size;
	fields_end = pb_bytes(pb_int(bundle, BUNDLE_CPU, cpu), BUNDLE_COMPACT, compact,
			      (size_t)(at - compact));
	at = bundle + size;
	perfetto_packet(p, at, (size_t)(pb_bytes(at, PACKET_FTRACE, bundle,
						 (size_t)(fields_end - bundle)) - at));
	free(compact);
	for (size_t i = 0; i < ARRAY_SIZE(arrays); i++)
		buf_clear(arrays[i]);
	c->n = c->n_names = 0;
	c->last_ts = c->last_wake = 0;
}

/* Index of a name in the table of the CPU's bundle; 0 is the idle task's. */
static u32 name_index(struct perfetto *p, struct sched_cpu *c, const struct thread *t)
{
	u8 field[3 * CORUN_COMM_LEN + 8], *end;

	if (!c->n_names) {
		end = pb_string(field, COMPACT_NAMES, "swapper");
		buf_put(&c->names, field, (size_t)(end - field));
		c->n_names = 1;
		c->bundle++;
	}
	if (!t || !perfetto_grow(p, (void **)&c->index, &c->n_index, sizeof(*c->index), t->id))
		return 0;
	if (c->index[t->id].bundle != c->bundle) {
		end = pb_string(field, COMPACT_NAMES, perfetto_text(p, 0, t->comm));
		buf_put(&c->names, field, (size_t)(end - field));
		c->index[t->id].bundle = c->bundle;
		c->index[t->id].index = c->n_names++;
	}
	return c->index[t->id].index;
}

/* @next NULL: idle. */
static void put_switch(struct perfetto *p, struct sched_cpu *c, u64 ts, u32 prev_state,
		       const struct thread *next, u8 prio)
{
	const struct row *row = next ? rows_get(&p->rows, next) : NULL;

	put_varint(&c->time, ts - c->last_ts);
	c->last_ts = ts;
	put_varint(&c->state, prev_state);
	put_varint(&c->next, row ? (u64)row->tid : 0);
	/* 0: idle, or it ran before the first switch that told. */
	put_varint(&c->prio, prio ? prio : 120);
	put_varint(&c->name, name_index(p, c, next));
	c->n++;
}

/*
 * A reader does not know what a CPU's first switch is from, and drops it, and any wake-up before
 * it: let it be idle's, where the export begins.
 */
static struct sched_cpu *cpu_get(struct perfetto *p, s32 cpu)
{
	struct sched_cpu *c;

	if (cpu < 0 || !perfetto_grow(p, (void **)&p->cpus, &p->n_cpus, sizeof(*p->cpus), (u32)cpu))
		return NULL;
	c = &p->cpus[cpu];
	if (!c->begun) {
		c->begun = true;
		c->end_ns = p->begin_ns;
		put_switch(p, c, c->end_ns, 0, NULL, 0);
	}
	return c;
}

static void note_ready(struct perfetto *p, const struct thread *t, u64 ts)
{
	if (perfetto_grow(p, (void **)&p->ready, &p->n_ready, sizeof(*p->ready), t->id))
		p->ready[t->id] = ts + 1;
}

static u32 end_state(const struct span *span)
{
	switch (span->thread->state) {
	case STATE_READY:
		return STATE_PREEMPTED;
	case STATE_STOPPED:
		return TASK_BIT_STOPPED;
	case STATE_NONE:
		return span->end_state & TASK_BIT_DEAD ? STATE_EXIT_DEAD : 0;
	default:
		return span->end_state & TASK_BIT_UNINTERRUPTIBLE ? TASK_BIT_UNINTERRUPTIBLE :
								     TASK_BIT_INTERRUPTIBLE;
	}
}

void perfetto_running(struct perfetto *p, const struct span *span)
{
	struct sched_cpu *c = cpu_get(p, span->cpu);
	u64 start = perfetto_time(p, span->start_ns);

	if (!c)
		return;
	if (c->end_ns != start)
		put_switch(p, c, c->end_ns, c->end_state, NULL, 0);
	put_switch(p, c, start, c->end_ns == start ? c->end_state : 0, span->thread,
		   span->prio);
	if (span->thread->state == STATE_READY)
		note_ready(p, span->thread, span->end_ns);
	c->end_ns = perfetto_time(p, span->end_ns);
	c->end_state = end_state(span);
	if (c->n >= BUNDLE_SWITCHES)
		flush(p, (u32)span->cpu);
}

/* A wake-up that no CPU's own list can hold: by a thread that is not part of the export, or what
 * stands at the window's begin. */
static void put_single_waking(struct perfetto *p, const struct thread *t, u64 ts, u32 waker_tid)
{
	const struct row *row = rows_get(&p->rows, t);
	u8 waking[64], event[128], bundle[192], packet[256], *at;

	if (!row)
		return;
	at = pb_string(waking, WAKING_COMM, "");
	at = pb_int(at, WAKING_PID, (u64)row->tid);
	at = pb_int(at, WAKING_PRIO, t->prio ? t->prio : 120);
	at = pb_int(at, WAKING_SUCCESS, 1);
	at = pb_int(at, WAKING_CPU, t->cpu >= 0 ? (u64)t->cpu : 0);
	at = pb_bytes(pb_int(pb_int(event, FTRACE_TIMESTAMP, ts), FTRACE_PID, waker_tid),
		      FTRACE_SCHED_WAKING, waking, (size_t)(at - waking));
	at = pb_bytes(pb_int(bundle, BUNDLE_CPU, t->cpu >= 0 ? (u64)t->cpu : 0), BUNDLE_EVENT, event,
		      (size_t)(at - event));
	at = pb_bytes(packet, PACKET_FTRACE, bundle, (size_t)(at - bundle));
	perfetto_packet(p, packet, (size_t)(at - packet));
}

void perfetto_ready(struct perfetto *p, const struct span *span)
{
	const struct thread *t = span->thread;
	const struct thread *waker = NULL;
	const struct row *row = NULL;

	/* The switch-out or the wake-up before it has said so already. */
	if (t->id < p->n_ready && p->ready[t->id] == span->start_ns + 1)
		return;
	if (span->waker != NO_THREAD)
		waker = model_thread(p->model, span->waker);
	if (waker && !waker->outsider)
		row = rows_get(&p->rows, waker);
	put_single_waking(p, t, perfetto_time(p, span->start_ns),
			  row ? (u32)row->tid : waker ? (u32)waker->tid : 0);
}

/* Where the waker is a thread of the export or an interrupt, the CPU's own list says it all. */
void perfetto_wakeup(struct perfetto *p, const struct wakeup *w)
{
	const struct thread *t = w->wakee;
	const struct row *row = rows_get(&p->rows, t);
	struct sched_cpu *c = w->cpu != CORUN_NO_CPU ? cpu_get(p, w->cpu) : NULL;
	bool causal = w->causal && w->waker && !w->waker->outsider;
	u64 ts = perfetto_time(p, w->ts);
	u32 flags = 0;

	if (!row || !c || t->state == STATE_READY)
		return;
	if (w->context == WAKER_HARDIRQ)
		flags = FLAG_HARDIRQ;
	else if (w->context == WAKER_SOFTIRQ || w->context == WAKER_SOFTIRQ_SELF)
		flags = FLAG_SOFTIRQ;
	if ((w->context == WAKER_TASK || w->context == WAKER_UNKNOWN) &&
	    (!causal || w->waker->state != STATE_RUNNING || w->waker->cpu != w->cpu))
		return;
	note_ready(p, t, w->ts);
	put_varint(&c->wtime, ts - c->last_wake);
	c->last_wake = ts;
	put_varint(&c->wpid, (u64)row->tid);
	put_varint(&c->wcpu, t->cpu >= 0 ? (u64)t->cpu : 0);
	put_varint(&c->wprio, t->prio ? t->prio : 120);
	put_varint(&c->wname, name_index(p, c, t));
	put_varint(&c->wflags, flags);
	c->n++;
}

void perfetto_sched_end(struct perfetto *p)
{
	for (u32 i = 0; i < p->n_cpus; i++) {
		struct sched_cpu *c = &p->cpus[i];

		if (c->begun)
			put_switch(p, c, c->end_ns, c->end_state, NULL, 0);
		flush(p, i);
	}
}

void perfetto_sched_free(struct perfetto *p)
{
	for (u32 i = 0; i < p->n_cpus; i++) {
		struct sched_cpu *c = &p->cpus[i];
		struct buf *arrays[] = {&c->time, &c->state, &c->next, &c->prio, &c->name, &c->wtime,
					&c->wpid, &c->wcpu, &c->wprio, &c->wname, &c->wflags,
					&c->names};

		for (size_t a = 0; a < ARRAY_SIZE(arrays); a++)
			buf_free(arrays[a]);
		free(c->index);
	}
	free(p->cpus);
}
