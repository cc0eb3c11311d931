/* SPDX-License-Identifier: MIT */
/*
 * together_text.h - how long how many ran while how many were in flight, as one small square, and who it was when
 * most did.
 */
#ifndef CORUN_METRICS_TOGETHER_TEXT_H
#define CORUN_METRICS_TOGETHER_TEXT_H

#include "metrics/report.h"

void together_text(const struct report *report, const struct report_look *look, struct buf *buf);

#endif
