/* SPDX-License-Identifier: MIT */
#include "metrics/curve.h"

#include <stdlib.h>
#include <string.h>

static bool curve_grow(struct curve *curve, u32 k)
{
	u32 cap = curve->cap ? curve->cap : 4;
	u64 *at;

	while (cap <= k)
		cap = cap > UINT32_MAX / 2 ? UINT32_MAX : cap * 2;
	if (cap > curve->cap) {
		at = realloc(curve->at, cap * sizeof(*at));
		if (!at) {
			curve->failed = true;
			return false;
		}
		curve->at = at;
		curve->cap = cap;
	}
	memset(curve->at + curve->n, 0, (k + 1 - curve->n) * sizeof(*curve->at));
	curve->n = k + 1;
	return true;
}

void curve_add(struct curve *curve, u32 k, u64 ts, u64 dt, bool active)
{
	if (!dt)
		return;
	if (!curve->n || k > curve->max) {
		curve->max = k;
		curve->max_ns = ts;
	}
	curve->integral += k * dt;
	if (active)
		curve->integral_active += k * dt;
	if (k < curve->n || curve_grow(curve, k))
		curve->at[k] += dt;
}

double curve_mean(const struct curve *curve, u64 active_ns)
{
	return active_ns ? (double)curve->integral_active / (double)active_ns : 0;
}

double curve_mean_window(const struct curve *curve, u64 duration_ns)
{
	return duration_ns ? (double)curve->integral / (double)duration_ns : 0;
}

void curve_free(struct curve *curve)
{
	free(curve->at);
	*curve = (struct curve){0};
}
