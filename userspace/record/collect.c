/* SPDX-License-Identifier: MIT */
#include "record/collect.h"

#include <stdlib.h>
#include <string.h>

#include "record/convert.h"

#define NR_FUTEX 202
#define STATE_DEAD 0x80

enum item_kind { ITEM_EVENT, ITEM_WAKE, ITEM_WINDOW };

/* What waits for its turn; sorted by ts. */
struct item {
	u64 ts;
	enum item_kind kind;
	u32 len;
	union {
		void *event;        /* ITEM_EVENT, owned */
		struct {            /* ITEM_WAKE */
			struct ev_wake wake;
			s32 tid;
		};
	};
};

/* A member as far as counting needs it. */
struct member {
	s32 tid, tgid;
	enum { M_RUNNING, M_READY, M_BLOCKED, M_PARKED } state;
};

struct cpu_stream {
	bool seen;
	u32 next;       /* number of the next event */
	u64 last_ts;
	u32 missing;    /* numbers skipped before the last event ... */
	u64 gap_from, gap_until; /* ... between these times; told with the next event */
};

struct collect {
	struct collect_config config;
	struct collect_ops ops;
	void *ctx;
	struct item *items; /* items[head .. tail) wait */
	size_t head, tail, cap;
	struct cpu_stream cpus[EV_MAX_CPUS];
	struct map members;   /* tid -> struct member */
	struct map processes; /* tgid -> number of living members, as a pointer's value */
	u64 done;             /* everything older was put out */
	u64 events, lost;
	u32 by_state[4];
	bool open, ended;
	int error;
	struct buf strings;
};

int collect_new(struct collect **out, const struct collect_config *config,
		const struct collect_ops *ops, void *ctx)
{
	struct collect *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->config = *config;
	c->ops = *ops;
	c->ctx = ctx;
	*out = c;
	return 0;
}

void collect_free(struct collect *c)
{
	struct map_slot *slot;

	if (!c)
		return;
	for (size_t i = c->head; i < c->tail; i++)
		if (c->items[i].kind == ITEM_EVENT)
			free(c->items[i].event);
	for (size_t i = 0; (slot = map_next(&c->members, &i));)
		free(slot->value);
	map_free(&c->members);
	map_free(&c->processes);
	buf_free(&c->strings);
	free(c->items);
	free(c);
}

static void put(struct collect *c, const struct record *rec, bool late)
{
	if (!c->error)
		c->error = c->ops.put(c->ctx, rec, late);
}

/* ---- waiting for their turn ---- */

/* Nearly sorted input: walk back from the end. An equal ts keeps the order of arrival, except that a
 * wake-up goes before the switch that brought it. */
static int insert(struct collect *c, const struct item *item)
{
	size_t i;

	if (c->tail == c->cap) {
		size_t live = c->tail - c->head, cap = live * 2 < 1024 ? 1024 : live * 2;
		struct item *items = malloc(cap * sizeof(*items));

		if (!items)
			return -ENOMEM;
		if (live)
			memcpy(items, c->items + c->head, live * sizeof(*items));
		free(c->items);
		c->items = items;
		c->head = 0;
		c->tail = live;
		c->cap = cap;
	}
	for (i = c->tail; i > c->head && c->items[i - 1].ts > item->ts; i--)
		;
	memmove(c->items + i + 1, c->items + i, (c->tail - i) * sizeof(*c->items));
	c->items[i] = *item;
	c->tail++;
	return 0;
}

static int add_wake(struct collect *c, const struct ev_wake *wake, s32 tid)
{
	struct item item = {.ts = wake->ts, .kind = ITEM_WAKE};

	if (!wake->ts)
		return 0;
	if (wake->ts < c->done) {
		struct record rec;

		convert_waking(wake, tid, &rec);
		put(c, &rec, true);
		return 0;
	}
	item.wake = *wake;
	item.tid = tid;
	return insert(c, &item);
}

