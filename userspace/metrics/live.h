/* SPDX-License-Identifier: MIT */
/*
 * live.h - a trace that goes on, as one report after another: each of an interval, by the same model and
 * the same meter as that of a whole recording. Pure: who owns it pushes records and says what time it is.
 *
 * Memory grows with what lives at once, not with time: what has ended is forgotten after the interval
 * that still shows it. Records that nothing here shows, names of descriptors and of threads outside the
 * set, are left out, because they would pile up.
 */
#ifndef CORUN_METRICS_LIVE_H
#define CORUN_METRICS_LIVE_H

#include "metrics/report.h"

struct live;

int live_new(struct live **live, struct error *err);
void live_free(struct live *live);
/* Records in order of ts. 0 or -ENOMEM. The report of live_cut() is gone. */
int live_push(struct live *live, const struct record *rec);
/* When the window began; 0: it has not yet. */
u64 live_begin(const struct live *live);
/* The window has closed. */
bool live_ended(const struct live *live);
/*
 * End the interval at @ts, by which every record before it was pushed. *@report is its, lent until the
 * next push or cut: figures, model, meter's losses and host, CPUs; it has no file, tasks, phases or paths.
 * NULL before the window begins, and after the interval in which it closed. 0 or -ENOMEM.
 */
int live_cut(struct live *live, u64 ts, const struct report **report);

#endif
