/* SPDX-License-Identifier: MIT */
/* query.c - what can be asked of a model at any time. */
#include "model/state.h"

void model_set_parked(struct model *m, u32 kinds)
{
	m->parked = kinds;
	m->parked_fixed = true;
}

u32 model_parked(const struct model *m)
{
	return m->parked;
}

const struct counts *model_counts(const struct model *m)
{
	return &m->counts;
}

const struct counts *model_process_counts(const struct model *m, u32 process_id)
{
	return &m->process_counts[process_id];
}

u32 counts_concurrency(const struct counts *counts, u32 parked)
{
	u32 n = counts->alive - counts->stopped - counts->unknown;

	/* All that are alive, less those that are not in flight: fewer kinds to look at. */
	for (parked &= counts->kinds; parked; parked &= parked - 1)
		n -= counts->waiting[__builtin_ctz(parked)];
	return n;
}

u32 counts_demand(const struct counts *counts)
{
	u32 n = counts->running + counts->ready;

	return n > counts->held_back ? n - counts->held_back : 0;
}

u32 model_gil_held_back(const struct model *m)
{
	return m->counts.held_back;
}

const struct counts *model_task_counts(const struct model *m)
{
	return &m->task_counts;
}

bool model_is_held_back(const struct model *m, u32 id)
{
	return m->threads[id]->held_back;
}

bool model_task_is_held_back(const struct task *task)
{
	return ((const struct tsk *)task)->held_back;
}

u32 model_tasks_held_back(const struct model *m)
{
	return m->tasks_held_back;
}

u32 model_n_tasks(const struct model *m)
{
	return m->n_tasks;
}

u32 model_n_threads(const struct model *m)
{
	return m->n_threads;
}

const struct thread *model_thread(const struct model *m, u32 id)
{
	return &m->threads[id]->pub;
}

u32 model_n_processes(const struct model *m)
{
	return m->n_processes;
}

const struct process *model_process(const struct model *m, u32 id)
{
	return m->processes[id];
}

const struct thread *model_thread_of(const struct model *m, s32 tid)
{
	struct thr *t = map_get(&m->by_tid, (u32)tid);

	return t ? &t->pub : NULL;
}

const struct process *model_process_of(const struct model *m, s32 tgid)
{
	return map_get(&m->by_tgid, (u32)tgid);
}

bool model_lock_wait(const struct model *m, u32 id, struct lock_wait *wait)
{
	const struct thr *t = m->threads[id];

	if (!t->lock.open)
		return false;
	*wait = t->lock.wait;
	wait->end_ns = m->now;
	if (t->pub.state == STATE_WAITING)
		wait->blocked_ns += m->now - t->pub.since_ns;
	return true;
}

const char *thread_label(const struct thread *thread)
{
	return thread->name && thread->name[0] ? thread->name : thread->comm;
}

u64 model_window_begin(const struct model *m)
{
	return m->begin_ns;
}

u64 model_window_end(const struct model *m)
{
	return m->closed ? m->end_ns : m->now;
}

u64 model_conflicts(const struct model *m)
{
	return m->conflicts;
}

/* The same identity for tasks. */
static int check_tasks(const struct model *m, struct error *err)
{
	const struct counts *c = &m->task_counts;
	u32 sum = c->running + c->ready + c->stopped + c->unknown;

	for (u32 kind = 0; kind < KINDS; kind++)
		sum += c->waiting[kind];
	if (c->alive != sum || c->alive != m->tasks.len || m->tasks_held_back > c->running + c->ready)
		return error_set(err, -EINVAL, "%zu tasks live, %u are counted, their states add up to %u",
				 m->tasks.len, c->alive, sum);
	return 0;
}

int model_check(const struct model *m, struct error *err)
{
	const struct counts *c = &m->counts;
	u32 sum = c->running + c->ready + c->stopped + c->unknown, alive = 0, held = 0;

	for (u32 kind = 0; kind < KINDS; kind++)
		sum += c->waiting[kind];
	for (u32 i = 0; i < m->n_threads; i++) {
		alive += !m->threads[i]->pub.outsider && m->threads[i]->pub.state != STATE_NONE;
		held += m->threads[i]->held_back;
	}
	if (c->alive != sum || alive != sum)
		return error_set(err, -EINVAL, "%u threads live, %u are counted, their states add up to %u",
				 alive, c->alive, sum);
	if (held != c->held_back || held > c->running + c->ready)
		return error_set(err, -EINVAL, "%u threads are held back by a GIL, %u are counted", held,
				 c->held_back);
	return check_tasks(m, err);
}
