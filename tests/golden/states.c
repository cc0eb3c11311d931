/* SPDX-License-Identifier: MIT */
/* states.c - everything that a model tells its sinks, a line each: for golden tests. */
#include <inttypes.h>
#include <stdio.h>

#include "model/model.h"
#include "trace/text.h"
#include "trace/trace.h"

static u64 begin;

static void stamp(u64 ts)
{
	printf("%10" PRIu64 "  ", ts - begin);
}

static const char *label(const struct model *m, u32 id)
{
	return id == NO_THREAD ? "?" : thread_label(model_thread(m, id));
}

static void on_begin(void *ctx, u64 ts)
{
	(void)ctx;
	begin = ts;
	stamp(ts);
	puts("window begins");
}

static void on_process(void *ctx, const struct process *p, u64 ts)
{
	(void)ctx;
	stamp(ts);
	printf("process %u \"%s\" tgid %d\n", p->id, p->name, p->tgid);
}

static void on_exec(void *ctx, const struct process *p, u64 ts)
{
	(void)ctx;
	stamp(ts);
	printf("process %u is now \"%s\"\n", p->id, p->name);
}

static void on_process_end(void *ctx, const struct process *p, u64 ts)
{
	(void)ctx;
	stamp(ts);
	printf("process %u ends\n", p->id);
}

static void on_thread(void *ctx, const struct thread *t, u64 ts)
{
	(void)ctx;
	stamp(ts);
	printf("thread %u \"%s\" tid %d of process %u begins %s\n", t->id, thread_label(t), t->tid,
	       t->process->id, state_names[t->state]);
}

static void on_state(void *ctx, const struct span *s)
{
	stamp(s->end_ns);
	printf("thread %u was %s", s->thread->id, state_names[s->state]);
	if (s->state == STATE_WAITING)
		printf(" (%s%s%s)", kind_table[s->wait->kind].name, s->wait->desc[0] ? " " : "",
		       s->wait->desc);
	if (s->state == STATE_RUNNING)
		printf(" on %d", s->cpu);
	if (s->state == STATE_READY && s->preempted)
		printf(" (preempted by %s)", label(ctx, s->preempted_by));
	printf(" for %" PRIu64, s->end_ns - s->start_ns);
	if (s->waker != NO_THREAD && s->state != STATE_RUNNING)
		printf(", woken by %s", label(ctx, s->waker));
	printf(", is %s\n", state_names[s->thread->state]);
}

static void on_lock(void *ctx, const struct lock_wait *w)
{
	stamp(w->end_ns);
	printf("thread %u waited %" PRIu64 " for %s 0x%" PRIx64 " in %u turns, blocked %" PRIu64
	       ", held by %s, released by %s\n", w->thread->id, w->end_ns - w->start_ns,
	       kind_table[w->kind].name, w->lock, w->turns, w->blocked_ns, label(ctx, w->owner),
	       label(ctx, w->releaser));
}

static void on_region(void *ctx, const struct region *r)
{
	(void)ctx;
	stamp(r->end_ns);
	printf("region \"%s\" lasted %" PRIu64 "\n", r->name, r->end_ns - r->start_ns);
}

static void on_end(void *ctx, u64 ts)
{
	(void)ctx;
	stamp(ts);
	puts("window ends");
}

static const struct model_sink sink = {
	.window_begin = on_begin, .process_start = on_process, .process_exec = on_exec,
	.process_end = on_process_end, .thread_start = on_thread, .state = on_state,
	.lock_wait = on_lock, .region = on_region, .window_end = on_end,
};

int main(int argc, char **argv)
{
	struct trace_reader *reader;
	struct error err = {0};
	struct model *m;

	if (argc != 2 || model_new(&m, &err) || model_add_sink(m, &sink, m))
		return 2;
	if (trace_reader_open(&reader, argv[1], &err) || model_read(m, reader, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	printf("conflicts %" PRIu64 "\n", model_conflicts(m));
	trace_reader_close(reader);
	model_free(m);
	return 0;
}
