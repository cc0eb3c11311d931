/* SPDX-License-Identifier: MIT */
/* path.c - walks the graph backwards. */
#include "metrics/path.h"

#include <stdlib.h>
#include <string.h>

struct walk {
	const struct graph *g;
	struct path *path;
	u64 begin;            /* of the piece */
	u32 *cursor;          /* by thread: its last node that begins before now */
	struct usage *usage;  /* by thread */
	u64 *lock_ns;
	u64 call_ns[1026];    /* by system call + 1 */
	u32 cap_segments;
	bool keep, failed;
};

static int by_thread(const void *a, const void *b)
{
	const struct path_thread *x = a, *y = b;
	u64 p = usage_alive(&x->time), q = usage_alive(&y->time);

	return p != q ? p < q ? 1 : -1 : x->thread < y->thread ? -1 : x->thread > y->thread;
}

static int by_sum(const void *a, const void *b)
{
	const struct path_sum *x = a, *y = b;

	return x->ns != y->ns ? x->ns < y->ns ? 1 : -1 : x->key < y->key ? -1 : x->key > y->key;
}

static void keep_segment(struct walk *w, const struct path_segment *s)
{
	struct path *p = w->path;

	if (p->n_segments == w->cap_segments) {
		u32 cap = w->cap_segments ? 2 * w->cap_segments : 256;
		struct path_segment *more = realloc(p->segments, cap * sizeof(*more));

		if (!more) {
			w->failed = true;
			return;
		}
		p->segments = more;
		w->cap_segments = cap;
	}
	p->segments[p->n_segments++] = *s;
}

static void charge(struct walk *w, const struct path_segment *s)
{
	int slot = usage_slot_of(s->state, s->kind);
	u64 ns = s->end_ns - s->start_ns;

	if (!ns || slot < 0)
		return;
	w->path->time.ns[slot] += ns;
	if (s->thread != NO_THREAD)
		w->usage[s->thread].ns[slot] += ns;
	if (s->lock != NO_LOCK)
		w->lock_ns[s->lock] += ns;
	if (s->state == STATE_WAITING && s->nr >= -1 && s->nr < 1025)
		w->call_ns[s->nr + 1] += ns;
	if (s->outside)
		w->path->outside_ns += ns;
	if (w->keep)
		keep_segment(w, s);
}

/* The node of @thread that covers the time just before @ts, or NO_NODE. As the walk never goes
 * forward, all look-ups together pass each node once. */
static u32 node_before(struct walk *w, u32 thread, u64 ts)
{
	u32 i;

	if (thread >= graph_n_threads(w->g))
		return NO_NODE;
	i = w->cursor[thread];
	while (i != NO_NODE && graph_node(w->g, i)->start_ns >= ts)
		i = graph_node(w->g, i)->prev;
	w->cursor[thread] = i;
	return i != NO_NODE && graph_node(w->g, i)->end_ns >= ts ? i : NO_NODE;
}

/* The node to begin with: of the threads that live at @end, of the one that ran last. */
static u32 last_node(struct walk *w, u64 end)
{
	u32 best = NO_NODE;
	u64 best_ran = 0;

	for (u32 t = 0; t < graph_n_threads(w->g); t++) {
		u32 at = node_before(w, t, end), i = at;
		u64 ran;

		while (i != NO_NODE && graph_node(w->g, i)->state != STATE_RUNNING)
			i = graph_node(w->g, i)->prev;
		ran = i == NO_NODE ? 0 : graph_node(w->g, i)->end_ns;
		if (at != NO_NODE && (best == NO_NODE || ran > best_ran)) {
			best = at;
			best_ran = ran;
		}
	}
	return best;
}

/* Who let @node begin at @ts? A node of that other thread, or NO_NODE: nobody, or its own past. */
static u32 cause(struct walk *w, const struct graph_node *node, u64 ts, u8 *edge)
{
	const struct graph_node *prev = node->prev == NO_NODE ? NULL : graph_node(w->g, node->prev);
	u32 i = NO_NODE;

	*edge = PATH_SAME;
	if (prev && prev->state != STATE_WAITING && prev->state != STATE_STOPPED)
		return NO_NODE;
	if (node->from != NO_THREAD && node->from != node->thread) {
		i = node_before(w, node->from, ts);
		*edge = prev ? PATH_WAKE : PATH_FORK;
	} else if (prev && prev->owner != NO_THREAD && prev->owner != node->thread &&
		   (prev->kind == KIND_GIL || prev->kind == KIND_MUTEX || prev->kind == KIND_RWLOCK)) {
		i = node_before(w, prev->owner, ts);
		*edge = PATH_HOLDER;
		/* A holder that slept itself did not hold this up by running; its wait is told all the
		 * same, unless it waits for a lock too: the two could wait for each other for ever. */
		if (i != NO_NODE && graph_node(w->g, i)->state == STATE_WAITING &&
		    graph_node(w->g, i)->lock != NO_LOCK)
			i = NO_NODE;
	}
	if (i == NO_NODE)
		*edge = PATH_SAME;
	return i;
}

