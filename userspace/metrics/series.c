/* SPDX-License-Identifier: MIT */
#include "metrics/series.h"

#include <stdlib.h>
#include <string.h>

int series_init(struct series *series, u64 begin_ns)
{
	*series = (struct series){.begin_ns = begin_ns, .width_ns = 1024, .shift = 10};
	series->bins = calloc(SERIES_BINS, sizeof(*series->bins));
	return series->bins ? 0 : -ENOMEM;
}

static void bin_merge(struct series_bin *to, const struct series_bin *a,
		      const struct series_bin *b)
{
	struct series_bin sum;

	for (unsigned int i = 0; i < USAGE_SLOTS; i++)
		sum.ns[i] = a->ns[i] + b->ns[i];
	sum.flight = a->flight + b->flight;
	sum.demand = a->demand + b->demand;
	sum.active = a->active + b->active;
	*to = sum;
}

static void series_halve(struct series *series)
{
	for (u32 i = 0; i < SERIES_BINS / 2; i++)
		bin_merge(&series->bins[i], &series->bins[2 * i], &series->bins[2 * i + 1]);
	memset(series->bins + SERIES_BINS / 2, 0, SERIES_BINS / 2 * sizeof(*series->bins));
	series->width_ns *= 2;
	series->shift++;
	series->n = (series->n + 1) / 2;
}

static void bin_add(struct series_bin *bin, u64 dt, const struct counts *counts, u32 flight,
		    u32 demand)
{
	bin->ns[USAGE_RUNNING] += counts->running * dt;
	bin->ns[USAGE_READY] += counts->ready * dt;
	bin->ns[USAGE_STOPPED] += counts->stopped * dt;
	bin->ns[USAGE_UNKNOWN] += counts->unknown * dt;
	for (unsigned int k = 0; k < KINDS; k++)
		bin->ns[USAGE_KIND + k] += counts->waiting[k] * dt;
	bin->flight += flight * dt;
	bin->demand += demand * dt;
	bin->active += flight ? dt : 0;
}

void series_add(struct series *series, u64 ts, u64 dt, const struct counts *counts, u32 flight,
		u32 demand)
{
	u64 offset;

	if (!series->bins || !dt || ts < series->begin_ns)
		return;
	offset = ts - series->begin_ns;
	while ((offset + dt - 1) >> series->shift >= SERIES_BINS)
		series_halve(series);
	while (dt) {
		u64 bin = offset >> series->shift;
		u64 room = (bin + 1) * series->width_ns - offset;
		u64 part = dt < room ? dt : room;

		bin_add(&series->bins[bin], part, counts, flight, demand);
		if (bin >= series->n)
			series->n = (u32)bin + 1;
		offset += part;
		dt -= part;
	}
}

void series_free(struct series *series)
{
	free(series->bins);
	*series = (struct series){0};
}
