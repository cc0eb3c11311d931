/* SPDX-License-Identifier: MIT */
/*
 * chain.h - chains of calls that were met before, and need not be unwound again.
 *
 * A chain is known by the words on the stack that made it: return addresses, and saved frame pointers
 * as offsets from the stack pointer. How far apart the frames lie follows from the code at each return
 * address, and from the frame pointer where the code uses one. So a stack that bears the same words at
 * the same places has the same chain, by induction from the innermost frame on.
 */
#ifndef CORUN_RECORD_CHAIN_H
#define CORUN_RECORD_CHAIN_H

#include "base/map.h"
#include "event.h"
#include "record/unwind.h"

/* Those of one address space. Start from zeroed memory. */
struct chains {
	struct map map; /* by the innermost address: struct chain */
	u32 n;
};

/* The site that was added with a stack like @stack; 0: none was. */
u32 chains_find(const struct chains *chains, const struct ev_stack *stack);
/* @stack, which unwinding found to be @result, is @site. When there are too many it is not kept. */
void chains_add(struct chains *chains, const struct ev_stack *stack, const struct unwind_result *result,
		u32 site);
void chains_free(struct chains *chains);

#endif
