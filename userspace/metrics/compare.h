/* SPDX-License-Identifier: MIT */
/*
 * compare.h - two or more recordings of the same work side by side: how long each took, and what the
 * difference is made of.
 *
 * The comparison assumes that the traces did the same work; it cannot know. Where CPU time differs by
 * more than a quarter it says so.
 */
#ifndef CORUN_METRICS_COMPARE_H
#define CORUN_METRICS_COMPARE_H

#include "base/buf.h"
#include "metrics/report.h"

struct compare_side {
	const struct report *report;
	char *name; /* how it is called: compare_name() */
};

/* "threads" of "/tmp/threads.corun". The caller frees it; NULL: memory is out. */
char *compare_name(const char *path);

/* The difference in a few lines of at most 80 columns, each with its newline; names, which may be any words, stand
 * in quotes where they are part of a sentence. At least two sides. */
void compare_sentence(const struct compare_side *sides, size_t n, bool korean, struct buf *buf);
/* The sentence and a table, 80 columns. */
void compare_text(const struct compare_side *sides, size_t n, bool korean, struct buf *buf);
/* One object and a newline. */
void compare_json(const struct compare_side *sides, size_t n, struct buf *buf);

#endif
