/* SPDX-License-Identifier: MIT */
/* model.c - each record in turn: which thread leaves which state, and what the others need to know. */
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

#include "model/state.h"
#include "trace/trace.h"

#define STOPPED_BITS (TASK_BIT_STOPPED | TASK_BIT_TRACED | TASK_BIT_FROZEN)

int model_new(struct model **out, struct error *err)
{
	struct model *m = calloc(1, sizeof(*m));

	if (!m)
		return error_set(err, -ENOMEM, "out of memory");
	m->parked = kind_default_parked();
	*out = m;
	return 0;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	task_free_all(m);
	table_free(m);
	free(m);
}

int model_add_sink(struct model *m, const struct model_sink *sink, void *ctx)
{
	if (m->n_sinks == MODEL_SINKS)
		return -ENOSPC;
	m->sinks[m->n_sinks].sink = sink;
	m->sinks[m->n_sinks++].ctx = ctx;
	return 0;
}

/* ---- states ---- */

/* Some CPU is silent: who is not seen running elsewhere may be running there. */
static bool in_doubt(const struct model *m, u64 ts)
{
	return ts < m->gap_until;
}

static void go_unknown(struct model *m, struct thr *t, u64 ts)
{
	struct next next = next_of(STATE_UNKNOWN);

	lock_end(m, t, ts, false);
	change_state(m, t, &next, ts);
}

static void end_life(struct model *m, struct thr *t, u64 ts)
{
	struct process *p = t->pub.process;
	struct next next = next_of(STATE_NONE);

	next.end_state = TASK_BIT_DEAD;
	lock_end(m, t, ts, false);
	change_state(m, t, &next, ts);
	change_held_back(m, t);
	if (t->told)
		t->pub.end_ns = ts;
	task_thread_died(m, t, ts);
	table_remove_thread(m, t);
	if (p->n_alive)
		return;
	task_process_ended(m, p->tgid, ts);
	p->end_ns = ts;
	if (m->open && t->told)
		FOR_SINKS(m, process_end, p, ts);
}

static u32 outsider_id(struct model *m, s32 tid)
{
	struct thr *t = tid > 0 ? table_outsider(m, tid) : NULL;

	return t ? t->pub.id : NO_THREAD;
}

/* A traced thread whose introduction was lost: it is there from now on. */
static struct thr *meet(struct model *m, s32 tid, enum thread_state state, u64 ts)
{
	struct rec_thread rec = {.tid = tid, .tgid = tid, .ns_tid = tid, .ns_tgid = tid, .comm = "",
				 .args = ""};
	struct thr *t = table_add_thread(m, &rec, false);

	m->conflicts++;
	if (t)
		change_start(m, t, state, ts);
	return t;
}

static enum wait_kind kind_of(const struct thr *t, const struct rec_wait *wait, u32 state)
{
	return t->pub.kernel ? kind_of_kernel_wait(wait, state) : kind_of_wait(wait, state);
}

static void switch_out(struct model *m, struct thr *t, const struct record *rec, u32 next_id)
{
	const struct rec_switch *sw = &rec->sw;
	bool preempted = sw->flags & SWITCH_PREEMPT || !sw->prev_state;
	struct wait_info wait = {.owner = NO_THREAD};
	struct next next = next_of(STATE_READY);
	u64 ts = rec->ts;

	if (t->pub.state != STATE_RUNNING && t->pub.state != STATE_UNKNOWN)
		m->conflicts++;
	if (!preempted && sw->prev_state & TASK_BIT_DEAD) {
		end_life(m, t, ts);
		return;
	}
	if (preempted)
		t->pub.involuntary++;
	else
		t->pub.voluntary++;
	if (in_doubt(m, ts)) {
		go_unknown(m, t, ts);
		return;
	}
	if (!preempted && t->woken && t->pub.state == STATE_UNKNOWN) {
		/* That wake-up may have ended an earlier sleep, or this one before it began. */
		t->woken = false;
		return;
	}
	if (preempted) {
		lock_leaves(m, t, ts);
		next.preempted = true;
		next.preempted_by = next_id;
		change_state(m, t, &next, ts);
		change_held_back(m, t);
		return;
	}
	next.end_state = sw->prev_state;
	if (sw->prev_state & STOPPED_BITS) {
		next.state = STATE_STOPPED;
		lock_end(m, t, ts, false);
		change_state(m, t, &next, ts);
		return;
	}
	wait.rec = sw->wait;
	wait.kind = kind_of(t, &sw->wait, sw->prev_state);
	table_resolve_wait(m, &wait);
	lock_leaves(m, t, ts);
	if (t->woken) {
		/* The wake-up came while it was on its way to sleep: it has never really slept. */
		t->woken = false;
		next.waker = t->early_waker;
		next.waker_context = t->early_context;
		change_state(m, t, &next, ts);
		change_held_back(m, t);
		return;
	}
	next.state = STATE_WAITING;
	next.wait = &wait;
	change_state(m, t, &next, ts);
	lock_blocked(m, t, ts);
	change_held_back(m, t);
}

