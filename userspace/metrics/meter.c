/* SPDX-License-Identifier: MIT */
#include "metrics/meter.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/meter_parts.h"

/* Curves. */


/* More than ever in a kind of wait? Only kinds that a thread has come to since the last look. */
static void note_waiting(struct meter *meter, struct figures *figures, u64 ts)
{
	const struct counts *counts = model_counts(meter->model);

	for (u64 kinds = meter->entered; kinds; kinds &= kinds - 1) {
		unsigned int k = (unsigned int)__builtin_ctzll(kinds);

		if (counts->waiting[k] > figures->waiting_max[k]) {
			figures->waiting_max[k] = counts->waiting[k];
			figures->waiting_max_ns[k] = ts;
			meter_note_peak(meter, &figures->waiting_peaks[k], PEAKS + k, NULL);
		}
	}
}

static void joint_add(struct figures *figures, u32 running, u32 flight, u64 ts, u64 dt)
{
	if (running >= figures->n_joint) {
		u32 want = running + 1;
		struct curve *grown = realloc(figures->joint, want * sizeof(*grown));

		if (!grown) {
			figures->failed = true;
			return;
		}
		memset(grown + figures->n_joint, 0, (want - figures->n_joint) * sizeof(*grown));
		figures->joint = grown;
		figures->n_joint = want;
	}
	curve_add(&figures->joint[running], flight, ts, dt, flight > 0);
}

/* Everything has been as the model's counts say since last_ns; now it is @ts. */
static void step(struct meter *meter, u64 ts)
{
	const struct counts *counts = model_counts(meter->model);
	u64 from = meter->last_ns, dt;
	u32 flight, demand;

	if (ts <= from)
		return;
	meter_refresh(meter);
	dt = ts - from;
	flight = counts_concurrency(counts, meter->parked);
	demand = counts_demand(counts);
	for (u32 i = 0; i < meter->n_stretches; i++) {
		struct figures *figures = meter->stretches[i].figures;

		if (!meter->stretches[i].depth)
			continue;
		if (counts->running > figures->parallelism.max)
			meter_note_peak(meter, &figures->peaks[PEAK_RUNNING], PEAK_RUNNING, NULL);
		if (flight > figures->concurrency.max)
			meter_note_peak(meter, &figures->peaks[PEAK_FLIGHT], PEAK_FLIGHT, NULL);
		if (demand > figures->demand.max)
			meter_note_peak(meter, &figures->peaks[PEAK_DEMAND], PEAK_DEMAND, NULL);
		note_waiting(meter, figures, from);
		figures->known_ns += counts->unknown ? 0 : dt;
		figures->duration_ns += dt;
		figures->active_ns += flight ? dt : 0;
		curve_add(&figures->parallelism, counts->running, from, dt, flight > 0);
		curve_add(&figures->concurrency, flight, from, dt, flight > 0);
		curve_add(&figures->concurrency_high, flight + counts->unknown, from, dt,
			  flight > 0);
		curve_add(&figures->demand, demand, from, dt, flight > 0);
		curve_add(&figures->alive, counts->alive, from, dt, flight > 0);
		joint_add(figures, counts->running, flight, from, dt);
		if (figures->series)
			series_add(figures->series, from, dt, counts, flight, demand);
	}
	meter->entered = 0;
	meter->last_ns = ts;
}

/* Time moves on to @ts; stops on the way where the stretch by time begins and ends. */
void meter_advance(struct meter *meter, u64 ts)
{
	if (!meter->open || ts <= meter->last_ns)
		return;
	if (meter->timed) {
		struct stretch *timed = &meter->stretches[1];

		if (!timed->figures->times && meter->from_ns <= ts) {
			step(meter, meter->from_ns);
			stretch_open(meter, timed, meter->from_ns);
		}
		if (timed->depth && meter->to_ns <= ts) {
			step(meter, meter->to_ns);
			stretch_close(meter, timed, meter->to_ns);
		}
	}
	step(meter, ts);
}

/* The sink. */

static void on_affinity(struct meter *meter, const struct rec_affinity *affinity)
{
	const struct thread *t = model_thread_of(meter->model, affinity->tid);

	if (!t)
		return;
	if (t->id >= meter->n_affinity) {
		u32 want = t->id + 1 + t->id / 2;
		u64 *grown = realloc(meter->affinity, want * sizeof(*grown));

		if (!grown) {
			meter_note(meter, -ENOMEM);
			return;
		}
		memset(grown + meter->n_affinity, 0, (want - meter->n_affinity) * sizeof(*grown));
		meter->affinity = grown;
		meter->n_affinity = want;
	}
	meter->affinity[t->id] = affinity->mask;
}

