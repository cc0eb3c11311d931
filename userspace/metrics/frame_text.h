/* SPDX-License-Identifier: MIT */
/*
 * frame_text.h - a frame as a page of text with colour roles: the sentence, the figures, where the time went,
 * then processes or threads, and the locks. Pure: a screen or a pipe shows it.
 */
#ifndef CORUN_METRICS_FRAME_TEXT_H
#define CORUN_METRICS_FRAME_TEXT_H

#include "metrics/frame.h"

/* What a stretch of text is; the states are the viewer's families of kinds. */
enum frame_role {
	ROLE_TEXT = 0,
	ROLE_STRONG, ROLE_FAINT, ROLE_BAR /* headings, keys */, ROLE_WARN,
	ROLE_RUNNING, ROLE_READY, ROLE_GIL, ROLE_LOCK, ROLE_DISK, ROLE_NETWORK, ROLE_PARTY, ROLE_SLEEP,
	ROLE_KERNEL, ROLE_PARKED, ROLE_STOPPED, ROLE_UNKNOWN,
	ROLES,
};

/* The role of a state or kind; a kind that counts as in flight though it is parked by default has another. */
enum frame_role frame_role_of(unsigned int usage_slot, u32 parked);

struct frame_run {
	size_t end;          /* in text.data, from the end of the run before */
	enum frame_role role;
};

/* Lines end with a newline and fit the columns asked for; nothing in them controls a terminal. Start from
 * zeroed memory. */
struct frame_page {
	struct buf text;
	struct frame_run *runs;
	u32 n_runs, cap_runs;
};

struct frame_look {
	bool utf8, color;    /* without colour the states' bars are letters */
	int columns;
	int rows;            /* of a screen; 0: as many as there are, and no line of keys */
	bool threads;        /* rows are threads, not processes */
	bool locks;          /* locks instead of rows */
	bool help, paused;
	enum frame_sort sort; /* as the frame was sorted */
	u64 delay_ns;
	u32 skip;            /* rows scrolled past */
	const char *note;    /* a last word ("the command has ended"), or NULL */
};

/* @frame NULL: nothing was seen yet. page->text.failed when memory was out. */
void frame_text(const struct frame *frame, const struct frame_look *look, struct frame_page *page);
void frame_page_free(struct frame_page *page);

#endif