static size_t event_size(u8 type)
{
	switch (type) {
	case EV_SWITCH: return sizeof(struct ev_switch);
	case EV_BLOCK: return sizeof(struct ev_block);
	case EV_FUTEX: return sizeof(struct ev_futex);
	case EV_FORK:
	case EV_SNAPSHOT:
	case EV_OUTSIDER: return sizeof(struct ev_thread);
	case EV_EXEC: return sizeof(struct ev_exec);
	case EV_EXIT: return sizeof(struct ev_exit);
	case EV_RENAME: return sizeof(struct ev_rename);
	case EV_DESC: return sizeof(struct ev_desc);
	case EV_AFFINITY: return sizeof(struct ev_affinity);
	case EV_WAKE:
	case EV_ARRIVAL: return sizeof(struct ev_pending);
	}
	return 0;
}

/* Numbers missing before this event: perhaps lost, perhaps only overtaken by an interrupt's event
 * between a program's reserve and its numbering. The next event of the CPU decides. */
static void note_sequence(struct collect *c, const struct ev_head *head)
{
	struct cpu_stream *cpu = &c->cpus[head->cpu];

	if (!cpu->seen) {
		cpu->seen = true;
		cpu->next = 0;
	}
	if ((s32)(head->seq - cpu->next) < 0) {
		if (cpu->missing)
			cpu->missing--;
	} else {
		u32 gap = head->seq - cpu->next;

		if (cpu->missing) {
			struct record rec = {.ts = cpu->gap_from, .type = REC_LOST, .cpu = head->cpu};

			rec.lost.until_ns = cpu->gap_until;
			rec.lost.count = cpu->missing;
			c->lost += cpu->missing;
			put(c, &rec, true);
		}
		cpu->missing = gap;
		/* Just after it: what the last good event said still holds at its own time. */
		cpu->gap_from = cpu->last_ts + 1;
		cpu->gap_until = head->ts;
		cpu->next = head->seq + 1;
	}
	if (head->ts > cpu->last_ts)
		cpu->last_ts = head->ts;
}

int collect_event(struct collect *c, const void *event, size_t len)
{
	const struct ev_head *head = event;
	struct item item = {.kind = ITEM_EVENT};
	size_t size;
	int err = 0;

	if (len < sizeof(*head) || head->cpu >= EV_MAX_CPUS)
		return -EINVAL;
	size = event_size(head->type);
	if (!size || len < size)
		return -EINVAL;
	c->events++;
	note_sequence(c, head);
	if (head->type == EV_WAKE) {
		const struct ev_pending *pending = event;

		return add_wake(c, &pending->wake, pending->tid);
	}
	if (head->type == EV_ARRIVAL) {
		const struct ev_pending *arrival = event;

		err = add_wake(c, &arrival->wake, arrival->tid);
		if (err)
			return err;
		if (head->ts < c->done) {
			struct record rec;

			convert_arrival(arrival, &rec);
			put(c, &rec, true);
			return c->error;
		}
	}
	if (head->type <= EV_FUTEX) {
		const struct ev_switch *sw = event;

		err = add_wake(c, &sw->wake, sw->next);
		if (err)
			return err;
	}
	item.ts = head->ts < c->done ? c->done : head->ts;
	item.len = (u32)size;
	item.event = malloc(size);
	if (!item.event)
		return -ENOMEM;
	memcpy(item.event, event, size);
	err = insert(c, &item);
	if (err)
		free(item.event);
	return err;
}

/* ---- who is in the set, for counting and for the end ---- */

static u32 alive_in(const struct collect *c, s32 tgid)
{
	return (u32)(uintptr_t)map_get(&c->processes, (u32)tgid);
}

static void set_alive(struct collect *c, s32 tgid, u32 n)
{
	if (!n)
		map_del(&c->processes, (u32)tgid);
	else if (map_set(&c->processes, (u32)tgid, (void *)(uintptr_t)n) && !c->error)
		c->error = -ENOMEM;
}

static void member_state(struct collect *c, struct member *m, int state)
{
	c->by_state[m->state]--;
	m->state = state;
	c->by_state[state]++;
}

static void member_add(struct collect *c, s32 tid, s32 tgid, int state)
{
	struct member *m = map_get(&c->members, (u32)tid);

	if (m)
		return;
	m = malloc(sizeof(*m));
	if (!m || map_set(&c->members, (u32)tid, m)) {
		free(m);
		c->error = c->error ? c->error : -ENOMEM;
		return;
	}
	*m = (struct member){.tid = tid, .tgid = tgid, .state = state};
	c->by_state[state]++;
	set_alive(c, tgid, alive_in(c, tgid) + 1);
}

