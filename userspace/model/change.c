/* SPDX-License-Identifier: MIT */
/* change.c - the one place where a thread changes its state: counts and spans are made here. */
#include "model/state.h"

void change_count(struct counts *c, enum thread_state state, enum wait_kind kind, s32 by)
{
	u32 n = (u32)by;

	switch (state) {
	case STATE_RUNNING:
		c->running += n;
		break;
	case STATE_READY:
		c->ready += n;
		break;
	case STATE_WAITING:
		c->waiting[kind] += n;
		c->kinds = c->waiting[kind] ? c->kinds | 1u << kind : c->kinds & ~(1u << kind);
		break;
	case STATE_STOPPED:
		c->stopped += n;
		break;
	case STATE_UNKNOWN:
		c->unknown += n;
		break;
	default:
		return;
	}
	c->alive += n;
}

static void count_all(struct model *m, const struct thread *t, s32 by)
{
	change_count(&m->counts, t->state, t->wait.kind, by);
	change_count(&m->process_counts[t->process->id], t->state, t->wait.kind, by);
}

/* D leaves out who runs or is ready only to ask for the GIL again. */
void change_held_back(struct model *m, struct thr *t)
{
	bool asks = t->lock.open && t->lock.wait.kind == KIND_GIL && !t->lock.handed &&
		    (t->pub.state == STATE_RUNNING || t->pub.state == STATE_READY);
	bool held = asks || (t->gave_ns && t->pub.state == STATE_READY);

	if (held == t->held_back)
		return;
	t->held_back = held;
	m->counts.held_back += held ? 1u : -1u;
	m->process_counts[t->pub.process->id].held_back += held ? 1u : -1u;
	if (m->open && t->told)
		FOR_SINKS(m, held_back, &t->pub);
	if (t->step)
		task_thread_changed(m, t, m->now);
}

/* Sinks learn of @t, in the state that it has. */
void change_announce(struct model *m, struct thr *t, u64 ts)
{
	struct process *p = t->pub.process;

	if (!m->open || t->told)
		return;
	t->told = true;
	t->pub.start_ns = t->pub.since_ns = ts;
	if (!p->start_ns) {
		p->start_ns = ts;
		FOR_SINKS(m, process_start, p, ts);
	}
	FOR_SINKS(m, thread_start, &t->pub, ts);
}

void change_start(struct model *m, struct thr *t, enum thread_state state, u64 ts)
{
	t->pub.state = state;
	t->born_ns = t->pub.since_ns = ts;
	count_all(m, &t->pub, 1);
	change_announce(m, t, ts);
}

/* Everything that @t was and will be at @ts; see struct next. */
void change_state(struct model *m, struct thr *t, const struct next *next, u64 ts)
{
	struct thread *pub = &t->pub;
	struct wait_info old_wait;
	bool slept = pub->state == STATE_WAITING || pub->state == STATE_STOPPED;
	bool ran = pub->state == STATE_RUNNING;
	struct span span = {
		.thread = pub,
		.state = pub->state,
		.start_ns = pub->since_ns,
		.end_ns = ts,
		.cpu = pub->cpu,
		.prio = pub->prio,
		.preempted = pub->preempted,
		.preempted_by = ran ? next->preempted_by : pub->preempted_by,
		.waker = slept ? next->waker : pub->waker,
		.waker_context = slept ? next->waker_context : pub->waker_context,
		.end_state = next->end_state,
	};

	if (pub->state == STATE_WAITING) {
		old_wait = pub->wait;
		span.wait = &old_wait;
		t->lock.wait.blocked_ns += t->lock.open ? ts - pub->since_ns : 0;
	}
	count_all(m, pub, -1);
	pub->state = next->state;
	pub->since_ns = ts;
	switch (next->state) {
	case STATE_RUNNING:
		pub->migrations += pub->cpu >= 0 && pub->cpu != next->cpu;
		pub->cpu = next->cpu;
		pub->prio = next->prio;
		break;
	case STATE_READY:
		pub->preempted = next->preempted;
		pub->preempted_by = next->preempted_by;
		pub->waker = next->waker;
		pub->waker_context = next->waker_context;
		break;
	case STATE_WAITING:
		pub->wait = *next->wait;
		break;
	default:
		break;
	}
	count_all(m, pub, 1);
	if (m->open && t->told && span.end_ns > span.start_ns)
		FOR_SINKS(m, state, &span);
	if (t->step)
		task_thread_changed(m, t, ts);
}
