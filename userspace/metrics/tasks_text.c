/* SPDX-License-Identifier: MIT */
/* tasks_text.c - the tasks for people: how many at once, where their time went, who held up the loop. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "metrics/report.h"
#include "metrics/tasks.h"

/* A step that keeps an event loop from everybody else for this long is worth a line. */
#define STALL_NS (10 * NSEC_PER_MSEC)

void tasks_put_name(struct buf *b, const char *text, bool utf8, int columns)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len && columns > 0;) {
		int n = utf8_sequence((const unsigned char *)text + i, len - i);
		int width = n > 1 && utf8 ? utf8_columns(text + i, (size_t)n) : 1;

		if (width > columns || (columns == 1 && i + (n ? (size_t)n : 1) < len)) {
			buf_puts(b, utf8 ? "…" : "~");
			return;
		}
		if (n == 1 ? (unsigned char)text[i] < 0x20 || text[i] == 0x7f : !n || !utf8)
			buf_putc(b, '?');
		else
			buf_put(b, text + i, (size_t)n);
		columns -= width;
		i += n ? (size_t)n : 1;
	}
}

static int by_time(const void *a, const void *b)
{
	const u64 *x = *(const u64 *const *)a, *y = *(const u64 *const *)b;

	return *x < *y ? 1 : *x > *y ? -1 : x < y ? -1 : x > y;
}

static void put_states(struct buf *b, const struct task_figures *f)
{
	const u64 *order[USAGE_SLOTS];
	u64 whole = usage_alive(&f->time);
	struct buf line = BUF_INIT;
	size_t n = 0;

	for (unsigned int slot = 0; slot < USAGE_SLOTS; slot++)
		if (f->time.ns[slot])
			order[n++] = &f->time.ns[slot];
	if (!n)
		return;
	qsort(order, n, sizeof(order[0]), by_time);
	buf_puts(&line, "    their time  ");
	for (size_t i = 0; i < n; i++) {
		const char *label = usage_label((unsigned int)(order[i] - f->time.ns));

		if (line.len + strlen(", ") + strlen(label) + strlen(" 100.0 %") > REPORT_COLUMNS)
			break;
		buf_printf(&line, "%s%s %.1f %%", i ? ", " : "", label, 100 * (double)*order[i] / (double)whole);
	}
	if (!line.failed)
		buf_printf(b, "%s\n", line.data);
	buf_free(&line);
}

static void put_stall(struct buf *b, const struct task_stall *s, bool utf8)
{
	buf_puts(b, "    the loop was held up for ");
	buf_put_duration(b, s->end_ns - s->start_ns, 0);
	buf_puts(b, " by ");
	tasks_put_name(b, s->name, utf8, 36);
	buf_puts(b, "\n      ");
	if (s->blocked_ns > (s->end_ns - s->start_ns) / 2)
		buf_printf(b, "blocked in %s", kind_table[s->kind].label);
	else
		buf_puts(b, "computing");
	if (s->line) {
		buf_puts(b, " at ");
		tasks_put_name(b, s->line, utf8, 40);
	} else if (s->from[0] || s->to[0]) {
		buf_puts(b, s->from[0] ? " after " : "");
		tasks_put_name(b, s->from, utf8, 24);
		buf_puts(b, s->to[0] ? " before " : "");
		tasks_put_name(b, s->to, utf8, 24);
	}
	buf_putc(b, '\n');
	if (s->kept_ready)
		buf_printf(b, "      %u task%s waited for it\n", s->kept_ready, s->kept_ready == 1 ? "" : "s");
}

void tasks_text(const struct task_figures *f, bool utf8, struct buf *b)
{
	const struct task_stall *stall;

	if (!f || !f->n_tasks)
		return;
	buf_printf(b, "\n  tasks       %u in %" PRIu64 " steps; in flight %.1f (max %u), running %.1f "
		   "(max %u)\n", f->n_tasks, f->steps, curve_mean(&f->concurrency, f->active_ns),
		   f->concurrency.max, curve_mean(&f->parallelism, f->active_ns), f->parallelism.max);
	put_states(b, f);
	if (f->price.messages) {
		buf_puts(b, "    sent        ");
		buf_printf(b, "%" PRIu64 " messages, %.1f MB\n      pickling ", f->price.messages,
			   (double)f->price.bytes / 1e6);
		buf_put_duration(b, f->price.pickling_ns, 0);
		buf_puts(b, ", unpickling ");
		buf_put_duration(b, f->price.unpickling_ns, 0);
		buf_puts(b, ", pipes ");
		buf_put_duration(b, f->price.transferring_ns, 0);
		buf_putc(b, '\n');
	}
	stall = task_figures_stall(f);
	if (stall && stall->end_ns - stall->start_ns >= STALL_NS)
		put_stall(b, stall, utf8);
}
