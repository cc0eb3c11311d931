/* SPDX-License-Identifier: MIT */
#include "metrics/tasks.h"

#include <stdlib.h>
#include <string.h>

#define REGIONS 64

struct stretch {
	struct task_figures *figures;
	u32 depth;    /* open marks; > 0: it is running */
	u64 since_ns; /* since when */
};

/* What a thread did in the step that it is in. */
struct in_step {
	u64 running_ns, blocked_ns;
	enum wait_kind kind;
	const char *line; /* the model's own */
};

struct task_meter {
	struct model *model;
	bool open;
	u64 last_ns;
	u32 parked;
	struct stretch stretches[REGIONS + 1];
	u32 n_stretches;
	struct map alive; /* task id + 1 -> struct task, the model's own */
	struct in_step *threads; /* by thread id */
	u32 n_threads;
	int error;
};

static void *fail(struct task_meter *m)
{
	m->error = -ENOMEM;
	return NULL;
}

/* Room for one more in an array of pointers. */
static bool push(void *array, u32 *n, u32 *cap, void *value)
{
	void **list, **grown;
	u32 want = *cap ? *cap * 2 : 64;

	memcpy(&list, array, sizeof(list));
	if (*n == *cap) {
		grown = realloc(list, want * sizeof(*grown));
		if (!grown)
			return false;
		memcpy(array, &grown, sizeof(grown));
		list = grown;
		*cap = want;
	}
	list[(*n)++] = value;
	return true;
}

/* ---- rows, places, stalls ---- */

static void row_free(struct task_row *row)
{
	if (!row)
		return;
	free(row->name);
	free(row->kind);
	free(row->site);
	free(row);
}

static struct task_row *row_of(struct task_meter *m, struct task_figures *f, const struct task *task)
{
	struct task_row *row = map_get(&f->row_map, task->id + 1ull);

	if (row || f->n_rows >= TASK_ROWS)
		return row;
	row = calloc(1, sizeof(*row));
	if (!row)
		return fail(m);
	*row = (struct task_row){.id = task->id, .creator = task->creator, .tgid = task->tgid,
				 .name = strdup(task->name), .kind = strdup(task->kind),
				 .site = strdup(task->site), .start_ns = task->start_ns};
	if (!row->name || !row->kind || !row->site ||
	    !push(&f->rows, &f->n_rows, &f->cap_rows, row)) {
		row_free(row);
		return fail(m);
	}
	if (map_set(&f->row_map, task->id + 1ull, row))
		m->error = -ENOMEM;
	return row;
}

static u64 hash_text(u64 hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (u8)*text) * 1099511628211u; /* FNV-1a */
	return (hash ^ 0xff) * 1099511628211u;
}

static void note_place(struct task_meter *m, struct task_figures *f, const struct task_span *s, u64 ns)
{
	u64 key = hash_text(hash_text(14695981039346656037u, s->what), s->at) | 1;
	struct task_place *place = map_get(&f->place_map, key);

	if (!place) {
		if (f->n_places >= TASK_PLACES)
			return;
		place = calloc(1, sizeof(*place));
		if (!place || !(place->what = strdup(s->what)) || !(place->at = strdup(s->at)) ||
		    !push(&f->places, &f->n_places, &f->cap_places, place)) {
			if (place) {
				free(place->what);
				free(place->at);
			}
			free(place);
			fail(m);
			return;
		}
		if (map_set(&f->place_map, key, place))
			m->error = -ENOMEM;
	}
	place->waits++;
	place->wait_ns += ns;
	if (ns > place->max_ns)
		place->max_ns = ns;
}

static void stall_free(struct task_stall *stall)
{
	if (!stall)
		return;
	free(stall->name);
	free(stall->line);
	free(stall->from);
	free(stall->to);
	free(stall);
}

static void note_stall(struct task_meter *m, struct task_figures *f, const struct task_step *s,
		       const struct in_step *in)
{
	u64 key = s->thread->id + 1ull;
	struct task_stall *old = map_get(&f->stall_map, key), *stall;

	/* A job has its worker thread to itself: that is no loop that others wait for. */
	if (!strcmp(s->task->kind, "job") || !strcmp(s->task->kind, "message"))
		return;
	if (old && s->end_ns - s->start_ns <= old->end_ns - old->start_ns)
		return;
	stall = calloc(1, sizeof(*stall));
	if (!stall) {
		fail(m);
		return;
	}
	*stall = (struct task_stall){
		.thread = s->thread->id, .task = s->task->id, .name = strdup(s->task->name),
		.start_ns = s->start_ns, .end_ns = s->end_ns, .running_ns = in->running_ns,
		.blocked_ns = in->blocked_ns, .kind = in->kind,
		.line = in->line && *in->line ? strdup(in->line) : NULL,
		.from = strdup(s->from), .to = strdup(s->to),
		.kept_ready = model_task_counts(m->model)->ready,
	};
	stall_free(old);
	if (!stall->name || !stall->from || !stall->to || map_set(&f->stall_map, key, stall)) {
		stall_free(stall);
		map_del(&f->stall_map, key);
		fail(m);
	}
}

