/* SPDX-License-Identifier: MIT */
/* compare_text.c - recordings side by side for people: the sentence, a line each, then where the time went. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "metrics/compare.h"
#include "metrics/verdict.h"

#define COLUMNS 4        /* traces beside each other */
#define COLUMN_WIDTH 14
#define LABEL_WIDTH 20
#define NAME_WIDTH 18

/* @text in @columns, cut at the end. */
static void put_cell(struct buf *b, const char *text, int columns, bool right)
{
	size_t len = strlen(text);
	int width = utf8_columns(text, len);

	while (width > columns && len) {
		do
			len--;
		while (len && ((unsigned char)text[len] & 0xc0) == 0x80);
		width = utf8_columns(text, len);
	}
	for (int i = width; right && i < columns; i++)
		buf_putc(b, ' ');
	buf_put(b, text, len);
	for (int i = width; !right && i < columns; i++)
		buf_putc(b, ' ');
}

static double mean(const struct compare_side *s, const struct curve *c)
{
	return curve_mean(c, s->report->figures->active_ns);
}

/* ---- a line a trace ---- */

static void put_warnings(const struct compare_side *s, struct buf *b)
{
	const struct figures *f = s->report->figures;

	if (f->known_ns == f->duration_ns)
		return;
	buf_printf(b, "    ! events were lost: its figures are known over %.2f %% of the time\n",
		   100 * (double)f->known_ns / (double)f->duration_ns);
}

static void put_trace(const struct compare_side *s, const struct compare_side *first, struct buf *b)
{
	const struct figures *f = s->report->figures;
	struct verdict_facts facts;
	struct verdict v;

	verdict_facts(s->report, f, &facts);
	verdict_judge(&facts, &v);
	buf_puts(b, "  ");
	put_cell(b, s->name, NAME_WIDTH, false);
	buf_put_duration(b, f->duration_ns, 10);
	if (f->duration_ns)
		buf_printf(b, " %8.2f", (double)first->report->figures->duration_ns / (double)f->duration_ns);
	else
		buf_printf(b, " %8s", "");
	buf_printf(b, " %9.1f %7.1f %7.1f", mean(s, &f->concurrency), mean(s, &f->parallelism),
		   mean(s, &f->demand));
	buf_put_duration(b, f->time.ns[USAGE_RUNNING], 10);
	buf_printf(b, "\n    %s%s%s\n", verdict_class_name(v.class), v.cause ? ": " : "",
		   verdict_cause_name(&v));
	put_warnings(s, b);
}

/* ---- tables with a column a trace ---- */

static void put_heads(const struct compare_side *sides, size_t n, const char *label, struct buf *b)
{
	buf_puts(b, "\n  ");
	put_cell(b, label, LABEL_WIDTH - 2, false);
	for (size_t i = 0; i < n; i++) {
		buf_putc(b, ' ');
		put_cell(b, sides[i].name, COLUMN_WIDTH - 1, true);
	}
	buf_putc(b, '\n');
}

static void put_times(const char *label, const u64 *ns, size_t n, struct buf *b)
{
	buf_puts(b, "    ");
	put_cell(b, label, LABEL_WIDTH - 4, false);
	for (size_t i = 0; i < n; i++) {
		if (ns[i])
			buf_put_duration(b, ns[i], COLUMN_WIDTH);
		else
			buf_printf(b, "%*s", COLUMN_WIDTH, "-");
	}
	buf_putc(b, '\n');
}

struct row { unsigned int slot; u64 most; };

static int by_most(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->most != y->most ? x->most < y->most ? 1 : -1 : (int)x->slot - (int)y->slot;
}

/* Thread-time by state, in flight and (@parked) not; what takes most in one of them first. */
static void put_states(const struct compare_side *sides, size_t n, bool parked, struct buf *b)
{
	struct row rows[USAGE_SLOTS] = {0};
	size_t n_rows = 0;

	for (unsigned int slot = 0; slot < USAGE_SLOTS; slot++) {
		struct row row = {slot, 0};

		for (size_t i = 0; i < n; i++) {
			u64 ns = sides[i].report->figures->time.ns[slot];

			if (usage_in_flight(slot, model_parked(sides[i].report->model)) != parked && ns > row.most)
				row.most = ns;
		}
		if (row.most)
			rows[n_rows++] = row;
	}
	qsort(rows, n_rows, sizeof(rows[0]), by_most);
	if (n_rows)
		put_heads(sides, n, parked ? "not in flight" : "time in flight", b);
	for (size_t k = 0; k < n_rows; k++) {
		u64 ns[COLUMNS];

		for (size_t i = 0; i < n; i++)
			ns[i] = sides[i].report->figures->time.ns[rows[k].slot];
		put_times(usage_label(rows[k].slot), ns, n, b);
	}
}

static struct lock_figures sum_of_locks(const struct compare_side *s, unsigned int kind, u32 *locks)
{
	const struct figures *f = s->report->figures;
	struct lock_figures sum = {0};

	*locks = 0;
	for (u32 i = 0; i < f->n_locks; i++) {
		if ((unsigned int)f->lock_list[i]->kind != kind)
			continue;
		++*locks;
		sum.waits += f->lock_list[i]->waits;
		sum.wait_ns += f->lock_list[i]->wait_ns;
	}
	return sum;
}

/* Locks have other addresses in each recording: they meet by kind. */
static void put_locks(const struct compare_side *sides, size_t n, struct buf *b)
{
	bool any = false;

	for (unsigned int kind = 0; kind < KINDS; kind++) {
		struct lock_figures sums[COLUMNS];
		u64 ns[COLUMNS], waits = 0;
		u32 locks[COLUMNS];

		for (size_t i = 0; i < n; i++) {
			sums[i] = sum_of_locks(&sides[i], kind, &locks[i]);
			ns[i] = sums[i].wait_ns;
			waits += sums[i].waits;
		}
		/* What is not in flight (an idle worker's queue) stands in the table above. */
		if (!waits || !usage_in_flight(USAGE_KIND + kind, model_parked(sides[0].report->model)))
			continue;
		if (!any)
			put_heads(sides, n, "locks, waited for", b);
		any = true;
		put_times(kind_table[kind].label, ns, n, b);
		buf_printf(b, "%*s", LABEL_WIDTH, "");
		for (size_t i = 0; i < n; i++) {
			char cell[48] = "-";

			if (sums[i].waits)
				snprintf(cell, sizeof(cell), locks[i] > 1 ? "%" PRIu64 " x on %u" : "%" PRIu64 " x",
					 sums[i].waits, locks[i]);
			buf_printf(b, "%*s", COLUMN_WIDTH, cell);
		}
		buf_putc(b, '\n');
	}
}

void compare_text(const struct compare_side *sides, size_t n, bool korean, struct buf *b)
{
	compare_sentence(sides, n, korean, b);
	buf_putc(b, '\n');
	put_cell(b, "", NAME_WIDTH + 2, false);
	buf_printf(b, "%10s %8s %9s %7s %7s%10s\n", "wall time", "speed-up", "in flight", "running", "demand",
		   "CPU time");
	for (size_t i = 0; i < n; i++)
		put_trace(&sides[i], &sides[0], b);
	for (size_t i = 0; i < n; i += COLUMNS) {
		size_t m = n - i < COLUMNS ? n - i : COLUMNS;

		put_states(sides + i, m, false, b);
		put_states(sides + i, m, true, b);
		put_locks(sides + i, m, b);
	}
}
