/* SPDX-License-Identifier: MIT */
/*
 * report.h - a trace read and added up: what `corun report` and the end of `corun run` say.
 *
 *     struct report *report;
 *     struct error err = {0};
 *
 *     if (!report_read(&report, "app.corun", &options, NULL, &err)) {
 *             report_text(report, &look, &buf);   // or report_json(report, &buf)
 *             report_free(report);
 *     }
 *
 * One pass over the file, no privilege, no output of its own. Memory grows with threads, locks and
 * kinds of waits, not with events: the critical path, which needs a node for each state, is found
 * only up to GRAPH_NODES_IN_MEMORY of them, unless it is asked for.
 */
#ifndef CORUN_METRICS_REPORT_H
#define CORUN_METRICS_REPORT_H

#include "base/buf.h"
#include "metrics/meter.h"
#include "metrics/path.h"
#include "metrics/what_if.h"
#include "metrics/tasks.h"
#include "trace/trace.h"

#define REPORT_COLUMNS 80 /* of the terminal that its text fits */

struct phases;

struct report_options {
	const char *region;   /* figures over this marked region, NULL: the window */
	u64 from_ns, to_ns;   /* or over this stretch, from the window's begin; to_ns 0: none */
	bool parked_set;      /* `parked` holds; else the trace's own or the default */
	u32 parked;           /* bits of wait kinds */
	bool ask_what_if;     /* `what_if` holds */
	struct what_if_options what_if;
	u32 points;           /* the curves as so many points, at most SERIES_BINS; 0: not asked for */
	bool path_segments;   /* the critical path of a trace of any length, and each stretch of it */
};

/* How the text looks. */
struct report_look {
	bool utf8;
	bool all_threads;     /* every line of the long lists */
	bool korean;          /* the verdict in Korean */
};

struct report {
	struct model *model;
	struct meter *meter;
	struct task_meter *tasks;
	struct graph *graph;
	u32 points;                    /* as asked for */
	bool asked;                    /* `what_if` is the answer */
	struct what_if what_if;
	struct path *paths[METER_REGIONS + 2]; /* by stretch; NULL: not known, a note says why */
	struct phases *phases;         /* of the window */
	struct figures *figures;       /* the stretch that the options chose */
	char *command, *script, *kernel, *started, *host; /* "" when not known */
	u32 cpus;                      /* online; 0: not known */
	u32 affinity_cpus;             /* most that one of its threads may use; 0: not known */
	double quota_cpus;             /* 0: no quota */
	double usable_cpus;            /* the least of the three */
	s32 root_tgid;                 /* of COMMAND, 0: attached */
	u64 lost_events;
	enum trace_status status;
	u64 records;
	char **notes;                  /* what recording could not do */
	u32 n_notes;
	char **facts;                  /* what the program wrote for claims to read, a line each */
	u32 n_facts;
	int exit_status;               /* COMMAND's; -1: not known */
};

typedef void (*report_progress)(u64 done, u64 total);

/* 0, or -errno with @err in the user's words. @progress may be NULL. */
int report_read(struct report **report, const char *path, const struct report_options *options,
		report_progress progress, struct error *err);
void report_free(struct report *report);

/* The figures as JSON: one object and a newline. Keys are only ever added. */
void report_json(const struct report *report, struct buf *buf);
/* The same of an interval of a trace that goes on (live.h), with what such a one has. */
void report_interval_json(const struct report *report, struct buf *buf);
/* The figures for people, REPORT_COLUMNS wide. */
void report_text(const struct report *report, const struct report_look *look, struct buf *buf);

/* Fill affinity_cpus, quota_cpus and usable_cpus by what its model and meter know now. */
void report_find_usable(struct report *report);

/* The critical path of one of its meter's stretches, NULL: not known. */
const struct path *report_path(const struct report *report, const struct figures *figures);

/* What if? 0 (refused or not), or -errno: -E2BIG where the report was made without a graph of so many states. */
int report_ask(const struct report *report, const struct what_if_options *options, struct what_if *answer);

/* "worker-1", or "worker-1 (4243)" when several threads that lived in the window share the name. */
void report_thread_label(const struct report *report, u32 thread, struct buf *buf);

/* @text in @columns: cut in the middle, head and tail stay ("ThreadPoolExec...-0_17"). What would move
 * the cursor, or is not ASCII without @utf8, is shown as '?'. */
void report_put_name(struct buf *buf, const char *text, bool utf8, int columns);

#endif