static void switch_in(struct model *m, struct thr *t, const struct record *rec)
{
	struct next next = next_of(STATE_RUNNING);

	if (t->pub.state == STATE_RUNNING) {
		/* The snapshot had it running already; or its switch-out was lost. */
		if (t->pub.cpu != rec->cpu)
			m->conflicts++;
		t->pub.cpu = rec->cpu;
		return;
	}
	next.cpu = rec->cpu;
	next.prio = rec->sw.next_prio;
	change_state(m, t, &next, rec->ts);
	t->woken = false;
	lock_runs(m, t, rec->ts);
}

static void on_switch(struct model *m, const struct record *rec)
{
	const struct rec_switch *sw = &rec->sw;
	struct thr *prev = NULL, *next = NULL;

	if (sw->next > 0 && !(sw->flags & SWITCH_NEXT_OUTSIDER)) {
		next = table_thread(m, sw->next);
		if (!next)
			next = meet(m, sw->next, STATE_READY, rec->ts);
	}
	if (sw->prev > 0 && !(sw->flags & SWITCH_PREV_OUTSIDER)) {
		prev = table_thread(m, sw->prev);
		if (!prev)
			prev = meet(m, sw->prev, STATE_RUNNING, rec->ts);
	}
	if (prev)
		switch_out(m, prev, rec, next ? next->pub.id : outsider_id(m, sw->next));
	if (next && next->pub.state != STATE_NONE)
		switch_in(m, next, rec);
}

static void on_waking(struct model *m, const struct record *rec)
{
	const struct rec_waking *w = &rec->waking;
	struct thr *t = table_thread(m, w->tid);
	struct thr *waker = w->waker > 0 ? table_thread(m, w->waker) : NULL;
	bool causal = w->context == WAKER_TASK || w->context == WAKER_SOFTIRQ_SELF;
	struct next next = next_of(STATE_READY);
	struct wakeup wakeup = {.ts = rec->ts, .context = w->context, .cpu = rec->cpu, .causal = causal};
	u32 waker_id;

	if (!t)
		return;
	if (!waker && w->waker > 0)
		waker = table_outsider(m, w->waker);
	waker_id = waker && causal ? waker->pub.id : NO_THREAD;
	wakeup.wakee = &t->pub;
	wakeup.waker = waker ? &waker->pub : NULL;
	switch (t->pub.state) {
	case STATE_RUNNING:
		/* Not switched out yet: it does not become ready, but it will not sleep either. */
		t->woken = true;
		t->early_waker = waker_id;
		t->early_context = w->context;
		return;
	case STATE_READY:
		/* A new thread's first wake-up, by its parent; else a contradiction. */
		if (t->pub.since_ns == t->born_ns && t->pub.waker == NO_THREAD) {
			t->pub.waker = waker_id;
			t->pub.waker_context = w->context;
			break;
		}
		/* Preempted on its way to sleep, before it let go of the CPU: it will not sleep.
		 * Nobody else who is ready can be woken. */
		if (!t->pub.preempted)
			m->conflicts++;
		return;
	case STATE_UNKNOWN:
		/* It slept, and is ready now; or it ran, and was on its way to sleep. Its next switch
		 * tells. */
		t->woken = true;
		t->early_waker = waker_id;
		t->early_context = w->context;
		return;
	default:
		break;
	}
	if (m->open && t->told)
		FOR_SINKS(m, wakeup, &wakeup);
	if (t->pub.state == STATE_READY)
		return;
	next.waker = waker_id;
	next.waker_context = w->context;
	change_state(m, t, &next, rec->ts);
	lock_woken(m, t, waker_id, causal, rec->ts);
	change_held_back(m, t);
}

/* ---- lives ---- */

