/* SPDX-License-Identifier: MIT */
#include "record/futex.h"

#include <string.h>

/* linux/futex.h */
#define PRIVATE 0x80u
#define REALTIME 0x100u
#define CMD_MASK 0x7fu
enum { OP_WAIT = 0, OP_LOCK_PI = 6, OP_WAIT_BITSET = 9, OP_WAIT_REQUEUE_PI = 11, OP_LOCK_PI2 = 13 };
#define WORD_WAITERS 0x80000000u
#define WORD_TID 0x3fffffffu

/* futex_wait(2) and futex_waitv(2) name size and privacy in flags of their own. */
#define NR_FUTEX 202
#define NR_FUTEX_WAITV 449
#define NR_FUTEX_WAIT 455
#define FLAG2_PRIVATE 0x80u

#define TID_MAX 0x400000 /* PID_MAX_LIMIT of 64-bit kernels (include/linux/threads.h) */
#define USER_TOP 0x800000000000ULL

bool futex_call_of(const struct ev_wait *wait, const u8 *words, struct futex_call *call)
{
	*call = (struct futex_call){.words = words, .address = wait->args[0]};
	switch (wait->nr) {
	case NR_FUTEX:
		call->op = (u32)wait->args[1];
		call->val = (u32)wait->args[2];
		call->timeout = wait->args[3] != 0;
		break;
	case NR_FUTEX_WAIT: /* uaddr, val, mask, flags */
		call->op = OP_WAIT_BITSET | ((u32)wait->args[3] & FLAG2_PRIVATE);
		call->val = (u32)wait->args[1];
		break;
	default:
		return false;
	}
	return true;
}

/* The 32 or 64 bits at @at bytes from the word. */
static u32 near32(const struct futex_call *c, int at)
{
	u32 value;

	memcpy(&value, c->words + EV_WORDS_BEFORE + at, sizeof(value));
	return value;
}

static u64 near64(const struct futex_call *c, int at)
{
	u64 value;

	memcpy(&value, c->words + EV_WORDS_BEFORE + at, sizeof(value));
	return value;
}

static bool is_private(const struct futex_call *c)
{
	return c->op & PRIVATE;
}

static bool is_pointer(u64 value)
{
	return value >= 0x10000 && value < USER_TOP && !(value & 7);
}

/*
 * How glibc sleeps since 2.34 (nptl/futex-internal.c: __futex_abstimed_wait_common64): WAIT_BITSET
 * with the caller's clock, which is CLOCK_REALTIME wherever there is no timeout. Rust's std never sets
 * that flag. Up to 2.33 a wait without a timeout could be a plain WAIT.
 */
static bool glibc_sleep(const struct futex_call *c)
{
	u32 cmd = c->op & CMD_MASK;

	return cmd == OP_WAIT_BITSET && (c->timeout || c->op & REALTIME);
}

static bool glibc_old_sleep(const struct futex_call *c)
{
	return (c->op & CMD_MASK) == OP_WAIT && !(c->op & REALTIME) && !c->timeout;
}

/*
 * pthread_mutex_t (sysdeps/x86/nptl/bits/struct_mutex.h):
 *   0 lock, 4 count, 8 owner, 12 nusers, 16 kind, 20 spins (16 bits), 22 elision, 24 list
 * Kinds (nptl/pthreadP.h): 0 normal, 1 recursive, 2 error-checking, 3 adaptive; flags 16 robust, 32
 * inherits priority, 64 has a priority ceiling (from bit 19 of the lock word up), 128 shared, 256 and
 * 512 about elision. A wait expects 2 ("locked, with waiters") in the lock word, a robust one the
 * owner's tid. The owner is written after the lock is taken and wiped before it is let go; nusers is at
 * least 1 in between, which padding and a stdio lock (a pthread_t at +8) do not have.
 */
