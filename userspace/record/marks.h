/* SPDX-License-Identifier: MIT */
/*
 * marks.h - what the traced programs tell by themselves: regions, tasks, facts, thread names.
 *
 * They write into rings in a private folder (MARKS.md); this reads them and puts the records between
 * those of the kernel, in order of time. Costs a look into the folder every 10 ms while nobody
 * writes.
 */
#ifndef CORUN_RECORD_MARKS_H
#define CORUN_RECORD_MARKS_H

#include "base/error.h"
#include "trace/record.h"

struct marks;

/* A record in order of time, or @late: it belongs earlier. 0 or -errno, which sticks. */
typedef int (*marks_put)(void *ctx, const struct record *rec, bool late);

/* Make the folder, for the user whom the command will run as. -errno with @err. */
int marks_open(struct marks **marks, struct error *err);
void marks_set_put(struct marks *marks, marks_put put, void *ctx);
/* Name of the folder, for CORUN_MARKS; its file for facts, a descriptor to write to. */
const char *marks_folder(const struct marks *marks);
int marks_facts(const struct marks *marks);
int marks_dirfd(const struct marks *marks);

/* Read what is new. @final: nothing will be written any more. */
void marks_poll(struct marks *marks, u64 now, bool final);
/* A record of what the recorder itself saw a task do. Its task and ref are ids as programs choose them. */
void marks_task(struct marks *marks, const struct record *rec);
/* Put out what is older than @limit. 0 or the first error of put. */
int marks_flush(struct marks *marks, u64 limit);
/* What could not be had, as records of @ts; after the last poll. */
int marks_notes(struct marks *marks, u64 ts);
/* Remove the folder and all in it. NULL is fine. */
void marks_close(struct marks *marks);
/* Files of these names, in folders in it too, stay when it is closed: an array that ends with NULL; borrowed. */
void marks_keep(struct marks *marks, const char *const *names);

#endif
