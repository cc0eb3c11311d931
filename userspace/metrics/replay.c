/* SPDX-License-Identifier: MIT */
/* replay.c - a discrete-event simulation over the graph. */
#include "metrics/replay.h"

#include <stdlib.h>

#include "metrics/heap.h"

#define IDLE NO_THREAD
#define LOOK_AGAIN_NS 1000u /* from a futex wake-up to the next try, on its CPU */

enum sim_state { SIM_DONE = 0, SIM_BLOCKED, SIM_TIMER, SIM_READY, SIM_RUNNING };

struct sim_thread {
	u32 node;      /* where it is, NO_NODE: past the end */
	u32 caused;    /* the next node that it will let begin */
	u64 at;        /* how far into the recording, ns of the recording */
	u64 left;      /* CPU time to the next stop */
	u64 stop_at;   /* recorded time of that stop */
	u64 saved;     /* had there been CPUs enough, it would be so much earlier where it is, without the waits taken away; ns */
	u32 hold, hold_end; /* events of its holds that are to come */
	u32 next_asker;     /* for the same lock, NO_THREAD: the last */
	u8 state;
	bool entered;       /* the node's own part has begun */
	bool asks;          /* for a lock that was held */
	bool looks;         /* woken for that lock, it has to run to see if it is still free */
};

/* A lock as it is in this run. */
struct sim_lock {
	u32 owner;          /* NO_THREAD: it is free */
	u32 first, last;    /* who sleeps until it is let go */
};

struct sim_cpu {
	u32 thread;
	u64 slice_left;
};

struct sim {
	const struct graph *g;
	const struct replay_setting *set;
	const struct hold_event *events; /* of the setting's holds */
	struct sim_lock *locks;
	struct sim_thread *threads;
	u32 n_threads;
	u8 *signaled;   /* by node: what it waited for has come */
	u32 *pending;   /* threads to move on, a stack */
	u32 n_pending;
	struct heap queue, timers;
	struct sim_cpu *cpus;
	u64 now, finish;
};

static bool no_such_lock(const struct sim *s, u32 lock)
{
	return s->set->no_lock && lock != NO_LOCK && graph_lock(s->g, lock)->lock == s->set->no_lock;
}

/* A wait that does not exist in this setting. */
static bool taken_away(const struct sim *s, const struct graph_node *n)
{
	if (n->state != STATE_WAITING)
		return false;
	return (s->set->no_gil && n->kind == KIND_GIL) || no_such_lock(s, n->lock);
}

/* Must another thread act before @n can begin? */
static bool gated(const struct sim *s, const struct graph_node *n)
{
	u32 first = n->from == NO_THREAD || n->from == n->thread ? NO_NODE : graph_first(s->g, n->from);

	if (first == NO_NODE || graph_node(s->g, first)->start_ns > n->start_ns)
		return false;
	if (n->prev == NO_NODE)
		return true;
	if (s->set->no_gil && n->flags & GRAPH_GIL)
		return false;
	if (s->set->holds && holds_waits(graph_node(s->g, n->prev)))
		return false; /* the lock decides */
	return !taken_away(s, graph_node(s->g, n->prev));
}

static void wait_for_time(struct sim *s, u32 id, u64 ns)
{
	s->threads[id].state = SIM_TIMER;
	heap_push(&s->timers, s->now + ns, id);
}

/* How long @t waits in @n, in this setting. */
static u64 wait_ns(const struct sim *s, struct sim_thread *t, const struct graph_node *n)
{
	bool io = n->kind == KIND_DISK || n->kind == KIND_NETWORK || n->kind == KIND_TERMINAL;
	u64 ns = n->end_ns - n->start_ns;

	if (n->next != NO_NODE && gated(s, graph_node(s->g, n->next)))
		return 0; /* the gate is the wait */
	if (!taken_away(s, n) && !(n->state == STATE_WAITING && io && s->set->no_io))
		return ns;
	t->saved += ns;
	return 0;
}

