/* SPDX-License-Identifier: MIT */
/*
 * top.h - the inside of `corun top`: cmd_top.c the verb and its options, top_session.c the recording and
 * its intervals, top_view.c what is shown of them and the keys. Nobody else includes it.
 */
#ifndef CORUN_TOP_H
#define CORUN_TOP_H

#include "metrics/frame_text.h"
#include "metrics/live.h"
#include "record/host.h"
#include "target_options.h"

struct trace_pipe;

struct top {
	const struct cmd *cmd;
	struct target_options target;
	u64 count;              /* intervals; 0: no end */
	bool batch, json;
	const char *parked;

	struct command command;
	struct trace_pipe *pipe;
	struct trace_writer *writer;
	struct session *session;
	struct quota_source quota;
	struct live *live;

	u64 next_ns;            /* end of this interval; 0: the window has not begun */
	u64 take_ns;            /* when the records are next taken */
	u64 begin_ns;           /* when all was set up */
	u64 shown;              /* intervals */
	bool ended, quit;
	struct frame frame;
	bool seen;              /* frame holds an interval */
	struct frame_look look;
	struct frame_page page;
};

/* Record, show, until it ends or somebody ends it. 0, -errno with @err. What was begun stays to be freed by
 * top_free(). */
int top_begin(struct top *top, struct error *err);
int top_follow(struct top *top, struct error *err);
/* After the screen is closed: the last words, and the exit status. */
int top_finish(struct top *top);
void top_free(struct top *top);

/* An interval has ended. 0 or -ENOMEM. */
int top_show(struct top *top, const struct report *report);
/* What was shown last, once more: the screen, or how it is to look, has changed. */
void top_draw(struct top *top);
/* Do what keys ask for that were pressed meanwhile. */
void top_keys(struct top *top);

#endif
