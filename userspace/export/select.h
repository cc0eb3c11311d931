/* SPDX-License-Identifier: MIT */
/*
 * select.h - what of a trace is exported: a sink of the model that passes on to a format's sink
 * what the options select, cut to [from, to], and keeps the counters of that.
 *
 * Time outside [from, to] is not dropped but squeezed: every change of state is seen, so what
 * stands at `from` is right without a second pass; only what has a length inside is told.
 */
#ifndef CORUN_EXPORT_SELECT_H
#define CORUN_EXPORT_SELECT_H

#include "export/curves.h"
#include "export/export.h"
#include "export/idle.h"
#include "export/lanes.h"

struct trace_reader;

struct selection {
	const struct export_options *options;
	const struct export_format *format;
	void *ctx;           /* the format's */
	const struct model *model;
	struct curves curves;
	struct lanes lanes;
	struct idle idle;
	u64 from, to;        /* absolute; set when the window opens */
	bool open;
	bool kernel;         /* kernel threads are wanted */
	bool everything;     /* a recording of all processes */
	u8 *named;           /* --comm: by thread id, 1 if it was ever so called */
	u32 n_named;
	u64 threads;
	/* The only process so far: its counters would repeat the set's, and are not told. */
	u32 single;
	const u32 *single_now;
};

extern const struct model_sink select_sink;

/* @ctx is what the format's open made. @model tells which kinds are parked. */
void select_init(struct selection *selection, const struct export_format *format, void *ctx,
		 const struct export_options *options, const struct model *model);
/* --comm: read the trace once for its names, and rewind it. 0 or -errno with @err. */
int select_find_named(struct selection *selection, const char *glob, struct trace_reader *reader,
		      struct error *err);
/* The same as thread numbers: those of the threads that were ever so called, as keys of @tids. */
int select_find_tids(struct map *tids, const char *glob, struct trace_reader *reader,
		     struct error *err);
/* @value is in @list, or the list is empty: all are. */
bool select_has(const s32 *list, size_t n, s32 value);
void select_free(struct selection *selection);

#endif
