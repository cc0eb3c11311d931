/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "metrics/tasks_parts.h"

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
	row = tasks_row(m, s->figures, task);
	if (row)
		row->time.ns[slot] += to - from;
}

static void stretch_open(struct task_meter *m, struct stretch *s, u64 ts)
{
	struct map_slot *slot;

	if (s->depth++)
		return;
	s->since_ns = ts;
	if (!s->figures->begin_ns) {
		s->figures->begin_ns = ts;
		if (m->points && series_new(&s->figures->series, ts))
			tasks_fail(m);
	}
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
	s->figures->end_ns = ts;
	/* Tasks were met in the order of a hash table just now. */
	if (s->figures->n_rows)
		qsort(s->figures->rows, s->figures->n_rows, sizeof(*s->figures->rows), compare_rows);
}

static struct stretch *stretch_new(struct task_meter *m, const char *name)
{
	struct task_figures *f = calloc(1, sizeof(*f));

	if (!f || (name && !(f->name = strdup(name)))) {
		free(f);
		return tasks_fail(m);
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

static bool counted(const struct task_meter *m, const struct task *t, enum peak_level level)
{
	int slot = usage_slot_of(t->state, t->wait_kind);

	switch (level) {
	case PEAK_RUNNING:
		return t->state == STATE_RUNNING;
	case PEAK_DEMAND:
		return (t->state == STATE_RUNNING || t->state == STATE_READY) && !model_task_is_held_back(t);
	default:
		return slot >= 0 && usage_in_flight((unsigned int)slot, m->parked);
	}
}

/* It is @now: more than ever on that curve? Then who? */
static void note_peak(const struct task_meter *m, struct task_figures *f, const struct curve *c, u32 now,
		      enum peak_level level)
{
	struct figures_peak *peak = &f->peaks[level];
	struct map_slot *slot;

	if (now <= c->max)
		return;
	peak->n = 0;
	for (size_t i = 0; peak->n < ARRAY_SIZE(peak->ids) && (slot = map_next(&m->alive, &i));) {
		const struct task *task = slot->value;

		if (counted(m, task, level))
			peak->ids[peak->n++] = task->id;
	}
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
		note_peak(m, f, &f->parallelism, c->running, PEAK_RUNNING);
		note_peak(m, f, &f->concurrency, flight, PEAK_FLIGHT);
		note_peak(m, f, &f->demand, demand, PEAK_DEMAND);
		f->duration_ns += dt;
		f->active_ns += flight ? dt : 0;
		curve_add(&f->parallelism, c->running, from, dt, flight > 0);
		curve_add(&f->concurrency, flight, from, dt, flight > 0);
		curve_add(&f->demand, demand, from, dt, flight > 0);
		curve_add(&f->alive, c->alive, from, dt, flight > 0);
		if (f->series)
			series_add(f->series, from, dt, c, flight, demand);
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
			return tasks_fail(m);
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
			struct task_row *row = tasks_row(m, s->figures, span->task);

			add_price(&s->figures->price, span, from);
			if (row)
				add_price(&row->price, span, from);
		}
		if (span->state == STATE_WAITING && !span->thread && span->end_ns > s->since_ns)
			tasks_note_place(m, s->figures, span, span->end_ns -
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
		if (!map_get(&f->thread_map, step->thread->id + 1ull)) {
			f->n_threads++;
			if (map_set(&f->thread_map, step->thread->id + 1ull, f))
				m->error = -ENOMEM;
		}
		row = tasks_row(m, f, step->task);
		if (row) {
			row->steps++;
			if (ns > row->longest_step_ns)
				row->longest_step_ns = ns;
		}
		tasks_note_stall(m, f, step, &now);
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

int task_meter_new(struct task_meter **out, struct model *model, bool points)
{
	struct task_meter *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->model = model;
	m->points = points;
	if (!stretch_new(m, NULL)) {
		task_meter_free(m);
		return -ENOMEM;
	}
	*out = m;
	return 0;
}

void task_meter_free(struct task_meter *m)
{
	if (!m)
		return;
	for (u32 i = 0; i < m->n_stretches; i++)
		tasks_figures_free(m->stretches[i].figures);
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
