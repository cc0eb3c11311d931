/* SPDX-License-Identifier: MIT */
/*
 * meter.h - the sink that fills figures (figures.h) while a model streams a trace.
 *
 * One meter serves the window, every marked region and one stretch chosen by time, in one pass. The
 * curves are taken between records: just before the model looks at a record, its counts are those
 * that have held since the record before.
 */
#ifndef CORUN_METRICS_METER_H
#define CORUN_METRICS_METER_H

#include "metrics/figures.h"

#define METER_REGIONS 64

/* Totals of /proc/stat and of the cgroup at the first and the last sample. */
struct host_figures {
	struct rec_host first, last;
	struct rec_cgroup cgroup_first, cgroup_last;
	u32 n_host, n_cgroup;
	char cgroup_path[256];
};

struct loss_figures {
	u64 events;      /* records lost, by the recorder's own count */
	u64 gaps;
};

struct meter;

struct meter_options {
	u64 from_ns, to_ns; /* a stretch by time, from the window's begin; to_ns 0: none */
	bool points;        /* keep the series (figures.h) of every stretch and of its processes; else the window's only */
};

int meter_new(struct meter **meter, struct model *model, const struct meter_options *options);
void meter_free(struct meter *meter);
/* The sink and its context is the meter itself. */
const struct model_sink *meter_sink(void);

/*
 * The window in intervals, while it goes on. meter_cut() ends one at @ts, the model's time now
 * (model_advance): stretch 0, losses and host are its figures, until meter_resume() begins the
 * next one there, before any further record. What goes on, a state or a wait for a lock, is cut at @ts, so
 * the intervals tile the window and so do their figures; only a wait for a lock is counted in each interval
 * that it takes part in. -ENOMEM: as meter_error(); of meter_resume(): the meter can only be freed.
 */
int meter_cut(struct meter *meter, u64 ts);
int meter_resume(struct meter *meter);

/* After model_finish(). Stretch 0 is the window, then the stretch by time if there is one, then the
 * regions in order of their first begin. */
u32 meter_n_stretches(const struct meter *meter);
struct figures *meter_stretch(const struct meter *meter, u32 i);
/* Regions whose names did not fit (METER_REGIONS). */
u64 meter_regions_left_out(const struct meter *meter);
const struct host_figures *meter_host(const struct meter *meter);
const struct loss_figures *meter_losses(const struct meter *meter);
/* CPUs 0 to 63 that thread @id may use, last told; 0: not known. */
u64 meter_affinity(const struct meter *meter, u32 id);
/* -ENOMEM when some figure is short because memory ran out. */
int meter_error(const struct meter *meter);

#endif
