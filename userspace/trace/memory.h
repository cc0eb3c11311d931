/* SPDX-License-Identifier: MIT */
/*
 * memory.h - records kept in memory with their strings: late ones, and a whole text file. Private to
 * trace/. Start from zeroed memory; end with memory_free().
 */
#ifndef CORUN_TRACE_MEMORY_H
#define CORUN_TRACE_MEMORY_H

#include "base/error.h"
#include "trace/record.h"
#include "trace/text.h"
#include "trace/trace.h"

struct record_memory {
	struct record *records;
	size_t n, cap;
	char **strings; /* blocks of text that the records point into */
	size_t n_strings, cap_strings;
	enum trace_status status; /* of a text: what its last line says */
};

/* Copy @rec and its strings. 0 or -ENOMEM. */
int memory_add(struct record_memory *m, const struct record *rec);
/* Parse the text trace behind @fd; sorted by ts, equal ts in the file's order. */
int memory_read_text(struct record_memory *m, int fd, const char *path, struct error *err);
/* By ts, stable. */
void memory_sort(struct record_memory *m);
void memory_free(struct record_memory *m);

#endif
