/* SPDX-License-Identifier: MIT */
#include "metrics/verdict.h"

/* The thresholds. VERDICT.md has the reasons and what they were tried on. */
#define IDLE_ACTIVE 0.05    /* in flight for less of the time: idle */
#define ALONE 1.5           /* fewer in flight: one thing at a time */
#define MOSTLY 0.5          /* a share that decides by itself */
#define EFFICIENT 0.75      /* of what could run at once, this much did: parallel */
#define LOCKED (1 / 3.0)    /* this share at locks decides, however many could run */
#define TOO_MANY 1.25       /* demand over usable CPUs: they queue */

static bool is_lock(int kind)
{
	return kind == KIND_MUTEX || kind == KIND_RWLOCK || kind == KIND_BARRIER ||
	       kind == KIND_FILE_LOCK;
}

static double share(u64 part, u64 whole)
{
	return whole ? (double)part / (double)whole : 0;
}

/*
 * Lock waits as intervals: their length, and what of it was not blocked. A lock without an address (of a file) has no
 * interval: of its waits, and of such as were left out of every interval, the blocked time counts.
 */
static void lock_facts(const struct figures *f, u64 flight, struct verdict_facts *out)
{
	u64 waits[KINDS] = {0}, blocked[KINDS] = {0}, locks = 0, most = 0, unblocked = 0, ready;

	for (u32 i = 0; i < f->n_locks; i++) {
		waits[f->lock_list[i]->kind] += f->lock_list[i]->wait_ns;
		blocked[f->lock_list[i]->kind] += f->lock_list[i]->blocked_ns;
	}
	for (int kind = 0; kind < KINDS; kind++) {
		u64 in_all = f->time.ns[USAGE_KIND + kind];

		if (!is_lock(kind))
			continue;
		unblocked += waits[kind] - blocked[kind];
		waits[kind] += in_all > blocked[kind] ? in_all - blocked[kind] : 0;
		locks += waits[kind];
		if (waits[kind] > most) {
			most = waits[kind];
			out->lock_kind = (enum wait_kind)kind;
		}
	}
	ready = f->time.ns[USAGE_READY];
	/* The GIL's intervals are not in the demand as it is defined; those of other locks are. */
	out->demand -= share(unblocked, f->active_ns);
	unblocked += waits[KIND_GIL] - blocked[KIND_GIL];
	out->gil_share = share(waits[KIND_GIL], flight);
	out->lock_share = share(locks, flight);
	out->ready_share = share(ready > unblocked ? ready - unblocked : 0, flight);
}

void verdict_bare_facts(const struct report *r, const struct usage *time, u64 active_ns,
			struct verdict_facts *out)
{
	u32 parked = model_parked(r->model);
	u64 flight = usage_flight(time, parked), waits = 0, most = 0;

	*out = (struct verdict_facts){
		.active_ns = active_ns,
		.unknown_ns = time->ns[USAGE_UNKNOWN],
		.usable_cpus = r->usable_cpus,
		.cpus = r->cpus,
		.affinity_cpus = r->affinity_cpus,
		.quota_cpus = r->quota_cpus,
		.run_share = share(time->ns[USAGE_RUNNING], flight),
		.lock_kind = KIND_MUTEX,
		.wait_kind = KIND_OTHER,
	};
	for (int kind = 0; kind < KINDS; kind++) {
		u64 ns = time->ns[USAGE_KIND + kind];

		if (kind == KIND_GIL || is_lock(kind) || parked & 1u << kind)
			continue;
		waits += ns;
		if (ns > most) {
			most = ns;
			out->wait_kind = (enum wait_kind)kind;
		}
	}
	out->wait_share = share(waits, flight);
}

void verdict_share_locks(struct verdict_facts *out, const struct usage *time, u64 held_ns, u64 flight)
{
	u64 ready = time->ns[USAGE_READY], locks = 0, most = 0;

	for (int kind = 0; kind < KINDS; kind++) {
		u64 ns = is_lock(kind) ? time->ns[USAGE_KIND + kind] : 0;

		locks += ns;
		if (ns > most) {
			most = ns;
			out->lock_kind = (enum wait_kind)kind;
		}
	}
	out->gil_share = share(time->ns[USAGE_KIND + KIND_GIL] + held_ns, flight);
	out->lock_share = share(locks, flight);
	out->ready_share = share(ready > held_ns ? ready - held_ns : 0, flight);
}

void verdict_facts(const struct report *r, const struct figures *f, struct verdict_facts *out)
{
	u64 poll = 0;

	verdict_bare_facts(r, &f->time, f->active_ns, out);
	out->duration_ns = f->duration_ns;
	out->in_flight = curve_mean(&f->concurrency, f->active_ns);
	out->running = curve_mean(&f->parallelism, f->active_ns);
	out->demand = curve_mean(&f->demand, f->active_ns);
	lock_facts(f, usage_flight(&f->time, model_parked(r->model)), out);
	for (u32 i = 0; i < f->n_threads; i++)
		if (f->threads[i] && f->threads[i]->time.ns[USAGE_KIND + KIND_POLL] > poll)
			poll = f->threads[i]->time.ns[USAGE_KIND + KIND_POLL];
	out->poll_share = share(poll, f->duration_ns);
}

