/* SPDX-License-Identifier: MIT */
#include "trace/pipe.h"

#include <stdlib.h>
#include <string.h>

#include "trace/format.h"
#include "trace/memory.h"

struct chunk {
	struct chunk *next;
	struct chunk_header header;
	u8 data[];
};

struct trace_pipe {
	struct chunk *first, **last; /* of the ordered stream */
	size_t at;                   /* in the first one */
	u32 left;                    /* records of it still to come */
	u64 last_ts;
	struct record pending;       /* next ordered record, if has_pending */
	bool has_pending;
	struct record_memory late;   /* in order of ts */
	size_t next_late;
};

int trace_pipe_new(struct trace_pipe **out)
{
	struct trace_pipe *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->last = &p->first;
	*out = p;
	return 0;
}

static void enter(struct trace_pipe *p)
{
	p->at = 0;
	p->left = p->first ? p->first->header.records : 0;
	p->last_ts = p->first ? p->first->header.first_ts : 0;
}

static void drop_first(struct trace_pipe *p)
{
	struct chunk *done = p->first;

	p->first = done->next;
	if (!p->first)
		p->last = &p->first;
	free(done);
	enter(p);
}

void trace_pipe_free(struct trace_pipe *p)
{
	if (!p)
		return;
	while (p->first)
		drop_first(p);
	memory_free(&p->late);
	free(p);
}

/* Late records among those that are still to be read; what was read is let go. */
static int take_late(struct trace_pipe *p, const struct chunk_header *header, const u8 *data)
{
	struct record_memory all = {0};
	u64 last_ts = header->first_ts;
	size_t at = 0;
	int code = 0;

	for (size_t i = p->next_late; !code && i < p->late.n; i++)
		code = memory_add(&all, &p->late.records[i]);
	for (u32 i = 0; !code && i < header->records; i++) {
		struct record rec;
		bool known;
		ssize_t n = record_decode(data + at, header->raw_len - at, &rec, &last_ts, &known);

		if (n < 0)
			code = -EBADMSG;
		else if (known)
			code = memory_add(&all, &rec);
		at += n < 0 ? 0 : (size_t)n;
	}
	memory_sort(&all);
	memory_free(&p->late);
	p->late = all;
	p->next_late = 0;
	return code;
}

int pipe_chunk(struct trace_pipe *p, const struct chunk_header *header, const u8 *data)
{
	struct chunk *chunk;

	if (header->kind == CHUNK_LATE)
		return take_late(p, header, data);
	chunk = malloc(sizeof(*chunk) + header->raw_len);
	if (!chunk)
		return -ENOMEM;
	chunk->next = NULL;
	chunk->header = *header;
	memcpy(chunk->data, data, header->raw_len);
	*p->last = chunk;
	p->last = &chunk->next;
	if (p->first == chunk)
		enter(p);
	return 0;
}

/* The next ordered record into p->pending. Its strings lie in its chunk, which stays meanwhile. */
static int look_ahead(struct trace_pipe *p)
{
	while (!p->has_pending && p->first) {
		ssize_t n;

		if (!p->left) {
			drop_first(p);
			continue;
		}
		n = record_decode(p->first->data + p->at, p->first->header.raw_len - p->at, &p->pending,
				  &p->last_ts, &p->has_pending);
		if (n < 0)
			return -EBADMSG;
		p->at += (size_t)n;
		p->left--;
	}
	return 0;
}

int trace_pipe_next(struct trace_pipe *p, u64 until_ns, const struct record **rec)
{
	const struct record *late = p->next_late < p->late.n ? &p->late.records[p->next_late] : NULL;
	int code = look_ahead(p);

	if (code)
		return code;
	if (late && (!p->has_pending || late->ts <= p->pending.ts)) {
		*rec = late;
	} else if (p->has_pending) {
		*rec = &p->pending;
		late = NULL;
	} else {
		return 0;
	}
	if ((*rec)->ts > until_ns)
		return 0;
	if (late)
		p->next_late++;
	else
		p->has_pending = false;
	return 1;
}
