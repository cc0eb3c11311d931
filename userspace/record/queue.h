/* SPDX-License-Identifier: MIT */
/*
 * queue.h - events wait here until nothing older can come any more, in order of time.
 *
 * Input is nearly sorted: a new entry is put in its place by walking back from the end. Entries with
 * equal times keep the order in which they came. Their bytes lie in large blocks that are used again
 * once all that is in them has left: no allocation per event.
 */
#ifndef CORUN_RECORD_QUEUE_H
#define CORUN_RECORD_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/types.h"

struct queue_block;

struct queue_entry {
	u64 ts;
	void *data;                /* aligned to 8 bytes */
	struct queue_block *block; /* the queue's own */
	int kind;                  /* the user's */
};

struct queue {
	struct queue_entry *entries; /* entries[head .. tail) wait */
	size_t head, tail, cap;
	struct queue_block *filling; /* where the next bytes go */
	struct queue_block *spare;   /* empty ones, a list */
};

/* Room for @len bytes of a new entry, or NULL: no memory. */
void *queue_add(struct queue *queue, u64 ts, int kind, size_t len);
/* Take out the oldest entry if it is older than @limit. Its data stay until the next call. */
bool queue_take(struct queue *queue, u64 limit, struct queue_entry *entry);
void queue_free(struct queue *queue);

#endif
