/* SPDX-License-Identifier: MIT */
#include "metrics/frame.h"

#include <stdio.h>
#include <stdlib.h>

static void take_figures(struct frame *f, const struct report *r)
{
	const struct figures *g = r->figures;
	u64 begin = model_window_begin(r->model);

	f->begin_ns = g->begin_ns > begin ? g->begin_ns - begin : 0;
	f->duration_ns = g->duration_ns;
	f->active_ns = g->active_ns;
	f->known_ns = g->known_ns;
	f->flight = curve_mean_window(&g->concurrency, g->duration_ns);
	f->flight_high = curve_mean_window(&g->concurrency_high, g->duration_ns);
	f->running = curve_mean_window(&g->parallelism, g->duration_ns);
	f->demand = curve_mean_window(&g->demand, g->duration_ns);
	f->max_flight = g->concurrency.max;
	f->max_running = g->parallelism.max;
	f->max_demand = g->demand.max;
	f->time = g->time;
	f->parked = model_parked(r->model);
	f->cpus = r->cpus;
	f->usable_cpus = r->usable_cpus;
	f->lost = r->lost_events;
	verdict_facts(r, g, &f->verdict.facts);
	verdict_judge(&f->verdict.facts, &f->verdict);
}

static int take_rows(struct frame *f, const struct report *r)
{
	const struct figures *g = r->figures;
	u32 *places = calloc(model_n_processes(r->model) + 1, sizeof(*places)); /* by process: row + 1 */

	f->threads = calloc(g->n_threads + 1, sizeof(*f->threads));
	f->processes = calloc(g->n_threads + 1, sizeof(*f->processes));
	for (u32 i = 0; places && f->threads && f->processes && i < g->n_threads; i++) {
		struct frame_row *process, *row;
		const struct thread *t;

		/* There is room for more than there are. */
		if (!g->threads[i])
			continue;
		t = model_thread(r->model, i);
		row = &f->threads[f->n_threads++];
		row->tgid = t->tgid;
		row->tid = t->tid;
		row->time = g->threads[i]->time;
		snprintf(row->name, sizeof(row->name), "%s", thread_label(t));
		if (!places[t->process->id])
			places[t->process->id] = ++f->n_processes;
		process = &f->processes[places[t->process->id] - 1];
		process->tgid = t->process->tgid;
		process->threads++;
		usage_add(&process->time, &row->time);
		snprintf(process->name, sizeof(process->name), "%s", t->process->name);
	}
	free(places);
	return f->threads && f->processes && places ? 0 : -ENOMEM;
}

static void take_lock(struct frame_lock *lock, const struct report *r, const struct lock_figures *l)
{
	const struct process *p = model_process_of(r->model, l->tgid);

	*lock = (struct frame_lock){
		.kind = l->kind, .tgid = l->tgid, .lock = l->lock, .threads = (u32)l->threads.len,
		.waits = l->waits, .wait_ns = l->wait_ns, .max_ns = l->waits_hist.max,
		.unknown_ns = l->unknown.wait_ns,
	};
	if (p)
		snprintf(lock->process, sizeof(lock->process), "%s", p->name);
	if (!l->n_holders)
		return;
	lock->holder = model_thread(r->model, l->holders[0]->thread)->tid;
	lock->holder_ns = l->holders[0]->wait_ns;
	snprintf(lock->holder_name, sizeof(lock->holder_name), "%s",
		 thread_label(model_thread(r->model, l->holders[0]->thread)));
}

/* What somebody holds while others wait; conditions and plain futexes are waits without a holder. */
static bool has_holder(enum wait_kind kind)
{
	return kind == KIND_GIL || kind == KIND_MUTEX || kind == KIND_RWLOCK;
}

static int take_locks(struct frame *f, const struct report *r)
{
	const struct figures *g = r->figures;

	f->locks = calloc(g->n_locks + 1, sizeof(*f->locks));
	for (u32 i = 0; f->locks && i < g->n_locks; i++)
		if (has_holder(g->lock_list[i]->kind))
			take_lock(&f->locks[f->n_locks++], r, g->lock_list[i]);
	return f->locks ? 0 : -ENOMEM;
}

int frame_take(struct frame *f, const struct report *r)
{
	int code;

	frame_free(f);
	take_figures(f, r);
	code = take_rows(f, r);
	return code ? code : take_locks(f, r);
}

void frame_free(struct frame *f)
{
	free(f->processes);
	free(f->threads);
	free(f->locks);
	*f = (struct frame){0};
}

const char *frame_sort_name(enum frame_sort sort)
{
	static const char *const names[FRAME_SORTS] = {"in flight", "running", "ready", "waiting", "number"};

	return names[sort];
}

struct order {
	enum frame_sort sort;
	u32 parked;
};

static u64 key_of(const struct frame_row *row, const struct order *order)
{
	u64 flight = usage_flight(&row->time, order->parked);

	switch (order->sort) {
	case FRAME_BY_RUNNING:
		return row->time.ns[USAGE_RUNNING];
	case FRAME_BY_READY:
		return row->time.ns[USAGE_READY];
	case FRAME_BY_WAITING:
		return flight - row->time.ns[USAGE_RUNNING] - row->time.ns[USAGE_READY];
	case FRAME_BY_FLIGHT:
		/* What is not known may have been in flight. */
		return flight + row->time.ns[USAGE_UNKNOWN];
	default:
		return 0;
	}
}

static int compare(const void *a, const void *b, void *ctx)
{
	const struct frame_row *x = a, *y = b;
	u64 of_x = key_of(x, ctx), of_y = key_of(y, ctx);

	if (of_x != of_y)
		return of_x < of_y ? 1 : -1;
	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

void frame_sort(struct frame *f, enum frame_sort sort)
{
	struct order order = {sort, f->parked};

	qsort_r(f->processes, f->n_processes, sizeof(*f->processes), compare, &order);
	qsort_r(f->threads, f->n_threads, sizeof(*f->threads), compare, &order);
}
