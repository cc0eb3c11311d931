/* SPDX-License-Identifier: MIT */
#include "metrics/compare.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "metrics/verdict.h"

#define SAME 1.05       /* less apart: the same time */
#define SIDES_NAMED 6
#define OTHER_WORK 1.25 /* CPU times further apart: perhaps not the same work */

char *compare_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = strdup(slash ? slash + 1 : path);
	char *dot = name ? strrchr(name, '.') : NULL;

	if (dot && dot > name && (!strcmp(dot, ".corun") || !strcmp(dot, ".txt")))
		*dot = '\0';
	return name;
}

static u64 wall(const struct compare_side *s)
{
	return s->report->figures->duration_ns;
}

static u64 cpu_time(const struct compare_side *s)
{
	return s->report->figures->time.ns[USAGE_RUNNING];
}

static double in_flight(const struct compare_side *s)
{
	const struct figures *f = s->report->figures;

	return curve_mean(&f->concurrency, f->active_ns);
}

static double running(const struct compare_side *s)
{
	const struct figures *f = s->report->figures;

	return curve_mean(&f->parallelism, f->active_ns);
}

/* Slowest and fastest. */
static void extremes(const struct compare_side *sides, size_t n, const struct compare_side **slow,
		     const struct compare_side **fast)
{
	*slow = *fast = &sides[0];
	for (size_t i = 1; i < n; i++) {
		if (wall(&sides[i]) > wall(*slow))
			*slow = &sides[i];
		if (wall(&sides[i]) < wall(*fast))
			*fast = &sides[i];
	}
}

/* Of what @slow has most more thread-time in flight than @fast, running apart; -1: of nothing. */
static int largest_difference(const struct compare_side *slow, const struct compare_side *fast, u64 *ns)
{
	const struct usage *a = &slow->report->figures->time, *b = &fast->report->figures->time;
	u32 parked = model_parked(slow->report->model);
	int best = -1;

	*ns = 0;
	for (unsigned int slot = 0; slot < USAGE_SLOTS; slot++) {
		if (slot == USAGE_RUNNING || !usage_in_flight(slot, parked) || a->ns[slot] <= b->ns[slot])
			continue;
		if (a->ns[slot] - b->ns[slot] > *ns) {
			*ns = a->ns[slot] - b->ns[slot];
			best = (int)slot;
		}
	}
	return best;
}

/* Whose doing a difference in @slot is: "the GIL accounts for", "disk waits account for". */
static void put_cause(struct buf *b, int slot, bool korean)
{
	int kind = slot - USAGE_KIND;

	if (korean)
		buf_printf(b, "%s%s", slot == USAGE_READY ? "CPU" : kind_table[kind].label_ko,
			   slot != USAGE_READY && kind == KIND_SLEEP ? "" : " 대기");
	else if (slot == USAGE_READY)
		buf_puts(b, "waiting for a CPU accounts for ");
	else if (kind == KIND_GIL)
		buf_puts(b, "the GIL accounts for ");
	else
		buf_printf(b, "%s%s for ", kind_table[kind].label, kind == KIND_SLEEP ? " accounts" : " waits account");
}

/* "The same work: threads 902 ms, processes 555 ms" */
static void put_times(const struct compare_side *sides, size_t n, double work, bool korean, struct buf *b)
{
	if (work > OTHER_WORK)
		buf_printf(b, korean ? "같은 일이 아닐 수 있다(CPU 시간이 %.1f배): " :
				       "Perhaps not the same work (CPU times differ by %.1f): ", work);
	else
		buf_puts(b, korean ? "같은 일: " : "The same work: ");
	for (size_t i = 0; i < n && i < SIDES_NAMED; i++) {
		buf_printf(b, "%s%s ", i ? ", " : "", sides[i].name);
		buf_put_duration(b, wall(&sides[i]), 0);
	}
	if (n > SIDES_NAMED)
		buf_printf(b, korean ? " 외 %zu개" : " and %zu more", n - SIDES_NAMED);
}

/* @line as lines of a terminal; it is freed. */
static void put_line(struct buf *b, struct buf *line)
{
	b->failed |= line->failed;
	if (!line->failed)
		buf_put_wrapped(b, line->data, 0, REPORT_COLUMNS);
	buf_free(line);
}

/* One sentence: the times, and what accounts for most of the difference, if one thing does. */
static void put_difference(const struct compare_side *sides, size_t n, const struct compare_side *slow,
			   const struct compare_side *fast, bool korean, struct buf *b)
{
	double work = (double)cpu_time(slow) / (double)(cpu_time(fast) ? cpu_time(fast) : 1);
	struct buf line = BUF_INIT;
	u64 ns;
	int slot = largest_difference(slow, fast, &ns);

	put_times(sides, n, work && work < 1 ? 1 / work : work, korean, &line);
	if (slot >= 0 && ns > (wall(slow) - wall(fast)) / 2) {
		buf_puts(&line, korean ? "; 스레드 시간의 차이 " : "; ");
		if (!korean)
			put_cause(&line, slot, false);
		buf_put_duration(&line, ns, 0);
		if (korean) {
			buf_puts(&line, "는 ");
			put_cause(&line, slot, true);
			buf_puts(&line, " 때문이다");
		} else {
			buf_puts(&line, " of thread-time");
		}
	}
	buf_puts(&line, ".");
	put_line(b, &line);
}

