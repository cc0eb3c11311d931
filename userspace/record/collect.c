/* SPDX-License-Identifier: MIT */
#include "record/collect.h"

#include <stdlib.h>
#include <string.h>

#include "record/convert.h"
#include "record/gaps.h"
#include "record/members.h"
#include "record/queue.h"

#define NR_FUTEX 202
#define STATE_DEAD 0x80

enum entry_kind { ENTRY_EVENT, ENTRY_WAKE, ENTRY_WINDOW };

struct wake_entry {
	struct ev_wake wake;
	s32 tid;
};

struct collect {
	struct collect_config config;
	struct collect_ops ops;
	void *ctx;
	struct queue queue;
	struct gaps gaps[EV_MAX_CPUS]; /* of each CPU */
	struct members members;
	u64 done;             /* everything older was put out */
	u64 events, lost;
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
	if (!c)
		return;
	members_free(&c->members);
	queue_free(&c->queue);
	buf_free(&c->strings);
	free(c);
}

static void put(struct collect *c, const struct record *rec, bool late)
{
	if (!c->error)
		c->error = c->ops.put(c->ctx, rec, late);
}

static void put_lost(struct collect *c, const struct record *lost)
{
	c->lost += lost->lost.count;
	put(c, lost, true);
}

/* ---- events come in ---- */

static int add_wake(struct collect *c, const struct ev_wake *wake, s32 tid)
{
	struct wake_entry *entry;

	if (!wake->ts)
		return 0;
	if (wake->ts < c->done) {
		struct record rec;

		convert_waking(wake, tid, &rec);
		put(c, &rec, true);
		return 0;
	}
	entry = queue_add(&c->queue, wake->ts, ENTRY_WAKE, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->wake = *wake;
	entry->tid = tid;
	return 0;
}

static bool has_stack(const struct ev_head *head, size_t len)
{
	return (head->type == EV_BLOCK || head->type == EV_FUTEX) && head->stacks &&
	       len >= sizeof(struct ev_stack);
}

int collect_event(struct collect *c, const void *event, size_t len)
{
	const struct ev_head *head = event;
	struct collect_sites sites = {0};
	struct record lost;
	size_t size, extra = 0;
	u8 *copy;
	int err;

	if (len < sizeof(*head) || head->cpu >= EV_MAX_CPUS)
		return -EINVAL;
	size = convert_event_size(head->type);
	if (!size || len < size)
		return -EINVAL;
	c->events++;
	if (gaps_note(&c->gaps[head->cpu], head, &lost))
		put_lost(c, &lost);
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
	/* The stack stays behind: what it says goes with the event. */
	if (has_stack(head, len - size)) {
		extra = sizeof(sites);
		if (c->ops.sites)
			c->ops.sites(c->ctx, event, (const void *)((const u8 *)event + size), len - size,
				     &sites);
	}
	copy = queue_add(&c->queue, head->ts < c->done ? c->done : head->ts, ENTRY_EVENT, size + extra);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, event, size);
	memcpy(copy + size, &sites, extra);
	((struct ev_head *)copy)->stacks = extra != 0;
	return 0;
}

/* ---- who is in the set, and when the window ends ---- */

static void member_add(struct collect *c, s32 tid, s32 tgid, s32 ns_tid, enum member_state state)
{
	int err = members_add(&c->members, tid, tgid, ns_tid, state);

	if (err && !c->error)
		c->error = err;
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
	s32 tgid = 0;
	int left = members_dead(&c->members, tid, &tgid);

	if (left < 0)
		return;
	if (!left && c->ops.process)
		c->ops.process(c->ctx, tgid, NULL);
	if (c->open && (!c->members.threads.len ||
			(!left && tgid == c->config.command_tgid && !c->config.wait_all)))
		close_window(c, ts);
}

/* ---- events in order ---- */

static void name_futex(struct collect *c, const struct ev_futex *ev, s32 tgid, struct rec_wait *wait)
{
	wait->lock_kind = LOCK_FUTEX;
	wait->lock = wait->args[0];
	/* Not readable: a wait begins only while the word is what the caller expects. */
	wait->word = (u32)wait->args[2];
	if (ev->block.wait.flags & EV_WAIT_WORDS)
		memcpy(&wait->word, ev->words + EV_WORDS_BEFORE, sizeof(wait->word));
	if (c->ops.futex)
		c->ops.futex(c->ctx, ev, tgid, wait);
}

