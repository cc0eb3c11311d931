/* SPDX-License-Identifier: MIT */
/*
 * path_text.h - the critical path for people: who was on it, in which states, at which locks and calls, and how
 * much of it hangs on what is not known.
 */
#ifndef CORUN_METRICS_PATH_TEXT_H
#define CORUN_METRICS_PATH_TEXT_H

#include "metrics/report.h"

void path_text(const struct report *report, const struct report_look *look, struct buf *buf);

#endif