/* All that @t lets begin up to where it is. */
static void signal_others(struct sim *s, struct sim_thread *t)
{
	while (t->caused != NO_NODE) {
		const struct graph_node *n = graph_node(s->g, t->caused);
		struct sim_thread *other = &s->threads[n->thread];

		if (n->start_ns > t->at)
			return;
		s->signaled[t->caused] = 1;
		if (other->state == SIM_BLOCKED && other->node == t->caused) {
			other->state = SIM_DONE;
			s->pending[s->n_pending++] = n->thread;
		}
		t->caused = n->from_next;
	}
}

/*
 * Past a gate: at that instant of the recording the other let it begin. In the order of who goes first that is now as much
 * earlier as the other is, but not earlier than it came to wait itself.
 */
static void pass_gate(struct sim *s, struct sim_thread *t, const struct graph_node *n)
{
	const struct graph_node *prev = n->prev == NO_NODE ? NULL : graph_node(s->g, n->prev);
	u64 others = s->threads[n->from].saved;

	if (prev && prev->state == STATE_WAITING)
		t->saved += prev->end_ns - prev->start_ns;
	if (!prev || others < t->saved)
		t->saved = others;
}

static const struct hold_event *next_hold(const struct sim *s, const struct sim_thread *t)
{
	return t->hold < t->hold_end ? &s->events[t->hold] : NULL;
}

/* CPU time to the next stop: the node's end, or the point at which it lets another begin or is at a lock. */
static u64 chunk(const struct sim *s, struct sim_thread *t, const struct graph_node *n)
{
	const struct graph_node *c = t->caused == NO_NODE ? NULL : graph_node(s->g, t->caused);
	const struct hold_event *hold = next_hold(s, t);

	t->stop_at = n->end_ns;
	if (n->state == STATE_READY) {
		bool wake = !(n->flags & GRAPH_PREEMPTED) && n->outside_ns <= REPLAY_WAKE_NS;

		return s->set->outside || wake ? n->outside_ns : 0;
	}
	if (c && c->start_ns < t->stop_at)
		t->stop_at = c->start_ns > t->at ? c->start_ns : t->at;
	if (hold && hold->at_ns < t->stop_at)
		t->stop_at = hold->at_ns > t->at ? hold->at_ns : t->at;
	return t->stop_at - t->at;
}

/* Who would have run first in the recording, without the waits that are taken away, goes first. */
static void enqueue(struct sim *s, u32 id)
{
	struct sim_thread *t = &s->threads[id];

	t->state = SIM_READY;
	heap_push(&s->queue, t->stop_at - t->left - t->saved, id);
}

static void let_go(struct sim *s, u32 id, u32 lock)
{
	struct sim_lock *l = &s->locks[lock];
	u32 asker = l->first;

	if (l->owner != id)
		return;
	l->owner = NO_THREAD;
	if (asker == NO_THREAD)
		return;
	l->first = s->threads[asker].next_asker;
	s->threads[asker].state = SIM_DONE;
	s->pending[s->n_pending++] = asker;
}

/* Take @lock, or sleep until it is let go; whoever runs may take it before one that was woken for it. */
static bool take(struct sim *s, u32 id, u32 lock)
{
	struct sim_lock *l = &s->locks[lock];
	struct sim_thread *t = &s->threads[id];

	if (no_such_lock(s, lock) || l->owner == id)
		return true;
	if (l->owner == NO_THREAD) {
		l->owner = id;
		return true;
	}
	if (l->first == NO_THREAD)
		l->first = id;
	else
		s->threads[l->last].next_asker = id;
	l->last = id;
	t->next_asker = NO_THREAD;
	t->state = SIM_BLOCKED;
	t->asks = true;
	return false;
}

/* What @t did in its wait for the lock is over: on from the end of the wait @last. */
static void past_wait(struct sim *s, struct sim_thread *t, u32 last)
{
	const struct graph_node *n = graph_node(s->g, last);

	t->at = n->end_ns;
	t->node = n->next;
	t->entered = false;
	if (t->node != NO_NODE && graph_node(s->g, t->node)->state == STATE_READY) {
		t->at = graph_node(s->g, t->node)->end_ns;
		t->node = graph_node(s->g, t->node)->next;
	}
	signal_others(s, t);
}

