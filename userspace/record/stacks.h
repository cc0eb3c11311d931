/* SPDX-License-Identifier: MIT */
/*
 * stacks.h - --stacks and --kernel-stacks: what the probes copied of a stack in, the number of a call
 * site out (rec_wait.site and .func).
 *
 * A stack is unwound as it arrives, a few ms after it was copied, because its process may be gone
 * later; only a chain of calls that was not met before costs that (see struct chain in stacks.c).
 * The words for a site (function, file, line) are looked up when the recording ends, in files that
 * were opened when they were first met: neither the report nor anybody it is sent to needs them.
 */
#ifndef CORUN_RECORD_STACKS_H
#define CORUN_RECORD_STACKS_H

#include "event.h"
#include "trace/record.h"

struct stacks;

struct stacks_ops {
	/* The text of a site (REC_SITE). */
	void (*put)(void *ctx, const struct record *rec);
	u64 (*now)(void *ctx); /* CLOCK_MONOTONIC */
	/* Where in the runtime's own code the thread was: "app.py:12 (fetch)". False: not readable. */
	bool (*place)(void *ctx, s32 tgid, u64 code, u64 instr, char *text, size_t size);
	/* That place, of a thread of which the probes did not know it. False: it is in none. */
	bool (*late)(void *ctx, s32 tid, const struct ev_wait *wait, u64 *code, u64 *instr);
};

int stacks_new(struct stacks **stacks, const struct stacks_ops *ops, void *ctx);
void stacks_free(struct stacks *stacks); /* NULL is fine */
/* What processes and threads there are: every event as it arrives. */
void stacks_event(struct stacks *stacks, const struct ev_head *event);
/* The sites of the @len bytes at @stack of the thread that blocks, which arrive now; 0: not known. */
u32 stacks_user(struct stacks *stacks, const struct ev_block *block, const struct ev_stack *stack,
		size_t len);
u32 stacks_kernel(struct stacks *stacks, const struct ev_stack *stack);
/* Put out the texts of all sites. */
void stacks_finish(struct stacks *stacks);

#endif
