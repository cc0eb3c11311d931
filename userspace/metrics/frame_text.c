/* SPDX-License-Identifier: MIT */
/* frame_text.c - the page: what stands above the tables, where the tables go, and the keys below them. */
#include "metrics/frame_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/frame_pen.h"

#define NOTE_COLUMNS 24 /* right of the figures */
#define LEGENDS 8

enum frame_role frame_role_of(unsigned int slot, u32 parked)
{
	static const char *const families[ROLES] = {
		[ROLE_GIL] = "gil", [ROLE_LOCK] = "lock", [ROLE_DISK] = "disk", [ROLE_NETWORK] = "network",
		[ROLE_PARTY] = "party", [ROLE_SLEEP] = "sleep", [ROLE_KERNEL] = "kernel", [ROLE_PARKED] = "parked",
	};
	static const enum frame_role states[] = {
		[USAGE_RUNNING] = ROLE_RUNNING, [USAGE_READY] = ROLE_READY, [USAGE_STOPPED] = ROLE_STOPPED,
		[USAGE_UNKNOWN] = ROLE_UNKNOWN,
	};
	unsigned int kind = slot - USAGE_KIND;

	if (slot < USAGE_KIND)
		return states[slot];
	if (parked & 1u << kind)
		return ROLE_PARKED;
	switch ((enum wait_kind)kind) {
	case KIND_CONDITION:
	case KIND_SEMAPHORE:
	case KIND_FUTEX:
		return ROLE_LOCK;
	case KIND_POLL:
		return ROLE_NETWORK;
	case KIND_JOIN:
	case KIND_CHILD:
	case KIND_SIGNAL:
		return ROLE_KERNEL;
	default:
		for (enum frame_role role = 0; role < ROLES; role++)
			if (families[role] && !strcmp(families[role], kind_table[kind].role))
				return role;
		return ROLE_KERNEL;
	}
}

/* The verdict's first lines; what would change it only where there is room. */
static void put_verdict(struct pen *p)
{
	int lines = p->look->rows && p->look->rows < 30 ? 2 : 3;
	struct buf text = BUF_INIT;
	char *line, *rest;

	verdict_text(&p->f->verdict, false, &text);
	p->page->text.failed |= text.failed;
	rest = text.data;
	for (int i = 0; i < lines && rest && (line = strsep(&rest, "\n")) && *line; i++) {
		pen_put(p, i ? ROLE_TEXT : ROLE_STRONG, line);
		pen_newline(p);
	}
	buf_free(&text);
	if (!p->f->lost && !p->f->time.ns[USAGE_UNKNOWN])
		return;
	if (p->f->lost)
		pen_printf(p, ROLE_WARN, "! %" PRIu64 " events were lost; ", p->f->lost);
	else
		pen_put(p, ROLE_WARN, "! Events were lost before; ");
	pen_printf(p, ROLE_WARN, "every figure is known over %.1f %% of the interval.",
		   p->f->duration_ns ? 100.0 * (double)p->f->known_ns / (double)p->f->duration_ns : 0.0);
	pen_newline(p);
}

static void put_number(struct pen *p, double low, double high)
{
	char text[32];
	int digits = high < 100 ? 1 : 0;

	if (high - low >= 0.05)
		snprintf(text, sizeof(text), "%.*f-%.*f", digits, low, digits, high);
	else
		snprintf(text, sizeof(text), "%.*f", digits, low);
	pen_printf(p, ROLE_STRONG, "%-10s", text);
}

static int cells_of(double value, double scale, int width)
{
	return scale > 0 ? (int)(value / scale * width + 0.5) : 0;
}

/* A mean with its bar, which shows the CPUs as a line, and its peak. */
static void put_figure(struct pen *p, const char *name, double low, double high, u32 max,
		       enum frame_role role)
{
	double cpus = p->f->usable_cpus, scale = p->f->flight_high > cpus ? p->f->flight_high : cpus;
	int width = p->look->columns - 24 - 9 - NOTE_COLUMNS;
	int start, known, filled, mark;