/* All that @id does to locks up to where it is; false: it sleeps, or has to run before it can look again. */
static bool pass_locks(struct sim *s, u32 id)
{
	struct sim_thread *t = &s->threads[id];
	const struct hold_event *e;

	while ((e = next_hold(s, t)) != NULL) {
		u64 at = t->node == NO_NODE ? UINT64_MAX :
			 t->entered ? t->at : graph_node(s->g, t->node)->start_ns;

		if (e->at_ns > at)
			return true;
		if (e->what == HOLD_RELEASE) {
			let_go(s, id, e->lock);
		} else if (t->node != NO_NODE) {
			if (!take(s, id, e->lock))
				return false;
			if (e->waited != NO_NODE) {
				past_wait(s, t, e->waited);
				t->saved += no_such_lock(s, e->lock) ? t->at - at : 0;
			}
		}
		t->hold++;
	}
	return true;
}

/* Woken for a lock, it needs a CPU to see if that is free: as long as it took to get one after the recorded wait. */
static void look_again(struct sim *s, u32 id)
{
	struct sim_thread *t = &s->threads[id];
	const struct hold_event *e = next_hold(s, t);
	u32 ready = e->waited == NO_NODE ? NO_NODE : graph_node(s->g, e->waited)->next;
	u64 ns = LOOK_AGAIN_NS;

	if (ready != NO_NODE && graph_node(s->g, ready)->state == STATE_READY)
		ns += chunk(s, t, graph_node(s->g, ready));
	t->left = ns;
	t->stop_at = t->entered ? t->at : graph_node(s->g, t->node)->start_ns;
	t->asks = false;
	t->looks = true;
	enqueue(s, id);
}

/* Move on until the thread needs a CPU, blocks or ends. It is in no queue now. */
static void move_on(struct sim *s, u32 id)
{
	struct sim_thread *t = &s->threads[id];

	t->state = SIM_DONE;
	if (t->asks) {
		look_again(s, id);
		return;
	}
	for (; t->node != NO_NODE; t->entered = false) {
		const struct graph_node *n;

		if (!pass_locks(s, id))
			return;
		if (t->node == NO_NODE)
			break;
		n = graph_node(s->g, t->node);
		if (!t->entered) {
			if (gated(s, n) && !s->signaled[t->node]) {
				t->state = SIM_BLOCKED;
				return;
			}
			if (gated(s, n))
				pass_gate(s, t, n);
			t->at = n->start_ns;
			signal_others(s, t);
			t->entered = true;
			if (n->state != STATE_RUNNING && n->state != STATE_READY) {
				u64 ns = wait_ns(s, t, n);

				if (n->flags & GRAPH_OPEN)
					return; /* asleep to the window's end: it has done its work */
				t->stop_at = n->end_ns;
				if (ns) {
					wait_for_time(s, id, ns);
					return;
				}
				t->at = n->end_ns;
			}
		}
		while (t->at < n->end_ns) {
			if (!pass_locks(s, id))
				return;
			t->left = chunk(s, t, n);
			if (t->left) {
				enqueue(s, id);
				return;
			}
			t->at = t->stop_at;
			signal_others(s, t);
		}
		signal_others(s, t);
		t->node = n->next;
	}
	pass_locks(s, id); /* nobody keeps a lock for ever */
}

static void stop_reached(struct sim *s, u32 id)
{
	struct sim_thread *t = &s->threads[id];

	if (!t->looks) {
		t->at = t->stop_at;
		signal_others(s, t);
	}
	t->looks = false;
	s->pending[s->n_pending++] = id;
}

static void dispatch(struct sim *s)
{
	for (u32 c = 0; c < s->set->cpus && s->queue.n; c++) {
		struct sim_cpu *cpu = &s->cpus[c];

		if (cpu->thread != IDLE)
			continue;
		cpu->thread = heap_pop(&s->queue);
		cpu->slice_left = REPLAY_SLICE_NS;
		s->threads[cpu->thread].state = SIM_RUNNING;
	}
}