static void put_figures(const struct compare_side *slow, const struct compare_side *fast, bool korean, struct buf *b)
{
	double times = (double)wall(slow) / (double)(wall(fast) ? wall(fast) : 1);
	struct buf line = BUF_INIT;

	if (korean)
		buf_printf(&line, "\"%s\": \"%s\"보다 %.1f배 빨리 끝난다.", fast->name, slow->name, times);
	else
		buf_printf(&line, "\"%s\" is %.1f times as fast as \"%s\":", fast->name, times, slow->name);
	put_line(b, &line);
	if (korean)
		buf_printf(b, "실행 중은 %.1f개가 아니라 %.1f개, 진행 중은 %.1f개와 %.1f개.\n", running(slow),
			   running(fast), in_flight(slow), in_flight(fast));
	else
		buf_printf(b, "%.1f running instead of %.1f, with %.1f and %.1f in flight.\n", running(fast),
			   running(slow), in_flight(fast), in_flight(slow));
}

void compare_sentence(const struct compare_side *sides, size_t n, bool korean, struct buf *b)
{
	const struct compare_side *slow, *fast;
	struct buf line = BUF_INIT;

	extremes(sides, n, &slow, &fast);
	for (size_t i = 0; i < n; i++) {
		if (sides[i].report->figures->active_ns)
			continue;
		buf_printf(&line, korean ? "\"%s\": 진행 중인 일이 없어서 비교할 수 없다." :
					   "Nothing was in flight in \"%s\": there is nothing to compare.",
			   sides[i].name);
		put_line(b, &line);
		return;
	}
	if ((double)wall(slow) < SAME * (double)wall(fast) || !wall(fast)) {
		buf_puts(b, korean ? "걸린 시간이 같다.\n" : "They take the same time.\n");
		return;
	}
	put_difference(sides, n, slow, fast, korean, b);
	put_figures(slow, fast, korean, b);
}

/* ---- JSON ---- */

static void put_sentence(struct buf *b, const char *key, const struct compare_side *sides, size_t n,
			 bool korean)
{
	struct buf text = BUF_INIT;

	compare_sentence(sides, n, korean, &text);
	buf_printf(b, ",\"%s\":", key);
	buf_put_json(b, text.data ? text.data : "");
	b->failed |= text.failed;
	buf_free(&text);
}

static void put_differences(struct buf *b, const struct compare_side *sides, size_t n)
{
	bool first = true;

	buf_puts(b, ",\"differences\":[");
	for (unsigned int slot = 0; slot < USAGE_SLOTS; slot++) {
		u64 any = 0;

		for (size_t i = 0; i < n; i++)
			any |= sides[i].report->figures->time.ns[slot];
		if (!any)
			continue;
		buf_printf(b, "%s{\"state\":\"%s\",\"ns\":[", first ? "" : ",", usage_name(slot));
		for (size_t i = 0; i < n; i++)
			buf_printf(b, "%s%" PRIu64, i ? "," : "", sides[i].report->figures->time.ns[slot]);
		buf_puts(b, "]}");
		first = false;
	}
	buf_puts(b, "]");
}

void compare_json(const struct compare_side *sides, size_t n, struct buf *b)
{
	const struct compare_side *slow, *fast;

	extremes(sides, n, &slow, &fast);
	buf_printf(b, "{\"schema\":1,\"fastest\":%zu,\"slowest\":%zu,\"speed_up\":%.4f",
		   (size_t)(fast - sides), (size_t)(slow - sides),
		   wall(fast) ? (double)wall(slow) / (double)wall(fast) : 1);
	put_sentence(b, "text", sides, n, false);
	put_sentence(b, "text_ko", sides, n, true);
	put_differences(b, sides, n);
	buf_puts(b, ",\"traces\":[");
	for (size_t i = 0; i < n; i++) {
		struct buf report = BUF_INIT;

		report_json(sides[i].report, &report);
		buf_puts(b, i ? ",{\"name\":" : "{\"name\":");
		buf_put_json(b, sides[i].name);
		buf_puts(b, ",\"report\":");
		if (report.len)
			buf_put(b, report.data, report.len - 1); /* without its newline */
		buf_putc(b, '}');
		b->failed |= report.failed;
		buf_free(&report);
	}
	buf_puts(b, "]}\n");
}