	width = width < 8 ? 8 : width > 80 ? 80 : width;
	known = cells_of(low, scale, width);
	filled = cells_of(high, scale, width);
	mark = cpus > 0 ? cells_of(cpus, scale, width) - 1 : width;
	mark = mark < 0 ? 0 : mark;
	pen_printf(p, ROLE_TEXT, "  %-10s", name);
	put_number(p, low, high);
	start = p->column;
	for (int i = 0; i < width; i++) {
		if (i == mark)
			pen_put(p, ROLE_STRONG, p->look->utf8 ? "│" : "|");
		else if (i < filled)
			pen_cells(p, i < known ? role : ROLE_UNKNOWN, 1);
		else
			pen_put(p, ROLE_TEXT, " ");
	}
	pen_pad(p, start + width + 1);
	pen_printf(p, ROLE_FAINT, "max %-5u ", max);
}

static void put_figures(struct pen *p)
{
	const struct frame *f = p->f;
	struct buf when = BUF_INIT;

	put_figure(p, "in flight", f->flight, f->flight_high, f->max_flight, ROLE_TEXT);
	pen_printf(p, ROLE_TEXT, "%u CPU%s, %.*f usable", f->cpus, f->cpus == 1 ? "" : "s",
		   f->usable_cpus < 100 ? 1 : 0, f->usable_cpus);
	pen_newline(p);
	put_figure(p, "running", f->running, f->running, f->max_running, ROLE_RUNNING);
	buf_put_duration(&when, f->duration_ns, 0);
	buf_puts(&when, ", up to ");
	buf_put_duration(&when, f->begin_ns + f->duration_ns, 0);
	pen_put(p, ROLE_TEXT, when.failed ? "" : when.data);
	buf_free(&when);
	pen_newline(p);
	put_figure(p, "demand", f->demand, f->demand, f->max_demand, ROLE_READY);
	pen_printf(p, ROLE_TEXT, "active %.0f %%, lost %" PRIu64,
		   f->duration_ns ? 100.0 * (double)f->active_ns / (double)f->duration_ns : 0.0, f->lost);
	pen_newline(p);
}

struct share {
	unsigned int slot;
	u64 ns;
};

static int by_time(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	return (int)x->slot - (int)y->slot;
}

/* Running first, then what is in flight besides, most first; what is not known is not left out. */
static u32 shares_of(const struct frame *f, struct share *shares, u64 *whole)
{
	u32 n = 1;

	*whole = f->time.ns[USAGE_RUNNING];
	shares[0] = (struct share){USAGE_RUNNING, f->time.ns[USAGE_RUNNING]};
	for (unsigned int slot = 1; slot < USAGE_SLOTS; slot++) {
		if (!f->time.ns[slot] || (!usage_in_flight(slot, f->parked) && slot != USAGE_UNKNOWN))
			continue;
		shares[n++] = (struct share){slot, f->time.ns[slot]};
		*whole += f->time.ns[slot];
	}
	qsort(shares + 1, n - 1, sizeof(*shares), by_time);
	return n;
}

static void put_stack(struct pen *p)
{
	struct share shares[USAGE_SLOTS];
	int width = p->look->columns - 2 * PEN_INDENT, at = 0;
	u64 whole, sum = 0;
	u32 n = shares_of(p->f, shares, &whole);

	if (!whole)
		return;
	pen_pad(p, PEN_INDENT);
	for (u32 i = 0; i < n; i++) {
		int end;

		sum += shares[i].ns;
		end = cells_of((double)sum, (double)whole, width);
		pen_cells(p, frame_role_of(shares[i].slot, p->f->parked), end - at);
		at = end;
	}
	pen_newline(p);
	for (u32 i = 0; i < n && i < LEGENDS; i++) {
		const char *label = usage_label(shares[i].slot);
		double percent = 100 * (double)shares[i].ns / (double)whole;

		if (percent < 0.5 && i)
			break;
		/* "  # running 25 %": whole, or not at all. */
		if (p->column + 4 + (int)strlen(label) + 6 > p->look->columns)
			break;
		pen_pad(p, p->column + 2);
		pen_cells(p, frame_role_of(shares[i].slot, p->f->parked), 1);
		pen_printf(p, ROLE_TEXT, " %s %.0f %%", label, percent);
	}
	pen_newline(p);
}

