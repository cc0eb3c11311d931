/* SPDX-License-Identifier: MIT */
/* frame_rows.c - the tables of a frame: processes or threads, and the locks that were waited for. */
#include <inttypes.h>
#include <stdio.h>

#include "metrics/frame_pen.h"

#define WAIT_COLUMNS 20
#define LOCK_COLUMNS 25

static void put_mean(struct pen *p, enum frame_role role, u64 ns, int columns)
{
	double mean = p->f->duration_ns ? (double)ns / (double)p->f->duration_ns : 0;

	pen_printf(p, ns ? role : ROLE_FAINT, "%*.*f", columns, mean < 100 ? 2 : 0, mean);
}

/* In which state but running and ready it was most. */
static void put_most(struct pen *p, const struct usage *time)
{
	unsigned int most = USAGE_STOPPED;
	char text[64];

	for (unsigned int slot = USAGE_STOPPED; slot < USAGE_SLOTS; slot++)
		if (time->ns[slot] > time->ns[most])
			most = slot;
	if (!time->ns[most]) {
		pen_printf(p, ROLE_TEXT, "%*s", WAIT_COLUMNS, "");
		return;
	}
	put_mean(p, ROLE_TEXT, time->ns[most], 5);
	snprintf(text, sizeof(text), " %-*s", WAIT_COLUMNS - 6, usage_label(most));
	pen_put(p, frame_role_of(most, p->f->parked), text);
}

static bool in_flight(const struct frame *f, const struct frame_row *row)
{
	return usage_flight(&row->time, f->parked) || row->time.ns[USAGE_UNKNOWN];
}

static void put_row(struct pen *p, const struct frame_row *row)
{
	u64 flight = usage_flight(&row->time, p->f->parked);

	pen_printf(p, ROLE_TEXT, "%7d", row->tgid);
	if (p->look->threads)
		pen_printf(p, ROLE_TEXT, "%8d", row->tid);
	else
		pen_printf(p, ROLE_FAINT, "%8u", row->threads);
	put_mean(p, ROLE_STRONG, flight, 10);
	put_mean(p, ROLE_RUNNING, row->time.ns[USAGE_RUNNING], 8);
	put_mean(p, ROLE_READY, row->time.ns[USAGE_READY], 6);
	pen_put(p, ROLE_TEXT, " ");
	put_most(p, &row->time);
	pen_put(p, ROLE_TEXT, " ");
	pen_last_name(p, in_flight(p->f, row) ? ROLE_STRONG : ROLE_TEXT, row->name);
	pen_newline(p);
}

void frame_rows_text(struct pen *p, int rows)
{
	const struct frame_row *list = p->look->threads ? p->f->threads : p->f->processes;
	u32 n = p->look->threads ? p->f->n_threads : p->f->n_processes, skip = p->look->skip, idle = 0;
	int end = rows ? p->line + rows : INT32_MAX;

	if (rows && rows < 3)
		return;
	pen_newline(p);
	pen_printf(p, ROLE_BAR, "%7s%8s%10s%8s%6s %-*s ", "PID", p->look->threads ? "TID" : "THREADS", "IN FLIGHT",
		   "RUNNING", "READY", WAIT_COLUMNS, "WAITING MOST IN");
	pen_heading(p, p->look->threads ? "THREAD" : "PROCESS");
	if (skip >= n)
		skip = n ? n - 1 : 0;
	for (u32 i = skip; i < n && p->line < end; i++) {
		if (!rows && !in_flight(p->f, &list[i])) {
			idle++;
			continue;
		}
		put_row(p, &list[i]);
	}
	if (!idle)
		return;
	pen_printf(p, ROLE_FAINT, "  and %u of which nothing was in flight", idle);
	pen_newline(p);
}

static void put_lock_name(struct pen *p, const struct frame_lock *l)
{
	char text[160];

	if (l->kind == KIND_GIL)
		snprintf(text, sizeof(text), "GIL of %s (%d)", l->process, l->tgid);
	else
		snprintf(text, sizeof(text), "%s %" PRIx64 "%s%s", kind_table[l->kind].name, l->lock,
			 l->process[0] ? " " : "", l->process);
	pen_name(p, frame_role_of(USAGE_KIND + (unsigned int)l->kind, 0), text, LOCK_COLUMNS);
}

static void put_holder(struct pen *p, const struct frame_lock *l)
{
	char text[128];
	double share = l->wait_ns ? 100.0 * (double)l->holder_ns / (double)l->wait_ns : 0;

	if (!l->holder || l->unknown_ns > l->holder_ns) {
		pen_put(p, ROLE_FAINT, "not known");
		return;
	}
	snprintf(text, sizeof(text), "%s (%d)", l->holder_name, l->holder);
	pen_printf(p, ROLE_TEXT, "%3.0f %% ", share);
	pen_last_name(p, ROLE_STRONG, text);
}

static void put_lock(struct pen *p, const struct frame_lock *l)
{
	struct buf text = BUF_INIT;

	pen_pad(p, PEN_INDENT);
	put_lock_name(p, l);
	buf_printf(&text, "%7" PRIu64, l->waits);
	buf_put_duration(&text, l->wait_ns, 9);
	buf_put_duration(&text, l->max_ns, 9);
	pen_put(p, ROLE_TEXT, text.failed ? "" : text.data);
	buf_free(&text);
	pen_put(p, ROLE_TEXT, "  ");
	put_holder(p, l);
	pen_newline(p);
}

void frame_locks_text(struct pen *p, int rows)
{
	int end = rows ? p->line + rows : INT32_MAX;

	if (!p->f->n_locks) {
		if (p->look->locks) {
			pen_newline(p);
			pen_put(p, ROLE_TEXT, "  no thread waited for a lock");
			pen_newline(p);
		}
		return;
	}
	pen_newline(p);
	pen_printf(p, ROLE_BAR, "  %-*s%7s%9s%9s  ", LOCK_COLUMNS, "LOCK", "WAITS", "IN ALL", "LONGEST");
	pen_heading(p, "HELD MEANWHILE BY");
	for (u32 i = 0; i < p->f->n_locks && p->line < end; i++)
		put_lock(p, &p->f->locks[i]);
}