static void on_fork(struct model *m, const struct record *rec)
{
	struct thr *parent = table_thread(m, rec->fork.parent);
	struct thr *t = table_thread(m, rec->fork.tid);

	if (t) {
		/* Its predecessor of the same number has died unseen. */
		m->conflicts++;
		end_life(m, t, rec->ts);
	}
	t = table_add_thread(m, &rec->fork, false);
	if (!t)
		return;
	t->pub.parent = parent ? parent->pub.id : NO_THREAD;
	t->pub.allowed_cpus = parent ? parent->pub.allowed_cpus : 0;
	if (parent && parent->pub.process != t->pub.process) {
		struct process *p = t->pub.process;

		if (p->parent == NO_THREAD)
			p->parent = parent->pub.process->id;
		/* Until it execs, a child is what its parent is. */
		if (!p->n_images && parent->pub.process->n_images)
			table_set_image(m, p,
					parent->pub.process->images[parent->pub.process->n_images - 1],
					t->pub.comm);
	}
	change_start(m, t, STATE_READY, rec->ts);
}

static void name_outsider(struct model *m, const struct record *rec)
{
	struct thr *t = table_outsider(m, rec->thread.tid);

	if (t && !strncmp(t->pub.comm, rec->thread.comm, sizeof(t->pub.comm) - 1))
		return;
	table_add_thread(m, &rec->thread, true);
}

static void on_thread(struct model *m, const struct record *rec)
{
	const struct rec_thread *r = &rec->thread;
	struct wait_info wait = {.owner = NO_THREAD};
	struct process *parent;
	struct thr *t;

	if (r->flags & THREAD_OUTSIDER) {
		name_outsider(m, rec);
		return;
	}
	if (table_thread(m, r->tid))
		return; /* known by newer records */
	t = table_add_thread(m, r, false);
	if (!t)
		return;
	parent = map_get(&m->by_tgid, (u32)r->parent);
	if (parent && parent != t->pub.process && t->pub.process->parent == NO_THREAD)
		t->pub.process->parent = parent->id;
	if (r->tid == r->tgid && r->args[0])
		table_set_image(m, t->pub.process, r->args, r->comm);
	if (r->flags & THREAD_RUNNING) {
		t->pub.cpu = rec->cpu == CORUN_NO_CPU ? -1 : rec->cpu;
		change_start(m, t, STATE_RUNNING, rec->ts);
	} else if (r->flags & THREAD_READY || !r->state) {
		change_start(m, t, STATE_READY, rec->ts);
	} else if (r->state & STOPPED_BITS) {
		change_start(m, t, STATE_STOPPED, rec->ts);
	} else {
		wait.rec = r->wait;
		wait.kind = kind_of(t, &r->wait, r->state);
		table_resolve_wait(m, &wait);
		t->pub.wait = wait;
		change_start(m, t, STATE_WAITING, rec->ts);
		lock_blocked(m, t, rec->ts);
	}
}

static void on_exec(struct model *m, const struct record *rec)
{
	const struct rec_exec *r = &rec->exec;
	struct thr *t;

	if (r->old_tid && r->old_tid != r->tid)
		table_exec_swap(m, r->tid, r->old_tid);
	t = table_thread(m, r->tid);
	if (!t)
		return;
	task_process_ended(m, r->tgid, rec->ts);
	table_set_comm(t, r->comm);
	free(t->pub.name);
	t->pub.name = NULL;
	table_set_image(m, t->pub.process, r->args, r->comm);
	if (m->open && t->told) {
		FOR_SINKS(m, process_exec, t->pub.process, rec->ts);
		FOR_SINKS(m, thread_rename, &t->pub, rec->ts);
	}
}

static void on_rename(struct model *m, const struct record *rec)
{
	s32 tid = rec->type == REC_NAME ? rec->name.tid : rec->rename.tid;
	struct thr *t = table_thread(m, tid);
	char *name;

	if (!t)
		t = table_outsider(m, tid);
	if (!t)
		return;
	if (rec->type == REC_RENAME) {
		table_set_comm(t, rec->rename.comm);
	} else {
		name = strdup(rec->name.name);
		if (!name) {
			m->failed = true;
			return;
		}
		free(t->pub.name);
		t->pub.name = name;
	}
	if (m->open && t->told)
		FOR_SINKS(m, thread_rename, &t->pub, rec->ts);
}

/*
 * A CPU was silent from @rec->ts to until_ns. Any thread that is not seen running on another CPU may
 * have run there: it is unknown from here until its next own record. One that is switched out while
 * the silence lasts becomes unknown then (in_doubt).
 */
