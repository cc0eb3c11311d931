/* SPDX-License-Identifier: MIT */
/*
 * replay.h - the recorded work, run again by a simulated scheduler on other terms.
 *
 * Each thread is the sequence of its nodes in the graph. Running needs that much CPU. A wait that
 * another traced thread ended ends when that thread comes to the same point of its own work (at once,
 * if it was there before); any other wait lasts as long as it did. With `holds` a mutex is taken by who comes
 * first instead: then its waits are no part of the work. No CPU is idle while a thread is
 * ready; of several the one goes first whose next piece of work began first in the recording, in slices
 * of REPLAY_SLICE_NS.
 *
 * Why the recorded order: the order in which threads got a lock is part of the graph. A scheduler with
 * an order of its own lets some thread run that did not run then, while another that everybody waits for
 * next does not; such stalls add up. (By least CPU time used, four threads with a mutex came out 5 %
 * too long on their own two CPUs; in the recorded order every program of WHATIF.md is within 1 %.)
 * Threads of which none waits for another are kept abreast, as a fair scheduler would. A wait that is taken away
 * does not count, nor what others waited meanwhile: who stood back in a queue for the GIL in the recording, or began late
 * because its parent did, would not without it. (By the recorded order alone four Python threads came out 10 % too long
 * as processes: whoever had the GIL last in the recording had a CPU last.)
 */
#ifndef CORUN_METRICS_REPLAY_H
#define CORUN_METRICS_REPLAY_H

#include "metrics/holds.h"

#define REPLAY_SLICE_NS ((u64)3000000) /* base_slice_ns of kernel/sched/fair.c, two to four CPUs */
/* Up to here a woken thread's way to a free CPU is the machine's own, and stays; a longer one was
 * somebody else's program. */
#define REPLAY_WAKE_NS 200000u

struct replay_setting {
	u32 cpus;          /* at least 1 */
	bool outside;      /* other programs take the CPUs as they did */
	bool no_gil, no_io;
	u64 no_lock;       /* address, 0: none */
	const struct holds *holds; /* locks are taken by who comes first; NULL: passed on as recorded */
};

/* How long it takes: until the last thread has run to its end. 0, -ENOMEM, or -EDEADLK: some thread
 * waits for what never comes. Times of the graph are not changed. */
int replay_run(const struct graph *graph, const struct replay_setting *setting, u64 *duration_ns);

#endif
