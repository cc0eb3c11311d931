/* SPDX-License-Identifier: MIT */
#include "metrics/locks_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/utf8.h"
#include "trace/text.h"

#define TOP_LOCKS 8
#define NAME_COLUMNS 20
#define LOCK_COLUMNS 24

/* "worker-1 27 %": who held @l while others waited (or let go of it), and for how much of their waiting. */
static void holder_text(const struct report *r, const struct report_look *look, const struct lock_figures *l,
			const struct holder_figures *h, struct buf *b)
{
	struct buf label = BUF_INIT;
	int width;

	report_thread_label(r, h->thread, &label);
	width = label.data ? utf8_columns(label.data, label.len) : 0;
	report_put_name(b, label.data ? label.data : "", look->utf8, width < NAME_COLUMNS ? width : NAME_COLUMNS);
	buf_printf(b, " %.0f %%", l->wait_ns ? 100.0 * (double)h->wait_ns / (double)l->wait_ns : 0.0);
	buf_free(&label);
}

/* @line, then as many of @list as fit behind it, the others as a number. */
static void put_who(const struct report *r, const struct report_look *look, const struct lock_figures *l,
		    struct holder_figures *const *list, u32 n, struct buf *line, struct buf *b)
{
	struct buf next = BUF_INIT;
	u32 shown = 0, rest;

	for (; shown < n; shown++) {
		buf_clear(&next);
		holder_text(r, look, l, list[shown], &next);
		if (line->failed || next.failed)
			break;
		rest = n - shown - 1;
		if (shown && utf8_columns(line->data, line->len) + 2 + utf8_columns(next.data, next.len) +
				     (rest ? snprintf(NULL, 0, " and %u more", rest) : 0) > REPORT_COLUMNS)
			break;
		buf_printf(line, "%s%s", shown ? ", " : "", next.data);
	}
	if (shown < n)
		buf_printf(line, " and %u more", n - shown);
	if (!line->failed)
		buf_printf(b, "%s\n", line->data);
	buf_free(&next);
}

/* Of a lock that mostly has no owner's name (a reader-writer lock held by readers) also who let go of it:
 * that is another thing, and is said to be. */
static void put_holders(const struct report *r, const struct report_look *look, const struct lock_figures *l,
			struct buf *b)
{
	bool known = l->n_holders && 2 * l->unknown.wait_ns <= l->wait_ns;
	struct buf line = BUF_INIT;

	buf_printf(&line, "      %zu thread%s waited; held by ", l->threads.len, l->threads.len == 1 ? "" : "s");
	if (!l->n_holders)
		buf_puts(&line, "not known");
	else if (!known)
		buf_printf(&line, "not known %.0f %%, ", 100.0 * (double)l->unknown.wait_ns / (double)l->wait_ns);
	put_who(r, look, l, l->holders, l->n_holders, &line, b);
	if (!known && l->n_releasers) {
		buf_clear(&line);
		buf_puts(&line, "      released by ");
		put_who(r, look, l, l->releasers, l->n_releasers, &line, b);
	}
	buf_free(&line);
}

/* A lock that many want and that changes hands all the time: a convoy. */
static void put_hand_offs(const struct report *r, const struct lock_figures *l, struct buf *b)
{
	buf_printf(b, "      passed on %" PRIu64 " x, one every ", l->hand_offs);
	buf_put_duration(b, r->figures->duration_ns / l->hand_offs, 0);
	buf_printf(b, "; the same thread got it back %" PRIu64 " x\n", l->got_back);
}

static void put_lock(const struct report *r, const struct report_look *look, const struct lock_figures *l,
		     struct buf *b)
{
	struct buf text = BUF_INIT;

	if (l->kind == KIND_GIL)
		buf_printf(&text, "GIL of %s %d", l->process->name, l->tgid);
	else
		buf_printf(&text, "%s %" PRIx64, kind_table[l->kind].label, l->lock);
	buf_puts(b, "    ");
	report_put_name(b, text.data ? text.data : "", look->utf8, LOCK_COLUMNS);
	buf_printf(b, " %6" PRIu64, l->waits);
	buf_put_duration(b, l->wait_ns, 9);
	buf_put_duration(b, l->waits ? l->wait_ns / l->waits : 0, 9);
	buf_put_duration(b, hist_percentile(&l->waits_hist, 50), 9);
	buf_put_duration(b, hist_percentile(&l->waits_hist, 99), 9);
	buf_put_duration(b, l->waits_hist.max, 9);
	buf_putc(b, '\n');
	put_holders(r, look, l, b);
	if (l->kind == KIND_GIL && l->hand_offs)
		put_hand_offs(r, l, b);
	sites_put_line(&l->sites, l->wait_ns, b);
	buf_free(&text);
}

void locks_text(const struct report *r, const struct report_look *look, struct buf *b)
{
	const struct figures *f = r->figures;
	u32 shown = 0, rest = 0;
	u64 rest_ns = 0;

	for (u32 i = 0; i < f->n_locks; i++) {
		const struct lock_figures *l = f->lock_list[i];

		if (l->kind != KIND_GIL && l->kind != KIND_MUTEX && l->kind != KIND_RWLOCK)
			continue;
		if (shown == TOP_LOCKS && !look->all_threads) {
			rest++;
			rest_ns += l->wait_ns;
			continue;
		}
		if (!shown++)
			buf_printf(b, "\n  %-*s %6s%9s%9s%9s%9s%9s\n", LOCK_COLUMNS + 2, "locks", "waits",
				   "in all", "mean", "median", "99 %", "longest");
		put_lock(r, look, l, b);
	}
	if (rest) {
		buf_printf(b, "    and %u more, waited for ", rest);
		buf_put_duration(b, rest_ns, 0);
		buf_puts(b, " in all; --all-threads shows them\n");
	}
}
