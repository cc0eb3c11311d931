/* SPDX-License-Identifier: MIT */
/*
 * series.h - the curves of a stretch as at most SERIES_BINS points of equal width: of all threads, of one
 * process's, or of its tasks.
 *
 * Each bin holds integrals (threads x ns), so means over any run of bins are exact. When the bins
 * are used up, neighbours are merged and the width doubles: memory does not grow with time, and no
 * second pass is needed. Pictures and the search for phases read it.
 */
#ifndef CORUN_METRICS_SERIES_H
#define CORUN_METRICS_SERIES_H

#include "base/buf.h"
#include "metrics/figures.h"

#define SERIES_BINS 1024

struct series_bin {
	u64 ns[USAGE_SLOTS]; /* threads in this state x ns */
	u64 flight, demand;
	u64 active; /* ns with C >= 1 */
};

struct series {
	u64 begin_ns, width_ns; /* 1 << shift, 1024 at least */
	u32 shift;
	u32 n;                  /* bins in use; no other has been written to */
	struct series_bin bins[SERIES_BINS];
};

/* 0 or -ENOMEM. */
int series_new(struct series **series, u64 begin_ns);
void series_free(struct series *series);
/* The counts were these from @ts for @dt ns. */
void series_add(struct series *series, u64 ts, u64 dt, const struct counts *counts, u32 flight,
		u32 demand);

/* The time up to @end_ns as @n points of equal width: "series":{"width_ns":...,"running":[...],...}, without
 * a comma; means over each point's width. What lies in a bin is taken as even over it. @n: 1 to SERIES_BINS. */
void series_json(const struct series *series, u64 end_ns, u32 n, struct buf *buf);

#endif
