/* SPDX-License-Identifier: MIT */
/* figures_json.c - what one stretch adds up to, as JSON. */
#include "metrics/figures_json.h"

#include <inttypes.h>
#include <stdlib.h>

#include "trace/syscall.h"
#include "trace/text.h"

#define PAIRS 100

static void put_number(struct buf *b, const char *key, u64 value)
{
	buf_printf(b, "\"%s\":%" PRIu64, key, value);
}

static void put_who_peaked(struct buf *b, const struct figures_peak *who)
{
	for (u32 i = 0; i < who->n; i++)
		buf_printf(b, "%s%u%s", i ? "," : ",\"max_who\":[", who->ids[i], i + 1 == who->n ? "]" : "");
}

void figures_curve_json(struct buf *b, const char *key, const struct curve *c, const struct figures_peak *who,
			u64 active_ns, u64 duration_ns, u64 begin_ns)
{
	buf_printf(b, "\"%s\":{\"mean\":%.6f,\"mean_window\":%.6f,\"max\":%u,\"max_at_ns\":%" PRIu64
		   ",\"time_ns_at\":[", key, curve_mean(c, active_ns), curve_mean_window(c, duration_ns), c->max,
		   c->max_ns > begin_ns ? c->max_ns - begin_ns : 0);
	for (u32 k = 0; k < c->n; k++)
		buf_printf(b, k ? ",%" PRIu64 : "%" PRIu64, c->at[k]);
	buf_putc(b, ']');
	if (who)
		put_who_peaked(b, who);
	buf_putc(b, '}');
}

static void put_curve(struct buf *b, const char *key, const struct curve *c, const struct figures *f,
		      enum peak_level level)
{
	figures_curve_json(b, key, c, &f->peaks[level], f->active_ns, f->duration_ns, f->begin_ns);
}

/* How many waited in each kind that occurs. */
static void put_waiting(struct buf *b, const struct figures *f)
{
	bool first = true;

	buf_puts(b, "\"waiting\":{");
	for (unsigned int k = 0; k < KINDS; k++) {
		u64 ns = f->time.ns[USAGE_KIND + k], at = f->waiting_max_ns[k];

		if (!ns)
			continue;
		buf_printf(b, "%s\"%s\":{\"mean_window\":%.6f,\"max\":%u,\"max_at_ns\":%" PRIu64,
			   first ? "" : ",", usage_name(USAGE_KIND + k),
			   f->duration_ns ? (double)ns / (double)f->duration_ns : 0, f->waiting_max[k],
			   at > f->begin_ns ? at - f->begin_ns : 0);
		put_who_peaked(b, &f->waiting_peaks[k]);
		buf_putc(b, '}');
		first = false;
	}
	buf_putc(b, '}');
}

void figures_usage_json(struct buf *b, const struct usage *u)
{
	bool first = true;

	buf_puts(b, "\"time_ns\":{");
	for (unsigned int slot = 0; slot < USAGE_SLOTS; slot++) {
		/* The four states are always there, wait kinds when they occur. */
		if (slot >= USAGE_KIND && !u->ns[slot])
			continue;
		if (!first)
			buf_putc(b, ',');
		first = false;
		buf_printf(b, "\"%s\":%" PRIu64, usage_name(slot), u->ns[slot]);
	}
	buf_putc(b, '}');
}

static void put_joint(struct buf *b, const struct figures *f)
{
	/* joint[k][m]: ns with k running while m were in flight */
	buf_puts(b, "\"joint\":[");
	for (u32 k = 0; k < f->n_joint; k++) {
		buf_puts(b, k ? ",[" : "[");
		for (u32 m = 0; m < f->joint[k].n; m++)
			buf_printf(b, m ? ",%" PRIu64 : "%" PRIu64, f->joint[k].at[m]);
		buf_putc(b, ']');
	}
	buf_putc(b, ']');
}