static void close_window(struct collect *c, u64 ts)
{
	struct record rec = {.ts = ts, .type = REC_WINDOW, .cpu = CORUN_NO_CPU};

	if (c->open)
		put(c, &rec, false);
	c->open = false;
	c->ended = true;
}

static void open_window(struct collect *c, u64 ts)
{
	struct record rec = {.ts = ts, .type = REC_WINDOW, .cpu = CORUN_NO_CPU};

	rec.window.begin = 1;
	put(c, &rec, false);
	c->open = true;
}

static void member_dead(struct collect *c, s32 tid, u64 ts)
{
	struct member *m = map_del(&c->members, (u32)tid);
	u32 left;

	if (!m)
		return;
	c->by_state[m->state]--;
	left = alive_in(c, m->tgid) - 1;
	set_alive(c, m->tgid, left);
	if (!left && c->ops.process)
		c->ops.process(c->ctx, m->tgid, NULL);
	if (c->open && (!c->members.len ||
			(!left && m->tgid == c->config.command_tgid && !c->config.wait_all)))
		close_window(c, ts);
	free(m);
}

/* exec by a thread that is not the leader: it takes over the leader's tid, and the leader, if it has
 * not gone yet, the caller's (exchange_tids() in fs/exec.c). */
static void member_exec(struct collect *c, s32 tid, s32 old_tid)
{
	struct member *caller, *leader;

	if (tid == old_tid)
		return;
	caller = map_del(&c->members, (u32)old_tid);
	leader = map_del(&c->members, (u32)tid);
	if (caller) {
		caller->tid = tid;
		map_set(&c->members, (u32)tid, caller);
	}
	if (leader) {
		leader->tid = old_tid;
		map_set(&c->members, (u32)old_tid, leader);
	}
}

/* For the live line alone: is this a wait without work of its own? (The model decides for real.) */
static bool looks_parked(const struct rec_wait *wait)
{
	switch (wait->lock_kind) {
	case LOCK_FUTEX:
	case LOCK_CONDITION:
	case LOCK_SEMAPHORE:
	case LOCK_JOIN:
		return true;
	case LOCK_NONE:
		break;
	default:
		return false;
	}
	switch (wait->nr) {
	case 7: case 23: case 270: case 271:      /* poll, select, pselect6, ppoll */
		return wait->nfds > 1;
	case 232: case 281: case 441:             /* epoll */
	case 43: case 288: case 426:              /* accept, io_uring_enter */
	case 61: case 247:                        /* wait4, waitid */
	case 34: case 128: case 130:              /* pause, rt_sigtimedwait, rt_sigsuspend */
		return true;
	}
	return false;
}

/* ---- events in order ---- */

static void put_switch(struct collect *c, const struct ev_switch *ev)
{
	const struct ev_block *block = ev->head.type == EV_SWITCH ? NULL : (const void *)ev;
	struct member *prev = NULL, *next = NULL;
	struct record rec;

	if (ev->flags & EV_PREV_MEMBER)
		prev = map_get(&c->members, (u32)ev->prev);
	if (ev->flags & EV_NEXT_MEMBER)
		next = map_get(&c->members, (u32)ev->next);
	convert_switch(ev, block ? &block->wait : NULL, &rec);
	if (ev->head.type == EV_FUTEX) {
		struct rec_wait *wait = &rec.sw.wait;

		wait->lock_kind = LOCK_FUTEX;
		wait->lock = wait->args[0];
		memcpy(&wait->word, ((const struct ev_futex *)ev)->words + EV_WORDS_BEFORE, 4);
		if (c->ops.futex)
			c->ops.futex(c->ctx, (const void *)ev, prev ? prev->tgid : 0, wait);
	}
	put(c, &rec, false);
	if (next)
		member_state(c, next, M_RUNNING);
	if (!prev)
		return;
	if (ev->flags & EV_PREEMPT)
		member_state(c, prev, M_READY);
	else if (ev->prev_state & STATE_DEAD)
		member_dead(c, ev->prev, ev->head.ts);
	else
		member_state(c, prev, looks_parked(&rec.sw.wait) ? M_PARKED : M_BLOCKED);
}

