/* SPDX-License-Identifier: MIT */
/*
 * sched_text.h - what the scheduler did, for people: how long threads stood in line for a CPU, how long
 * they then had it, how often they lost it, and to whom.
 */
#ifndef CORUN_METRICS_SCHED_TEXT_H
#define CORUN_METRICS_SCHED_TEXT_H

#include "metrics/report.h"

/* Nothing where no thread ever left a CPU. */
void sched_text(const struct report *report, const struct report_look *look, struct buf *buf);

#endif
