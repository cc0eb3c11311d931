/* SPDX-License-Identifier: MIT */
#include "metrics/frame_pen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static void end_run(struct frame_page *page, enum frame_role role)
{
	if (page->n_runs && page->runs[page->n_runs - 1].role == role) {
		page->runs[page->n_runs - 1].end = page->text.len;
		return;
	}
	if (page->n_runs == page->cap_runs) {
		u32 cap = page->cap_runs ? 2 * page->cap_runs : 64;
		struct frame_run *more = realloc(page->runs, cap * sizeof(*more));

		if (!more) {
			page->text.failed = true;
			return;
		}
		page->runs = more;
		page->cap_runs = cap;
	}
	page->runs[page->n_runs++] = (struct frame_run){page->text.len, role};
}

void pen_put(struct pen *pen, enum frame_role role, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len;) {
		int n = utf8_printable((const unsigned char *)text + i, len - i);
		const char *c = n ? text + i : "?";
		int width = utf8_columns(c, n ? (size_t)n : 1);

		i += n ? (size_t)n : 1;
		if (pen->column + width > pen->look->columns)
			continue;
		buf_put(&pen->page->text, c, n ? (size_t)n : 1);
		pen->column += width;
	}
	end_run(pen->page, role);
}

void pen_printf(struct pen *pen, enum frame_role role, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	pen_put(pen, role, text);
}

void pen_newline(struct pen *pen)
{
	buf_putc(&pen->page->text, '\n');
	end_run(pen->page, ROLE_TEXT);
	pen->column = 0;
	pen->line++;
}

void pen_pad(struct pen *pen, int column)
{
	if (column > pen->column)
		pen_printf(pen, ROLE_TEXT, "%*s", column - pen->column, "");
}

void pen_name(struct pen *pen, enum frame_role role, const char *name, int columns)
{
	struct buf text = BUF_INIT;

	if (columns > 0)
		report_put_name(&text, name, pen->look->utf8, columns);
	if (text.data)
		pen_put(pen, role, text.data);
	pen->page->text.failed |= text.failed;
	buf_free(&text);
}

void pen_last_name(struct pen *pen, enum frame_role role, const char *name)
{
	int left = pen->look->columns - pen->column, width = utf8_columns(name, strlen(name));

	pen_name(pen, role, name, width < left ? width : left);
}

void pen_heading(struct pen *pen, const char *text)
{
	int left = pen->look->columns - pen->column;

	pen_printf(pen, ROLE_BAR, "%-*s", pen->look->rows && left > 0 ? left : 0, text);
	pen_newline(pen);
}

void pen_cells(struct pen *pen, enum frame_role role, int cells)
{
	/* Without colour the letter tells the state; a block is only running. */
	static const char letters[ROLES] = {
		[ROLE_TEXT] = '#', [ROLE_RUNNING] = '#', [ROLE_READY] = '+', [ROLE_GIL] = 'G',
		[ROLE_LOCK] = 'L', [ROLE_DISK] = 'D', [ROLE_NETWORK] = 'N', [ROLE_PARTY] = 'P', [ROLE_SLEEP] = 'z', [ROLE_KERNEL] = 'K',
		[ROLE_PARKED] = '.', [ROLE_STOPPED] = 'x', [ROLE_UNKNOWN] = '?',
	};
	bool solid = pen->look->utf8 && (pen->look->color ? role != ROLE_UNKNOWN : letters[role] == '#');
	char letter[2] = {letters[role] ? letters[role] : '-'};

	while (cells-- > 0)
		pen_put(pen, role, solid ? "█" : letter);
}
