/* SPDX-License-Identifier: MIT */
/*
 * phases.h - the window, cut where its behaviour changes: a serial start, a parallel middle, one
 * straggler at the end.
 *
 * The rule. Over the bins of the series (series.h, at most 1024), let x be the mean of a curve in a
 * bin and y = log2(1 + x), so that from 1 to 2 threads is as much of a change as from 3 to 5. The cut
 * is the one with the least
 *
 *     sum over phases, and over C, P and D, of (time-weighted variance of y within the phase) +
 *     PENALTY x number of phases,         time in shares of the window, no phase under PHASE_SHARE
 *
 * found exactly by dynamic programming over the bins (optimal partitioning: B. Jackson et al., "An
 * algorithm for optimal partitioning of data on an interval", IEEE Signal Processing Letters 12(2),
 * 2005). PENALTY = 0.0125: splitting a phase off that takes the share s and differs by d in y pays
 * when d x d x s x (1 - s) exceeds it, so a tenth of the window has to differ by 0.37 in all, about
 * one thread to one and a half. What repeats faster than about PHASE_SHARE is one phase.
 *
 * A phase's figures are sums of whole bins: exact over it, and those of all phases add up to the
 * window's. Its bounds are exact to a bin. Its verdict is by the rule of verdict.h, with two figures
 * taken from the bins: what a lock other than the GIL held back counts while it was blocked, and
 * polling is of all threads together.
 */
#ifndef CORUN_METRICS_PHASES_H
#define CORUN_METRICS_PHASES_H

#include "metrics/report.h"

#define PHASE_PENALTY 0.0125
#define PHASE_SHARE 0.02

struct phase {
	u64 begin_ns, end_ns;   /* from the window's begin */
	u64 active_ns;          /* of it with C >= 1 */
	u64 flight_ns, demand_ns; /* threads x ns */
	struct usage time;      /* threads x ns by state */
};

struct phases {
	struct phase *list;     /* in order of time; they tile the window */
	u32 n;
};

/* 0 or -ENOMEM. @series, @duration_ns: the window's. A window of 0 ns, or none (NULL), has no phase. */
int phases_find(struct phases *phases, const struct series *series, u64 duration_ns);
void phases_free(struct phases *phases);

/* "phases":[...], without a comma. */
void phases_json(const struct phases *phases, const struct report *report, struct buf *buf);
/* A line a phase; nothing if there is only one. */
void phases_text(const struct phases *phases, const struct report *report,
		 const struct report_look *look, struct buf *buf);

#endif
