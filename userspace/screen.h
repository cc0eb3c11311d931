/* SPDX-License-Identifier: MIT */
/*
 * screen.h - the terminal as a page of text, by ncurses. However the process ends, but for SIGKILL, the
 * terminal is as it was: after screen_close(), and by itself when a fatal signal comes.
 */
#ifndef CORUN_SCREEN_H
#define CORUN_SCREEN_H

#include "base/error.h"
#include "metrics/frame_text.h"

enum screen_key {
	SCREEN_NONE = 0,
	/* Characters are themselves. */
	SCREEN_UP = 512, SCREEN_DOWN, SCREEN_PAGE_UP, SCREEN_PAGE_DOWN, SCREEN_HOME,
	SCREEN_RESIZED,
};

/* Both standard input and output are terminals, and this one can move its cursor (TERM=dumb cannot). */
bool screen_possible(void);
/* @color: use it if the terminal has it. 0 or -errno with @err. */
int screen_open(bool color, struct error *err);
void screen_close(void);
bool screen_color(void);
void screen_size(int *width, int *height);
/* Show it from the upper left corner; what does not fit is left out. */
void screen_draw(const struct frame_page *page);
/* What was pressed, SCREEN_NONE at once if nothing was. */
int screen_key(void);

#endif