/* Who or what keeps runnable threads from the CPUs. */
static enum verdict_cause cpu_cause(const struct verdict_facts *f)
{
	if (f->quota_cpus > 0 && f->quota_cpus <= f->usable_cpus + 0.001 &&
	    (!f->cpus || f->quota_cpus < f->cpus))
		return CAUSE_QUOTA;
	if (f->affinity_cpus && f->cpus && f->affinity_cpus < f->cpus)
		return CAUSE_AFFINITY;
	if (f->cpus == 1)
		return CAUSE_ONE_CPU;
	return CAUSE_NONE;
}

/* One at a time: what it is ready meanwhile is others' doing, and says nothing about its own work. */
static void alone(const struct verdict_facts *f, struct verdict *v)
{
	v->class = VERDICT_SERIAL;
	if (f->wait_share > 0 && f->wait_share >= MOSTLY * (1 - f->ready_share)) {
		v->class = VERDICT_IO_BOUND;
		v->cause = CAUSE_WAIT;
		v->kind = f->wait_kind;
	}
}

/* The largest of what stood between those in flight and those that could run. */
static void not_parallel(const struct verdict_facts *f, struct verdict *v)
{
	v->class = VERDICT_NOT_PARALLEL;
	if (f->gil_share >= f->lock_share && f->gil_share >= f->wait_share) {
		v->cause = CAUSE_GIL;
		v->kind = KIND_GIL;
	} else if (f->lock_share >= f->wait_share) {
		v->cause = CAUSE_LOCK;
		v->kind = f->lock_kind;
	} else {
		v->cause = CAUSE_WAIT;
		v->kind = f->wait_kind;
	}
}

/* For how much of the time an event loop waited. What polls while others work (as node's helpers do) is no loop that all
 * wait for. */
static double loop_share(const struct verdict_facts *f)
{
	double quiet = f->duration_ns ? 1 - share(f->active_ns, f->duration_ns) : 0;

	return f->poll_share < quiet ? f->poll_share : quiet;
}

/*
 * By demand, not by parallelism: what ran depends on who else had the CPUs, what would have run does
 * not. So a loaded machine gives the same class as an idle one.
 */
void verdict_judge(const struct verdict_facts *f, struct verdict *v)
{
	double cpus = f->usable_cpus > 0 ? f->usable_cpus : f->in_flight;
	double could_run = f->in_flight < cpus ? f->in_flight : cpus;
	double cpu_share = f->run_share + f->ready_share;
	bool locked = f->gil_share + f->lock_share >= LOCKED;

	*v = (struct verdict){.facts = *f, .kind = KIND_OTHER};
	if ((double)f->active_ns < IDLE_ACTIVE * (double)f->duration_ns || !f->active_ns) {
		v->class = VERDICT_IDLE;
		if (loop_share(f) >= MOSTLY)
			v->cause = CAUSE_EVENT_LOOP;
	} else if (loop_share(f) >= MOSTLY && f->in_flight < ALONE) {
		v->class = VERDICT_IO_BOUND;
		v->cause = CAUSE_EVENT_LOOP;
	} else if (f->in_flight < ALONE) {
		alone(f, v);
	} else if (f->demand >= TOO_MANY * cpus && cpu_share >= f->wait_share && !locked) {
		/* All the CPUs that there are for it are asked for, and more wait for them. */
		v->cause = cpu_cause(f);
		v->class = cpus < ALONE ? VERDICT_NOT_PARALLEL : VERDICT_OVERSUBSCRIBED;
	} else if (f->demand >= EFFICIENT * could_run && f->demand >= TOO_MANY && !locked) {
		v->class = VERDICT_PARALLEL;
		if (f->running < EFFICIENT * (f->demand < cpus ? f->demand : cpus))
			v->cause = CAUSE_OTHER_LOAD;
	} else if (f->wait_share >= MOSTLY && f->wait_share > f->gil_share + f->lock_share) {
		v->class = VERDICT_IO_BOUND;
		v->cause = CAUSE_WAIT;
		v->kind = f->wait_kind;
	} else {
		not_parallel(f, v);
	}
}

const char *verdict_class_name(enum verdict_class class)
{
	static const char *const names[VERDICT_CLASSES] = {
		[VERDICT_IDLE] = "idle",
		[VERDICT_SERIAL] = "serial",
		[VERDICT_IO_BOUND] = "io-bound",
		[VERDICT_NOT_PARALLEL] = "concurrent-not-parallel",
		[VERDICT_PARALLEL] = "parallel",
		[VERDICT_OVERSUBSCRIBED] = "oversubscribed",
	};

	return names[class];
}

const char *verdict_cause_name(const struct verdict *v)
{
	switch (v->cause) {
	case CAUSE_NONE: return "";
	case CAUSE_GIL: return "gil";
	case CAUSE_LOCK:
	case CAUSE_WAIT: return kind_table[v->kind].name;
	case CAUSE_ONE_CPU: return "one-cpu";
	case CAUSE_AFFINITY: return "cpu-affinity";
	case CAUSE_QUOTA: return "cpu-quota";
	case CAUSE_OTHER_LOAD: return "other-load";
	case CAUSE_EVENT_LOOP: return "event-loop";
	default: return "";
	}
}
