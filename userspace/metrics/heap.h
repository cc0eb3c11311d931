/* SPDX-License-Identifier: MIT */
/* heap.h - a binary heap of threads by key, least first. The owner gives it `items`, room for all that it will hold. */
#ifndef CORUN_METRICS_HEAP_H
#define CORUN_METRICS_HEAP_H

#include "base/types.h"

struct heap {
	struct heap_item { u64 key; u32 thread; } *items;
	u32 n;
};

void heap_push(struct heap *heap, u64 key, u32 thread);
/* The thread with the least key; not of an empty heap. */
u32 heap_pop(struct heap *heap);

#endif
