/* SPDX-License-Identifier: MIT */
#include "record/members.h"

#include <errno.h>
#include <stdlib.h>

struct member *members_get(const struct members *ms, s32 tid)
{
	return map_get(&ms->threads, (u32)tid);
}

static u64 ns_key(s32 tgid, s32 ns_tid)
{
	return (u64)(u32)tgid << 32 | (u32)ns_tid;
}

s32 members_find(const struct members *ms, s32 tgid, s32 ns_tid)
{
	const struct member *m = members_get(ms, ns_tid);

	if (!m || m->tgid != tgid || m->ns_tid != ns_tid)
		m = map_get(&ms->by_ns, ns_key(tgid, ns_tid));
	return m ? m->tid : -1;
}

s32 members_find_shared(const struct members *ms, s32 tgid, s32 ns_tid, bool (*same_ns)(s32 a, s32 b))
{
	const struct member *leader = members_get(ms, tgid);
	s32 tid = members_find(ms, tgid, ns_tid);
	struct map_slot *slot;

	if (tid > 0)
		return tid;
	if (leader && leader->ns_tid == leader->tid) { /* no namespace of its own: tids are tids */
		const struct member *m = members_get(ms, ns_tid);

		return m && m->ns_tid == ns_tid ? m->tid : -1;
	}
	for (size_t i = 0; (slot = map_next(&ms->processes, &i));) {
		tid = members_find(ms, (s32)slot->key, ns_tid);
		if (tid > 0 && same_ns((s32)slot->key, tgid))
			return tid;
	}
	return -1;
}

static u32 alive_in(const struct members *ms, s32 tgid)
{
	return (u32)(uintptr_t)map_get(&ms->processes, (u32)tgid);
}

static int set_alive(struct members *ms, s32 tgid, u32 n)
{
	if (n)
		return map_set(&ms->processes, (u32)tgid, (void *)(uintptr_t)n);
	map_del(&ms->processes, (u32)tgid);
	return 0;
}

int members_add(struct members *ms, s32 tid, s32 tgid, s32 ns_tid, enum member_state state)
{
	struct member *m;

	if (members_get(ms, tid))
		return 0;
	m = malloc(sizeof(*m));
	if (!m || map_set(&ms->threads, (u32)tid, m)) {
		free(m);
		return -ENOMEM;
	}
	*m = (struct member){.tid = tid, .tgid = tgid, .ns_tid = ns_tid, .state = state};
	if (ns_tid != tid && map_set(&ms->by_ns, ns_key(tgid, ns_tid), m))
		return -ENOMEM;
	ms->by_state[state]++;
	ms->joined++;
	return set_alive(ms, tgid, alive_in(ms, tgid) + 1);
}

void members_state(struct members *ms, struct member *m, enum member_state state)
{
	ms->by_state[m->state]--;
	m->state = state;
	ms->by_state[state]++;
}

int members_dead(struct members *ms, s32 tid, s32 *tgid)
{
	struct member *m = map_del(&ms->threads, (u32)tid);
	u32 left;

	if (!m)
		return -1;
	ms->by_state[m->state]--;
	*tgid = m->tgid;
	if (map_get(&ms->by_ns, ns_key(m->tgid, m->ns_tid)) == m)
		map_del(&ms->by_ns, ns_key(m->tgid, m->ns_tid));
	left = alive_in(ms, m->tgid) - 1;
	set_alive(ms, m->tgid, left);
	free(m);
	return (int)left;
}

/* The caller takes over the leader's tid, and the leader, if it has not gone yet, the caller's
 * (exchange_tids() in fs/exec.c). The map held both keys: putting them back needs no memory. */
void members_exec(struct members *ms, s32 tid, s32 old_tid)
{
	struct member *caller, *leader;

	if (tid == old_tid)
		return;
	caller = map_del(&ms->threads, (u32)old_tid);
	leader = map_del(&ms->threads, (u32)tid);
	if (caller && leader) { /* both numbers change hands, in every namespace */
		s32 ns_tid = caller->ns_tid;

		if (ns_tid != old_tid)
			map_set(&ms->by_ns, ns_key(caller->tgid, ns_tid), leader);
		if (leader->ns_tid != tid)
			map_set(&ms->by_ns, ns_key(caller->tgid, leader->ns_tid), caller);
		caller->ns_tid = leader->ns_tid;
		leader->ns_tid = ns_tid;
	}
	if (caller) {
		caller->tid = tid;
		map_set(&ms->threads, (u32)tid, caller);
	}
	if (leader) {
		leader->tid = old_tid;
		map_set(&ms->threads, (u32)old_tid, leader);
	}
}

size_t members_tgids(const struct members *ms, s32 *tgids, size_t max)
{
	struct map_slot *slot;
	size_t n = 0;

	for (size_t i = 0; (slot = map_next(&ms->processes, &i)); n++)
		if (n < max)
			tgids[n] = (s32)slot->key;
	return n;
}

void members_free(struct members *ms)
{
	struct map_slot *slot;

	for (size_t i = 0; (slot = map_next(&ms->threads, &i));)
		free(slot->value);
	map_free(&ms->threads);
	map_free(&ms->by_ns);
	map_free(&ms->processes);
}

bool members_parks(const struct rec_wait *wait)
{
	switch (wait->lock_kind) {
	case LOCK_FUTEX:
	case LOCK_CONDITION:
	case LOCK_SEMAPHORE:
	case LOCK_JOIN:
		return true;
	case LOCK_NONE:
		break;
	default:
		return false;
	}
	switch (wait->nr) {
	case 7: case 23: case 270: case 271:      /* poll, select, pselect6, ppoll */
		return wait->nfds > 1;
	case 232: case 281: case 441:             /* epoll */
	case 43: case 288: case 426:              /* accept, io_uring_enter */
	case 61: case 247:                        /* wait4, waitid */
	case 34: case 128: case 130:              /* pause, rt_sigtimedwait, rt_sigsuspend */
		return true;
	}
	return false;
}
