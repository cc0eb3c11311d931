/* SPDX-License-Identifier: MIT */
/*
 * verdict.h - one class, one cause and a sentence: how many were in flight, how many ran, and what
 * stood between the two. The rule, its thresholds and where they come from: VERDICT.md.
 *
 * Two steps, so that each can be read and tested by itself: verdict_facts() takes the numbers out of
 * the figures, verdict_judge() decides by those alone.
 */
#ifndef CORUN_METRICS_VERDICT_H
#define CORUN_METRICS_VERDICT_H

#include "base/buf.h"
#include "metrics/report.h"

enum verdict_class {
	VERDICT_IDLE,
	VERDICT_SERIAL,
	VERDICT_IO_BOUND,
	VERDICT_NOT_PARALLEL, /* concurrent, not parallel */
	VERDICT_PARALLEL,
	VERDICT_OVERSUBSCRIBED,
	VERDICT_CLASSES,
};

enum verdict_cause {
	CAUSE_NONE,
	CAUSE_GIL,
	CAUSE_LOCK,         /* verdict.kind says of which kind */
	CAUSE_ONE_CPU,      /* the machine has no more */
	CAUSE_AFFINITY,     /* the threads may not use more */
	CAUSE_QUOTA,        /* nor more time than the cgroup grants */
	CAUSE_OTHER_LOAD,   /* others had the CPUs */
	CAUSE_WAIT,         /* a wait: verdict.kind */
	CAUSE_EVENT_LOOP,   /* one thread that polls: its tasks are not threads */
	CAUSES,
};

/*
 * All that the rule looks at. Shares are of the thread-time in flight. A wait for a lock counts whole,
 * from the first wait until the thread has it: what it was ready meanwhile is the lock's doing, and is
 * neither in ready_share nor in demand.
 */
struct verdict_facts {
	u64 duration_ns, active_ns, unknown_ns;
	double in_flight, running, demand; /* means over active_ns */
	double usable_cpus;                /* 0: not known */
	u32 cpus, affinity_cpus;           /* 0: not known */
	double quota_cpus;                 /* 0: none */
	double run_share, ready_share, gil_share, lock_share, wait_share;
	double poll_share;                 /* of the duration: longest time of one thread in poll */
	enum wait_kind lock_kind, wait_kind; /* the largest of each group */
};

struct verdict {
	enum verdict_class class;
	enum verdict_cause cause;
	enum wait_kind kind;
	struct verdict_facts facts;
};

void verdict_facts(const struct report *report, const struct figures *figures,
		   struct verdict_facts *facts);
/*
 * The same in two parts, for who has sums over time but no figures (phases.h). First what follows from
 * where the time went and from the machine; then, once demand is set, the locks: @held_ns is the time
 * in which the GIL held back who could have run, @flight the time in flight.
 */
void verdict_bare_facts(const struct report *report, const struct usage *time, u64 active_ns,
			struct verdict_facts *facts);
void verdict_share_locks(struct verdict_facts *facts, const struct usage *time, u64 held_ns, u64 flight);
void verdict_judge(const struct verdict_facts *facts, struct verdict *verdict);

const char *verdict_class_name(enum verdict_class class); /* "concurrent-not-parallel" */
/* "gil", "mutex", "one-cpu", "network" ...; "" for none. */
const char *verdict_cause_name(const struct verdict *verdict);
/* Two or three lines of at most 80 columns: what was, why, and what would change it. */
void verdict_text(const struct verdict *verdict, bool korean, struct buf *buf);
/* {"class":...,"cause":...,"text":...,"text_ko":...,"evidence":{...}} */
void verdict_json(const struct verdict *verdict, struct buf *buf);
/* "evidence":{...}: the numbers of the facts. */
void verdict_evidence_json(const struct verdict_facts *facts, struct buf *buf);

#endif
