/* SPDX-License-Identifier: MIT */
/* window.c - what is told of: the window, and the regions that the program marked. */
#include <stdlib.h>
#include <string.h>

#include "model/state.h"

static void close_regions(struct model *m, u64 ts)
{
	for (u32 i = m->n_regions; i-- > 0;) {
		m->regions[i].region.end_ns = ts;
		FOR_SINKS(m, region, &m->regions[i].region);
		free(m->regions[i].name);
	}
	m->n_regions = 0;
}

void window_open(struct model *m, u64 ts)
{
	if (m->open || m->closed)
		return;
	m->open = true;
	m->begin_ns = ts;
	FOR_SINKS(m, window_begin, ts);
	for (u32 i = 0; i < m->n_threads; i++) {
		struct thr *t = m->threads[i];

		if (t->pub.outsider || t->pub.state == STATE_NONE)
			continue;
		if (t->lock.open)
			t->lock.wait.start_ns = ts;
		change_announce(m, t, ts);
	}
	task_window_opened(m, ts);
	for (u32 i = 0; i < m->n_regions; i++) {
		m->regions[i].region.start_ns = ts;
		FOR_SINKS(m, region_begin, &m->regions[i].region);
	}
}

void window_close(struct model *m, u64 ts)
{
	if (!m->open || m->closed)
		return;
	lock_settle(m, ts);
	close_regions(m, ts);
	task_window_closed(m, ts);
	/* In order of id, so that what is written of it is the same every time. */
	for (u32 i = 0; i < m->n_threads; i++) {
		struct next next = next_of(STATE_NONE);
		struct thr *t = m->threads[i];

		if (t->pub.outsider || t->pub.state == STATE_NONE)
			continue;
		lock_end(m, t, ts, false);
		change_state(m, t, &next, ts);
		change_held_back(m, t);
		t->pub.end_ns = ts;
	}
	m->closed = true;
	m->end_ns = ts;
	FOR_SINKS(m, window_end, ts);
	m->open = false;
}

void window_region(struct model *m, const struct record *rec)
{
	struct thr *t = table_thread(m, rec->region.tid);
	struct open_region *r;

	if (!rec->region.begin) {
		for (u32 i = m->n_regions; i-- > 0;) {
			r = &m->regions[i];
			if (strcmp(r->name, rec->region.name))
				continue;
			r->region.end_ns = rec->ts;
			if (m->open)
				FOR_SINKS(m, region, &r->region);
			free(r->name);
			memmove(r, r + 1, (--m->n_regions - i) * sizeof(*r));
			return;
		}
		m->conflicts++;
		return;
	}
	if (!table_grow((void **)&m->regions, m->n_regions, &m->cap_regions, sizeof(*m->regions))) {
		m->failed = true;
		return;
	}
	r = &m->regions[m->n_regions];
	r->name = strdup(rec->region.name);
	if (!r->name) {
		m->failed = true;
		return;
	}
	m->n_regions++;
	r->region = (struct region){.id = m->next_region++, .name = r->name,
				    .thread = t ? &t->pub : NULL, .start_ns = rec->ts};
	if (m->open)
		FOR_SINKS(m, region_begin, &r->region);
}
