/* SPDX-License-Identifier: MIT */
/*
 * narrow.h - a part of a trace as a trace: what would have been recorded with that target and in that
 * window. For a format that is no stream of what the model tells (the page, with its report), where a
 * selection (select.h) would leave figures of the whole beside a picture of the part.
 *
 * The window opens at --from and closes at --to; threads that are not asked for are told as outsiders, so that
 * they keep their names as wakers and holders. --comm chooses thread numbers: of a number that came
 * again all lives.
 */
#ifndef CORUN_EXPORT_NARROW_H
#define CORUN_EXPORT_NARROW_H

#include "base/buf.h"
#include "export/export.h"

/* The options ask for less than all of a trace. */
bool narrow_asked(const struct export_options *options, const char *target);
/* Which part the user asked for: "1.5 s – 2 s, pid 12, worker*"; nothing, if for all. */
void narrow_describe(const struct export_options *options, struct buf *text);
/* Write over the file @to what @options select of the trace @from. 0 or -errno with @err. */
int narrow_write(const char *from, const char *to, const struct export_options *options,
		 struct error *err);

#endif