void figures_hist_json(struct buf *b, const char *key, const struct hist *h)
{
	buf_printf(b, "\"%s\":{\"count\":%" PRIu64 ",\"sum_ns\":%" PRIu64 ",\"p50_ns\":%" PRIu64
		   ",\"p90_ns\":%" PRIu64 ",\"p99_ns\":%" PRIu64 ",\"max_ns\":%" PRIu64 "}", key, h->count,
		   h->sum, hist_percentile(h, 50), hist_percentile(h, 90), hist_percentile(h, 99), h->max);
}

static void put_who(struct buf *b, const struct model *m, struct holder_figures *const *list, u32 n)
{
	for (u32 i = 0; i < n; i++)
		buf_printf(b, "%s{\"thread\":%u,\"tid\":%d,\"waits\":%" PRIu64 ",\"wait_ns\":%" PRIu64 "}",
			   i ? "," : "", list[i]->thread, model_thread(m, list[i]->thread)->tid, list[i]->waits,
			   list[i]->wait_ns);
}

static void put_lock(struct buf *b, const struct model *m, const struct lock_figures *l)
{
	buf_printf(b, "{\"kind\":\"%s\",\"tgid\":%d,\"address\":\"0x%" PRIx64 "\",",
		   kind_table[l->kind].name, l->tgid, l->lock);
	put_number(b, "waits", l->waits);
	buf_putc(b, ',');
	put_number(b, "wait_ns", l->wait_ns);
	buf_putc(b, ',');
	put_number(b, "blocked_ns", l->blocked_ns);
	buf_putc(b, ',');
	put_number(b, "max_wait_ns", l->waits_hist.max);
	buf_putc(b, ',');
	put_number(b, "mean_wait_ns", l->waits ? l->wait_ns / l->waits : 0);
	buf_putc(b, ',');
	put_number(b, "p50_wait_ns", hist_percentile(&l->waits_hist, 50));
	buf_putc(b, ',');
	put_number(b, "p99_wait_ns", hist_percentile(&l->waits_hist, 99));
	if (l->kind == KIND_GIL)
		buf_printf(b, ",\"hand_offs\":%" PRIu64 ",\"got_back\":%" PRIu64, l->hand_offs,
			   l->got_back);
	buf_printf(b, ",\"threads\":%zu,\"holders\":[", l->threads.len);
	put_who(b, m, l->holders, l->n_holders);
	buf_puts(b, "],\"releasers\":[");
	put_who(b, m, l->releasers, l->n_releasers);
	buf_printf(b, "],\"unknown_holder\":{\"waits\":%" PRIu64 ",\"wait_ns\":%" PRIu64 "},\"site\":",
		   l->unknown.waits, l->unknown.wait_ns);
	sites_put_top(&l->sites, b);
	sites_put_json(&l->sites, "sites", b);
	buf_putc(b, '}');
}

static void put_level(struct buf *b, const char *key, const struct curve *c, const struct figures_peak *who, u64 active_ns,
		      const struct figures *f)
{
	buf_putc(b, ',');
	figures_curve_json(b, key, c, who, active_ns, f->duration_ns, f->begin_ns);
}

void figures_process_json(struct buf *b, const struct figures *f, u32 id, const struct usage *time)
{
	const struct process_figures *p = id < f->n_processes ? f->processes[id] : NULL;
	bool first = true;
	u64 active = 0;

	if (!p)
		return;
	for (u32 k = 1; k < p->concurrency.n; k++)
		active += p->concurrency.at[k];
	put_level(b, "parallelism", &p->parallelism, &p->peaks[PEAK_RUNNING], active, f);
	put_level(b, "concurrency", &p->concurrency, &p->peaks[PEAK_FLIGHT], active, f);
	put_level(b, "demand", &p->demand, &p->peaks[PEAK_DEMAND], active, f);
	buf_puts(b, ",\"waiting\":{");
	for (unsigned int k = 0; k < KINDS; k++) {
		u64 ns = time->ns[USAGE_KIND + k];

		if (!ns)
			continue;
		buf_printf(b, "%s\"%s\":{\"mean_window\":%.6f,\"max\":%u}", first ? "" : ",",
			   usage_name(USAGE_KIND + k), f->duration_ns ? (double)ns / (double)f->duration_ns : 0,
			   p->waiting_max[k]);
		first = false;
	}
	buf_putc(b, '}');
}

