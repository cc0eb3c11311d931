/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "metrics/tasks_parts.h"

void *tasks_fail(struct task_meter *m)
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

struct task_row *tasks_row(struct task_meter *m, struct task_figures *f, const struct task *task)
{
	struct task_row *row = map_get(&f->row_map, task->id + 1ull);

	if (row || f->n_rows >= TASK_ROWS)
		return row;
	row = calloc(1, sizeof(*row));
	if (!row)
		return tasks_fail(m);
	*row = (struct task_row){.id = task->id, .creator = task->creator, .tgid = task->tgid,
				 .name = strdup(task->name), .kind = strdup(task->kind),
				 .site = strdup(task->site), .start_ns = task->start_ns};
	if (!row->name || !row->kind || !row->site ||
	    !push(&f->rows, &f->n_rows, &f->cap_rows, row)) {
		row_free(row);
		return tasks_fail(m);
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

void tasks_note_place(struct task_meter *m, struct task_figures *f, const struct task_span *s, u64 ns)
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
			tasks_fail(m);
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

void tasks_note_stall(struct task_meter *m, struct task_figures *f, const struct task_step *s,
		       const struct in_step *in)
{
	u64 key = s->thread->id + 1ull;
	struct task_stall *old = map_get(&f->stall_map, key), *stall;

	/* A job has its worker thread to itself: that is no loop that others wait for. */
	if (!strcmp(s->task->kind, "job") || !strcmp(s->task->kind, "message") || !strcmp(s->task->kind, "goroutine"))
		return;
	if (old && s->end_ns - s->start_ns <= old->end_ns - old->start_ns)
		return;
	stall = calloc(1, sizeof(*stall));
	if (!stall) {
		tasks_fail(m);
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
		tasks_fail(m);
	}
}

void tasks_figures_free(struct task_figures *f)
{
	struct map_slot *slot;

	curve_free(&f->parallelism);
	curve_free(&f->concurrency);
	curve_free(&f->demand);
	curve_free(&f->alive);
	series_free(f->series);
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
	map_free(&f->thread_map);
	map_free(&f->place_map);
	map_free(&f->stall_map);
	free(f->name);
	free(f);
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