enum { MUTEX_RECURSIVE = 1, MUTEX_ADAPTIVE = 3, MUTEX_ROBUST = 16, MUTEX_INHERIT = 32, MUTEX_CEILING = 64,
       MUTEX_SHARED = 128, MUTEX_KINDS = 0x3ff };
#define CEILING_MASK 0xfff80000u

static bool mutex_neighbours(const struct futex_call *c, u32 kind)
{
	u32 type = kind & 3, count = near32(c, 4), spins = near32(c, 20) & 0xffff;
	s32 owner = (s32)near32(c, 8);

	if (kind & ~(u32)MUTEX_KINDS || owner < 0 || owner >= TID_MAX)
		return false;
	if (owner && (!near32(c, 12) || near32(c, 12) > TID_MAX))
		return false;
	if (spins && type != MUTEX_ADAPTIVE)
		return false;
	if (kind & MUTEX_ROBUST)
		return true;
	return type == MUTEX_RECURSIVE ? !owner == !count : !count;
}

static bool fits_mutex(const struct futex_call *c, struct futex_found *f)
{
	u32 cmd = c->op & CMD_MASK, kind = near32(c, 16);
	bool robust = kind & MUTEX_ROBUST;

	if (c->address & 7 || !mutex_neighbours(c, kind) || kind & MUTEX_INHERIT)
		return false;
	/* Timed: WAIT_BITSET. Rust's own mutex also expects 2, by WAIT_BITSET without a timeout. */
	if (cmd != OP_WAIT && !(cmd == OP_WAIT_BITSET && c->timeout))
		return false;
	f->base = c->address;
	f->must_live = true;
	if (robust) { /* always without the private flag: nptl/pthread_mutex_lock.c */
		if (is_private(c) || !(c->val & WORD_WAITERS) || !(c->val & WORD_TID))
			return false;
		f->owner = (s32)(near32(c, 0) & WORD_TID);
		f->own_memory = !(kind & MUTEX_SHARED);
		f->must_live = f->owner != 0;
		return true;
	}
	if (!!(kind & MUTEX_SHARED) == is_private(c))
		return false;
	if ((c->val & ~(kind & MUTEX_CEILING ? CEILING_MASK : 0)) != 2)
		return false;
	f->owner = (s32)near32(c, 8);
	/* Free, or just taken by somebody who has not written the name yet. */
	if (!f->owner) {
		f->must_live = false;
		if (near32(c, 0) & ~(kind & MUTEX_CEILING ? CEILING_MASK : 0))
			f->owner = FUTEX_OWNER_UNKNOWN;
	}
	return true;
}

/*
 * pthread_rwlock_t (sysdeps/x86/nptl/bits/struct_rwlock.h):
 *   0 readers, 4 writers, 8 wrphase_futex, 12 writers_futex, 16 and 20 padding, 24 cur_writer, 28 shared
 * (nptl/pthread_rwlock_common.c) readers: bit 0 write phase, bit 1 write-locked, bit 2 readers wait, from
 * bit 3 how many. A reader waits on +8 for 3 to go away, the first writer on +8 for 2, other writers on +12 for
 * 3; bit 1 of both words says that there are waiters.
 */
enum { RW_PHASE = 1, RW_LOCKED = 2, RW_READERS = 3, RW_USED = 2 };

static bool fits_rwlock(const struct futex_call *c, struct futex_found *f)
{
	int base = c->address & 4 ? -12 : -8;
	u32 readers = near32(c, base), writers = near32(c, base + 4) & 0x7fffffff;
	u32 shared = near32(c, base + 28), n_readers = readers >> RW_READERS;
	s32 writer = (s32)near32(c, base + 24);

	if (!glibc_sleep(c) || (c->val & ~1u) != RW_USED || (base == -12 && c->val != (1 | RW_USED)))
		return false;
	if (near32(c, base + 16) || near32(c, base + 20) || shared != !is_private(c))
		return false;
	if (near32(c, base + 8) > 3 || near32(c, base + 12) > 3)
		return false;
	if (writer < 0 || writer >= TID_MAX || n_readers > TID_MAX || writers > TID_MAX)
		return false;
	/* Somebody must be in the way: a writer, or readers that a writer waits for. */
	if (!(readers & (RW_PHASE | RW_LOCKED)) && !n_readers)
		return false;
	f->base = c->address + (u64)(s64)base;
	f->owner = writer ? writer : FUTEX_OWNER_UNKNOWN;
	f->must_live = writer != 0;
	return true;
}

