/* SPDX-License-Identifier: MIT */
/*
 * lanes.h - contended locks as lanes: while anybody waits for a lock, who holds it.
 *
 * A lane is cut where the holder changes as far as it was seen: at the start of each wait, and at
 * each sample of a GIL. Between two samples the holder is inferred. Only GILs, mutexes and rwlocks
 * have a lane: the other kinds have no holder.
 */
#ifndef CORUN_EXPORT_LANES_H
#define CORUN_EXPORT_LANES_H

#include "base/map.h"
#include "model/model.h"

struct lock_lane {
	u32 id;               /* 0, 1, 2 ... in order of first contention */
	s32 tgid;             /* 0: shared between processes */
	const struct process *process; /* of the first waiter */
	u64 lock;
	enum wait_kind kind;
	u32 waiters, max_waiters; /* now; most since `since_ns` */
	u32 holder;           /* thread id; NO_THREAD: nobody or not known */
	bool known;           /* NO_THREAD means nobody */
	bool exact;           /* a GIL whose every change is told: nothing is inferred */
	bool handed;          /* its holder has woken the waiter: who has it next is not seen yet */
	u64 since_ns;
	u64 contended_ns;     /* so far, for the order of lanes */
};

/* @lane was held by lane->holder from @start to @end, with somebody waiting. */
typedef void (*lanes_emit)(void *ctx, const struct lock_lane *lane, u64 start, u64 end);

struct lanes {
	lanes_emit emit;
	void *ctx;
	struct map map;
	struct lock_lane **lane; /* by id */
	u32 n, cap;
	struct lock_lane **of;   /* by thread id: the lane it waits in */
	u32 n_of;
	bool failed;        /* out of memory */
};

void lanes_init(struct lanes *lanes, lanes_emit emit, void *ctx);
void lanes_free(struct lanes *lanes);
/* @thread has entered thread->state. */
void lanes_enter(struct lanes *lanes, const struct thread *thread, u64 ts);
void lanes_wait_over(struct lanes *lanes, const struct lock_wait *wait);
/* @thread's wait was ended by @waker: if that is the holder, it has let go. */
void lanes_woken(struct lanes *lanes, const struct thread *thread, u32 waker, u64 ts);
void lanes_gil(struct lanes *lanes, s32 tgid, u64 lock, u32 holder, bool known, bool exact,
	       u64 ts);
void lanes_end(struct lanes *lanes, u64 ts);

#endif
