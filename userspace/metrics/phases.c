/* SPDX-License-Identifier: MIT */
#include "metrics/phases.h"

#include <math.h>
#include <stdlib.h>

#include "metrics/series.h"

#define CURVES 3

/* Sums up to and without a bin: the weight w, w x y and w x y x y of each curve. */
struct sums {
	double w, y[CURVES], yy[CURVES];
};

struct cut {
	double cost; /* of the best way to cut all before this bin */
	u32 from;    /* where its last phase begins */
};

static u64 bin_length(const struct series *series, u64 duration_ns, u32 bin)
{
	u64 begin = (u64)bin * series->width_ns, end = begin + series->width_ns;

	end = end < duration_ns ? end : duration_ns;
	return end > begin ? end - begin : 0;
}

static void add_bin(struct sums *to, const struct sums *before, const struct series_bin *bin, u64 length,
		    u64 whole)
{
	const u64 curves[CURVES] = {bin->flight, bin->ns[USAGE_RUNNING], bin->demand};
	double w = (double)length / (double)whole;

	*to = *before;
	to->w += w;
	for (int c = 0; length && c < CURVES; c++) {
		double y = log2(1 + (double)curves[c] / (double)length);

		to->y[c] += w * y;
		to->yy[c] += w * y * y;
	}
}

/* Variance of y within [a, b), times its weight. */
static double spread(const struct sums *a, const struct sums *b)
{
	double w = b->w - a->w, sum = 0;

	for (int c = 0; c < CURVES; c++) {
		double y = b->y[c] - a->y[c];

		sum += b->yy[c] - a->yy[c] - (w > 0 ? y * y / w : 0);
	}
	return sum;
}

static void find_cuts(struct cut *cuts, const struct sums *sums, u32 n)
{
	cuts[0] = (struct cut){0, 0};
	for (u32 end = 1; end <= n; end++) {
		cuts[end].cost = INFINITY;
		for (u32 from = 0; from < end; from++) {
			double cost;

			/* Too short to be a phase, unless it is all there is. */
			if (sums[end].w - sums[from].w < PHASE_SHARE && (from || end < n))
				break;
			cost = cuts[from].cost + spread(&sums[from], &sums[end]) + PHASE_PENALTY;
			if (cost < cuts[end].cost)
				cuts[end] = (struct cut){cost, from};
		}
	}
}

static void fill(struct phase *phase, const struct series *series, u64 duration_ns, u32 from, u32 to)
{
	*phase = (struct phase){.begin_ns = from * series->width_ns};
	for (u32 i = from; i < to; i++) {
		const struct series_bin *bin = &series->bins[i];

		phase->active_ns += bin->active;
		phase->flight_ns += bin->flight;
		phase->demand_ns += bin->demand;
		for (unsigned int slot = 0; slot < USAGE_SLOTS; slot++)
			phase->time.ns[slot] += bin->ns[slot];
	}
	phase->end_ns = to * series->width_ns;
	if (phase->end_ns > duration_ns || to == series->n)
		phase->end_ns = duration_ns;
}

int phases_find(struct phases *phases, const struct series *series, u64 duration_ns)
{
	u32 n = series && duration_ns ? series->n : 0, count = 0;
	struct sums *sums = calloc(n + 1, sizeof(*sums));
	struct cut *cuts = calloc(n + 1, sizeof(*cuts));
	int code = -ENOMEM;

	*phases = (struct phases){0};
	if (!sums || !cuts)
		goto out;
	for (u32 i = 0; i < n; i++)
		add_bin(&sums[i + 1], &sums[i], &series->bins[i], bin_length(series, duration_ns, i),
			duration_ns);
	find_cuts(cuts, sums, n);
	for (u32 end = n; end; end = cuts[end].from)
		count++;
	phases->list = calloc(count + 1, sizeof(*phases->list));
	if (!phases->list)
		goto out;
	phases->n = count;
	for (u32 end = n; end; end = cuts[end].from)
		fill(&phases->list[--count], series, duration_ns, cuts[end].from, end);
	code = 0;
out:
	free(sums);
	free(cuts);
	return code;
}

void phases_free(struct phases *phases)
{
	free(phases->list);
	*phases = (struct phases){0};
}
