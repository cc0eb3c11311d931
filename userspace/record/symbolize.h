/* SPDX-License-Identifier: MIT */
/*
 * symbolize.h - words for a place in a file of code: function, source file and line, as far as its
 * symbols and debug information say; functions that were inlined there included.
 */
#ifndef CORUN_RECORD_SYMBOLIZE_H
#define CORUN_RECORD_SYMBOLIZE_H

#include "base/buf.h"
#include "record/code_file.h"
#include "record/unwind.h"

/*
 * The lines of a call site (rec_site.text) from @frames, innermost first: the program's own code that
 * called, then its callers. Code of the C library and the language's standard library, which called
 * on its behalf, is left out if there is anything else. A line is "queue.c:12 (push)" or, without
 * debug information, "push+0x1a (libqueue.so)", without symbols "libqueue.so+0x12f4", or "unknown".
 */
void symbolize(struct code_files *files, const struct unwind_frame *frames, u32 n, struct buf *text);
void symbolize_free(struct code_files *files);

/* Is @file (no folder) a part of the C or C++ runtime, @source a header of one? */
bool symbolize_is_runtime(const char *file);
bool symbolize_is_header(const char *source);
/* Bytes of @symbol that are the function's name: without a version, or how the compiler varied it. */
size_t symbolize_name_length(const char *symbol);
/* Is @function one by which a statically linked program's C library waits? */
bool symbolize_is_wait(const char *function);

#endif
