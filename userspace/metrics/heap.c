/* SPDX-License-Identifier: MIT */
#include "metrics/heap.h"

void heap_push(struct heap *h, u64 key, u32 thread)
{
	u32 i = h->n++;

	for (; i && h->items[(i - 1) / 2].key > key; i = (i - 1) / 2)
		h->items[i] = h->items[(i - 1) / 2];
	h->items[i] = (struct heap_item){key, thread};
}

u32 heap_pop(struct heap *h)
{
	u32 thread = h->items[0].thread, i = 0;
	struct heap_item last = h->items[--h->n];

	for (;;) {
		u32 child = 2 * i + 1;

		if (child >= h->n)
			break;
		child += child + 1 < h->n && h->items[child + 1].key < h->items[child].key;
		if (h->items[child].key >= last.key)
			break;
		h->items[i] = h->items[child];
		i = child;
	}
	h->items[i] = last;
	return thread;
}
