/* SPDX-License-Identifier: MIT */
/*
 * idle.h - when nobody ran on a CPU (--all-idle): the kernel's swapper did.
 *
 * Only of a recording of everything, kernel threads too, is what lies between two threads idle. A CPU that lost
 * events may have run anybody meanwhile: nothing is told of that. Nor of a CPU on which nobody was seen.
 */
#ifndef CORUN_EXPORT_IDLE_H
#define CORUN_EXPORT_IDLE_H

#include "model/model.h"

typedef void (*idle_emit)(void *ctx, u32 cpu, u64 start, u64 end);

struct idle {
	idle_emit emit;    /* NULL: not asked for; all calls do nothing */
	void *ctx;
	u64 begin;         /* of what is exported */
	struct idle_cpu {
		bool seen, lost;
		u64 since;     /* end of the last running span */
	} *cpu;
	u32 n;
	bool failed;       /* out of memory */
};

void idle_init(struct idle *idle, idle_emit emit, void *ctx, u64 begin);
void idle_free(struct idle *idle);
/* A thread has run on @cpu; in order of time for each CPU. */
void idle_ran(struct idle *idle, s32 cpu, u64 start, u64 end);
void idle_lost(struct idle *idle, u32 cpu);
void idle_end(struct idle *idle, u64 ts);

#endif
