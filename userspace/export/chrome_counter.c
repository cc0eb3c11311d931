/* SPDX-License-Identifier: MIT */
/* chrome_counter.c - running, in flight, and waiting by kind: of the whole set and of each process. */
#include <stdlib.h>

#include "export/chrome.h"

static void put_counter(struct chrome *c, s64 pid, const char *prefix, const char *name, u32 value)
{
	struct json *j = &c->json;

	event_begin(c);
	json_lit(j, "\"ph\":\"C\",\"name\":\"");
	json_text(j, prefix);
	json_text(j, name);
	json_lit(j, "\",\"pid\":");
	json_u64(j, (u64)pid);
	json_lit(j, ",\"ts\":");
	json_us(j, since_begin(c, c->now));
	json_lit(j, ",\"args\":{\"threads\":");
	json_u64(j, value);
	json_lit(j, "}}");
}

static void put_counters(struct chrome *c, struct group *g, const struct counts *n)
{
	u32 flight = counts_concurrency(n, model_parked(c->model));

	if (!g->counted || n->running != g->told.running)
		put_counter(c, g->pid, "", "running", n->running);
	if (!g->counted || flight != g->flight)
		put_counter(c, g->pid, "", "in flight", flight);
	if (memcmp(n->waiting, g->told.waiting, sizeof(n->waiting)))
		for (int kind = 0; kind < KINDS; kind++)
			if (n->waiting[kind] != g->told.waiting[kind])
				put_counter(c, g->pid, "waiting: ", kind_table[kind].label,
					    n->waiting[kind]);
	if (n->unknown != g->told.unknown)
		put_counter(c, g->pid, "", "unknown", n->unknown);
	g->told = *n;
	g->flight = flight;
	g->counted = true;
}

void chrome_settle(struct chrome *c)
{
	if (!c->n_touched)
		return;
	put_counters(c, &c->overall, model_counts(c->model));
	for (u32 i = 0; i < c->n_touched; i++) {
		struct group *g = &c->groups[c->touched[i]];

		g->touched = false;
		put_counters(c, g, model_process_counts(c->model, c->touched[i]));
	}
	c->n_touched = 0;
}

void chrome_touch(struct chrome *c, const struct process *p)
{
	struct group *g = chrome_group(c, p);

	if (!g || g->touched)
		return;
	if (c->n_touched == c->cap_touched) {
		u32 cap = c->cap_touched ? c->cap_touched * 2 : 64;
		u32 *touched = realloc(c->touched, cap * sizeof(*touched));

		if (!touched) {
			c->failed = true;
			return;
		}
		c->touched = touched;
		c->cap_touched = cap;
	}
	g->touched = true;
	c->touched[c->n_touched++] = p->id;
}
