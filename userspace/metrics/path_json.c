/* SPDX-License-Identifier: MIT */
/* path_json.c - the critical path as JSON. */
#include <inttypes.h>

#include "metrics/path.h"
#include "trace/syscall.h"

static void put_time(struct buf *b, const struct usage *u)
{
	bool first = true;

	buf_puts(b, "\"time_ns\":{");
	for (unsigned int slot = 0; slot < USAGE_SLOTS; slot++) {
		if (!u->ns[slot])
			continue;
		buf_printf(b, "%s\"%s\":%" PRIu64, first ? "" : ",", usage_name(slot), u->ns[slot]);
		first = false;
	}
	buf_putc(b, '}');
}

static void put_call(struct buf *b, int nr)
{
	const char *name = nr < 0 ? "none" : syscall_name((s16)nr);

	if (name)
		buf_put_json(b, name);
	else
		buf_printf(b, "\"%d\"", nr);
}

static void put_segment(struct buf *b, u64 begin, const struct path_segment *s)
{
	static const char *const edges[] = {"same", "wake", "holder", "fork", "end"};
	int slot = usage_slot_of(s->state, s->kind);

	buf_printf(b, "{\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64 ",", s->start_ns - begin,
		   s->end_ns - begin);
	if (s->thread != NO_THREAD)
		buf_printf(b, "\"thread\":%u,", s->thread);
	buf_printf(b, "\"state\":\"%s\",\"edge\":\"%s\"%s}", usage_name((unsigned int)slot), edges[s->edge],
		   s->outside ? ",\"outside\":true" : "");
}

void path_json(const struct path *p, const struct graph *g, struct buf *b)
{
	buf_printf(b, "\"critical_path\":{\"duration_ns\":%" PRIu64 ",", p->length_ns);
	put_time(b, &p->time);
	buf_printf(b, ",\"outside_ns\":%" PRIu64 ",\"hops\":%u,\"threads\":[", p->outside_ns, p->hops);
	for (u32 i = 0; i < p->n_threads; i++) {
		const struct thread *t = model_thread(graph_model(g), p->threads[i].thread);

		buf_printf(b, "%s{\"thread\":%u,\"tid\":%d,", i ? "," : "", t->id, t->tid);
		put_time(b, &p->threads[i].time);
		buf_putc(b, '}');
	}
	buf_puts(b, "],\"locks\":[");
	for (u32 i = 0; i < p->n_locks; i++) {
		const struct graph_lock *l = graph_lock(g, p->locks[i].key);

		buf_printf(b, "%s{\"kind\":\"%s\",\"tgid\":%d,\"address\":\"0x%" PRIx64 "\",\"ns\":%" PRIu64
			   "}", i ? "," : "", kind_table[l->kind].name, l->tgid, l->lock, p->locks[i].ns);
	}
	buf_puts(b, "],\"syscalls\":[");
	for (u32 i = 0; i < p->n_calls; i++) {
		buf_puts(b, i ? ",{\"name\":" : "{\"name\":");
		put_call(b, (int)p->calls[i].key - 1);
		buf_printf(b, ",\"ns\":%" PRIu64 "}", p->calls[i].ns);
	}
	buf_putc(b, ']');
	if (p->segments) {
		buf_puts(b, ",\"segments\":[");
		for (u32 i = 0; i < p->n_segments; i++) {
			if (i)
				buf_putc(b, ',');
			put_segment(b, model_window_begin(graph_model(g)), &p->segments[i]);
		}
		buf_putc(b, ']');
	}
	buf_putc(b, '}');
}
