/* SPDX-License-Identifier: MIT */
/*
 * export.h - a trace in other people's formats. One file a format; a format is a model sink with a
 * beginning and an end, and one line in export_formats.
 *
 * Between the model and a format's sink stands the selection (select.h): --from, --to, --pid,
 * --tid, --comm, --min-wait and --all-idle are decided there, for all formats alike. A format draws
 * what it is told. What is left out was not told: a thread or process that is never the subject of a call
 * is not part of the export, so formats name those that they met, not all that the model has.
 *
 * Streaming: a format holds memory by thread, process, lock and task, never by event.
 */
#ifndef CORUN_EXPORT_EXPORT_H
#define CORUN_EXPORT_EXPORT_H

#include "base/out.h"
#include "model/model.h"

/* One of the traces that go into one file. Lent to a format from open to close. */
struct export_part {
	u32 index, count;
	/* ts - zero_ns is the time in the file: 0 where the window opens (of several traces: where
	 * the first of them does, by their wall clocks). May wrap: subtract as u64. */
	u64 zero_ns;
	const char *label;  /* "" with one trace; else what tells its processes apart: the host */
	const char *host, *boot_id; /* "" not known */
	u64 wall_zero_ns;   /* CLOCK_REALTIME at ts == zero_ns, since the epoch; 0: not known */
	s64 unsure_ns;      /* how far the wall clocks may be off; 0: one clock, -1: not known */
};

struct lock_lane;
struct path_segment;

/* Called now and then with bytes read of the traces and in all; may be NULL. Non-zero ends the
 * export with -EINTR. */
typedef int (*export_progress)(void *ctx, u64 done, u64 total);

struct export_options {
	bool compat; /* chrome: X slices alone, for every viewer */
	const char *language; /* html: "en" or "ko", in which it opens; NULL: the browser's */
	const char *lesson; /* html: a file with a question (viewer/PAGE.md), or NULL */
	const char *lesson_json; /* html: the same as a text, written by buf_put_json(), or NULL */
	const char *title;  /* html: of the page; NULL: the traces' names */
	const char *region; /* html: of each trace only the time from this marked region's begin to its end, so that
			     * several begin together; NULL: all of it */

	u64 from_ns, to_ns;   /* since the window opened; to_ns 0: to its end */
	const s32 *tgids;     /* only these processes; n_tgids 0: all */
	size_t n_tgids;
	const s32 *tids;      /* only these threads; n_tids 0: all */
	size_t n_tids;
	const char *comm;     /* glob: threads (or processes) that were ever so called; NULL: all */
	u64 min_wait_ns;      /* draw no shorter wait; the counters still count it */
	bool all_idle;        /* kernel threads and the idle task too */
	bool critical_path;   /* a track of it in any case; else only if all threads are exported and it has at most
			       * EXPORT_PATH_STATES: it takes memory for each (metrics/graph.h) */

	const struct export_part *part; /* set by export_file() */
	export_progress progress;       /* likewise */
};

struct export_format {
	const char *name;      /* -f NAME */
	const char *extension; /* ".json" */
	const char *summary;
	/* What the model tells, selected and cut to [from, to]. */
	const struct model_sink *sink;
	/* The counters of what is exported (curves.h has the indices), those of processes from the
	 * second process on; may be NULL. */
	void (*curve)(void *ctx, u32 process, u64 ts, u32 changed, const u32 *now);
	/* A contended lock was held by lane->holder from @start to @end (lanes.h); may be NULL. */
	void (*lock)(void *ctx, const struct lock_lane *lane, u64 start, u64 end);
	/* Nobody ran on @cpu (idle.h); with --all-idle, of a recording of everything; may be NULL. */
	void (*idle)(void *ctx, u32 cpu, u64 start, u64 end);
	/* A stretch of the critical path, in order of time, after the window's end; may be NULL. */
	void (*path)(void *ctx, const struct path_segment *segment);
	/*
	 * Begin a trace: write what comes first to @out, which is borrowed. *@ctx is the sink's
	 * context. Several traces come one after the other: @options->part tells which this is.
	 */
	int (*open)(void **ctx, struct out *out, struct model *model,
		    const struct export_options *options);
	/* End: write what comes last and free. 0 or -ENOMEM; write errors stick to the out. */
	int (*close)(void *ctx);
	bool one_trace;        /* cannot hold several */
	/* A format that is no stream of what the model tells writes everything itself; the rest above
	 * is unused then. */
	int (*write)(struct out *out, const char *const *traces, u32 n_traces,
		     const struct export_options *options, struct error *err);
};

extern const struct export_format export_chrome, export_html, export_perfetto, export_ndjson;

/* Ends with a NULL. */
extern const struct export_format *const export_formats[];
const struct export_format *export_format_by_name(const char *name);

/* For who reads a trace: say how far it is. 0, or -EINTR with @err when that ends the export. */
int export_goes_on(const struct export_options *options, u64 done, u64 total, struct error *err);

#define EXPORT_PATH_STATES 250000

/* What became of an export. */
struct export_result {
	int status;    /* enum trace_status, the worst: cut and damaged traces go as far as they read */
	u64 bytes;     /* before compression */
	u64 threads;   /* that were exported */
	s64 unsure_ns; /* several traces: as in struct export_part, the worst */
	bool no_path;  /* the critical path was too long to be drawn unasked */
};

/*
 * Read @n_traces traces, write @path (which appears whole or not at all; "-": standard output). 0
 * or -errno with @err.
 */
int export_file(const struct export_format *format, const char *const *traces, u32 n_traces,
		const char *path, const struct export_options *options, export_progress progress,
		struct export_result *result, struct error *err);

#endif