/* To the next instant at which something happens; false: nothing will. */
static bool step(struct sim *s)
{
	u64 ns = s->timers.n ? s->timers.items[0].key - s->now : UINT64_MAX;

	for (u32 c = 0; c < s->set->cpus; c++) {
		const struct sim_cpu *cpu = &s->cpus[c];

		if (cpu->thread == IDLE)
			continue;
		if (s->threads[cpu->thread].left < ns)
			ns = s->threads[cpu->thread].left;
		if (s->queue.n && cpu->slice_left < ns)
			ns = cpu->slice_left;
	}
	if (ns == UINT64_MAX)
		return false;
	s->now += ns;
	for (u32 c = 0; c < s->set->cpus; c++) {
		struct sim_cpu *cpu = &s->cpus[c];
		struct sim_thread *t;

		if (cpu->thread == IDLE)
			continue;
		t = &s->threads[cpu->thread];
		t->left -= ns;
		cpu->slice_left -= ns < cpu->slice_left ? ns : cpu->slice_left;
		s->finish = s->now;
		if (!t->left) {
			stop_reached(s, cpu->thread);
			cpu->thread = IDLE;
		} else if (!cpu->slice_left && s->queue.n) {
			enqueue(s, cpu->thread);
			cpu->thread = IDLE;
		}
	}
	while (s->timers.n && s->timers.items[0].key <= s->now) {
		u32 id = heap_pop(&s->timers);

		if (s->threads[id].entered)
			stop_reached(s, id);
		else
			s->pending[s->n_pending++] = id;
	}
	return true;
}

static void set_holds(struct sim *s, u32 id)
{
	u32 n;
	const struct hold_event *mine = holds_of(s->set->holds, id, &n);

	s->threads[id].hold = (u32)(mine - s->events);
	s->threads[id].hold_end = s->threads[id].hold + n;
}

static int simulate(struct sim *s, u64 begin)
{
	for (u32 id = 0; id < s->n_threads; id++) {
		struct sim_thread *t = &s->threads[id];
		const struct graph_node *n;

		t->node = graph_first(s->g, id);
		t->caused = graph_first_caused(s->g, id);
		if (s->set->holds)
			set_holds(s, id);
		if (t->node == NO_NODE)
			continue;
		n = graph_node(s->g, t->node);
		if (!gated(s, n))
			wait_for_time(s, id, n->start_ns > begin ? n->start_ns - begin : 0);
		else
			move_on(s, id);
	}
	do {
		while (s->n_pending)
			move_on(s, s->pending[--s->n_pending]);
		dispatch(s);
	} while (step(s));
	for (u32 id = 0; id < s->n_threads; id++)
		if (s->threads[id].state == SIM_BLOCKED)
			return -EDEADLK;
	return 0;
}

int replay_run(const struct graph *g, const struct replay_setting *set, u64 *duration_ns)
{
	u32 n = graph_n_threads(g);
	struct sim s = {.g = g, .set = set, .n_threads = n};
	int code = -ENOMEM;

	s.threads = calloc(n + 1, sizeof(*s.threads));
	s.signaled = calloc(graph_n_nodes(g) + 1, 1);
	s.pending = calloc(2 * (size_t)n + 2, sizeof(*s.pending));
	s.queue.items = calloc(n + 1, sizeof(*s.queue.items));
	s.timers.items = calloc(n + 1, sizeof(*s.timers.items));
	s.cpus = calloc(set->cpus, sizeof(*s.cpus));
	s.locks = calloc((size_t)graph_n_locks(g) + 1, sizeof(*s.locks));
	if (s.threads && s.signaled && s.pending && s.queue.items && s.timers.items && s.cpus && s.locks) {
		for (u32 c = 0; c < set->cpus; c++)
			s.cpus[c].thread = IDLE;
		for (u32 i = 0; i < graph_n_locks(g); i++)
			s.locks[i] = (struct sim_lock){NO_THREAD, NO_THREAD, NO_THREAD};
		if (set->holds)
			s.events = holds_of(set->holds, 0, &n);
		code = simulate(&s, model_window_begin(graph_model(g)));
		if (!code)
			*duration_ns = s.finish;
	}
	free(s.threads);
	free(s.signaled);
	free(s.pending);
	free(s.queue.items);
	free(s.timers.items);
	free(s.cpus);
	free(s.locks);
	return code;
}
