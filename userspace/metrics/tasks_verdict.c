/* SPDX-License-Identifier: MIT */
#include "metrics/tasks_verdict.h"

/* As in verdict.c; VERDICT.md has the reasons. */
#define ALONE 1.5        /* fewer in flight: threads say it all */
#define LOCKED (1 / 3.0) /* this share ready behind others' steps decides: the loop's thread is their lock */
#define STALL_NS (100 * NSEC_PER_MSEC) /* a step that holds up others for so long is named: asyncio's
					* slow_callback_duration (Lib/asyncio/base_events.py) */

static double share(u64 part, u64 whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static void take_facts(const struct report *r, const struct figures *threads, const struct task_figures *f,
		       struct verdict_facts *out)
{
	u64 flight = usage_flight(&f->time, model_parked(r->model));
	double cpus = r->usable_cpus;

	/* What follows from where the time went is the same for tasks; the machine is another one. */
	verdict_bare_facts(r, &f->time, f->active_ns, out);
	verdict_share_locks(out, &f->time, 0, flight);
	out->duration_ns = threads->duration_ns;
	out->in_flight = curve_mean(&f->concurrency, f->active_ns);
	out->running = curve_mean(&f->parallelism, f->active_ns);
	out->demand = curve_mean(&f->demand, f->active_ns);
	out->usable_cpus = cpus > 0 && cpus < f->n_threads ? cpus : f->n_threads;
	out->cpus = out->affinity_cpus = 0;
	out->quota_cpus = 0;
	out->ready_share = share(f->time.ns[USAGE_READY], flight);
}

bool task_verdict_judge(const struct report *r, const struct figures *threads, const struct task_figures *f,
			struct task_verdict *v)
{
	struct verdict_facts facts, thread_facts;
	const struct task_stall *stall;

	if (!f || !f->n_tasks || !f->n_threads)
		return false;
	take_facts(r, threads, f, &facts);
	if (facts.in_flight < ALONE)
		return false;
	*v = (struct task_verdict){.threads = f->n_threads};
	verdict_judge(&facts, &v->of);
	if (v->of.cause == CAUSE_OTHER_LOAD)
		v->of.cause = CAUSE_NONE; /* tasks wait for their threads first; those say who had the CPUs */
	if (v->threads == 1 && v->of.class != VERDICT_IDLE &&
	    (facts.ready_share >= LOCKED || (v->of.class == VERDICT_NOT_PARALLEL && v->of.cause == CAUSE_NONE))) {
		v->of.class = VERDICT_NOT_PARALLEL;
		v->of.cause = CAUSE_EVENT_LOOP;
	}
	stall = task_figures_stall(f);
	if (stall && stall->kept_ready && stall->end_ns - stall->start_ns >= STALL_NS)
		v->stall = stall;
	verdict_facts(r, threads, &thread_facts);
	v->leads = thread_facts.in_flight < ALONE;
	return true;
}
