/* SPDX-License-Identifier: MIT */
#include "export/lanes.h"

#include <stdlib.h>
#include <string.h>

void lanes_init(struct lanes *lanes, lanes_emit emit, void *ctx)
{
	memset(lanes, 0, sizeof(*lanes));
	lanes->emit = emit;
	lanes->ctx = ctx;
}

void lanes_free(struct lanes *lanes)
{
	for (u32 i = 0; i < lanes->n; i++)
		free(lanes->lane[i]);
	free(lanes->lane);
	free(lanes->of);
	map_free(&lanes->map);
}

/* The lane of a lock, or where it would go: the map has one u64 as key, so equal keys step on. */
static struct lock_lane *find(struct lanes *lanes, s32 tgid, u64 lock, u64 *key)
{
	struct lock_lane *lane;

	*key = (lock ^ (u64)(u32)tgid << 40) * 0x9e3779b97f4a7c15ULL;
	while ((lane = map_get(&lanes->map, *key)))
		if (lane->lock == lock && lane->tgid == tgid)
			return lane;
		else
			++*key;
	return NULL;
}

static struct lock_lane *lane_get(struct lanes *lanes, const struct thread *thread)
{
	const struct rec_wait *rec = &thread->wait.rec;
	s32 tgid = rec->flags & WAIT_SHARED ? 0 : thread->tgid;
	struct lock_lane *lane;
	u64 key;

	lane = find(lanes, tgid, rec->lock, &key);
	if (lane)
		return lane;
	if (lanes->n == lanes->cap) {
		u32 cap = lanes->cap ? lanes->cap * 2 : 16;
		struct lock_lane **bigger = realloc(lanes->lane, cap * sizeof(*bigger));

		if (!bigger)
			return NULL;
		lanes->lane = bigger;
		lanes->cap = cap;
	}
	lane = calloc(1, sizeof(*lane));
	if (!lane)
		return NULL;
	lane->id = lanes->n;
	lane->tgid = tgid;
	lane->process = thread->process;
	lane->lock = rec->lock;
	lane->kind = thread->wait.kind;
	lane->holder = NO_THREAD;
	if (map_set(&lanes->map, key, lane)) {
		free(lane);
		return NULL;
	}
	lanes->lane[lanes->n++] = lane;
	return lane;
}

/* Where thread @id waits; NULL when memory is out. */
static struct lock_lane **slot(struct lanes *lanes, u32 id)
{
	if (id >= lanes->n_of) {
		u32 n = lanes->n_of ? lanes->n_of : 64;
		struct lock_lane **bigger;

		while (n <= id)
			n *= 2;
		bigger = realloc(lanes->of, n * sizeof(*bigger));
		if (!bigger)
			return NULL;
		memset(bigger + lanes->n_of, 0, (n - lanes->n_of) * sizeof(*bigger));
		lanes->of = bigger;
		lanes->n_of = n;
	}
	return &lanes->of[id];
}

static void cut(struct lanes *lanes, struct lock_lane *lane, u64 ts)
{
	if (ts > lane->since_ns) {
		lanes->emit(lanes->ctx, lane, lane->since_ns, ts);
		lane->contended_ns += ts - lane->since_ns;
		lane->since_ns = ts;
	}
	lane->max_waiters = lane->waiters;
}

static void hold(struct lanes *lanes, struct lock_lane *lane, u32 holder, bool known, u64 ts)
{
	if (lane->holder == holder && lane->known == known && !lane->handed)
		return;
	if (lane->waiters)
		cut(lanes, lane, ts);
	lane->holder = holder;
	lane->known = known;
	lane->handed = false;
}

static void leave(struct lanes *lanes, struct lock_lane **of, u64 ts)
{
	struct lock_lane *lane = *of;

	*of = NULL;
	if (--lane->waiters == 0)
		cut(lanes, lane, ts);
}

void lanes_enter(struct lanes *lanes, const struct thread *thread, u64 ts)
{
	const struct wait_info *wait = &thread->wait;
	struct lock_lane *lane, **of;

	if (thread->state != STATE_WAITING || !wait->rec.lock ||
	    (wait->kind != KIND_GIL && wait->kind != KIND_MUTEX && wait->kind != KIND_RWLOCK))
		return;
	of = slot(lanes, thread->id);
	lane = lane_get(lanes, thread);
	if (!of || !lane) {
		lanes->failed = true;
		return;
	}
	if (*of && *of != lane)
		leave(lanes, of, ts);
	if (!*of) {
		/* A wait's end may be told late: what was drawn up to then stays. */
		if (!lane->waiters && lane->since_ns < ts)
			lane->since_ns = ts;
		lane->waiters++;
		*of = lane;
	}
	/* A GIL's holder is sampled at every switch too; elsewhere this is all there is. */
	hold(lanes, lane, wait->owner, wait->owner != NO_THREAD, ts);
	if (lane->waiters > lane->max_waiters)
		lane->max_waiters = lane->waiters;
}

void lanes_wait_over(struct lanes *lanes, const struct lock_wait *wait)
{
	struct lock_lane **of = slot(lanes, wait->thread->id);

	if (of && *of && (*of)->lock == wait->lock)
		leave(lanes, of, wait->end_ns);
}

void lanes_woken(struct lanes *lanes, const struct thread *thread, u32 waker, u64 ts)
{
	struct lock_lane *lane = thread->id < lanes->n_of ? lanes->of[thread->id] : NULL;

	/* A GIL's holder is sampled. */
	if (!lane || lane->kind == KIND_GIL || waker == NO_THREAD || lane->holder != waker)
		return;
	hold(lanes, lane, NO_THREAD, false, ts);
	lane->handed = true;
}

void lanes_gil(struct lanes *lanes, s32 tgid, u64 lock, u32 holder, bool known, bool exact,
	       u64 ts)
{
	u64 key;
	struct lock_lane *lane = find(lanes, tgid, lock, &key);

	if (!lane)
		return;
	hold(lanes, lane, holder, known, ts);
	lane->exact |= exact;
}

void lanes_end(struct lanes *lanes, u64 ts)
{
	for (u32 i = 0; i < lanes->n_of; i++)
		if (lanes->of[i])
			leave(lanes, &lanes->of[i], ts);
}
