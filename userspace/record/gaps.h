/* SPDX-License-Identifier: MIT */
/*
 * gaps.h - what was lost on the way from one CPU's probes: each CPU numbers its events, a number that
 * never comes is an event that found no room. Pure; part of the collector.
 *
 * A number that is missing may only be late: an interrupt's event can take its number between a
 * program's reserve and its numbering, and so overtake it. The next event of the CPU decides.
 */
#ifndef CORUN_RECORD_GAPS_H
#define CORUN_RECORD_GAPS_H

#include "event.h"
#include "trace/record.h"

struct gaps {
	u32 next;       /* number of the next event */
	u64 last_ts;
	u32 missing;    /* numbers skipped before the last event ... */
	u64 from_ns, until_ns; /* ... between these times; told with the next event */
};

/* An event has come. True: @lost is the REC_LOST of a gap before the last one, now known for sure. */
bool gaps_note(struct gaps *gaps, const struct ev_head *head, struct record *lost);
/* No more events of @cpu will come: what is still missing. As gaps_note(). */
bool gaps_end(struct gaps *gaps, u16 cpu, struct record *lost);
/* After gaps_end(): numbers were given up to @next, the last of them until @ts. As gaps_note(). */
bool gaps_tail(const struct gaps *gaps, u16 cpu, u32 next, u64 ts, struct record *lost);

/* After gaps_end(), while more will come: numbers were given up to @next at some time from @before_ns to
 * @after_ns, and all that will ever come of those has come. As gaps_note(); told once. */
bool gaps_settle(struct gaps *gaps, u16 cpu, u32 next, u64 before_ns, u64 after_ns, struct record *lost);

#endif