static void on_cgroup(struct host_figures *host, const struct rec_cgroup *cgroup)
{
	size_t len = strnlen(cgroup->path, sizeof(host->cgroup_path) - 1);

	if (!host->n_cgroup++)
		host->cgroup_first = *cgroup;
	host->cgroup_last = *cgroup;
	memcpy(host->cgroup_path, cgroup->path, len);
	host->cgroup_path[len] = '\0';
	host->cgroup_first.path = host->cgroup_last.path = host->cgroup_path;
}

static void on_record(void *ctx, const struct record *rec)
{
	struct meter *meter = ctx;

	meter_advance(meter, rec->ts);
	switch (rec->type) {
	case REC_AFFINITY:
		on_affinity(meter, &rec->affinity);
		break;
	case REC_HOST:
		if (!meter->host.n_host++)
			meter->host.first = rec->host;
		meter->host.last = rec->host;
		break;
	case REC_CGROUP:
		on_cgroup(&meter->host, &rec->cgroup);
		break;
	case REC_LOST:
		meter->losses.events += rec->lost.count;
		meter->losses.gaps++;
		break;
	default:
		break;
	}
}

static void on_window_begin(void *ctx, u64 ts)
{
	struct meter *meter = ctx;

	meter->open = true;
	meter->parked = model_parked(meter->model);
	meter->last_ns = ts;
	if (meter->timed) {
		meter->from_ns += ts;
		meter->to_ns = meter->to_ns > UINT64_MAX - ts ? UINT64_MAX : meter->to_ns + ts;
	}
	stretch_open(meter, &meter->stretches[0], ts);
}

static void on_held_back(void *ctx, const struct thread *thread)
{
	struct meter *meter = ctx;

	if (!thread->outsider)
		meter_touch(meter, thread->process->id, meter->last_ns);
}

static void on_process_start(void *ctx, const struct process *process, u64 ts)
{
	struct meter *meter = ctx;

	if (process->outsider)
		return;
	/* The id may have been another's. */
	if (process->id < meter->n_processes && !meter->processes[process->id].touched)
		meter->processes[process->id] = (struct process_level){0};
	meter_touch(meter, process->id, ts);
}

static void on_thread_start(void *ctx, const struct thread *thread, u64 ts)
{
	struct meter *meter = ctx;

	if (thread->outsider)
		return;
	if (!meter_push(&meter->alive, &meter->n_alive, &meter->cap_alive, thread->id))
		meter_note(meter, -ENOMEM);
	meter_touch(meter, thread->process->id, ts);
}

static void on_state(void *ctx, const struct span *span)
{
	struct meter *meter = ctx;

	if (span->thread->outsider)
		return;
	meter_touch(meter, span->thread->process->id, span->end_ns);
	if (span->thread->state == STATE_WAITING)
		meter->entered |= 1ull << span->thread->wait.kind;
	for (u32 i = 0; i < meter->n_stretches; i++) {
		struct stretch *stretch = &meter->stretches[i];
		u64 from = span->start_ns > stretch->since_ns ? span->start_ns : stretch->since_ns;

		if (stretch->depth && from < span->end_ns)
			figures_charge(stretch->figures, span, from, true);
	}
}

static void on_wakeup(void *ctx, const struct wakeup *wakeup)
{
	struct meter *meter = ctx;

	for (u32 i = 0; i < meter->n_stretches; i++) {
		if (!meter->stretches[i].depth)
			continue;
		meter->stretches[i].figures->wakeups++;
		meter->stretches[i].figures->wakeups_causal += wakeup->causal;
	}
}

/* An interval is told when it is over: a region that ended inside it takes its part all the same. */
static void on_lock_wait(void *ctx, const struct lock_wait *wait)
{
	struct meter *meter = ctx;

	for (u32 i = 0; i < meter->n_stretches; i++) {
		struct stretch *stretch = &meter->stretches[i];

		if (stretch->last_end_ns > wait->start_ns)
			meter_note(meter, lock_table_add(stretch->figures, &meter->gils, wait,
							 stretch->last_begin_ns,
							 stretch->last_end_ns));
		if (stretch->depth)
			meter_note(meter, lock_table_add(stretch->figures, &meter->gils, wait,
							 stretch->since_ns, wait->end_ns));
	}
}