/* ---- stretches ---- */

static void charge(struct task_meter *m, struct stretch *s, const struct task *task, int slot, u64 from,
		   u64 to)
{
	struct task_row *row;

	if (from < s->since_ns)
		from = s->since_ns;
	if (slot < 0 || from >= to)
		return;
	s->figures->time.ns[slot] += to - from;
	row = row_of(m, s->figures, task);
	if (row)
		row->time.ns[slot] += to - from;
}

static void stretch_open(struct task_meter *m, struct stretch *s, u64 ts)
{
	struct map_slot *slot;

	if (s->depth++)
		return;
	s->since_ns = ts;
	if (!s->figures->begin_ns)
		s->figures->begin_ns = ts;
	for (size_t i = 0; (slot = map_next(&m->alive, &i));) {
		const struct task *task = slot->value;

		/* Not yet in it: only the first time that the region is entered. */
		if (!map_get(&s->figures->row_map, task->id + 1ull))
			s->figures->n_tasks++;
	}
}

static int compare_rows(const void *a, const void *b)
{
	const struct task_row *x = *(struct task_row *const *)a, *y = *(struct task_row *const *)b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static void stretch_close(struct task_meter *m, struct stretch *s, u64 ts)
{
	struct map_slot *slot;

	if (s->depth != 1) {
		s->depth -= s->depth > 0;
		return;
	}
	for (size_t i = 0; (slot = map_next(&m->alive, &i));) {
		const struct task *task = slot->value;

		charge(m, s, task, usage_slot_of(task->state, task->wait_kind), task->since_ns, ts);
	}
	s->depth = 0;
	/* Tasks were met in the order of a hash table just now. */
	if (s->figures->n_rows)
		qsort(s->figures->rows, s->figures->n_rows, sizeof(*s->figures->rows), compare_rows);
}

static struct stretch *stretch_new(struct task_meter *m, const char *name)
{
	struct task_figures *f = calloc(1, sizeof(*f));

	if (!f || (name && !(f->name = strdup(name)))) {
		free(f);
		return fail(m);
	}
	m->stretches[m->n_stretches] = (struct stretch){.figures = f};
	return &m->stretches[m->n_stretches++];
}

static struct stretch *stretch_named(struct task_meter *m, const char *name)
{
	for (u32 i = 1; i < m->n_stretches; i++)
		if (!strcmp(m->stretches[i].figures->name, name))
			return &m->stretches[i];
	return m->n_stretches == ARRAY_SIZE(m->stretches) ? NULL : stretch_new(m, name);
}

/* All has been as the model's counts say since last_ns; now it is @ts. */
static void advance(struct task_meter *m, u64 ts)
{
	const struct counts *c = model_task_counts(m->model);
	u64 from = m->last_ns, dt = ts - from;
	u32 flight, demand, held = model_tasks_held_back(m->model);

	if (!m->open || ts <= from)
		return;
	flight = counts_concurrency(c, m->parked);
	demand = c->running + c->ready > held ? c->running + c->ready - held : 0;
	for (u32 i = 0; i < m->n_stretches; i++) {
		struct task_figures *f = m->stretches[i].figures;

		if (!m->stretches[i].depth)
			continue;
		f->duration_ns += dt;
		f->active_ns += flight ? dt : 0;
		curve_add(&f->parallelism, c->running, from, dt, flight > 0);
		curve_add(&f->concurrency, flight, from, dt, flight > 0);
		curve_add(&f->demand, demand, from, dt, flight > 0);
		curve_add(&f->alive, c->alive, from, dt, flight > 0);
	}
	m->last_ns = ts;
}

/* ---- the sink ---- */

static void on_record(void *ctx, const struct record *rec)
{
	struct task_meter *m = ctx;

	/* Most recordings have no tasks: their curves need no points. */
	if (rec->type == REC_TASK || model_n_tasks(m->model))
		advance(m, rec->ts);
}

static void on_window_begin(void *ctx, u64 ts)
{
	struct task_meter *m = ctx;

	m->open = true;
	m->last_ns = ts;
	m->parked = model_parked(m->model);
	stretch_open(m, &m->stretches[0], ts);
}

static void on_window_end(void *ctx, u64 ts)
{
	struct task_meter *m = ctx;

	if (!m->open)
		return;
	for (u32 i = m->n_stretches; i-- > 0;) {
		m->stretches[i].depth = m->stretches[i].depth ? 1 : 0;
		stretch_close(m, &m->stretches[i], ts);
	}
	m->open = false;
}

static void on_region_begin(void *ctx, const struct region *region)
{
	struct task_meter *m = ctx;
	struct stretch *s = stretch_named(m, region->name);

	if (!s || !m->open)
		return;
	advance(m, region->start_ns);
	stretch_open(m, s, region->start_ns);
}

static void on_region(void *ctx, const struct region *region)
{
	struct task_meter *m = ctx;
	struct stretch *s = m->open ? stretch_named(m, region->name) : NULL;

	if (!s)
		return;
	advance(m, region->end_ns);
	stretch_close(m, s, region->end_ns);
}

static struct in_step *in_step_of(struct task_meter *m, u32 id)
{
	if (id >= m->n_threads) {
		u32 want = id + 1 + id / 2;
		struct in_step *grown = realloc(m->threads, want * sizeof(*grown));

		if (!grown)
			return fail(m);
		memset(grown + m->n_threads, 0, (want - m->n_threads) * sizeof(*grown));
		m->threads = grown;
		m->n_threads = want;
	}
	return &m->threads[id];
}

static void on_thread_state(void *ctx, const struct span *span)
{
	struct task_meter *m = ctx;
	struct in_step *in;
	u64 ns = span->end_ns - span->start_ns;

	if (span->thread->outsider || !model_n_tasks(m->model))
		return;
	in = in_step_of(m, span->thread->id);
	if (!in)
		return;
	if (span->state == STATE_WAITING && ns > in->blocked_ns) {
		in->blocked_ns = ns;
		in->kind = span->wait->kind;
		in->line = span->wait->site;
	}
}

static void on_task_start(void *ctx, const struct task *task, u64 ts)
{
	struct task_meter *m = ctx;

	(void)ts;
	if (map_set(&m->alive, task->id + 1ull, (void *)task))
		m->error = -ENOMEM;
	for (u32 i = 0; i < m->n_stretches; i++)
		m->stretches[i].figures->n_tasks += m->stretches[i].depth > 0;
}

static void on_task_rename(void *ctx, const struct task *task, u64 ts)
{
	struct task_meter *m = ctx;

	(void)ts;
	for (u32 i = 0; i < m->n_stretches; i++) {
		struct task_row *row = map_get(&m->stretches[i].figures->row_map, task->id + 1ull);
		char *name = row ? strdup(task->name) : NULL;

		if (!name)
			continue;
		free(row->name);
		row->name = name;
	}
}

static void add_price(struct task_price *p, const struct task_span *s, u64 from)
{
	u64 ns = s->end_ns - from;

	if (!strncmp(s->what, "serializing:", 12)) {
		p->pickling_ns += ns;
		/* A phase may be told in pieces: its first one counts. */
		if (s->start_ns == s->phase_ns) {
			p->messages++;
			p->bytes += strtoull(s->what + 12, NULL, 10);
		}
	} else if (!strncmp(s->what, "deserializing:", 14)) {
		p->unpickling_ns += ns;
	} else if (!strncmp(s->what, "transferring:", 13)) {
		p->transferring_ns += ns;
	}
}

static void on_task_state(void *ctx, const struct task_span *span)
{
	struct task_meter *m = ctx;
	int slot = usage_slot_of(span->state, span->wait_kind);

	if (span->task->thread) {
		struct in_step *in = in_step_of(m, span->task->thread->id);

		/* A step begins: where its thread was before is not in it. What comes after its end, with
		 * no thread any more, on_task_step() has counted. */
		if (in && !span->thread)
			*in = (struct in_step){0};
		else if (in && span->state == STATE_RUNNING)
			in->running_ns += span->end_ns - span->start_ns;
	}
	for (u32 i = 0; i < m->n_stretches; i++) {
		struct stretch *s = &m->stretches[i];

		if (!s->depth)
			continue;
		charge(m, s, span->task, slot, span->start_ns, span->end_ns);
		if (span->thread && span->what[0] && span->end_ns > s->since_ns) {
			u64 from = span->start_ns > s->since_ns ? span->start_ns : s->since_ns;
			struct task_row *row = row_of(m, s->figures, span->task);

			add_price(&s->figures->price, span, from);
			if (row)
				add_price(&row->price, span, from);
		}
		if (span->state == STATE_WAITING && !span->thread && span->end_ns > s->since_ns)
			note_place(m, s->figures, span, span->end_ns -
				   (span->start_ns > s->since_ns ? span->start_ns : s->since_ns));
	}
}

static void on_task_step(void *ctx, const struct task_step *step)
{
	struct task_meter *m = ctx;
	struct in_step *in = in_step_of(m, step->thread->id);
	struct in_step now;

	if (!in)
		return;
	/* What the thread is at has not ended yet. */
	now = *in;
	if (step->task->state == STATE_RUNNING && step->end_ns > step->task->since_ns)
		now.running_ns += step->end_ns - step->task->since_ns;
	for (u32 i = 0; i < m->n_stretches; i++) {
		struct task_figures *f = m->stretches[i].figures;
		struct task_row *row;
		u64 ns = step->end_ns - step->start_ns;

		if (!m->stretches[i].depth)
			continue;
		f->steps++;
		row = row_of(m, f, step->task);
		if (row) {
			row->steps++;
			if (ns > row->longest_step_ns)
				row->longest_step_ns = ns;
		}
		note_stall(m, f, step, &now);
	}
	*in = (struct in_step){0};
}

static void on_task_end(void *ctx, const struct task *task, u64 ts)
{
	struct task_meter *m = ctx;

	map_del(&m->alive, task->id + 1ull);
	for (u32 i = 0; i < m->n_stretches; i++) {
		struct task_row *row = map_get(&m->stretches[i].figures->row_map, task->id + 1ull);

		if (!row || !m->stretches[i].depth)
			continue;
		row->end_ns = ts;
		row->ended = !task->cut;
		row->outcome = task->outcome;
	}
}

static const struct model_sink sink = {
	.record = on_record,
	.window_begin = on_window_begin,
	.window_end = on_window_end,
	.region_begin = on_region_begin,
	.region = on_region,
	.state = on_thread_state,
	.task_start = on_task_start,
	.task_rename = on_task_rename,
	.task_state = on_task_state,
	.task_step = on_task_step,
	.task_end = on_task_end,
};

const struct model_sink *task_meter_sink(void)
{
	return &sink;
}

/* ---- outside ---- */

int task_meter_new(struct task_meter **out, struct model *model)
{
	struct task_meter *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->model = model;
	if (!stretch_new(m, NULL)) {
		task_meter_free(m);
		return -ENOMEM;
	}
	*out = m;
	return 0;
}

static void figures_end(struct task_figures *f)
{
	struct map_slot *slot;

	curve_free(&f->parallelism);
	curve_free(&f->concurrency);
	curve_free(&f->demand);
	curve_free(&f->alive);
	for (u32 i = 0; i < f->n_rows; i++)
		row_free(f->rows[i]);
	for (u32 i = 0; i < f->n_places; i++) {
		free(f->places[i]->what);
		free(f->places[i]->at);
		free(f->places[i]);
	}
	for (size_t i = 0; (slot = map_next(&f->stall_map, &i));)
		stall_free(slot->value);
	free(f->rows);
	free(f->places);
	map_free(&f->row_map);
	map_free(&f->place_map);
	map_free(&f->stall_map);
	free(f->name);
	free(f);
}

void task_meter_free(struct task_meter *m)
{
	if (!m)
		return;
	for (u32 i = 0; i < m->n_stretches; i++)
		figures_end(m->stretches[i].figures);
	map_free(&m->alive);
	free(m->threads);
	free(m);
}

u32 task_meter_n(const struct task_meter *m)
{
	return m->n_stretches;
}

const struct task_figures *task_meter_stretch(const struct task_meter *m, u32 i)
{
	return m->stretches[i].figures;
}

const struct task_figures *task_meter_named(const struct task_meter *m, const char *name)
{
	if (!name)
		return m->stretches[0].figures;
	for (u32 i = 1; i < m->n_stretches; i++)
		if (!strcmp(m->stretches[i].figures->name, name))
			return m->stretches[i].figures;
	return NULL;
}

int task_meter_error(const struct task_meter *m)
{
	return m->error;
}

static int compare_stalls(const void *a, const void *b)
{
	const struct task_stall *x = *(struct task_stall *const *)a;
	const struct task_stall *y = *(struct task_stall *const *)b;
	u64 dx = x->end_ns - x->start_ns, dy = y->end_ns - y->start_ns;

	if (dx != dy)
		return dx < dy ? 1 : -1;
	return x->thread < y->thread ? -1 : x->thread > y->thread;
}

struct task_stall **task_figures_stalls(const struct task_figures *f, size_t *n)
{
	struct task_stall **list = malloc((f->stall_map.len + 1) * sizeof(struct task_stall *));
	struct map_slot *slot;

	*n = 0;
	if (!list)
		return NULL;
	for (size_t i = 0; (slot = map_next(&f->stall_map, &i));)
		list[(*n)++] = slot->value;
	qsort(list, *n, sizeof(list[0]), compare_stalls);
	return list;
}

const struct task_stall *task_figures_stall(const struct task_figures *f)
{
	size_t n;
	struct task_stall **list = task_figures_stalls(f, &n);
	const struct task_stall *first = list && n ? list[0] : NULL;

	free(list);
	return first;
}
