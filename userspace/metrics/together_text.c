/* SPDX-License-Identifier: MIT */
#include "metrics/together_text.h"

#include "base/utf8.h"

#define SQUARE 8 /* columns and rows; the last one has what is more */

static u32 least(u32 a, u32 b)
{
	return a < b ? a : b;
}

/* Time with @running (the last row: or more) running and @flight (likewise) in flight. */
static u64 time_at(const struct figures *f, u32 running, u32 flight)
{
	u64 ns = 0;

	for (u32 k = running; k < f->n_joint && (k == running || running == SQUARE - 1); k++)
		for (u32 m = flight; m < f->joint[k].n && (m == flight || flight == SQUARE - 1); m++)
			ns += f->joint[k].at[m];
	return ns;
}

/* A share of the time: nothing where it is nothing. */
static void put_cell(struct buf *b, u64 ns, u64 whole)
{
	double share = 100 * (double)ns / (double)whole;

	if (!ns)
		buf_puts(b, "       ");
	else if (share < 0.05)
		buf_puts(b, " <0.1 %");
	else
		buf_printf(b, share < 10 ? "  %3.1f %%" : "  %3.0f %%", share);
}

static void put_square(const struct figures *f, struct buf *b)
{
	u32 columns = least(f->concurrency.n, SQUARE), rows = least(f->n_joint, SQUARE);

	buf_puts(b, "\n  in flight at once");
	for (u32 m = 0; m < columns; m++)
		buf_printf(b, "%s%5u%s", m ? "  " : "", m, m == SQUARE - 1 ? "+" : "");
	buf_putc(b, '\n');
	for (u32 k = 0; k < rows; k++) {
		u32 last = columns;

		while (last && !time_at(f, k, last - 1))
			last--;
		if (!last)
			continue;
		buf_printf(b, "    %u%s running     ", k, k == SQUARE - 1 ? "+" : " ");
		for (u32 m = 0; m < last; m++)
			put_cell(b, time_at(f, k, m), f->duration_ns);
		buf_putc(b, '\n');
	}
}

static void put_peak(const struct report *r, const char *what, const struct figures_peak *peak, u32 max,
		     const struct report_look *look, struct buf *b)
{
	struct buf line = BUF_INIT;

	if (!peak->n)
		return;
	buf_printf(&line, "most %s: ", what);
	for (u32 i = 0; i < peak->n; i++) {
		struct buf name = BUF_INIT;

		report_thread_label(r, peak->ids[i], &name);
		buf_puts(&line, i ? ", " : "");
		if (name.data)
			report_put_name(&line, name.data, look->utf8, utf8_columns(name.data, name.len));
		buf_free(&name);
	}
	if (peak->n < max)
		buf_printf(&line, " and %u more", max - peak->n);
	buf_puts(b, "    ");
	buf_put_wrapped(b, line.data ? line.data : "", 6, REPORT_COLUMNS);
	b->failed |= line.failed;
	buf_free(&line);
}

void together_text(const struct report *r, const struct report_look *look, struct buf *b)
{
	const struct figures *f = r->figures;

	if (f->concurrency.n < 3 || !f->duration_ns) /* one thread at most: the figures say it all */
		return;
	put_square(f, b);
	if (!look->all_threads)
		return;
	put_peak(r, "running at once", &f->peaks[PEAK_RUNNING], f->parallelism.max, look, b);
	put_peak(r, "in flight at once", &f->peaks[PEAK_FLIGHT], f->concurrency.max, look, b);
}