/*
 * pthread_cond_t (sysdeps/nptl/bits/thread-shared-types.h, nptl/pthread_cond_common.c), until 2.40:
 *   0 wseq (64 bits), 8 g1_start (64), 16 g_refs[2], 24 g_size[2], 32 g1_orig_size, 36 wrefs, 40 g_signals[2]
 * since 2.41 without g_refs:
 *   0 wseq, 8 g1_start, 16 g_size[2], 24 g1_orig_size, 28 wrefs, 32 g_signals[2]
 * A waiter sleeps on g_signals of its group: while that is 0, since 2.41 while it is what it was. wrefs
 * counts the waiters from bit 3 up; bit 0: shared.
 */
static bool cond_layout(const struct futex_call *c, int signals, bool refs, u64 *base)
{
	int group = c->address & 4 ? 1 : 0;
	int at = -signals - 4 * group;
	u32 wrefs = near32(c, at + signals - 4), in_group1 = near32(c, at + signals - 8) >> 2;
	u64 wseq = near64(c, at) >> 1, g1_start = near64(c, at + 8) >> 1;
	int sizes = refs ? 24 : 16;

	if (wrefs >> 3 == 0 || wrefs >> 3 > TID_MAX || (wrefs & 1) == is_private(c))
		return false;
	if (in_group1 > TID_MAX || wseq == 0 || wseq < g1_start || wseq - g1_start > 0x80000000u)
		return false;
	if (near32(c, at + sizes) > TID_MAX || near32(c, at + sizes + 4) > TID_MAX)
		return false;
	if (refs) {
		u32 mine = near32(c, at + 16 + 4 * group) >> 1;

		if (c->val || !mine || mine > TID_MAX)
			return false;
	}
	*base = c->address + (u64)(s64)at;
	return true;
}

/*
 * Who signals may have to wait until the waiters of the group of before have left (2.25 to 2.40,
 * nptl/pthread_cond_common.c: __condvar_quiesce_and_switch_g1()): on g_refs, with the bit that asks for
 * a wake-up set.
 */
static bool cond_quiesces(const struct futex_call *c, struct futex_found *f)
{
	int group = c->address & 4 ? 1 : 0, at = -16 - 4 * group;
	u32 wrefs = near32(c, at + 36);
	u64 wseq = near64(c, at) >> 1, g1_start = near64(c, at + 8) >> 1;

	if (!(c->val & 1) || c->val >> 1 > TID_MAX || wrefs >> 3 == 0 || wrefs >> 3 > TID_MAX ||
	    (wrefs & 1) == is_private(c))
		return false;
	if (wseq == 0 || wseq < g1_start || wseq - g1_start > 0x80000000u || near32(c, at + 32) >> 2 > TID_MAX)
		return false;
	f->base = c->address + (u64)(s64)at;
	return true;
}

static bool fits_condition(const struct futex_call *c, struct futex_found *f)
{
	if (glibc_old_sleep(c) && cond_quiesces(c, f))
		return true;
	if (!glibc_sleep(c) && !glibc_old_sleep(c))
		return false;
	return cond_layout(c, 40, true, &f->base) || cond_layout(c, 32, false, &f->base);
}

/*
 * sem_t of 64-bit machines (sysdeps/nptl/internaltypes.h: struct new_sem): 0 value, 4 how many wait, 8
 * private (0, or 128 when shared). A waiter expects the value 0 (nptl/sem_waitcommon.c).
 */
