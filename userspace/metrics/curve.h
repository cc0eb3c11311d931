/* SPDX-License-Identifier: MIT */
/*
 * curve.h - a whole number that changes over time, added up exactly.
 *
 * For a step curve k(t), given as "it was k for dt": the time for which it equals each k, its
 * integral, and its peak. With a(t) = 1 while at least one task is in flight (C >= 1):
 *
 *     mean        = integral of k * a / integral of a
 *     mean_window = integral of k     / length of the stretch
 *
 * Source of the two means: DESIGN "Words": an event loop that only polls has C = 0, which the
 * second shows and the first leaves out.
 *
 * Start from zeroed memory; end with curve_free(). Memory grows with the peak.
 */
#ifndef CORUN_METRICS_CURVE_H
#define CORUN_METRICS_CURVE_H

#include "base/types.h"

struct curve {
	u64 *at;             /* at[k]: ns for which the curve was k */
	u32 n;               /* length of at; the peak is n - 1 once anything was added */
	u32 cap;
	u32 max;
	u64 max_ns;          /* when the peak was first reached */
	u64 integral;        /* k x ns */
	u64 integral_active; /* the same, while something was in flight */
	bool failed;         /* out of memory: `at` is short */
};

/* The curve was @k from @ts for @dt ns; @active: C >= 1 meanwhile. */
void curve_add(struct curve *curve, u32 k, u64 ts, u64 dt, bool active);
double curve_mean(const struct curve *curve, u64 active_ns);
double curve_mean_window(const struct curve *curve, u64 duration_ns);
void curve_free(struct curve *curve);

#endif
