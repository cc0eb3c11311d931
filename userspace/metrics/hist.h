/* SPDX-License-Identifier: MIT */
/*
 * hist.h - a distribution of durations in little memory.
 *
 * Log-linear buckets as in HdrHistogram (Gil Tene, hdrhistogram.org): every power of two is cut into
 * 32 equal buckets, so a percentile is off by at most 1/64 (1.6 %) of itself; values below 32 ns
 * and the smallest and largest value are exact. A row of buckets is allocated when it is first hit.
 *
 * Start from zeroed memory; end with hist_free().
 */
#ifndef CORUN_METRICS_HIST_H
#define CORUN_METRICS_HIST_H

#include "base/types.h"

#define HIST_SUB 32
#define HIST_ROWS 60

struct hist {
	u64 count, sum, min, max;
	u32 *rows[HIST_ROWS];
	u32 dropped; /* values whose row could not be allocated: in count, sum, max, in no bucket */
};

void hist_add(struct hist *hist, u64 value);
/* The smallest value v so that @percent of all values are <= v, within the error above; 0 if empty. */
u64 hist_percentile(const struct hist *hist, double percent);
void hist_free(struct hist *hist);

#endif
