/* SPDX-License-Identifier: MIT */
/*
 * chrome.h - the parts of the Chrome trace exporter: chrome.c listens to the model, chrome_lane.c
 * knows the numbers and names of threads and processes, chrome_span.c writes what threads do,
 * chrome_counter.c how many do what.
 */
#ifndef CORUN_EXPORT_CHROME_H
#define CORUN_EXPORT_CHROME_H

#include "base/map.h"
#include "export/json.h"
#include "model/model.h"

/* Linux's largest process id is 4194304 (PID_MAX_LIMIT): what lies above is free for our own
 * tracks, and for a number that is used a second time. Perfetto takes 32-bit numbers: room for 400
 * uses of one number below it. */
#define PID_STEP 4194304
#define OVERALL_PID 2000000000

/* A thread, as it is written. Texts are made once and copied from then on. */
struct lane {
	s64 pid, tid;        /* tid 0: not yet numbered */
	struct buf place;    /* "pid":1,"tid":2 */
	bool named;
	/* a wake-up that is not yet drawn, and where it came from */
	bool has_wake;
	u64 wake_ns;
	u32 waker;           /* thread id */
	/* how others refer to it: "worker-1 (4243)", quoted; made of this label */
	struct buf label, reference;
	/* its last wait: what it was, and what was written for it */
	struct buf wait_facts, wait_name, wait_args;
};

struct group {
	s64 pid;             /* 0: not yet numbered */
	bool touched, counted;
	struct counts told;  /* counters as last written ... */
	u32 flight;          /* ... and the concurrency that they make */
};

struct chrome {
	struct json json;
	struct model *model;
	bool compat, open, first, failed;
	struct buf meta, scratch, facts;
	u64 begin, now, flows, lost;
	struct lane *lanes;
	struct group *groups;
	u32 n_lanes, n_groups;
	u32 *touched;
	u32 n_touched, cap_touched;
	struct group overall;
	struct map used_pids, used_tids;
};

static inline u64 since_begin(const struct chrome *c, u64 ts)
{
	return ts > c->begin ? ts - c->begin : 0;
}

/* Every event starts with this. */
static inline void event_begin(struct chrome *c)
{
	if (c->first)
		json_lit(&c->json, "\n{");
	else
		json_lit(&c->json, ",\n{");
	c->first = false;
}

/* chrome_lane.c. NULL: memory is out (c->failed is set). */
struct group *chrome_group(struct chrome *c, const struct process *p);
struct lane *chrome_lane(struct chrome *c, const struct thread *t);
/* "worker-1 (4243)" with its quotes; lent until the next call. */
const struct buf *chrome_reference(struct chrome *c, u32 thread);
void chrome_metadata(struct chrome *c, const char *what, s64 pid, s64 tid, const char *name);
void chrome_sort_index(struct chrome *c, const char *what, s64 pid, s64 tid, u64 index);
void chrome_name_thread(struct chrome *c, const struct thread *t);
void chrome_name_process(struct chrome *c, const struct process *p);
void chrome_lanes_free(struct chrome *c);

/* chrome_span.c */
void chrome_span(struct chrome *c, const struct span *span);
void chrome_lost(struct chrome *c, const struct record *rec);

/* chrome_counter.c: @p's counters may have changed at c->now; time moves on: write what did. */
void chrome_touch(struct chrome *c, const struct process *p);
void chrome_settle(struct chrome *c);

#endif