static void put_keys(struct pen *p)
{
	const struct frame_look *look = p->look;

	while (p->line < look->rows - 1)
		pen_newline(p);
	if (look->note)
		pen_printf(p, ROLE_WARN, "%s  ", look->note);
	if (look->paused)
		pen_put(p, ROLE_WARN, "PAUSED  ");
	pen_printf(p, ROLE_BAR, "q quit  ? help  H %s  s sort: %s  p pause  l %s  +/- every %.4g s",
		   look->threads ? "processes" : "threads", frame_sort_name(look->sort),
		   look->locks ? "table" : "locks", (double)look->delay_ns / 1e9);
}

static void put_help(struct pen *p)
{
	static const char *const lines[] = {
		"  q            quit (Ctrl-C too)",
		"  H            threads instead of processes, and back",
		"  s            sort by time in flight, running, ready, waiting, number",
		"  p            pause: the picture stands still, recording goes on",
		"  + -          a longer, a shorter interval",
		"  l            the locks alone, and back",
		"  up, down     scroll; also page up, page down, home",
		"  ?            this help, and back",
		"",
		"  in flight    running, ready or waiting for something of its own, on average",
		"  running      on a CPU; the line in the bars stands at the CPUs that may be used",
		"  demand       what would run if there were CPUs enough",
		"  active       share of the interval in which something was in flight",
		"",
		"  Of a row: threads on average; what they waited in most. Parked waits (for",
		"  work, for a child, in poll) are not in flight. `corun record` keeps it all.",
	};

	pen_put(p, ROLE_STRONG, "corun top: what really runs at the same time");
	pen_newline(p);
	pen_newline(p);
	for (size_t i = 0; i < ARRAY_SIZE(lines) && (!p->look->rows || p->line < p->look->rows - 1); i++) {
		pen_put(p, ROLE_TEXT, lines[i]);
		pen_newline(p);
	}
}

static void put_tables(struct pen *p)
{
	int left = p->look->rows - p->line - 1, locks = 0;

	if (!p->look->rows) {
		frame_rows_text(p, 0);
		frame_locks_text(p, 0);
		return;
	}
	if (p->look->locks) {
		frame_locks_text(p, left);
		return;
	}
	if (p->f->n_locks) {
		locks = 2 + (int)p->f->n_locks;
		locks = locks > left / 3 ? left / 3 : locks;
		locks = locks < 3 ? 0 : locks;
	}
	frame_rows_text(p, left - locks);
	if (!locks)
		return;
	while (p->line < p->look->rows - 1 - locks)
		pen_newline(p);
	frame_locks_text(p, locks);
}

void frame_text(const struct frame *frame, const struct frame_look *look, struct frame_page *page)
{
	struct pen pen = {frame, look, page, 0, 0};

	buf_clear(&page->text);
	page->n_runs = 0;
	if (look->help) {
		put_help(&pen);
	} else if (!frame) {
		pen_put(&pen, ROLE_STRONG, look->note ? "Nothing was seen." : "Recording the first interval ...");
		pen_newline(&pen);
	} else {
		put_verdict(&pen);
		put_figures(&pen);
		put_stack(&pen);
		put_tables(&pen);
	}
	if (look->rows)
		put_keys(&pen);
}

void frame_page_free(struct frame_page *page)
{
	buf_free(&page->text);
	free(page->runs);
	*page = (struct frame_page){0};
}
