/* SPDX-License-Identifier: MIT */
/* threads_text.h - processes and threads, those that ran most first: their time by state. */
#ifndef CORUN_METRICS_THREADS_TEXT_H
#define CORUN_METRICS_THREADS_TEXT_H

#include "metrics/report.h"

/* Tables of at most a few lines each, the rest summed in the last; of processes, if there are several. */
void threads_text(const struct report *report, const struct report_look *look, struct buf *buf);

#endif
