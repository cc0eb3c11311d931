/* SPDX-License-Identifier: MIT */
/*
 * task.c - tasks: what their own records say between steps, and what their threads are at in them.
 *
 * A thread can be in steps of several tasks at once, one inside the other: an eager coroutine runs
 * inside the step of its creator. They form a stack; the innermost is at what the thread is at, and
 * those below are ready: they could go on, but their thread is busy with another task.
 */
#include <stdlib.h>
#include <string.h>

#include "model/state.h"

/* ---- one task changes its state ---- */

static void set_held_back(struct model *m, struct tsk *t, bool held)
{
	if (held == t->held_back)
		return;
	t->held_back = held;
	m->tasks_held_back += held ? 1u : -1u;
}

static void set_state(struct model *m, struct tsk *t, enum thread_state state, enum wait_kind kind,
		      u64 ts, const struct thread *was_in)
{
	struct task *pub = &t->pub;
	struct task_span span = {
		.task = pub,
		.state = pub->state,
		.wait_kind = pub->wait_kind,
		.start_ns = pub->since_ns,
		.end_ns = ts,
		.thread = was_in,
		.what = pub->what,
		.phase_ns = was_in ? t->phase_ns : 0,
		.at = was_in ? "" : pub->at,
		.awaited = was_in ? NO_TASK : pub->awaited,
	};

	change_count(&m->task_counts, pub->state, pub->wait_kind, -1);
	pub->state = state;
	pub->wait_kind = kind;
	pub->since_ns = ts;
	change_count(&m->task_counts, state, kind, 1);
	if (m->open && span.end_ns > span.start_ns && span.state != STATE_NONE)
		FOR_SINKS(m, task_state, &span);
}

/* In a step: what the thread is at, or ready if another task's step is above. */
static void follow_thread(struct model *m, struct tsk *t, u64 ts, const struct thread *was_in)
{
	const struct thr *in = t->in;
	bool top = in->step == t;
	enum thread_state state = top ? in->pub.state : STATE_READY;
	enum wait_kind kind = state == STATE_WAITING ? in->pub.wait.kind : t->pub.wait_kind;

	if (state == STATE_NONE)
		state = STATE_UNKNOWN;
	if (state != t->pub.state || (state == STATE_WAITING && kind != t->pub.wait_kind) ||
	    was_in != &in->pub)
		set_state(m, t, state, kind, ts, was_in);
	set_held_back(m, t, top && in->held_back);
}

void task_thread_changed(struct model *m, struct thr *t, u64 ts)
{
	follow_thread(m, t->step, ts, &t->pub);
}

/* ---- strings ---- */

static void set_string(struct model *m, char **to, const char *text)
{
	char *copy;

	if (*to && !strcmp(*to, text))
		return;
	copy = strdup(text);
	if (!copy) {
		m->failed = true;
		return;
	}
	free(*to);
	*to = copy;
}

static void task_free(struct tsk *t)
{
	free(t->pub.name);
	free(t->pub.kind);
	free(t->pub.site);
	free(t->pub.what);
	free(t->pub.at);
	free(t->from);
	free(t);
}

/* ---- steps ---- */

/* The step of @t ends: it leaves its thread, and who was below goes on. */
static void leave_step(struct model *m, struct tsk *t, u64 ts, const char *to)
{
	struct task_step step = {.task = &t->pub, .start_ns = t->pub.step_ns, .end_ns = ts,
				 .from = t->from, .to = to};
	struct thr *in = t->in;
	struct tsk **at;

	if (!in)
		return;
	for (at = &in->step; *at && *at != t; at = &(*at)->below)
		;
	if (*at)
		*at = t->below;
	step.thread = &in->pub;
	t->in = NULL;
	t->below = NULL;
	t->pub.thread = NULL;
	set_held_back(m, t, false);
	if (m->open)
		FOR_SINKS(m, task_step, &step);
	if (at == &in->step && in->step)
		follow_thread(m, in->step, ts, &in->pub);
}