static void put_switch(struct collect *c, const struct ev_switch *ev)
{
	const struct ev_block *block = ev->head.type == EV_SWITCH ? NULL : (const void *)ev;
	struct member *prev = NULL, *next = NULL;
	struct collect_sites sites;
	struct record rec;

	if (ev->flags & EV_PREV_MEMBER)
		prev = members_get(&c->members, ev->prev);
	if (ev->flags & EV_NEXT_MEMBER)
		next = members_get(&c->members, ev->next);
	convert_switch(ev, block ? &block->wait : NULL, &rec);
	if (ev->head.type == EV_FUTEX)
		name_futex(c, (const void *)ev, prev ? prev->tgid : 0, &rec.sw.wait);
	if (ev->head.stacks && block) {
		memcpy(&sites, (const u8 *)ev + convert_event_size(ev->head.type), sizeof(sites));
		rec.sw.wait.site = sites.user;
		rec.sw.wait.func = sites.kernel;
	}
	put(c, &rec, false);
	if (next)
		members_state(&c->members, next, MEMBER_RUNNING);
	if (!prev)
		return;
	if (ev->flags & EV_PREEMPT)
		members_state(&c->members, prev, MEMBER_READY);
	else if (ev->prev_state & STATE_DEAD)
		member_dead(c, ev->prev, ev->head.ts);
	else
		members_state(&c->members, prev, members_parks(&rec.sw.wait) ? MEMBER_PARKED : MEMBER_BLOCKED);
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
			struct ev_futex futex = {.ns_tgid = ev->ns_tgid};

			futex.block.sw.head.ts = ev->head.ts;
			futex.block.sw.prev = ev->tid;
			futex.block.wait = ev->wait;
			memcpy(futex.words, ((const struct ev_snapshot *)ev)->words,
			       sizeof(futex.words));
			name_futex(c, &futex, ev->tgid, &rec.thread.wait);
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
	member_add(c, ev->tid, ev->tgid, ev->ns_tid,
		   ev->flags & EV_THREAD_RUNNING                               ? MEMBER_RUNNING :
		   ev->head.type == EV_FORK || ev->flags & EV_THREAD_READY ? MEMBER_READY :
		   members_parks(&rec.thread.wait)                          ? MEMBER_PARKED :
									     MEMBER_BLOCKED);
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
		member_add(c, ev->tid, ev->tgid, ev->ns_tid, MEMBER_RUNNING);
	} else {
		members_exec(&c->members, ev->tid, ev->old_tid);
	}
	/* Programs such as taskset change it just before. */
	put_affinity(c, &ev->head, ev->tid, ev->cpus, ev->mask);
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
	case EV_GIL:
		if (!c->ops.gil || !c->ops.gil(c->ctx, (const void *)head, &rec))
			return;
		break;
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
		struct member *m = members_get(&c->members, ((const struct ev_pending *)head)->tid);

		convert_arrival((const void *)head, &rec);
		if (m)
			members_state(&c->members, m, MEMBER_RUNNING);
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

static void put_wake(struct collect *c, const struct wake_entry *entry)
{
	struct member *m = members_get(&c->members, entry->tid);
	struct record rec;

	if (m && m->state != MEMBER_RUNNING)
		members_state(&c->members, m, MEMBER_READY);
	convert_waking(&entry->wake, entry->tid, &rec);
	put(c, &rec, false);
}

static int put_until(struct collect *c, u64 limit)
{
	struct queue_entry entry;

	while (queue_take(&c->queue, limit, &entry)) {
		if (entry.ts > c->done)
			c->done = entry.ts;
		/* A thread of the set that outlives COMMAND is not in the window any more. */
		if (c->ended)
			continue;
		if (entry.kind == ENTRY_EVENT)
			put_event(c, entry.data);
		else if (entry.kind == ENTRY_WAKE)
			put_wake(c, entry.data);
		else
			open_window(c, entry.ts);
	}
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
	return queue_add(&c->queue, ts, ENTRY_WINDOW, 0) ? 0 : -ENOMEM;
}

int collect_settle(struct collect *c, const u32 *next_seq, size_t n_cpus, u64 before_ns, u64 after_ns)
{
	struct record lost;

	for (u16 cpu = 0; cpu < n_cpus && cpu < EV_MAX_CPUS; cpu++) {
		struct gaps *gaps = &c->gaps[cpu];

		/* The ring has been read beyond: numbers that came since are not among these. */
		if ((s32)(next_seq[cpu] - gaps->next) < 0)
			continue;
		if (gaps_end(gaps, cpu, &lost))
			put_lost(c, &lost);
		if (gaps_settle(gaps, cpu, next_seq[cpu], before_ns, after_ns, &lost))
			put_lost(c, &lost);
	}
	return c->error;
}

int collect_finish(struct collect *c, u64 ts, const u32 *next_seq, size_t n_cpus)
{
	struct record lost;

	put_until(c, UINT64_MAX);
	for (u16 cpu = 0; cpu < n_cpus && cpu < EV_MAX_CPUS; cpu++) {
		if (gaps_end(&c->gaps[cpu], cpu, &lost))
			put_lost(c, &lost);
		/* What comes after the window is nobody's. */
		if (!c->ended && gaps_tail(&c->gaps[cpu], cpu, next_seq[cpu], ts, &lost))
			put_lost(c, &lost);
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
	return (u32)c->members.threads.len;
}

u64 collect_joined(const struct collect *c)
{
	return c->members.joined;
}

u32 collect_running(const struct collect *c)
{
	return c->members.by_state[MEMBER_RUNNING];
}

u32 collect_in_flight(const struct collect *c)
{
	return c->members.by_state[MEMBER_RUNNING] + c->members.by_state[MEMBER_READY] + c->members.by_state[MEMBER_BLOCKED];
}

s32 collect_tid(const struct collect *c, s32 tgid, s32 ns_tid)
{
	return members_find(&c->members, tgid, ns_tid);
}

s32 collect_tid_shared(const struct collect *c, s32 tgid, s32 ns_tid, bool (*same_ns)(s32 a, s32 b))
{
	return members_find_shared(&c->members, tgid, ns_tid, same_ns);
}

size_t collect_alive(const struct collect *c, s32 *tgids, size_t max)
{
	return members_tgids(&c->members, tgids, max);
}