static void put_affinity(struct collect *c, const struct ev_head *head, s32 tid, u32 cpus, u64 mask)
{
	struct record rec = {.ts = head->ts, .type = REC_AFFINITY, .cpu = head->cpu};

	rec.affinity.tid = tid;
	rec.affinity.cpus = cpus;
	rec.affinity.mask = mask;
	put(c, &rec, false);
}

static void put_thread(struct collect *c, const struct ev_thread *ev)
{
	struct record rec;

	convert_thread(ev, &rec);
	if (ev->head.type == EV_SNAPSHOT) {
		const char *args = NULL;

		if (ev->wait.nr == NR_FUTEX) {
			rec.thread.wait.lock_kind = LOCK_FUTEX;
			rec.thread.wait.lock = rec.thread.wait.args[0];
			rec.thread.wait.word = (u32)rec.thread.wait.args[2];
		}
		if (ev->tid == ev->tgid && !c->config.redact && c->ops.args)
			args = c->ops.args(c->ctx, ev->tgid);
		rec.thread.args = args ? args : "";
		if (ev->tid == ev->tgid && c->ops.process)
			c->ops.process(c->ctx, ev->tgid, rec.thread.args);
	}
	put(c, &rec, false);
	if (ev->head.type == EV_OUTSIDER)
		return;
	member_add(c, ev->tid, ev->tgid,
		   ev->flags & EV_THREAD_RUNNING                               ? M_RUNNING :
		   ev->head.type == EV_FORK || ev->flags & EV_THREAD_READY ? M_READY :
		   looks_parked(&rec.thread.wait)                          ? M_PARKED :
									     M_BLOCKED);
	put_affinity(c, &ev->head, ev->tid, ev->cpus, ev->mask);
}

static void put_exec(struct collect *c, const struct ev_exec *ev)
{
	struct record rec;

	if (ev->joined) {
		rec = (struct record){.ts = ev->head.ts, .type = REC_THREAD, .cpu = ev->head.cpu};
		rec.thread.tid = ev->tid;
		rec.thread.tgid = ev->tgid;
		rec.thread.ns_tid = ev->ns_tid;
		rec.thread.ns_tgid = ev->ns_tgid;
		rec.thread.parent = ev->parent;
		rec.thread.flags = THREAD_SNAPSHOT | THREAD_RUNNING;
		rec.thread.wait.nr = -1;
		rec.thread.comm = ev->comm;
		rec.thread.args = "";
		put(c, &rec, false);
		member_add(c, ev->tid, ev->tgid, M_RUNNING);
		put_affinity(c, &ev->head, ev->tid, ev->cpus, ev->mask);
	} else {
		member_exec(c, ev->tid, ev->old_tid);
	}
	convert_exec(ev, c->config.redact, &rec, &c->strings);
	put(c, &rec, false);
	if (c->ops.process)
		c->ops.process(c->ctx, ev->tgid, rec.exec.args);
	if (ev->joined && ev->tgid == c->config.command_tgid && !c->open && !c->ended)
		open_window(c, ev->head.ts);
}

static void put_event(struct collect *c, const struct ev_head *head)
{
	struct record rec = {.ts = head->ts, .cpu = head->cpu};

	switch (head->type) {
	case EV_SWITCH:
	case EV_BLOCK:
	case EV_FUTEX:
		put_switch(c, (const void *)head);
		return;
	case EV_FORK:
	case EV_SNAPSHOT:
	case EV_OUTSIDER:
		put_thread(c, (const void *)head);
		return;
	case EV_EXEC:
		put_exec(c, (const void *)head);
		return;
	case EV_DESC:
		convert_desc((const void *)head, c->config.redact, &rec, &c->strings);
		break;
	case EV_EXIT: {
		const struct ev_exit *ev = (const void *)head;

		rec.type = REC_EXIT;
		rec.exit.tid = ev->tid;
		rec.exit.tgid = ev->tgid;
		rec.exit.code = ev->code;
		rec.exit.group_dead = ev->group_dead != 0;
		break;
	}
	case EV_RENAME: {
		const struct ev_rename *ev = (const void *)head;

		rec.type = REC_RENAME;
		rec.rename.tid = ev->tid;
		rec.rename.comm = ev->comm;
		break;
	}
	case EV_ARRIVAL: {
		struct member *m = map_get(&c->members, (u32)((const struct ev_pending *)head)->tid);

		convert_arrival((const void *)head, &rec);
		if (m)
			member_state(c, m, M_RUNNING);
		break;
	}
	case EV_AFFINITY: {
		const struct ev_affinity *ev = (const void *)head;

		put_affinity(c, head, ev->tid, ev->cpus, ev->mask);
		return;
	}
	default:
		return;
	}
	put(c, &rec, false);
}