static void enter_step(struct model *m, struct tsk *t, struct thr *in, const char *phase, u64 ts)
{
	struct tsk *below = in->step;

	set_string(m, &t->from, t->pub.at);
	t->in = in;
	t->below = below;
	in->step = t;
	t->pub.thread = &in->pub;
	t->pub.step_ns = ts;
	t->pub.steps++;
	if (below)
		follow_thread(m, below, ts, &in->pub);
	follow_thread(m, t, ts, NULL);
	set_string(m, &t->pub.what, phase);
	t->phase_ns = ts;
}

/* ---- lives ---- */

static void end_task(struct model *m, struct tsk *t, u64 ts, u8 outcome, bool cut)
{
	const struct thread *in = t->pub.thread;

	leave_step(m, t, ts, "");
	set_state(m, t, STATE_NONE, 0, ts, in);
	t->pub.end_ns = ts;
	t->pub.outcome = outcome;
	t->pub.cut = cut;
	if (m->open)
		FOR_SINKS(m, task_end, &t->pub, ts);
	map_del(&m->tasks, t->pub.number);
	task_free(t);
}

static struct tsk *find(const struct model *m, u64 number)
{
	return number ? map_get(&m->tasks, number) : NULL;
}

static u32 id_of(const struct model *m, u64 number)
{
	const struct tsk *t = find(m, number);

	return t ? t->pub.id : NO_TASK;
}

/* A task that begins, or one whose beginning was lost. */
static struct tsk *new_task(struct model *m, const struct rec_task *rec, u64 ts)
{
	bool begins = rec->op == TASK_BEGIN;
	struct tsk *t = calloc(1, sizeof(*t));

	if (!t || map_set(&m->tasks, rec->task, t)) {
		free(t);
		m->failed = true;
		return NULL;
	}
	t->pub = (struct task){.id = m->n_tasks++, .number = rec->task, .tgid = rec->tgid,
			       .creator = begins ? id_of(m, rec->ref) : NO_TASK, .awaited = NO_TASK,
			       .process = map_get(&m->by_tgid, (u32)rec->tgid), .start_ns = ts,
			       .since_ns = ts};
	set_string(m, &t->pub.name, begins ? rec->name : "");
	set_string(m, &t->pub.kind, begins ? rec->kind : "");
	set_string(m, &t->pub.site, begins ? rec->site : "");
	set_string(m, &t->pub.what, "");
	set_string(m, &t->pub.at, "");
	set_string(m, &t->from, "");
	if (m->failed)
		return NULL;
	/* Made, and not yet scheduled: a coroutine is at once, a job may wait for its worker. */
	set_state(m, t, begins ? STATE_READY : STATE_UNKNOWN, 0, ts, NULL);
	if (m->open)
		FOR_SINKS(m, task_start, &t->pub, ts);
	return t;
}

static enum wait_kind kind_of(const char *what)
{
	char name[32];
	size_t len = strcspn(what, ":");
	int kind;

	if (len >= sizeof(name))
		return KIND_OTHER;
	memcpy(name, what, len);
	name[len] = '\0';
	kind = kind_by_name(name);
	return kind < 0 ? KIND_OTHER : (enum wait_kind)kind;
}

/* Marks of a process were lost: its tasks may be at anything. */
static void on_lost(struct model *m, s32 tgid, u64 ts)
{
	struct map_slot *slot;

	for (size_t i = 0; (slot = map_next(&m->tasks, &i));) {
		struct tsk *t = slot->value;
		const struct thread *in = t->pub.thread;

		if (t->pub.tgid != tgid)
			continue;
		leave_step(m, t, ts, "");
		set_state(m, t, STATE_UNKNOWN, 0, ts, in);
	}
}

static void on_step(struct model *m, struct tsk *t, const struct rec_task *rec, u64 ts)
{
	struct thr *in = table_thread(m, rec->tid);

	if (t->in == in && in) {
		if (!strcmp(t->pub.what, rec->what))
			return; /* told twice */
		set_state(m, t, t->pub.state, t->pub.wait_kind, ts, &in->pub);
		set_string(m, &t->pub.what, rec->what);
		t->phase_ns = ts;
		return;
	}
	if (t->in) {
		m->conflicts++;
		leave_step(m, t, ts, "");
	}
	if (in)
		enter_step(m, t, in, rec->what, ts);
	else
		set_state(m, t, STATE_UNKNOWN, 0, ts, NULL);
}