void figures_locks_json(struct buf *b, const struct figures *f, const struct model *m)
{
	buf_puts(b, "\"locks\":[");
	for (u32 i = 0; i < f->n_locks; i++) {
		if (i)
			buf_putc(b, ',');
		put_lock(b, m, f->lock_list[i]);
	}
	buf_putc(b, ']');
}

void figures_syscalls_json(struct buf *b, const struct figures *f)
{
	size_t n;
	struct call_figures **calls = figures_calls(f, &n);

	buf_puts(b, "\"syscalls\":[");
	for (size_t i = 0; calls && i < n; i++) {
		const struct call_figures *c = calls[i];
		const char *name = c->nr < 0 ? "none" : syscall_name(c->nr);

		buf_puts(b, i ? ",{" : "{");
		buf_puts(b, "\"name\":");
		if (name)
			buf_put_json(b, name);
		else
			buf_printf(b, "\"%d\"", c->nr);
		buf_printf(b, ",\"on\":\"%s\",\"kind\":\"%s\",", fd_kind_name(c->fd_kind),
			   kind_table[c->kind].name);
		put_number(b, "waits", c->waits);
		buf_putc(b, ',');
		put_number(b, "wait_ns", c->wait_ns);
		buf_putc(b, ',');
		put_number(b, "max_wait_ns", c->max_ns);
		sites_put_json(&c->sites, "sites", b);
		sites_put_json(&c->functions, "kernel", b);
		buf_putc(b, '}');
	}
	buf_putc(b, ']');
	free(calls);
}

/* Who took the CPU from whom; at most PAIRS of them, those that cost most first, the rest summed. */
static void put_preemptions(struct buf *b, const struct figures *f)
{
	struct preemption rest = {0};
	size_t n;
	struct preemption **list = figures_preemptions(f, &n);

	buf_puts(b, ",\"preemptions\":[");
	for (size_t i = 0; list && i < n; i++) {
		const struct preemption *p = list[i];

		if (i >= PAIRS) {
			rest.times += p->times;
			rest.ns += p->ns;
			continue;
		}
		buf_printf(b, "%s{\"victim\":%u,", i ? "," : "", p->victim);
		if (p->by != NO_THREAD)
			buf_printf(b, "\"by\":%u,", p->by);
		buf_printf(b, "\"times\":%" PRIu64 ",\"ready_ns\":%" PRIu64 "}", p->times, p->ns);
	}
	buf_printf(b, "],\"preemptions_rest\":{\"times\":%" PRIu64 ",\"ready_ns\":%" PRIu64 "}",
		   rest.times, rest.ns);
	free(list);
}

void figures_json(struct buf *b, const struct figures *f)
{
	buf_printf(b, "\"known\":{\"duration_ns\":%" PRIu64 ",\"share\":%.6f},", f->known_ns,
		   f->duration_ns ? (double)f->known_ns / (double)f->duration_ns : 1);
	put_curve(b, "parallelism", &f->parallelism, f, PEAK_RUNNING);
	buf_putc(b, ',');
	put_curve(b, "concurrency", &f->concurrency, f, PEAK_FLIGHT);
	buf_printf(b, ",\"concurrency_high\":{\"mean_window\":%.6f,\"max\":%u},",
		   curve_mean_window(&f->concurrency_high, f->duration_ns), f->concurrency_high.max);
	put_curve(b, "demand", &f->demand, f, PEAK_DEMAND);
	buf_putc(b, ',');
	put_waiting(b, f);
	buf_putc(b, ',');
	put_joint(b, f);
	buf_putc(b, ',');
	figures_usage_json(b, &f->time);
	buf_putc(b, ',');
	figures_hist_json(b, "run_queue_delay", &f->delay);
	buf_putc(b, ',');
	figures_hist_json(b, "time_slice", &f->slice);
	buf_printf(b, ",\"switches\":{\"voluntary\":%" PRIu64 ",\"involuntary\":%" PRIu64
		   "},\"migrations\":%" PRIu64 ",\"wakeups\":%" PRIu64, f->voluntary, f->involuntary,
		   f->migrations, f->wakeups);
	put_preemptions(b, f);
}

