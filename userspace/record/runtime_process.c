/* SPDX-License-Identifier: MIT */
#include "record/runtime_process.h"

#include <stdlib.h>

/* What a tgid was is needed until its last event has been put out: see COLLECT_HOLD_NS. */
#define KEEP_NS (10 * NSEC_PER_SEC)

static void process_free(struct runtime_process *p)
{
	while (p) {
		struct runtime_process *older = p->older;

		if (p->type)
			p->type->forget(p);
		free(p->further);
		free(p);
		p = older;
	}
}

struct runtime_process *runtime_process_now(const struct runtime_processes *all, s32 tgid)
{
	struct runtime_process *p = map_get(&all->map, (u32)tgid);

	return p && !p->until ? p : NULL;
}

struct runtime_process *runtime_process_at(const struct runtime_processes *all, s32 tgid, u64 ts)
{
	struct runtime_process *p = map_get(&all->map, (u32)tgid);

	while (p && ts < p->since)
		p = p->older;
	return p && (!p->until || ts < p->until) ? p : NULL;
}

/* A recording of hours sees every number that there is: what has ended long ago is forgotten. */
static void sweep(struct runtime_processes *all, u64 ts)
{
	struct map_slot *slot;

	/* Taking one out may move another into its place: that one is found the next time. */
	for (size_t i = 0; (slot = map_next(&all->map, &i));) {
		const struct runtime_process *p = slot->value;

		if (p->until && p->until + KEEP_NS < ts)
			process_free(map_del(&all->map, slot->key));
	}
	all->sweep_at = 2 * all->map.len + 1024;
}

struct runtime_process *runtime_process_add(struct runtime_processes *all, s32 tgid, s32 ns_tgid, u64 ts)
{
	struct runtime_process *p, *before;

	if (all->map.len >= all->sweep_at)
		sweep(all, ts);
	before = map_get(&all->map, (u32)tgid);
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	*p = (struct runtime_process){
		.tgid = tgid, .ns_tgid = ns_tgid, .since = ts, .older = before,
	};
	if (map_set(&all->map, (u32)tgid, p)) {
		free(p);
		return NULL;
	}
	if (before && before->older && before->older->until + KEEP_NS < ts) {
		process_free(before->older);
		before->older = NULL;
	}
	return p;
}

void runtime_processes_free(struct runtime_processes *all)
{
	struct map_slot *slot;

	for (size_t i = 0; (slot = map_next(&all->map, &i));)
		process_free(slot->value);
	map_free(&all->map);
}
