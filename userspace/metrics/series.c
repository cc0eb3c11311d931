/* SPDX-License-Identifier: MIT */
#include "metrics/series.h"

#include <stdlib.h>
#include <string.h>

int series_new(struct series **out, u64 begin_ns)
{
	/* Bins that are not used take no memory: these pages are never touched. */
	struct series *series = calloc(1, sizeof(*series));

	if (!series)
		return -ENOMEM;
	series->begin_ns = begin_ns;
	series->width_ns = 1024;
	series->shift = 10;
	*out = series;
	return 0;
}

void series_free(struct series *series)
{
	free(series);
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
	u32 half = (series->n + 1) / 2;

	for (u32 i = 0; i < half; i++)
		bin_merge(&series->bins[i], &series->bins[2 * i], &series->bins[2 * i + 1]);
	memset(series->bins + half, 0, (series->n - half) * sizeof(*series->bins));
	series->width_ns *= 2;
	series->shift++;
	series->n = half;
}

static void bin_add(struct series_bin *bin, u64 dt, const struct counts *counts, u32 flight,
		    u32 demand)
{
	bin->ns[USAGE_RUNNING] += counts->running * dt;
	bin->ns[USAGE_READY] += counts->ready * dt;
	bin->ns[USAGE_STOPPED] += counts->stopped * dt;
	bin->ns[USAGE_UNKNOWN] += counts->unknown * dt;
	for (u32 left = counts->kinds; left; left &= left - 1) {
		unsigned int k = (unsigned int)__builtin_ctz(left);

		bin->ns[USAGE_KIND + k] += counts->waiting[k] * dt;
	}
	bin->flight += flight * dt;
	bin->demand += demand * dt;
	bin->active += flight ? dt : 0;
}

void series_add(struct series *series, u64 ts, u64 dt, const struct counts *counts, u32 flight,
		u32 demand)
{
	u64 offset;

	if (!dt || ts < series->begin_ns)
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

/* Threads x ns of one sort in a bin. */
static u64 bin_value(const struct series_bin *bin, unsigned int what)
{
	return what < USAGE_SLOTS ? bin->ns[what] : what == USAGE_SLOTS ? bin->flight : bin->demand;
}

/* Mean of @what over [from, to), ns from the series' begin. */
static double mean_over(const struct series *s, unsigned int what, double from, double to)
{
	double sum = 0, width = (double)s->width_ns;

	for (u32 i = (u32)(from / width); i < s->n && (double)i * width < to; i++) {
		double begin = (double)i * width, end = begin + width;
		double part = (end < to ? end : to) - (begin > from ? begin : from);

		if (part > 0)
			sum += (double)bin_value(&s->bins[i], what) * part / width;
	}
	return to > from ? sum / (to - from) : 0;
}

static void put_points(const struct series *s, const char *key, unsigned int what, double width, u32 n,
		       struct buf *b)
{
	buf_printf(b, "\"%s\":[", key);
	for (u32 i = 0; i < n; i++)
		buf_printf(b, i ? ",%.3f" : "%.3f", mean_over(s, what, i * width, (i + 1) * width));
	buf_putc(b, ']');
}

void series_json(const struct series *s, u64 end_ns, u32 n, struct buf *b)
{
	double width = (double)(end_ns - s->begin_ns) / n;
	bool first = true;

	buf_printf(b, "\"series\":{\"width_ns\":%.3f,", width);
	put_points(s, "running", USAGE_RUNNING, width, n, b);
	buf_putc(b, ',');
	put_points(s, "in_flight", USAGE_SLOTS, width, n, b);
	buf_putc(b, ',');
	put_points(s, "demand", USAGE_SLOTS + 1, width, n, b);
	buf_putc(b, ',');
	put_points(s, "ready", USAGE_READY, width, n, b);
	buf_puts(b, ",\"waiting\":{");
	for (unsigned int slot = USAGE_KIND; slot < USAGE_SLOTS; slot++) {
		u64 any = 0;

		for (u32 i = 0; i < s->n; i++)
			any |= s->bins[i].ns[slot];
		if (!any)
			continue;
		if (!first)
			buf_putc(b, ',');
		first = false;
		put_points(s, usage_name(slot), slot, width, n, b);
	}
	buf_puts(b, "}}");
}