static void on_lost(struct model *m, const struct record *rec)
{
	if (rec->lost.until_ns > m->gap_until)
		m->gap_until = rec->lost.until_ns;
	for (u32 i = 0; i < m->n_alive; i++) {
		struct thr *t = m->threads[m->alive[i]];

		if (t->pub.state == STATE_RUNNING && t->pub.cpu != rec->cpu && t->pub.cpu >= 0)
			continue;
		if (t->pub.state == STATE_UNKNOWN)
			continue;
		go_unknown(m, t, rec->ts);
		t->woken = false;
	}
}

static void on_gil(struct model *m, const struct record *rec)
{
	struct thr *holder = rec->gil.holder > 0 ? table_thread(m, rec->gil.holder) : NULL;

	if (!holder && rec->gil.holder > 0)
		holder = table_outsider(m, rec->gil.holder);
	if (m->open)
		FOR_SINKS(m, gil, rec->gil.tgid, rec->gil.lock, holder ? holder->pub.id : NO_THREAD,
			  holder || rec->gil.holder == 0, rec->gil.exact, rec->ts);
}

static void on_meta(struct model *m, const struct record *rec)
{
	const char *bad;
	u32 kinds;

	if (!strcmp(rec->meta.key, "parked") && !m->parked_fixed &&
	    !kind_parse_set(rec->meta.value, &kinds, &bad))
		m->parked = kinds;
}

/* ---- records ---- */

static void look(struct model *m, const struct record *rec)
{
	struct thr *t;

	switch (rec->type) {
	case REC_SWITCH:
		on_switch(m, rec);
		break;
	case REC_WAKING:
		on_waking(m, rec);
		break;
	case REC_FORK:
		on_fork(m, rec);
		break;
	case REC_THREAD:
		on_thread(m, rec);
		break;
	case REC_EXEC:
		on_exec(m, rec);
		break;
	case REC_EXIT:
		t = table_thread(m, rec->exit.tid);
		if (t)
			t->exiting = true;
		break;
	case REC_RENAME:
	case REC_NAME:
		on_rename(m, rec);
		break;
	case REC_AFFINITY:
		t = table_thread(m, rec->affinity.tid);
		if (t)
			t->pub.allowed_cpus = rec->affinity.cpus;
		break;
	case REC_LOST:
		on_lost(m, rec);
		break;
	case REC_REGION:
		window_region(m, rec);
		break;
	case REC_GIL:
		on_gil(m, rec);
		break;
	case REC_TASK:
		if (m->open)
			FOR_SINKS(m, task, &rec->task, rec->ts);
		task_record(m, rec);
		break;
	default:
		break;
	}
}

int model_push(struct model *m, const struct record *rec)
{
	struct record late;

	/* A trace is ordered; a stream that is not must not make time run backwards. */
	if (rec->ts < m->now && rec->ts) {
		late = *rec;
		late.ts = m->now;
		rec = &late;
	}
	if (rec->ts > m->now)
		m->now = rec->ts;
	if (rec->type == REC_META)
		on_meta(m, rec);
	if (m->open && m->n_pending)
		lock_settle(m, m->now);
	FOR_SINKS(m, record, rec);
	/* Facts about names hold whenever they are told. */
	if (rec->type == REC_DESC)
		table_add_desc(m, &rec->desc);
	else if (rec->type == REC_SITE)
		table_add_site(m, &rec->site);
	else if (rec->type == REC_WINDOW && rec->window.begin)
		window_open(m, rec->ts);
	else if (rec->type == REC_WINDOW)
		window_close(m, rec->ts);
	else if (!m->closed)
		look(m, rec);
	return m->failed ? -ENOMEM : 0;
}

int model_finish(struct model *m)
{
	window_close(m, m->now);
	return m->failed ? -ENOMEM : 0;
}

void model_advance(struct model *m, u64 ts)
{
	if (m->closed || ts <= m->now)
		return;
	m->now = ts;
	if (m->open && m->n_pending)
		lock_settle(m, ts);
}

int model_read(struct model *m, struct trace_reader *reader, struct error *err)
{
	const struct record *rec;
	int code;

	while ((code = trace_reader_next(reader, &rec, err)) > 0) {
		code = model_push(m, rec);
		if (code)
			return error_set(err, code, "out of memory");
	}
	if (!code)
		code = model_finish(m) ? error_set(err, -ENOMEM, "out of memory") : 0;
	return code;
}
