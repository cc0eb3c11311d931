/* SPDX-License-Identifier: MIT */
#include "metrics/sched_text.h"

#include <inttypes.h>
#include <stdlib.h>

#define TOP_PAIRS 4
#define NAME_COLUMNS 24

static void put_hist(struct buf *b, const char *name, const struct hist *h)
{
	const double percents[] = {50, 90, 99};

	if (!h->count)
		return;
	buf_printf(b, "    %-20s %8" PRIu64, name, h->count);
	for (size_t i = 0; i < ARRAY_SIZE(percents); i++)
		buf_put_duration(b, hist_percentile(h, percents[i]), 11);
	buf_put_duration(b, h->max, 11);
	buf_putc(b, '\n');
}

static void put_thread(const struct report *r, const struct report_look *look, u32 thread, struct buf *b)
{
	struct buf name = BUF_INIT;

	if (thread == NO_THREAD)
		buf_puts(&name, "another program");
	else
		report_thread_label(r, thread, &name);
	report_put_name(b, name.data ? name.data : "", look->utf8, NAME_COLUMNS);
	buf_free(&name);
}

static void put_pairs(const struct report *r, const struct report_look *look, struct buf *b)
{
	size_t n, shown = 0;
	struct preemption **list = figures_preemptions(r->figures, &n);
	struct preemption rest = {0};

	for (size_t i = 0; list && i < n; i++) {
		const struct preemption *p = list[i];

		if (i >= TOP_PAIRS && !look->all_threads) {
			rest.times += p->times;
			rest.ns += p->ns;
			continue;
		}
		if (!shown++)
			buf_printf(b, "    %-*s %-*s %5s%10s\n", NAME_COLUMNS + 2, "the CPU was taken from",
				   NAME_COLUMNS, "by", "times", "for");
		buf_puts(b, "      ");
		put_thread(r, look, p->victim, b);
		buf_putc(b, ' ');
		put_thread(r, look, p->by, b);
		buf_printf(b, " %5" PRIu64, p->times);
		buf_put_duration(b, p->ns, 10);
		buf_putc(b, '\n');
	}
	if (rest.times) {
		buf_printf(b, "      %-*s %5" PRIu64, 2 * NAME_COLUMNS + 1, "others (--all-threads)", rest.times);
		buf_put_duration(b, rest.ns, 10);
		buf_putc(b, '\n');
	}
	free(list);
}

void sched_text(const struct report *r, const struct report_look *look, struct buf *b)
{
	const struct figures *f = r->figures;

	if (!f->voluntary && !f->involuntary && !f->delay.count)
		return;
	buf_printf(b, "\n  %-22s %8s%11s%11s%11s%11s\n", "on and off the CPUs", "times", "half below",
		   "90 % below", "99 % below", "longest");
	put_hist(b, "waited for a CPU", &f->delay);
	put_hist(b, "ran in one go", &f->slice);
	buf_printf(b, "    left it to wait %" PRIu64 " x, lost it %" PRIu64 " x, changed CPUs %" PRIu64
		   " x\n", f->voluntary, f->involuntary, f->migrations);
	put_pairs(r, look, b);
}
