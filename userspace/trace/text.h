/* SPDX-License-Identifier: MIT */
/*
 * text.h - records as lines of text: what `corun dump` prints and golden tests are written in.
 *
 * A file starts with "# corun text 1". Then one record a line:
 *
 *     SECONDS.NANOSECONDS TYPE [cpu=N] key=value ...
 *
 * Fields at their default (0, "", cpu unknown) are left out. Strings are in double quotes with C
 * escapes (\" \\ \n \t \xHH for every byte that is not printable UTF-8). Enumerations are written by
 * name, flag words as names joined by '|', calls by name (or number). Lines that are blank or begin
 * with '#' are skipped. Reading back what was printed gives the same records. A trace that was cut or
 * damaged says so in its last line, "# cut" or "# damaged"; a text without either counts as whole.
 */
#ifndef CORUN_TRACE_TEXT_H
#define CORUN_TRACE_TEXT_H

#include "base/buf.h"
#include "base/error.h"
#include "trace/record.h"

#define TRACE_TEXT_MAGIC "# corun text 1"
#define TRACE_TEXT_CUT "# cut"
#define TRACE_TEXT_DAMAGED "# damaged"

/* Append @rec as one line with its newline. */
void text_print(struct buf *buf, const struct record *rec);

/*
 * Parse one line. 1 and *@rec, 0 for a blank line or comment, -EINVAL with @err naming the column
 * and the word. Strings of *@rec are put into @strings (cleared first).
 */
int text_parse(const char *line, struct record *rec, struct buf *strings, struct error *err);

/* NULL past the end. */
const char *record_type_name(unsigned int type);
/* Names shared with reports: "pipe", "futex" ...; "unknown" past the end: a newer recorder's. */
const char *fd_kind_name(unsigned int kind);
const char *lock_kind_name(unsigned int kind);
const char *waker_context_name(unsigned int context);
const char *task_op_name(unsigned int op);
const char *task_outcome_name(unsigned int outcome);

#endif
