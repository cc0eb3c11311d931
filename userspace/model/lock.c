/* SPDX-License-Identifier: MIT */
/*
 * lock.c - lock waits as intervals over the states: from the first futex wait on a lock until the
 * thread runs on.
 *
 * The GIL's waiter sleeps in turns of 5 ms and runs for a moment between two of them, only to ask the
 * holder to let go: all turns are one interval. Whether it has got the GIL when it runs shows only
 * afterwards: it blocks on the same GIL again within GIL_TURN_NS (it has not), or it runs on (it has:
 * the interval ended when it began to run).
 */
#include "model/state.h"

static bool same_lock(const struct lock_interval *lock, const struct wait_info *wait, s32 tgid)
{
	return lock->open && lock->wait.lock == wait->rec.lock && lock->wait.tgid == tgid;
}

static void pending_drop(struct model *m, struct thr *t)
{
	if (!t->lock.resolved_late)
		return;
	t->lock.resolved_late = false;
	for (u32 i = 0; i < m->n_pending; i++) {
		if (m->pending[i] == t->pub.id) {
			m->pending[i] = m->pending[--m->n_pending];
			return;
		}
	}
}

void lock_end(struct model *m, struct thr *t, u64 ts, bool got_it)
{
	struct lock_interval *lock = &t->lock;

	if (!lock->open)
		return;
	pending_drop(m, t);
	lock->open = false;
	lock->wait.end_ns = ts;
	lock->wait.got_it = got_it;
	if (m->open && t->told && lock->wait.end_ns > lock->wait.start_ns)
		FOR_SINKS(m, lock_wait, &lock->wait);
	change_held_back(m, t);
}

static void begin(struct thr *t, const struct wait_info *wait, s32 tgid, u64 ts)
{
	t->lock = (struct lock_interval){.open = true};
	t->lock.wait = (struct lock_wait){
		.thread = &t->pub,
		.lock = wait->rec.lock,
		.tgid = tgid,
		.kind = wait->kind,
		.start_ns = ts,
		.owner = wait->owner,
		.releaser = NO_THREAD,
		.site = wait->site,
	};
}

void lock_blocked(struct model *m, struct thr *t, u64 ts)
{
	const struct wait_info *wait = &t->pub.wait;
	s32 tgid = wait->rec.flags & WAIT_SHARED ? 0 : t->pub.tgid;

	t->gave_ns = 0;
	if (t->lock.open && !same_lock(&t->lock, wait, tgid))
		lock_end(m, t, t->lock.ran_ns ? t->lock.ran_ns : ts, true);
	if (!wait->rec.lock_kind || !wait->rec.lock)
		return;
	if (!t->lock.open)
		begin(t, wait, tgid, ts);
	pending_drop(m, t);
	t->lock.handed = false;
	t->lock.wait.turns++;
	change_held_back(m, t);
	if (wait->kind == KIND_GIL)
		FOR_SINKS(m, gil, tgid, wait->rec.lock, wait->owner, wait->rec.flags & WAIT_OWNER, false, ts);
}

/*
 * Does a wake-up from this wait offer the lock? Not from a forced switch: the taker only confirms that
 * it has the GIL, and the woken thread goes on to wait for it. Nor from the mutex inside the GIL
 * (FUTEX_WAIT for 2), which is held for the moment that it takes to look at the GIL.
 */
static bool offers_lock(const struct wait_info *wait)
{
	return wait->rec.lock_kind != LOCK_GIL_SWITCH &&
	       !(wait->kind == KIND_GIL && (wait->rec.args[1] & 0x7f) == 0 && wait->rec.args[2] == 2);
}

/*
 * @t was asked for the GIL (the waiter's turn of 5 ms was over) and has just given it away: all that it will do
 * next is wait to get it back. Where the woken thread takes its CPU before it can (on one CPU it always does), it is
 * ready with nothing to run: that is no demand. Unless it then runs on for longer than that takes.
 */
static void gave_gil(struct model *m, u32 waker, u64 ts)
{
	struct thr *t = waker == NO_THREAD ? NULL : m->threads[waker];

	if (t && t->pub.state == STATE_RUNNING)
		t->gave_ns = ts;
}

void lock_woken(struct model *m, struct thr *t, u32 waker, bool causal, u64 ts)
{
	if (!t->lock.open)
		return;
	if (causal) {
		t->lock.handed = offers_lock(&t->pub.wait);
		t->lock.wait.releaser = waker;
		if (t->lock.handed && t->lock.wait.kind == KIND_GIL && t->lock.wait.turns > 1)
			gave_gil(m, waker, ts);
	}
	change_held_back(m, t);
}

void lock_runs(struct model *m, struct thr *t, u64 ts)
{
	struct lock_interval *lock = &t->lock;

	if (t->gave_ns)
		t->gave_ns = ts;
	change_held_back(m, t);
	if (!lock->open)
		return;
	if (lock->wait.kind != KIND_GIL) {
		lock_end(m, t, ts, lock->handed);
		return;
	}
	lock->ran_ns = ts;
	if (!lock->resolved_late && m->n_pending < MODEL_CPUS) {
		lock->resolved_late = true;
		m->pending[m->n_pending++] = t->pub.id;
	}
	change_held_back(m, t);
}

/* Switched out without blocking on the same lock again: it had it, unless it ran too short to tell
 * and was only preempted, which leaves the question open. */
void lock_leaves(struct model *m, struct thr *t, u64 ts)
{
	if (t->gave_ns && ts - t->gave_ns >= GIL_TURN_NS)
		t->gave_ns = 0; /* it had something else to do */
	if (t->lock.open && t->lock.resolved_late && ts - t->lock.ran_ns >= GIL_TURN_NS)
		lock_end(m, t, t->lock.ran_ns, true);
}

void lock_settle(struct model *m, u64 now)
{
	for (u32 i = 0; i < m->n_pending;) {
		struct thr *t = m->threads[m->pending[i]];

		if (t->pub.state == STATE_RUNNING && now - t->lock.ran_ns >= GIL_TURN_NS)
			lock_end(m, t, t->lock.ran_ns, true); /* takes it off the list */
		else
			i++;
	}
}
