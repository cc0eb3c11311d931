/* SPDX-License-Identifier: MIT */
/*
 * rows.h - the rows of a timeline: which pid and tid stand for a process and a thread.
 *
 * Viewers tell threads apart by pid and tid, and the kernel gives both out again. The first life
 * keeps its number; a later one, and those of a second trace in the same file, are moved up by
 * multiples of ROW_STEP: 1234 comes again as 4195538.
 */
#ifndef CORUN_EXPORT_ROWS_H
#define CORUN_EXPORT_ROWS_H

#include "base/map.h"
#include "export/export.h"

/* Linux's largest process id is 4194304 (PID_MAX_LIMIT); what lies above is free. */
#define ROW_STEP 4194304
/* Perfetto takes 32-bit numbers: room for 400 uses of one number below our own groups. */
#define ROW_USES 400
/* pid of groups that stand for no process; + export_part.index * ROW_GROUPS. */
enum { ROW_CURVES, ROW_PATH, ROW_LOCKS, ROW_IDLE, ROW_GROUPS };
#define ROW_GROUP_PID 2000000000

struct row {
	s64 pid, tid;
	char *place;   /* `,"pid":1,"tid":2,"ts":`: what each JSON event of the thread says */
	u32 place_len;
	u32 ref_len;
	char *ref;     /* `"worker-2 (4243)"`: how others' events name it; NULL: not asked for yet */
	bool used;     /* something was drawn */
};

struct rows {
	const struct model *model;
	const struct export_part *part;
	struct map tids, tgids;  /* uses so far of each number */
	struct row *rows;        /* by thread id */
	s64 *pids;               /* by process id; 0: not given yet */
	u32 n_rows, n_pids;
	bool failed;             /* out of memory: numbers may be shared */
};

void rows_init(struct rows *rows, const struct model *model, const struct export_part *part);
void rows_free(struct rows *rows);
s64 rows_pid(struct rows *rows, const struct process *process);
/* Valid until the next call; NULL when memory is out. */
struct row *rows_get(struct rows *rows, const struct thread *thread);
/* The same with `ref`, which holds until rows_renamed(). */
const struct row *rows_ref(struct rows *rows, u32 thread_id);
void rows_renamed(struct rows *rows, const struct thread *thread);
/* pid of a group of this part. */
s64 rows_group(const struct rows *rows, unsigned int group);

#endif
