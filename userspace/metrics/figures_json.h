/* SPDX-License-Identifier: MIT */
/*
 * figures_json.h - parts of the report's JSON that a stretch of any sort has. Keys without braces
 * around them and without a comma at the end; times are integers in ns.
 */
#ifndef CORUN_METRICS_FIGURES_JSON_H
#define CORUN_METRICS_FIGURES_JSON_H

#include "base/buf.h"
#include "metrics/figures.h"

/* "known", the curves and their peaks, the joint table, the time by state, the scheduler's figures. */
void figures_json(struct buf *buf, const struct figures *figures);
void figures_locks_json(struct buf *buf, const struct figures *figures, const struct model *model);
void figures_syscalls_json(struct buf *buf, const struct figures *figures);
/* "time_ns":{...} */
void figures_usage_json(struct buf *buf, const struct usage *usage);
/* "@key":{...}: the mean while something was in flight, the mean over the stretch, the peak, when it was from
 * @begin_ns on and who made it (@who, NULL: not kept), the time at each value. */
void figures_curve_json(struct buf *buf, const char *key, const struct curve *curve, const struct figures_peak *who,
			u64 active_ns, u64 duration_ns, u64 begin_ns);
void figures_hist_json(struct buf *buf, const char *key, const struct hist *hist);
/* ,"parallelism", "concurrency", "demand" and "waiting" of a process, over the time that it had something in flight and
 * over the stretch; nothing, if it had no life in it. @time: what its threads spent in the stretch. */
void figures_process_json(struct buf *buf, const struct figures *figures, u32 process, const struct usage *time);

#endif
