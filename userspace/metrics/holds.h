/* SPDX-License-Identifier: MIT */
/*
 * holds.h - when each thread held which mutex, as far as the waits for it tell.
 *
 * A lock that nobody waits for makes no system call, so a recording has no record of it. What it has:
 * a wait begins when its thread asks for the lock, and ends with the thread holding it; the wake-up that
 * ended it was its holder's release. So of a hold either end may be known. Where one is, the other is put
 * as far away as the holds of that lock last of which both are known (the mean of their time not ready), but
 * not beyond another of the same thread, nor after a wait that began while it was held. A hold that nobody
 * waited for at either end is not seen.
 *
 * Waits of one thread for one lock with less than HOLDS_RETRY_NS of running between them are one: woken, it
 * found the lock taken again.
 */
#ifndef CORUN_METRICS_HOLDS_H
#define CORUN_METRICS_HOLDS_H

#include "metrics/graph.h"

#define HOLDS_RETRY_NS 10000u
/* Above this many waits there is no answer: 32 bytes each, three to a wait. */
#define HOLDS_WAITS_MAX 1000000u

struct hold_event {
	u64 at_ns;   /* recorded time at which @thread asks for the lock, or lets go of it */
	u32 thread;
	u32 lock;    /* index for graph_lock() */
	u32 waited;  /* asks: the node of the last wait for it; NO_NODE: it was free */
	u8 what;     /* enum hold_what */
};

enum hold_what { HOLD_TAKE, HOLD_HELD, HOLD_RELEASE };

struct holds;

/* 0, -ENOMEM, or -E2BIG: too many waits. */
int holds_find(struct holds **holds, const struct graph *graph);
void holds_free(struct holds *holds);
/* The events of @thread (HOLD_TAKE and HOLD_RELEASE) in order of time; they live as long as @holds. */
const struct hold_event *holds_of(const struct holds *holds, u32 thread, u32 *n);

/* Does @node wait for a lock that holds_find() looks at? */
bool holds_waits(const struct graph_node *node);

#endif
