/* SPDX-License-Identifier: MIT */
/* phases_words.c - the phases as JSON and as lines for people, each with its verdict. */
#include <inttypes.h>

#include "metrics/phases.h"
#include "metrics/verdict.h"

#define TOP_PHASES 8

static double share(u64 part, u64 whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static u64 length_of(const struct phase *p)
{
	return p->end_ns - p->begin_ns;
}

static void judge(const struct phase *p, const struct report *r, struct verdict *verdict)
{
	struct verdict_facts facts;
	/* Runnable, but not in demand: between two turns of a wait for the GIL. */
	u64 runnable = p->time.ns[USAGE_RUNNING] + p->time.ns[USAGE_READY];

	verdict_bare_facts(r, &p->time, p->active_ns, &facts);
	facts.duration_ns = length_of(p);
	facts.in_flight = share(p->flight_ns, p->active_ns);
	facts.running = share(p->time.ns[USAGE_RUNNING], p->active_ns);
	facts.demand = share(p->demand_ns, p->active_ns);
	verdict_share_locks(&facts, &p->time, runnable > p->demand_ns ? runnable - p->demand_ns : 0,
			    p->flight_ns);
	facts.poll_share = share(p->time.ns[USAGE_KIND + KIND_POLL], length_of(p));
	verdict_judge(&facts, verdict);
}

void phases_json(const struct phases *phases, const struct report *r, struct buf *b)
{
	buf_puts(b, "\"phases\":[");
	for (u32 i = 0; i < phases->n; i++) {
		const struct phase *p = &phases->list[i];
		u64 length = length_of(p);
		struct verdict verdict;
		bool first = true;

		judge(p, r, &verdict);
		buf_printf(b, "%s{\"begin_ns\":%" PRIu64 ",\"duration_ns\":%" PRIu64 ",\"idle_ns\":%" PRIu64
			   ",\"concurrency\":%.6f,\"parallelism\":%.6f,\"demand\":%.6f,\"time_ns\":{",
			   i ? "," : "", p->begin_ns, length, length - p->active_ns,
			   share(p->flight_ns, length), share(p->time.ns[USAGE_RUNNING], length),
			   share(p->demand_ns, length));
		for (unsigned int slot = 0; slot < USAGE_SLOTS; slot++) {
			if (!p->time.ns[slot])
				continue;
			buf_printf(b, "%s\"%s\":%" PRIu64, first ? "" : ",", usage_name(slot),
				   p->time.ns[slot]);
			first = false;
		}
		buf_puts(b, "},\"verdict\":");
		verdict_json(&verdict, b);
		buf_putc(b, '}');
	}
	buf_putc(b, ']');
}

/* "parallel", "concurrent, not parallel: gil". */
static void put_class(const struct verdict *v, struct buf *b)
{
	const char *cause = verdict_cause_name(v);

	buf_puts(b, v->class == VERDICT_NOT_PARALLEL ? "not parallel" : verdict_class_name(v->class));
	if (*cause)
		buf_printf(b, ": %s", cause);
}

void phases_text(const struct phases *phases, const struct report *r, const struct report_look *look,
		 struct buf *b)
{
	u32 n = phases->n;

	if (n < 2)
		return;
	buf_printf(b, "\n  %-11s %10s %9s %9s   %s\n", "phase from", "takes", "in flight", "running", "verdict");
	for (u32 i = 0; i < n && (i < TOP_PHASES || look->all_threads); i++) {
		const struct phase *p = &phases->list[i];
		struct verdict verdict;

		judge(p, r, &verdict);
		buf_puts(b, "    ");
		buf_put_duration(b, p->begin_ns, -9);
		buf_putc(b, ' ');
		buf_put_duration(b, length_of(p), 10);
		buf_printf(b, " %9.1f %9.1f   ", share(p->flight_ns, length_of(p)),
			   share(p->time.ns[USAGE_RUNNING], length_of(p)));
		put_class(&verdict, b);
		buf_putc(b, '\n');
	}
	if (n > TOP_PHASES && !look->all_threads)
		buf_printf(b, "    and %u more; --all-threads shows them\n", n - TOP_PHASES);
}
