/* SPDX-License-Identifier: MIT */
/* meter_stretch.c - stretches of time, what threads spend in them, and the levels of processes. */
#include <stdlib.h>
#include <string.h>

#include "metrics/meter_parts.h"

bool meter_push(u32 **list, u32 *n, u32 *cap, u32 value)
{
	if (*n == *cap) {
		u32 want = *cap ? *cap * 2 : 64;
		u32 *grown = realloc(*list, want * sizeof(*grown));

		if (!grown)
			return false;
		*list = grown;
		*cap = want;
	}
	(*list)[(*n)++] = value;
	return true;
}

void meter_note(struct meter *meter, int err)
{
	if (err && !meter->error)
		meter->error = err;
}

/* Peaks. */

static bool counted(const struct meter *meter, const struct thread *t, unsigned int level)
{
	int slot = usage_slot_of(t->state, t->wait.kind);

	switch (level) {
	case PEAK_RUNNING:
		return slot == USAGE_RUNNING;
	case PEAK_FLIGHT:
		return slot >= 0 && usage_in_flight((unsigned int)slot, meter->parked);
	case PEAK_DEMAND:
		return (slot == USAGE_RUNNING || slot == USAGE_READY) && !model_is_held_back(meter->model, t->id);
	default:
		return slot == USAGE_KIND + (int)(level - PEAKS);
	}
}

void meter_note_peak(const struct meter *meter, struct figures_peak *peak, unsigned int level,
		     const struct process *process)
{
	peak->n = 0;
	/* With very many threads the walk is not worth it. */
	if (meter->n_alive > (process ? 4096 : 65536))
		return;
	for (u32 i = 0; i < meter->n_alive && peak->n < ARRAY_SIZE(peak->ids); i++) {
		const struct thread *t = model_thread(meter->model, meter->alive[i]);

		if ((!process || t->process == process) && counted(meter, t, level))
			peak->ids[peak->n++] = t->id;
	}
}

/* Processes: levels are taken per process only when one of its threads changes. */

static struct process_level *level_of(struct meter *meter, u32 id)
{
	if (id >= meter->n_processes) {
		u32 want = id + 1 + id / 2;
		struct process_level *grown = realloc(meter->processes, want * sizeof(*grown));

		if (!grown) {
			meter_note(meter, -ENOMEM);
			return NULL;
		}
		memset(grown + meter->n_processes, 0,
		       (want - meter->n_processes) * sizeof(*grown));
		meter->processes = grown;
		meter->n_processes = want;
	}
	return &meter->processes[id];
}

/* The process's figures, made where there are none yet. */
static struct process_figures *process_in(struct meter *meter, struct figures *figures, u32 id)
{
	bool first = id >= figures->n_processes || !figures->processes[id];
	struct process_figures *process = figures_process(figures, id);

	if (first && process && meter->points && figures->n_series < FIGURES_SERIES) {
		meter_note(meter, series_new(&process->series, figures->begin_ns));
		figures->n_series++;
	}
	return process;
}

static void level_flush(struct meter *meter, u32 id, struct process_level *level, u64 ts)
{
	if (ts <= level->last_ns)
		return;
	for (u32 i = 0; i < meter->n_stretches && level->last_ns; i++) {
		struct stretch *stretch = &meter->stretches[i];
		u64 from = level->last_ns > stretch->since_ns ? level->last_ns : stretch->since_ns;
		struct process_figures *process;

		if (!stretch->depth || from >= ts)
			continue;
		process = process_in(meter, stretch->figures, id);
		if (!process)
			continue;
		curve_add(&process->parallelism, level->counts.running, from, ts - from,
			  level->flight > 0);
		curve_add(&process->concurrency, level->flight, from, ts - from,
			  level->flight > 0);
		curve_add(&process->demand, level->demand, from, ts - from, level->flight > 0);
		if (process->series)
			series_add(process->series, from, ts - from, &level->counts, level->flight, level->demand);
		for (u32 kinds = level->counts.kinds; kinds; kinds &= kinds - 1) {
			unsigned int k = (unsigned int)__builtin_ctz(kinds);

			if (level->counts.waiting[k] > process->waiting_max[k])
				process->waiting_max[k] = level->counts.waiting[k];
		}
	}
	level->last_ns = ts;
}

/*
 * A thread of process @id changes its state at @ts. Its new level is read only when time moves on
 * (meter_refresh): several changes may fall on one instant, and states of length 0 are not told.
 */
void meter_touch(struct meter *meter, u32 id, u64 ts)
{
	struct process_level *level = level_of(meter, id);

	if (!level)
		return;
	level_flush(meter, id, level, ts);
	if (level->touched)
		return;
	level->touched = meter_push(&meter->touched, &meter->n_touched, &meter->cap_touched, id);
	if (!level->touched)
		meter_note(meter, -ENOMEM);
}

/* More than ever on a curve of process @id? Then who? */
static void note_peaks(struct meter *meter, u32 id, const struct process_level *level)
{
	const struct process *process = model_process(meter->model, id);

	for (u32 i = 0; level->flight && i < meter->n_stretches; i++) {
		struct process_figures *p = meter->stretches[i].depth ?
					    process_in(meter, meter->stretches[i].figures, id) : NULL;

		if (!p)
			continue;
		if (level->counts.running > p->parallelism.max)
			meter_note_peak(meter, &p->peaks[PEAK_RUNNING], PEAK_RUNNING, process);
		if (level->flight > p->concurrency.max)
			meter_note_peak(meter, &p->peaks[PEAK_FLIGHT], PEAK_FLIGHT, process);
		if (level->demand > p->demand.max)
			meter_note_peak(meter, &p->peaks[PEAK_DEMAND], PEAK_DEMAND, process);
	}
}

