/* SPDX-License-Identifier: MIT */
/*
 * futex.h - what a futex is part of, told by the call and by the memory around the word. Pure.
 *
 * glibc's primitives differ in the operation they call, in the value they expect, in the alignment of
 * their word and in their neighbours. Each has a test of its own (futex.c, with its source in glibc); a
 * kind is named only if exactly one of them fits. Layouts: x86-64, glibc 2.25 to 2.42; a mutex and a
 * semaphore are the same back to 2.4 and 2.21.
 *
 * An owner is what the memory says, not yet what is true: who uses it must know of such a thread.
 */
#ifndef CORUN_RECORD_FUTEX_H
#define CORUN_RECORD_FUTEX_H

#include "base/types.h"
#include "event.h"
#include "trace/record.h"

#define FUTEX_OWNER_UNKNOWN (-1)

/* The call as the waiter made it. */
struct futex_call {
	u64 address;     /* of the word */
	u32 op;          /* with FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME */
	u32 val;         /* what the word was expected to be; the PI operations have none */
	bool timeout;    /* one was given */
	const u8 *words; /* EV_WORDS_LEN bytes from EV_WORDS_BEFORE before the word, NULL: not readable */
};

struct futex_found {
	enum lock_kind kind; /* LOCK_FUTEX: fits nothing, or more than one thing */
	u64 base;        /* address of the whole object; of the word if it is not known */
	s32 owner;       /* tid in the owner's innermost pid namespace, 0: nobody, or FUTEX_OWNER_UNKNOWN */
	bool own_memory; /* known to be used by one process only, though the call may not say so */
	bool must_live;  /* without a living owner the kind is not to be believed either */
};

/* The call that @wait (futex, futex_wait or one futex of futex_waitv) is. False: no wait on a word. */
bool futex_call_of(const struct ev_wait *wait, const u8 *words, struct futex_call *call);
void futex_classify(const struct futex_call *call, struct futex_found *found);

#endif
