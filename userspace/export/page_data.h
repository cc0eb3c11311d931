/* SPDX-License-Identifier: MIT */
/*
 * page_data.h - a trace as the viewer reads it: spans as variable-length numbers, compressed, in
 * base64; and the table of what was waited on. Part of page.c.
 */
#ifndef CORUN_EXPORT_PAGE_DATA_H
#define CORUN_EXPORT_PAGE_DATA_H

#include "base/buf.h"
#include "base/error.h"
#include "base/out.h"
#include "export/export.h"
#include "metrics/path.h"

/* What a span is; waits: CODE_WAIT + kind. */
enum { CODE_RUNNING, CODE_WOKEN, CODE_PREEMPTED, CODE_STOPPED, CODE_UNKNOWN, CODE_WAIT };

/* Write the spans of @trace from @options->from_ns to to_ns to @out in base64, and what belongs to them to @json (a JSON
 * object without its closing brace: the caller adds to it). 0 or -errno with @err. */
int page_data(struct out *out, const char *trace, const struct export_options *options, struct buf *json,
	      struct error *err);
/* The critical path in base64; nothing of one that is not known (NULL). 0 or -errno with @err. */
int page_path(struct out *out, const struct path *path, struct error *err);

#endif