static void walk_back(struct walk *w, u32 i, u64 ts)
{
	u64 begin = w->begin;
	u8 edge = PATH_END;

	while (i != NO_NODE && ts > begin) {
		const struct graph_node *node = graph_node(w->g, i);
		struct path_segment s = {
			.start_ns = node->start_ns > begin ? node->start_ns : begin,
			.end_ns = ts, .thread = node->thread, .lock = node->lock, .nr = node->nr,
			.state = node->state, .kind = node->kind, .edge = edge,
			/* Met with its own end: had somebody traced ended it, the path were there. */
			.outside = node->state == STATE_WAITING && ts == node->end_ns &&
				   !(node->flags & GRAPH_OPEN),
		};
		u32 other;

		charge(w, &s);
		ts = s.start_ns;
		if (ts == begin)
			return;
		other = cause(w, node, ts, &edge);
		if (other != NO_NODE)
			w->path->hops++;
		i = other != NO_NODE ? other : node_before(w, node->thread, ts);
	}
	if (ts > begin) {
		/* Nothing is known of what led here. */
		struct path_segment s = {.start_ns = begin, .end_ns = ts, .thread = NO_THREAD,
					 .lock = NO_LOCK, .nr = -1, .state = STATE_UNKNOWN, .edge = edge};

		charge(w, &s);
	}
}

static int sum_up(struct walk *w)
{
	struct path *p = w->path;
	u32 n = graph_n_threads(w->g), n_locks = graph_n_locks(w->g);
	u32 threads = 0, locks = 0, calls = 0;

	for (u32 i = 0; i < n; i++)
		threads += usage_alive(&w->usage[i]) > 0;
	for (u32 i = 0; i < n_locks; i++)
		locks += w->lock_ns[i] > 0;
	p->threads = calloc(threads + 1, sizeof(*p->threads));
	p->locks = calloc(locks + 1, sizeof(*p->locks));
	p->calls = calloc(ARRAY_SIZE(w->call_ns), sizeof(*p->calls));
	if (!p->threads || !p->locks || !p->calls)
		return -ENOMEM;
	for (u32 i = 0; i < n; i++)
		if (usage_alive(&w->usage[i]))
			p->threads[p->n_threads++] = (struct path_thread){i, w->usage[i]};
	for (u32 i = 0; i < n_locks; i++)
		if (w->lock_ns[i])
			p->locks[p->n_locks++] = (struct path_sum){i, w->lock_ns[i]};
	for (u32 i = 0; i < ARRAY_SIZE(w->call_ns); i++)
		if (w->call_ns[i])
			p->calls[calls++] = (struct path_sum){i, w->call_ns[i]};
	p->n_calls = calls;
	qsort(p->threads, p->n_threads, sizeof(*p->threads), by_thread);
	qsort(p->locks, p->n_locks, sizeof(*p->locks), by_sum);
	qsort(p->calls, p->n_calls, sizeof(*p->calls), by_sum);
	for (u32 i = 0; i < p->n_segments / 2; i++) {
		struct path_segment s = p->segments[i];

		p->segments[i] = p->segments[p->n_segments - 1 - i];
		p->segments[p->n_segments - 1 - i] = s;
	}
	return 0;
}

static void walk_piece(struct walk *w, const struct figures_piece *piece)
{
	u32 i = piece->thread == NO_THREAD ? NO_NODE : node_before(w, piece->thread, piece->end_ns);

	w->begin = piece->begin_ns;
	w->path->length_ns += piece->end_ns - piece->begin_ns;
	walk_back(w, i != NO_NODE ? i : last_node(w, piece->end_ns), piece->end_ns);
}

int path_find(struct path **out, const struct graph *g, const struct figures_piece *pieces, u32 n_pieces,
	      bool segments)
{
	const struct figures_piece window = {model_window_begin(graph_model(g)),
					     model_window_end(graph_model(g)), NO_THREAD};
	u32 n = graph_n_threads(g);
	struct walk *w;
	struct path *p;
	int code = graph_error(g);

	if (code)
		return code;
	if (!n_pieces) {
		pieces = &window;
		n_pieces = 1;
	}
	w = calloc(1, sizeof(*w));
	p = calloc(1, sizeof(*p));
	if (!w || !p) {
		free(w);
		free(p);
		return -ENOMEM;
	}
	*w = (struct walk){.g = g, .path = p, .keep = segments};
	w->cursor = calloc(n + 1, sizeof(*w->cursor));
	w->usage = calloc(n + 1, sizeof(*w->usage));
	w->lock_ns = calloc(graph_n_locks(g) + 1, sizeof(*w->lock_ns));
	p->begin_ns = pieces[0].begin_ns;
	p->end_ns = pieces[n_pieces - 1].end_ns;
	code = w->cursor && w->usage && w->lock_ns ? 0 : -ENOMEM;
	if (!code) {
		for (u32 i = 0; i < n; i++)
			w->cursor[i] = graph_last(g, i);
		for (u32 i = n_pieces; i-- > 0;)
			walk_piece(w, &pieces[i]);
		code = w->failed ? -ENOMEM : sum_up(w);
	}
	free(w->cursor);
	free(w->usage);
	free(w->lock_ns);
	free(w);
	if (code) {
		path_free(p);
		return code;
	}
	*out = p;
	return 0;
}

void path_free(struct path *p)
{
	if (!p)
		return;
	free(p->threads);
	free(p->locks);
	free(p->calls);
	free(p->segments);
	free(p);
}

void path_drop_segments(struct path *p)
{
	if (!p)
		return;
	free(p->segments);
	p->segments = NULL;
	p->n_segments = 0;
}
