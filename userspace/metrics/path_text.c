/* SPDX-License-Identifier: MIT */
#include "metrics/path_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "trace/syscall.h"

#define TOP_THREADS 4
#define TOP_SUMS 3
#define NAME_COLUMNS 25

static double percent(u64 part, u64 whole)
{
	return whole ? 100 * (double)part / (double)whole : 0;
}

/* Less than a thousandth is not worth a line. */
static void put_line(struct buf *b, const char *name, u64 ns, u64 length)
{
	if (ns < length / 1000)
		return;
	buf_printf(b, "    %-*s %5.1f %%", NAME_COLUMNS, name, percent(ns, length));
	buf_put_duration(b, ns, 11);
	buf_putc(b, '\n');
}

static void put_threads(const struct report *r, const struct report_look *look, const struct path *p, struct buf *b)
{
	u32 shown = look->all_threads || p->n_threads <= TOP_THREADS ? p->n_threads : TOP_THREADS;
	u64 left = p->length_ns;

	for (u32 i = 0; i < shown; i++) {
		const struct usage *u = &p->threads[i].time;
		u64 ns = usage_alive(u);
		struct buf name = BUF_INIT;

		left -= ns;
		report_thread_label(r, p->threads[i].thread, &name);
		buf_puts(b, "    ");
		report_put_name(b, name.data ? name.data : "", look->utf8, NAME_COLUMNS);
		buf_printf(b, " %5.1f %%, running ", percent(ns, p->length_ns));
		buf_put_duration(b, u->ns[USAGE_RUNNING], 0);
		buf_puts(b, ", waiting ");
		buf_put_duration(b, ns - u->ns[USAGE_RUNNING], 0);
		buf_putc(b, '\n');
		buf_free(&name);
	}
	if (left)
		buf_printf(b, "    %-*s %5.1f %%\n", NAME_COLUMNS, "the rest", percent(left, p->length_ns));
}

/* The states of all threads on it: what is no running could be done without. */
static void put_states(const struct path *p, struct buf *b)
{
	buf_puts(b, "    in all:");
	for (unsigned int slot = 0, n = 0; slot < USAGE_SLOTS; slot++) {
		if (!p->time.ns[slot])
			continue;
		if (n && n % 3 == 0)
			buf_puts(b, ",\n           ");
		else if (n)
			buf_putc(b, ',');
		n++;
		buf_printf(b, " %s ", usage_label(slot));
		buf_put_duration(b, p->time.ns[slot], 0);
	}
	buf_putc(b, '\n');
}

static void put_sums(const struct report *r, const struct path *p, struct buf *b)
{
	char name[64];

	for (u32 i = 0; i < p->n_locks && i < TOP_SUMS; i++) {
		const struct graph_lock *l = graph_lock(r->graph, p->locks[i].key);

		snprintf(name, sizeof(name), "at %s %" PRIx64, kind_table[l->kind].label, l->lock);
		put_line(b, name, p->locks[i].ns, p->length_ns);
	}
	for (u32 i = 0; i < p->n_calls && i < TOP_SUMS; i++) {
		int nr = (int)p->calls[i].key - 1;
		const char *call = nr < 0 ? "a page fault" : syscall_name((s16)nr);

		snprintf(name, sizeof(name), call ? "in %.40s" : "in system call %.0s%d", call ? call : "", nr);
		put_line(b, name, p->calls[i].ns, p->length_ns);
	}
	if (p->outside_ns)
		put_line(b, "ended by nobody traced", p->outside_ns, p->length_ns);
}

void path_text(const struct report *r, const struct report_look *look, struct buf *b)
{
	const struct path *p = report_path(r, r->figures);

	if (!p || !p->length_ns || p->n_threads < 2)
		return;
	buf_puts(b, "\n  critical path, ");
	buf_put_duration(b, p->length_ns, 0);
	buf_printf(b, " over %u threads\n", p->n_threads);
	put_threads(r, look, p, b);
	put_states(p, b);
	put_sums(r, p, b);
}