static void on_between(struct model *m, struct tsk *t, const struct rec_task *rec, u64 ts)
{
	const struct thread *in = t->pub.thread;
	bool waits = rec->op == TASK_WAIT;

	leave_step(m, t, ts, rec->site);
	/* The span that ends still has the old words. */
	set_state(m, t, waits ? STATE_WAITING : STATE_READY, waits ? kind_of(rec->what) : 0, ts, in);
	set_string(m, &t->pub.what, waits ? rec->what : "");
	t->pub.awaited = waits ? id_of(m, rec->ref) : NO_TASK;
	if (waits || in)
		set_string(m, &t->pub.at, rec->site);
}

void task_record(struct model *m, const struct record *record)
{
	const struct rec_task *rec = &record->task;
	u64 ts = record->ts;
	struct tsk *t;

	if (rec->op == TASK_LOST) {
		on_lost(m, rec->tgid, ts);
		return;
	}
	if (!rec->task)
		return;
	t = find(m, rec->task);
	if (t && rec->op == TASK_BEGIN) {
		m->conflicts++;
		return;
	}
	/* What has ended, or was never heard of, is only made anew by what shows that it lives. */
	if (!t && (rec->op == TASK_END || rec->op == TASK_LINK || rec->op == TASK_NAME))
		return;
	if (!t)
		t = new_task(m, rec, ts);
	if (!t)
		return;
	switch (rec->op) {
	case TASK_STEP:
		on_step(m, t, rec, ts);
		break;
	case TASK_WAIT:
	case TASK_READY:
		on_between(m, t, rec, ts);
		break;
	case TASK_END:
		end_task(m, t, ts, rec->outcome, false);
		break;
	case TASK_LINK:
		if (m->open && find(m, rec->ref))
			FOR_SINKS(m, task_link, &t->pub, id_of(m, rec->ref), ts);
		break;
	case TASK_NAME:
		set_string(m, &t->pub.name, rec->name);
		if (rec->kind[0])
			set_string(m, &t->pub.kind, rec->kind);
		if (m->open)
			FOR_SINKS(m, task_rename, &t->pub, ts);
		break;
	default:
		break;
	}
}

void task_thread_died(struct model *m, struct thr *t, u64 ts)
{
	while (t->step) {
		struct tsk *step = t->step;

		leave_step(m, step, ts, "");
		set_state(m, step, STATE_UNKNOWN, 0, ts, &t->pub);
	}
}

/* Tasks that began before the window: they are told of from now on. */
void task_window_opened(struct model *m, u64 ts)
{
	struct map_slot *slot;

	for (size_t i = 0; (slot = map_next(&m->tasks, &i));) {
		struct task *t = slot->value;

		t->start_ns = t->since_ns = ts;
		t->step_ns = t->thread ? ts : 0;
		FOR_SINKS(m, task_start, t, ts);
	}
}

static int by_id(const void *a, const void *b)
{
	u32 x = (*(struct tsk *const *)a)->pub.id, y = (*(struct tsk *const *)b)->pub.id;

	return x < y ? -1 : x > y;
}

/* End those of process @tgid (0: all), in order of id. */
static void end_tasks(struct model *m, s32 tgid, u64 ts)
{
	struct tsk **list;
	struct map_slot *slot;
	size_t n = 0;

	if (!m->tasks.len)
		return;
	list = malloc(m->tasks.len * sizeof(struct tsk *));
	if (!list) {
		m->failed = true;
		return;
	}
	for (size_t i = 0; (slot = map_next(&m->tasks, &i));)
		if (!tgid || ((struct tsk *)slot->value)->pub.tgid == tgid)
			list[n++] = slot->value;
	/* No order of a hash table may show. */
	qsort(list, n, sizeof(list[0]), by_id);
	for (size_t i = 0; i < n; i++)
		end_task(m, list[i], ts, 0, true);
	free(list);
}

void task_process_ended(struct model *m, s32 tgid, u64 ts)
{
	end_tasks(m, tgid, ts);
}

void task_window_closed(struct model *m, u64 ts)
{
	end_tasks(m, 0, ts);
}

void task_free_all(struct model *m)
{
	struct map_slot *slot;

	for (size_t i = 0; (slot = map_next(&m->tasks, &i));)
		task_free(slot->value);
	map_free(&m->tasks);
}
