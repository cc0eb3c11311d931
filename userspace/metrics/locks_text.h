/* SPDX-License-Identifier: MIT */
/*
 * locks_text.h - the locks that were waited for, for people: how often and how long, by how many threads,
 * who held them meanwhile, where in the code they were wanted, and whether they were passed on in a row.
 */
#ifndef CORUN_METRICS_LOCKS_TEXT_H
#define CORUN_METRICS_LOCKS_TEXT_H

#include "metrics/report.h"

/* At most 80 columns. Nothing where no lock was waited for. */
void locks_text(const struct report *report, const struct report_look *look, struct buf *buf);

#endif
