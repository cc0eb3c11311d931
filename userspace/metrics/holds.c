/* SPDX-License-Identifier: MIT */
/* holds.c - collects what the waits tell of each hold, then gives every hold its other end. */
#include "metrics/holds.h"

#include <stdlib.h>

struct lock_state {
	u64 sum_ns, count;    /* of the holds of which both ends are known */
	u32 thread;           /* what follows is of this one */
	u32 taken;            /* last wait of a hold that has no end yet, NO_NODE: none */
	u64 held_ns;          /* first wait that found it held since then, 0: none */
	u64 end_ns;           /* end of this thread's hold before */
	u32 next;             /* lock that this thread met before this one, NO_LOCK: none */
};

struct holds {
	const struct graph *graph;
	struct hold_event *events;
	u32 n, cap;
	u32 *first;           /* by thread: its first event; one more at the end */
	struct lock_state *locks;
};

bool holds_waits(const struct graph_node *n)
{
	return n->state == STATE_WAITING && n->kind == KIND_MUTEX && n->lock != NO_LOCK;
}

static int push(struct holds *h, struct hold_event event)
{
	if (h->n == h->cap) {
		u32 cap = h->cap ? 2 * h->cap : 256;
		struct hold_event *more = realloc(h->events, cap * sizeof(*more));

		if (!more)
			return -ENOMEM;
		h->events = more;
		h->cap = cap;
	}
	h->events[h->n++] = event;
	return 0;
}

static int in_order(const void *a, const void *b)
{
	const struct hold_event *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return (int)x->what - (int)y->what; /* a hold of no length */
}

static void sort(struct holds *h)
{
	if (h->n)
		qsort(h->events, h->n, sizeof(h->events[0]), in_order);
}

/* The last of the waits that are one with @i, a wait; what each says of who held the lock is noted. */
static int follow(struct holds *h, u32 i, u32 *last)
{
	u32 lock = graph_node(h->graph, i)->lock;
	int code = 0;

	*last = i;
	for (u64 ran = 0; i != NO_NODE && ran < HOLDS_RETRY_NS && !code;) {
		const struct graph_node *n = graph_node(h->graph, i);
		const struct graph_node *next = n->next == NO_NODE ? NULL : graph_node(h->graph, n->next);

		if (n->state == STATE_RUNNING)
			ran += n->end_ns - n->start_ns;
		if (n->state == STATE_WAITING && n->lock != lock)
			break;
		if (n->state == STATE_WAITING) {
			*last = i;
			ran = 0;
			if (n->owner != NO_THREAD)
				code = push(h, (struct hold_event){n->start_ns, n->owner, lock, NO_NODE, HOLD_HELD});
			if (!code && next && next->from != NO_THREAD && next->from != n->thread)
				code = push(h, (struct hold_event){next->start_ns, next->from, lock, NO_NODE,
								   HOLD_RELEASE});
		}
		i = n->next;
	}
	return code;
}

static int collect(struct holds *h)
{
	u32 n_waits = 0;
	int code = 0;

	for (u32 t = 0; t < graph_n_threads(h->graph); t++) {
		for (u32 i = graph_first(h->graph, t); i != NO_NODE && !code;) {
			const struct graph_node *n = graph_node(h->graph, i);
			u32 last = i;

			if (holds_waits(n)) {
				if (++n_waits > HOLDS_WAITS_MAX)
					return -E2BIG;
				code = follow(h, i, &last);
				if (!code)
					code = push(h, (struct hold_event){n->start_ns, t, n->lock, last, HOLD_TAKE});
			}
			i = graph_node(h->graph, last)->next;
		}
	}
	return code;
}

/* Time of @i's thread from @from_ns to @to_ns that it was not ready; @i is the node at @to_ns. */
static u64 active_ns(const struct graph *g, u32 i, u64 from_ns, u64 to_ns)
{
	u64 sum = 0;

	for (; i != NO_NODE && graph_node(g, i)->end_ns > from_ns; i = graph_node(g, i)->prev) {
		const struct graph_node *n = graph_node(g, i);
		u64 begin = n->start_ns > from_ns ? n->start_ns : from_ns;
		u64 end = n->end_ns < to_ns ? n->end_ns : to_ns;

		if (n->state != STATE_READY && end > begin)
			sum += end - begin;
	}
	return sum;
}

/* The instant that lies @ns of not being ready before @at_ns, but not before @least_ns. */
static u64 back(const struct graph *g, u32 i, u64 at_ns, u64 ns, u64 least_ns)
{
	for (; i != NO_NODE && at_ns > least_ns; i = graph_node(g, i)->prev) {
		const struct graph_node *n = graph_node(g, i);

		if (n->start_ns >= at_ns)
			continue;
		if (n->state != STATE_READY) {
			if (at_ns - n->start_ns >= ns)
				return at_ns - ns > least_ns ? at_ns - ns : least_ns;
			ns -= at_ns - n->start_ns;
		}
		at_ns = n->start_ns;
	}
	return at_ns > least_ns ? at_ns : least_ns;
}

/* The instant that lies @ns of not being ready after the wait @i, but not after @most_ns. */
static u64 forth(const struct graph *g, u32 i, u64 ns, u64 most_ns)
{
	u64 at_ns = graph_node(g, i)->end_ns;

	for (i = graph_node(g, i)->next; i != NO_NODE && at_ns < most_ns; i = graph_node(g, i)->next) {
		const struct graph_node *n = graph_node(g, i);

		if (n->state != STATE_READY) {
			if (n->end_ns - n->start_ns >= ns)
				return n->start_ns + ns < most_ns ? n->start_ns + ns : most_ns;
			ns -= n->end_ns - n->start_ns;
		}
		at_ns = n->end_ns;
	}
	return at_ns < most_ns ? at_ns : most_ns;
}