static void on_gil(void *ctx, s32 tgid, u64 lock, u32 holder, bool known, bool exact, u64 ts)
{
	struct meter *meter = ctx;

	(void)exact;
	meter_note(meter, gil_history_add(&meter->gils, tgid, lock, known ? holder : NO_THREAD, known, ts));
}

static void on_region_begin(void *ctx, const struct region *region)
{
	struct meter *meter = ctx;
	struct stretch *stretch = stretch_named(meter, region->name);
	u64 ts = region->start_ns > meter->last_ns ? region->start_ns : meter->last_ns;

	if (meter->closed)
		return;
	if (!stretch) {
		if (meter->n_stretches == ARRAY_SIZE(meter->stretches)) {
			meter->regions_left_out++;
			return;
		}
		stretch = stretch_new(meter, region->name);
		if (!stretch)
			return;
	}
	if (!stretch->depth)
		stretch->thread = region->thread ? region->thread->id : NO_THREAD;
	stretch_open(meter, stretch, ts);
}

static void on_region(void *ctx, const struct region *region)
{
	struct meter *meter = ctx;
	struct stretch *stretch = stretch_named(meter, region->name);

	if (stretch && meter->open)
		stretch_close(meter, stretch, region->end_ns);
}

static void on_window_end(void *ctx, u64 ts)
{
	struct meter *meter = ctx;

	if (!meter->open)
		return;
	meter_refresh(meter);
	/* Every open state was told as ended before: nothing is left to charge. */
	meter->n_alive = 0;
	for (u32 i = meter->n_stretches; i-- > 0;) {
		if (meter->stretches[i].depth)
			meter->stretches[i].depth = 1;
		stretch_close(meter, &meter->stretches[i], ts);
	}
	meter->open = false;
	meter->closed = true;
}

static const struct model_sink sink = {
	.record = on_record,
	.window_begin = on_window_begin,
	.process_start = on_process_start,
	.held_back = on_held_back,
	.thread_start = on_thread_start,
	.state = on_state,
	.wakeup = on_wakeup,
	.lock_wait = on_lock_wait,
	.gil = on_gil,
	.region_begin = on_region_begin,
	.region = on_region,
	.window_end = on_window_end,
};

const struct model_sink *meter_sink(void)
{
	return &sink;
}

int meter_new(struct meter **out, struct model *model, const struct meter_options *options)
{
	struct meter *meter = calloc(1, sizeof(*meter));

	if (!meter)
		return -ENOMEM;
	meter->model = model;
	meter->points = options && options->points;
	if (stretch_new(meter, NULL) && options && options->to_ns > options->from_ns) {
		meter->timed = true;
		meter->from_ns = options->from_ns;
		meter->to_ns = options->to_ns;
		stretch_new(meter, "");
	}
	if (meter->error) {
		meter_free(meter);
		return -ENOMEM;
	}
	*out = meter;
	return 0;
}

void meter_free(struct meter *meter)
{
	if (!meter)
		return;
	for (u32 i = 0; i < meter->n_stretches; i++)
		figures_free(meter->stretches[i].figures);
	free(meter->alive);
	free(meter->processes);
	free(meter->touched);
	free(meter->affinity);
	gil_history_free(&meter->gils);
	free(meter);
}

u32 meter_n_stretches(const struct meter *meter)
{
	return meter->n_stretches;
}

struct figures *meter_stretch(const struct meter *meter, u32 i)
{
	return meter->stretches[i].figures;
}

u64 meter_regions_left_out(const struct meter *meter)
{
	return meter->regions_left_out;
}

const struct host_figures *meter_host(const struct meter *meter)
{
	return &meter->host;
}

const struct loss_figures *meter_losses(const struct meter *meter)
{
	return &meter->losses;
}

u64 meter_affinity(const struct meter *meter, u32 id)
{
	return id < meter->n_affinity ? meter->affinity[id] : 0;
}

int meter_error(const struct meter *meter)
{
	if (meter->error)
		return meter->error;
	for (u32 i = 0; i < meter->n_stretches; i++)
		if (meter->stretches[i].figures->failed)
			return -ENOMEM;
	return 0;
}
