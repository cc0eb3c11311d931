/* SPDX-License-Identifier: MIT */
#include "record/queue.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (256 * 1024)

struct queue_block {
	struct queue_block *next; /* in the list of spare ones */
	size_t used;              /* bytes */
	size_t live;              /* entries that have not left */
	u64 bytes[BLOCK_BYTES / sizeof(u64)];
};

static void release(struct queue *q, struct queue_block *block)
{
	if (--block->live)
		return;
	block->used = 0;
	if (block == q->filling)
		return;
	block->next = q->spare;
	q->spare = block;
}

static struct queue_block *room_for(struct queue *q, size_t len)
{
	struct queue_block *block = q->filling;

	if (block && block->used + len <= BLOCK_BYTES)
		return block;
	if (len > BLOCK_BYTES)
		return NULL;
	block = q->spare;
	if (block) {
		q->spare = block->next;
	} else {
		block = malloc(sizeof(*block));
		if (!block)
			return NULL;
		block->used = block->live = 0;
	}
	q->filling = block;
	return block;
}

static bool grow(struct queue *q)
{
	size_t live = q->tail - q->head, cap = live * 2 < 1024 ? 1024 : live * 2;
	struct queue_entry *entries = malloc(cap * sizeof(*entries));

	if (!entries)
		return false;
	if (live)
		memcpy(entries, q->entries + q->head, live * sizeof(*entries));
	free(q->entries);
	q->entries = entries;
	q->head = 0;
	q->tail = live;
	q->cap = cap;
	return true;
}

void *queue_add(struct queue *q, u64 ts, int kind, size_t len)
{
	struct queue_block *block;
	void *data;
	size_t i;

	len = (len + 7) & ~(size_t)7;
	block = room_for(q, len);
	if (!block || (q->tail == q->cap && !grow(q)))
		return NULL;
	data = (char *)block->bytes + block->used;
	block->used += len;
	block->live++;
	for (i = q->tail; i > q->head && q->entries[i - 1].ts > ts; i--)
		;
	memmove(q->entries + i + 1, q->entries + i, (q->tail - i) * sizeof(*q->entries));
	q->entries[i] = (struct queue_entry){ts, data, block, kind};
	q->tail++;
	return data;
}

bool queue_take(struct queue *q, u64 limit, struct queue_entry *entry)
{
	if (q->head == q->tail) {
		q->head = q->tail = 0;
		return false;
	}
	if (q->entries[q->head].ts >= limit)
		return false;
	*entry = q->entries[q->head++];
	/* Nothing is added between two calls but by the user of this entry, into fresh bytes: a block
	 * that is empty now is written to at the earliest after the next call. */
	release(q, entry->block);
	return true;
}

void queue_free(struct queue *q)
{
	struct queue_block *block;

	while (queue_take(q, UINT64_MAX, &(struct queue_entry){0}))
		;
	free(q->filling);
	while ((block = q->spare)) {
		q->spare = block->next;
		free(block);
	}
	free(q->entries);
	*q = (struct queue){0};
}