void meter_refresh(struct meter *meter)
{
	for (u32 i = 0; i < meter->n_touched; i++) {
		u32 id = meter->touched[i];
		struct process_level *level = &meter->processes[id];
		const struct counts *counts = model_process_counts(meter->model, id);

		level->counts.running = counts->running;
		level->counts.ready = counts->ready;
		level->counts.stopped = counts->stopped;
		level->counts.unknown = counts->unknown;
		level->counts.kinds = counts->kinds;
		for (u32 kinds = counts->kinds; kinds; kinds &= kinds - 1)
			level->counts.waiting[__builtin_ctz(kinds)] = counts->waiting[__builtin_ctz(kinds)];
		level->flight = counts_concurrency(counts, meter->parked);
		level->demand = counts_demand(counts);
		note_peaks(meter, id, level);
		level->touched = false;
		if (!level->last_ns)
			level->last_ns = meter->last_ns;
	}
	meter->n_touched = 0;
}

/* Threads' time. */

/* Give @stretch what living threads have spent in their present state so far. */
static void charge_open(struct meter *meter, struct stretch *stretch, u64 ts)
{
	u32 kept = 0;

	for (u32 i = 0; i < meter->n_alive; i++) {
		const struct thread *thread = model_thread(meter->model, meter->alive[i]);
		struct span span = {
			.thread = thread,
			.state = thread->state,
			.start_ns = thread->since_ns,
			.end_ns = ts,
			.cpu = thread->cpu,
			.prio = thread->prio,
			.preempted = thread->preempted,
			.preempted_by = thread->preempted_by,
			.wait = thread->state == STATE_WAITING ? &thread->wait : NULL,
		};
		u64 from = thread->since_ns;

		if (thread->state == STATE_NONE)
			continue;
		meter->alive[kept++] = meter->alive[i];
		if (from < stretch->since_ns)
			from = stretch->since_ns;
		if (from < ts)
			figures_charge(stretch->figures, &span, from, false);
	}
	meter->n_alive = kept;
}

/* Stretches. */

static void flush_processes(struct meter *meter, u64 ts)
{
	for (u32 i = 0; i < meter->n_processes; i++)
		level_flush(meter, i, &meter->processes[i], ts);
}

static void keep_piece(const struct stretch *stretch)
{
	struct figures *figures = stretch->figures;
	u32 n = figures->n_pieces;

	if (n == FIGURES_PIECES || stretch->last_end_ns == stretch->last_begin_ns)
		return;
	if (!(n & (n - 1))) {
		struct figures_piece *grown = realloc(figures->pieces, (n ? 2 * n : 1) * sizeof(*grown));

		if (!grown) {
			figures->failed = true;
			return;
		}
		figures->pieces = grown;
	}
	figures->pieces[figures->n_pieces++] = (struct figures_piece){
		stretch->last_begin_ns, stretch->last_end_ns, stretch->thread};
}

void stretch_open(struct meter *meter, struct stretch *stretch, u64 ts)
{
	if (stretch->depth++)
		return;
	flush_processes(meter, ts);
	meter->entered = ~0ull >> (64 - KINDS);
	stretch->since_ns = ts;
	/* What processes are at now may be their peak in it. */
	for (u32 i = 0; i < meter->n_processes; i++)
		if (meter->processes[i].flight)
			meter_touch(meter, i, ts);
	if (stretch->figures->times++)
		return;
	stretch->figures->begin_ns = ts;
	/* Phases are found in the window's. */
	if (meter->points || stretch == &meter->stretches[0])
		meter_note(meter, series_new(&stretch->figures->series, ts));
}

void stretch_close(struct meter *meter, struct stretch *stretch, u64 ts)
{
	if (stretch->depth != 1) {
		stretch->depth -= stretch->depth > 0;
		return;
	}
	flush_processes(meter, ts);
	stretch->depth = 0;
	charge_open(meter, stretch, ts);
	stretch->last_begin_ns = stretch->since_ns;
	stretch->last_end_ns = ts;
	stretch->figures->end_ns = ts;
	keep_piece(stretch);
}

struct stretch *stretch_new(struct meter *meter, const char *name)
{
	struct stretch *stretch = &meter->stretches[meter->n_stretches];
	struct figures *figures = calloc(1, sizeof(*figures));

	if (!figures || (name && !(figures->name = strdup(name)))) {
		free(figures);
		meter_note(meter, -ENOMEM);
		return NULL;
	}
	*stretch = (struct stretch){.figures = figures, .thread = NO_THREAD};
	meter->n_stretches++;
	return stretch;
}

struct stretch *stretch_named(struct meter *meter, const char *name)
{
	for (u32 i = meter->timed ? 2 : 1; i < meter->n_stretches; i++)
		if (!strcmp(meter->stretches[i].figures->name, name))
			return &meter->stretches[i];
	return NULL;
}