static bool fits_semaphore(const struct futex_call *c, struct futex_found *f)
{
	u32 waiters = near32(c, 4);

	/* Its two words can be those of a condition variable; what stands before them tells. */
	if (c->address & 7 || c->val || !glibc_sleep(c) || fits_condition(c, &(struct futex_found){0}))
		return false;
	if (!waiters || waiters > TID_MAX || near32(c, 8) != (is_private(c) ? 0 : 128))
		return false;
	f->base = c->address;
	return true;
}

/*
 * pthread_barrier_t (sysdeps/nptl/internaltypes.h: struct pthread_barrier): 0 in, 4 current_round, 8
 * count, 12 shared (0 or 128), 16 out. A thread that has entered as number `in` waits while
 * current_round, a multiple of count, is less (nptl/pthread_barrier_wait.c).
 */
static bool fits_barrier(const struct futex_call *c, struct futex_found *f)
{
	u32 in = near32(c, -4), count = near32(c, 4), shared = near32(c, 8), out = near32(c, 12);

	if (!(c->address & 4) || (c->op & CMD_MASK) != OP_WAIT || c->op & REALTIME || c->timeout)
		return false;
	if (count < 2 || count > 0x7fffffff || shared != (is_private(c) ? 0 : 128))
		return false;
	if (c->val % count || in <= c->val || out > in)
		return false;
	f->base = c->address - 4;
	return true;
}

/*
 * pthread_join() waits for `tid` of struct pthread to become 0, always without the private flag
 * (nptl/pthread_join_common.c). Around it (nptl/descr.h): -16 the list of stacks (two pointers), 0 tid, 4
 * unused, 8 robust_prev, 16 robust_head: a pointer to itself unless the thread holds robust mutexes.
 */
static bool fits_join(const struct futex_call *c, struct futex_found *f)
{
	if (c->address & 15 || is_private(c) || (!glibc_sleep(c) && !glibc_old_sleep(c)))
		return false;
	if (!c->val || c->val >= TID_MAX || (near32(c, 0) != c->val && near32(c, 0)))
		return false;
	if (!is_pointer(near64(c, -16)) || !is_pointer(near64(c, -8)) || !is_pointer(near64(c, 8)) ||
	    !is_pointer(near64(c, 16)))
		return false;
	f->base = c->address;
	f->owner = (s32)c->val;
	f->own_memory = true;
	return true;
}

void futex_classify(const struct futex_call *c, struct futex_found *found)
{
	static const struct {
		enum lock_kind kind;
		bool (*fits)(const struct futex_call *call, struct futex_found *found);
	} kinds[] = {
		{LOCK_MUTEX, fits_mutex},         {LOCK_RWLOCK, fits_rwlock},
		{LOCK_CONDITION, fits_condition}, {LOCK_SEMAPHORE, fits_semaphore},
		{LOCK_BARRIER, fits_barrier},     {LOCK_JOIN, fits_join},
	};
	const struct futex_found plain = {
		.kind = LOCK_FUTEX, .base = c->address, .owner = FUTEX_OWNER_UNKNOWN,
	};
	u32 cmd = c->op & CMD_MASK, n = 0;

	*found = plain;
	if (cmd == OP_LOCK_PI || cmd == OP_LOCK_PI2) {
		/* The kernel itself demands the holder's tid in the word (futex(2)). */
		found->kind = LOCK_MUTEX;
		if (c->words)
			found->owner = (s32)(near32(c, 0) & WORD_TID);
		return;
	}
	if (cmd == OP_WAIT_REQUEUE_PI) { /* made for condition variables with a PI mutex, and nothing else */
		found->kind = LOCK_CONDITION;
		return;
	}
	if (!c->words || (cmd != OP_WAIT && cmd != OP_WAIT_BITSET))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct futex_found one = plain;

		if (!kinds[i].fits(c, &one))
			continue;
		one.kind = kinds[i].kind;
		*found = n++ ? plain : one;
		if (n > 1)
			return;
	}
}
