/* SPDX-License-Identifier: MIT */
/* tasks_json.c - the tasks' figures as part of the report's JSON. Times are in ns from the window's begin. */
#include <inttypes.h>
#include <stdlib.h>

#include "metrics/figures_json.h"
#include "metrics/tasks.h"
#include "trace/text.h"

#define PLACES_SHOWN 50

static u64 since(const struct model *model, u64 ts)
{
	u64 begin = model_window_begin(model);

	return ts > begin ? ts - begin : 0;
}

static void put_curve(struct buf *b, const char *key, const struct curve *c, const struct figures_peak *who,
		      const struct task_figures *f)
{
	figures_curve_json(b, key, c, who, f->active_ns, f->duration_ns, f->begin_ns);
	buf_putc(b, ',');
}

static void put_string(struct buf *b, const char *key, const char *text)
{
	buf_printf(b, "\"%s\":", key);
	if (text && *text)
		buf_put_json(b, text);
	else
		buf_puts(b, "null");
	buf_putc(b, ',');
}

/* With a comma in front; nothing when nothing was sent. */
static void put_price(struct buf *b, const struct task_price *p)
{
	if (!p->pickling_ns && !p->unpickling_ns && !p->transferring_ns)
		return;
	buf_printf(b, ",\"serialization\":{\"serializing_ns\":%" PRIu64 ",\"pickling_ns\":%" PRIu64
		   ",\"unpickling_ns\":%" PRIu64 ",\"transferring_ns\":%" PRIu64 ",\"messages\":%" PRIu64
		   ",\"bytes\":%" PRIu64 "}", p->pickling_ns + p->unpickling_ns, p->pickling_ns,
		   p->unpickling_ns, p->transferring_ns, p->messages, p->bytes);
}

static void put_row(struct buf *b, const struct task_row *row, const struct model *model)
{
	buf_printf(b, "{\"id\":%u,", row->id);
	buf_puts(b, "\"name\":");
	buf_put_json(b, row->name);
	buf_puts(b, ",\"kind\":");
	buf_put_json(b, row->kind);
	buf_putc(b, ',');
	put_string(b, "site", row->site);
	if (row->creator == NO_TASK)
		buf_puts(b, "\"creator\":null,");
	else
		buf_printf(b, "\"creator\":%u,", row->creator);
	buf_printf(b, "\"tgid\":%d,\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64 ",\"outcome\":%s%s%s,"
		   "\"steps\":%" PRIu64 ",\"longest_step_ns\":%" PRIu64 ",\"running_ns\":%" PRIu64
		   ",\"alive_ns\":%" PRIu64 ",", row->tgid, since(model, row->start_ns),
		   since(model, row->end_ns ? row->end_ns : model_window_end(model)),
		   row->ended ? "\"" : "", row->ended ? task_outcome_name(row->outcome) : "null",
		   row->ended ? "\"" : "", row->steps, row->longest_step_ns,
		   row->time.ns[USAGE_RUNNING], usage_alive(&row->time));
	figures_usage_json(b, &row->time);
	put_price(b, &row->price);
	buf_putc(b, '}');
}

static int by_wait(const void *a, const void *b)
{
	const struct task_place *x = *(struct task_place *const *)a;
	const struct task_place *y = *(struct task_place *const *)b;

	return x->wait_ns < y->wait_ns ? 1 : x->wait_ns > y->wait_ns ? -1 : 0;
}

static void put_places(struct buf *b, const struct task_figures *f)
{
	struct task_place **list = malloc((f->n_places + 1) * sizeof(struct task_place *));

	buf_puts(b, "\"waits\":[");
	if (!list) {
		b->failed = true;
		return;
	}
	for (u32 i = 0; i < f->n_places; i++)
		list[i] = f->places[i];
	qsort(list, f->n_places, sizeof(list[0]), by_wait);
	for (u32 i = 0; i < f->n_places && i < PLACES_SHOWN; i++) {
		buf_puts(b, i ? ",{" : "{");
		put_string(b, "what", list[i]->what);
		put_string(b, "at", list[i]->at);
		buf_printf(b, "\"waits\":%" PRIu64 ",\"wait_ns\":%" PRIu64 ",\"max_wait_ns\":%" PRIu64 "}",
			   list[i]->waits, list[i]->wait_ns, list[i]->max_ns);
	}
	buf_puts(b, "],");
	free(list);
}

static void put_stalls(struct buf *b, const struct task_figures *f, const struct model *model)
{
	size_t n;
	struct task_stall **list = task_figures_stalls(f, &n);

	buf_puts(b, "\"stalls\":[");
	for (size_t i = 0; list && i < n; i++) {
		const struct task_stall *s = list[i];

		buf_printf(b, "%s{\"thread\":%u,\"task\":%u,", i ? "," : "", s->thread, s->task);
		put_string(b, "name", s->name);
		buf_printf(b, "\"start_ns\":%" PRIu64 ",\"duration_ns\":%" PRIu64 ",\"running_ns\":%" PRIu64
			   ",\"blocked_ns\":%" PRIu64 ",\"blocked_in\":", since(model, s->start_ns),
			   s->end_ns - s->start_ns, s->running_ns, s->blocked_ns);
		if (s->blocked_ns)
			buf_printf(b, "\"%s\",", kind_table[s->kind].name);
		else
			buf_puts(b, "null,");
		put_string(b, "line", s->line);
		put_string(b, "after", s->from);
		put_string(b, "before", s->to);
		buf_printf(b, "\"kept_ready\":%u}", s->kept_ready);
	}
	buf_putc(b, ']');
	free(list);
}

void tasks_json(const struct task_figures *f, const struct model *model, struct buf *b)
{
	buf_printf(b, "\"count\":%u,\"steps\":%" PRIu64 ",", f->n_tasks, f->steps);
	put_curve(b, "concurrency", &f->concurrency, &f->peaks[PEAK_FLIGHT], f);
	put_curve(b, "parallelism", &f->parallelism, &f->peaks[PEAK_RUNNING], f);
	put_curve(b, "demand", &f->demand, &f->peaks[PEAK_DEMAND], f);
	put_curve(b, "alive", &f->alive, NULL, f);
	figures_usage_json(b, &f->time);
	put_price(b, &f->price);
	buf_puts(b, ",\"list\":[");
	for (u32 i = 0; i < f->n_rows; i++) {
		if (i)
			buf_putc(b, ',');
		put_row(b, f->rows[i], model);
	}
	buf_printf(b, "],\"not_listed\":%u,", f->n_tasks > f->n_rows ? f->n_tasks - f->n_rows : 0);
	put_places(b, f);
	put_stalls(b, f, model);
}