static struct lock_state *state_of(struct holds *h, u32 lock, u32 thread, u32 *met)
{
	struct lock_state *l = &h->locks[lock];

	if (l->thread != thread) {
		l->thread = thread;
		l->taken = NO_NODE;
		l->held_ns = l->end_ns = 0;
		l->next = *met;
		*met = lock;
	}
	return l;
}

static u64 mean_ns(const struct lock_state *l)
{
	return l->count ? l->sum_ns / l->count : 0;
}

/* One event of a thread, whose node at that time is @i. First (@measure) the known holds are measured. */
static int settle(struct holds *h, struct lock_state *l, struct hold_event e, u32 i, bool measure)
{
	u32 taken = l->taken;
	u64 at;
	int code = 0;

	if (e.what == HOLD_HELD) {
		if (l->taken == NO_NODE && !l->held_ns)
			l->held_ns = e.at_ns;
		return 0;
	}
	l->taken = e.what == HOLD_TAKE ? e.waited : NO_NODE;
	if (taken != NO_NODE && e.what == HOLD_RELEASE && measure) {
		l->sum_ns += active_ns(h->graph, i, graph_node(h->graph, taken)->end_ns, e.at_ns);
		l->count++;
	} else if (taken != NO_NODE && e.what == HOLD_TAKE && !measure) {
		at = forth(h->graph, taken, mean_ns(l), e.at_ns - 1);
		code = push(h, (struct hold_event){at, e.thread, e.lock, NO_NODE, HOLD_RELEASE});
	} else if (taken == NO_NODE && e.what == HOLD_RELEASE && !measure && e.at_ns > l->end_ns) {
		at = back(h->graph, i, e.at_ns, mean_ns(l), l->end_ns);
		if (l->held_ns && l->held_ns < at)
			at = l->held_ns;
		code = push(h, (struct hold_event){at, e.thread, e.lock, NO_NODE, HOLD_TAKE});
	}
	l->held_ns = 0;
	if (e.what == HOLD_RELEASE)
		l->end_ns = e.at_ns;
	return code;
}

/* After the last event of a thread: what it still holds it lets go of. */
static int let_go(struct holds *h, u32 thread, u32 met)
{
	int code = 0;

	for (; met != NO_LOCK && !code; met = h->locks[met].next) {
		const struct lock_state *l = &h->locks[met];

		if (l->taken != NO_NODE)
			code = push(h, (struct hold_event){forth(h->graph, l->taken, mean_ns(l), UINT64_MAX), thread,
							   met, NO_NODE, HOLD_RELEASE});
	}
	return code;
}

/* All events once, with each thread's node at that time. */
static int settle_all(struct holds *h, bool measure)
{
	u32 n = h->n, thread = NO_THREAD, i = NO_NODE, met = NO_LOCK;
	int code = 0;

	for (u32 k = 0; k < graph_n_locks(h->graph); k++)
		h->locks[k].thread = NO_THREAD;
	for (u32 k = 0; k < n && !code; k++) {
		struct hold_event e = h->events[k];

		if (e.thread != thread) {
			code = measure ? 0 : let_go(h, thread, met);
			met = NO_LOCK;
			thread = e.thread;
			i = graph_first(h->graph, thread);
		}
		while (i != NO_NODE && graph_node(h->graph, i)->end_ns < e.at_ns &&
		       graph_node(h->graph, i)->next != NO_NODE)
			i = graph_node(h->graph, i)->next;
		if (i != NO_NODE && !code)
			code = settle(h, state_of(h, e.lock, thread, &met), e, i, measure);
	}
	return measure || code ? code : let_go(h, thread, met);
}

/* Without HOLD_HELD; then the first event of each thread. */
static int index_events(struct holds *h)
{
	u32 n_threads = graph_n_threads(h->graph), kept = 0, t = 0;

	for (u32 k = 0; k < h->n; k++)
		if (h->events[k].what != HOLD_HELD)
			h->events[kept++] = h->events[k];
	h->n = kept;
	sort(h);
	h->first = calloc((size_t)n_threads + 1, sizeof(*h->first));
	if (!h->first)
		return -ENOMEM;
	for (u32 k = 0; k < h->n; k++)
		while (t <= h->events[k].thread && t <= n_threads)
			h->first[t++] = k;
	while (t <= n_threads)
		h->first[t++] = h->n;
	return 0;
}

int holds_find(struct holds **out, const struct graph *g)
{
	struct holds *h = calloc(1, sizeof(*h));
	int code = h ? 0 : -ENOMEM;

	if (h) {
		h->graph = g;
		h->locks = calloc((size_t)graph_n_locks(g) + 1, sizeof(*h->locks));
		code = h->locks ? collect(h) : -ENOMEM;
	}
	if (!code) {
		sort(h);
		code = settle_all(h, true);
	}
	if (!code)
		code = settle_all(h, false);
	if (!code)
		code = index_events(h);
	if (code)
		holds_free(h);
	else
		*out = h;
	return code;
}

void holds_free(struct holds *h)
{
	if (!h)
		return;
	free(h->events);
	free(h->first);
	free(h->locks);
	free(h);
}

const struct hold_event *holds_of(const struct holds *h, u32 thread, u32 *n)
{
	if (thread >= graph_n_threads(h->graph)) {
		*n = 0;
		return NULL;
	}
	*n = h->first[thread + 1] - h->first[thread];
	return h->events + h->first[thread];
}
