/* SPDX-License-Identifier: MIT */
/* forget.c - for a model that never ends: what has ended leaves its place to what begins. */
#include <stdlib.h>

#include "model/state.h"

static bool spare(struct model *m, u32 **list, u32 *n, u32 *cap, u32 id)
{
	if (!table_grow((void **)list, *n, cap, sizeof(**list))) {
		m->failed = true;
		return false;
	}
	(*list)[(*n)++] = id;
	return true;
}

static void forget_thread(struct model *m, struct thr *t)
{
	if (t->forgotten || t->pub.outsider || t->pub.state != STATE_NONE ||
	    !spare(m, &m->spare_threads, &m->n_spare_threads, &m->cap_spare_threads, t->pub.id))
		return;
	t->forgotten = true;
	t->pub.allowed_cpus = 0; /* a limit to nobody any more */
}

/* Its start becomes 0, as of one that was never told of. */
static void forget_process(struct model *m, struct process *p)
{
	if (!p->end_ns || !p->start_ns || p->outsider || p->n_alive ||
	    !spare(m, &m->spare_processes, &m->n_spare_processes, &m->cap_spare_processes, p->id))
		return;
	p->start_ns = 0;
}

static void drop_thread(const struct model *m, u32 *id)
{
	if (*id != NO_THREAD && m->threads[*id]->forgotten)
		*id = NO_THREAD;
}

/* The living point at none that is forgotten: its id may soon be another's. */
static void drop_links(const struct model *m, struct thr *t)
{
	drop_thread(m, &t->pub.parent);
	drop_thread(m, &t->pub.preempted_by);
	drop_thread(m, &t->pub.wait.owner);
	drop_thread(m, &t->pub.waker);
	drop_thread(m, &t->early_waker);
	drop_thread(m, &t->lock.wait.owner);
	drop_thread(m, &t->lock.wait.releaser);
}

void model_forget(struct model *m)
{
	for (u32 i = 0; i < m->n_threads; i++)
		forget_thread(m, m->threads[i]);
	for (u32 i = 0; i < m->n_processes; i++)
		forget_process(m, m->processes[i]);
	for (u32 i = 0; i < m->n_alive; i++)
		drop_links(m, m->threads[m->alive[i]]);
	for (u32 i = 0; i < m->n_processes; i++) {
		struct process *p = m->processes[i];

		if (p->parent != NO_THREAD && !m->processes[p->parent]->start_ns)
			p->parent = NO_THREAD;
	}
	for (u32 i = 0; i < m->n_regions; i++) {
		struct region *r = &m->regions[i].region;

		if (r->thread && m->threads[r->thread->id]->forgotten)
			r->thread = NULL;
	}
}
