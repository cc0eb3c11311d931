/* SPDX-License-Identifier: MIT */
/* frame_pen.h - what writes a page: text with roles, clipped at the right edge. Private to frame_*.c. */
#ifndef CORUN_METRICS_FRAME_PEN_H
#define CORUN_METRICS_FRAME_PEN_H

#include "metrics/frame_text.h"

struct pen {
	const struct frame *f;
	const struct frame_look *look;
	struct frame_page *page;
	int column;          /* where the line has come to */
	int line;            /* lines done */
};

void pen_put(struct pen *pen, enum frame_role role, const char *text);
void pen_printf(struct pen *pen, enum frame_role role, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void pen_newline(struct pen *pen);
/* Blanks up to @column. */
void pen_pad(struct pen *pen, int column);
/* A name of any bytes in @columns. */
void pen_name(struct pen *pen, enum frame_role role, const char *name, int columns);
/* The last one of a line: not padded. */
void pen_last_name(struct pen *pen, enum frame_role role, const char *name);
/* The end of a heading; on a screen up to the right edge. */
void pen_heading(struct pen *pen, const char *text);
/* @cells of a bar. */
void pen_cells(struct pen *pen, enum frame_role role, int cells);
/* The first two columns are blank. */
#define PEN_INDENT 2

/* frame_rows.c: the table of processes or threads, and of locks, @rows lines each at most (0: no limit). */
void frame_rows_text(struct pen *pen, int rows);
void frame_locks_text(struct pen *pen, int rows);

#endif
