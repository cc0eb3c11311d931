/* SPDX-License-Identifier: MIT */
/*
 * arrows.h - wake-ups that a timeline draws as arrows: a wake-up is told when it happens, what it ends in
 * afterwards.
 *
 * An arrow needs a thread on a CPU to start from: there is none from interrupts, nor from who is not traced.
 */
#ifndef CORUN_EXPORT_ARROWS_H
#define CORUN_EXPORT_ARROWS_H

#include "model/model.h"

struct arrows {
	struct arrow {
		u64 ts;
		u32 waker; /* thread id */
		bool set;
	} *of;             /* by the id of who was woken */
	u32 n;
	bool failed;       /* out of memory: arrows are missing */
};

void arrows_note(struct arrows *arrows, const struct wakeup *wakeup);
/* Thread id of who woke @thread at @ts, NO_THREAD if nobody did. Each arrow is drawn once; one whose instant is
 * past has nothing left to point at. */
u32 arrows_take(struct arrows *arrows, u32 thread, u64 ts);
void arrows_free(struct arrows *arrows);

#endif