static void put_item(struct collect *c, struct item *item)
{
	struct record rec;
	struct member *m;

	if (item->ts > c->done)
		c->done = item->ts;
	if (item->kind == ITEM_EVENT) {
		/* A thread of the set that outlives COMMAND is not in the window any more. */
		if (!c->ended)
			put_event(c, item->event);
		free(item->event);
		return;
	}
	if (c->ended)
		return;
	if (item->kind == ITEM_WINDOW) {
		open_window(c, item->ts);
		return;
	}
	m = map_get(&c->members, (u32)item->tid);
	if (m && m->state != M_RUNNING)
		member_state(c, m, M_READY);
	convert_waking(&item->wake, item->tid, &rec);
	put(c, &rec, false);
}

static int put_until(struct collect *c, u64 limit)
{
	while (c->head < c->tail && c->items[c->head].ts < limit)
		put_item(c, &c->items[c->head++]);
	if (c->head == c->tail)
		c->head = c->tail = 0;
	return c->error;
}

int collect_advance(struct collect *c, u64 watermark)
{
	return put_until(c, watermark > COLLECT_HOLD_NS ? watermark - COLLECT_HOLD_NS : 0);
}

void collect_set_wait_all(struct collect *c, bool wait_all)
{
	c->config.wait_all = wait_all;
}

int collect_window(struct collect *c, u64 ts)
{
	struct item item = {.ts = ts, .kind = ITEM_WINDOW};

	return insert(c, &item);
}

int collect_finish(struct collect *c, u64 ts, const u32 *next_seq, size_t n_cpus)
{
	put_until(c, UINT64_MAX);
	for (size_t i = 0; i < n_cpus && i < EV_MAX_CPUS; i++) {
		struct cpu_stream *cpu = &c->cpus[i];
		u32 tail = next_seq[i] - cpu->next;
		struct record rec = {.type = REC_LOST, .cpu = (u16)i};

		if (cpu->missing) {
			rec.ts = cpu->gap_from;
			rec.lost.until_ns = cpu->gap_until;
			rec.lost.count = cpu->missing;
			c->lost += cpu->missing;
			put(c, &rec, true);
			cpu->missing = 0;
		}
		if (!tail || c->ended)
			continue;
		rec.ts = cpu->last_ts + 1;
		rec.lost.until_ns = ts;
		rec.lost.count = tail;
		c->lost += tail;
		put(c, &rec, true);
	}
	if (c->done > ts)
		ts = c->done;
	close_window(c, ts);
	return c->error;
}

bool collect_ended(const struct collect *c)
{
	return c->ended;
}

u64 collect_events(const struct collect *c)
{
	return c->events;
}

u64 collect_lost(const struct collect *c)
{
	return c->lost;
}

u32 collect_threads(const struct collect *c)
{
	return (u32)c->members.len;
}

u32 collect_running(const struct collect *c)
{
	return c->by_state[M_RUNNING];
}

u32 collect_in_flight(const struct collect *c)
{
	return c->by_state[M_RUNNING] + c->by_state[M_READY] + c->by_state[M_BLOCKED];
}

size_t collect_alive(const struct collect *c, s32 *tgids, size_t max)
{
	struct map_slot *slot;
	size_t n = 0;

	for (size_t i = 0; (slot = map_next(&c->processes, &i)); n++)
		if (n < max)
			tgids[n] = (s32)slot->key;
	return n;
}
