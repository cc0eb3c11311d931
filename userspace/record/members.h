/* SPDX-License-Identifier: MIT */
/*
 * members.h - who is in the traced set, as far as counting for the live line and knowing the end
 * need it. The model decides for real.
 */
#ifndef CORUN_RECORD_MEMBERS_H
#define CORUN_RECORD_MEMBERS_H

#include "base/map.h"
#include "trace/record.h"

enum member_state { MEMBER_RUNNING, MEMBER_READY, MEMBER_BLOCKED, MEMBER_PARKED, MEMBER_STATES };

struct member {
	s32 tid, tgid;
	s32 ns_tid;              /* in its innermost pid namespace */
	enum member_state state; /* set it through members_state() */
};

struct members {
	struct map threads;   /* tid -> struct member */
	struct map by_ns;     /* tgid and ns_tid -> struct member, where ns_tid is not tid */
	struct map processes; /* tgid -> number of living members, as a pointer's value */
	u32 by_state[MEMBER_STATES];
	u64 joined;           /* how many there ever were */
};

struct member *members_get(const struct members *members, s32 tid);
/* tid of the member of @tgid that has @ns_tid in its innermost namespace, -1. */
s32 members_find(const struct members *members, s32 tgid, s32 ns_tid);
/* The same of any process whose pid namespace is that of @tgid, which @same_ns tells of two tgids. */
s32 members_find_shared(const struct members *members, s32 tgid, s32 ns_tid,
			bool (*same_ns)(s32 a, s32 b));
/* 0 (also if it is one already) or -ENOMEM. */
int members_add(struct members *members, s32 tid, s32 tgid, s32 ns_tid, enum member_state state);
void members_state(struct members *members, struct member *member, enum member_state state);
/* @tid has ended. Returns how many threads its process has left, -1 if it was no member. *@tgid is
 * set in the first case. */
int members_dead(struct members *members, s32 tid, s32 *tgid);
/* @old_tid, perhaps not the leader, called exec: it is @tid from now on. */
void members_exec(struct members *members, s32 tid, s32 old_tid);
/* tgids with living threads, at most @max; returns how many there are. */
size_t members_tgids(const struct members *members, s32 *tgids, size_t max);
void members_free(struct members *members);

/* Is this a wait without work of its own? A rough answer, for the live line. */
bool members_parks(const struct rec_wait *wait);

#endif
