/* SPDX-License-Identifier: MIT */
#include "export/narrow.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "export/select.h"
#include "trace/trace.h"

struct narrow {
	const struct export_options *options;
	struct trace_writer *writer;
	struct map outsiders; /* tids that live and are not asked for */
	struct map named;     /* tids that --comm chose */
	bool kernel;          /* kernel threads are wanted */
	enum { NOT_MET, BEFORE, OPEN, CLOSED } window; /* met, and not yet at --from */
	u64 from, to;
	u64 ts;               /* of the last record */
	u64 lost;
};

static bool is_all(const char *target)
{
	return target && !strcmp(target, "all");
}

bool narrow_asked(const struct export_options *o, const char *target)
{
	return o->from_ns || o->to_ns || o->n_tgids || o->n_tids || o->comm ||
	       (is_all(target) && !o->all_idle);
}

static bool wants_process(const struct narrow *n, s32 tgid)
{
	return select_has(n->options->tgids, n->options->n_tgids, tgid);
}

static bool wants(const struct narrow *n, const struct rec_thread *t)
{
	if (t->flags & THREAD_KERNEL && !n->kernel)
		return false;
	if (n->options->comm && !map_get(&n->named, (u32)t->tid))
		return false;
	return wants_process(n, t->tgid) &&
	       select_has(n->options->tids, n->options->n_tids, t->tid);
}

static bool outside(const struct narrow *n, s32 tid)
{
	return map_get(&n->outsiders, (u32)tid) != NULL;
}

static int put(struct narrow *n, const struct record *rec)
{
	return trace_writer_put(n->writer, rec);
}

/* A thread that comes: itself, or its name for who it wakes. */
static int put_thread(struct narrow *n, const struct record *rec)
{
	struct record told = *rec;

	if (rec->thread.flags & THREAD_OUTSIDER)
		return put(n, rec);
	if (wants(n, &rec->thread)) {
		map_del(&n->outsiders, (u32)rec->thread.tid);
		return put(n, rec);
	}
	told.type = REC_THREAD;
	told.thread.flags = THREAD_OUTSIDER | (rec->thread.flags & THREAD_KERNEL);
	if (map_set(&n->outsiders, (u32)rec->thread.tid, n))
		return -ENOMEM;
	return put(n, &told);
}

static int put_switch(struct narrow *n, const struct record *rec)
{
	struct record told = *rec;
	struct rec_switch *sw = &told.sw;

	if (outside(n, sw->prev))
		sw->flags |= SWITCH_PREV_OUTSIDER;
	if (outside(n, sw->next))
		sw->flags |= SWITCH_NEXT_OUTSIDER;
	if ((sw->prev <= 0 || sw->flags & SWITCH_PREV_OUTSIDER) &&
	    (sw->next <= 0 || sw->flags & SWITCH_NEXT_OUTSIDER))
		return 0;
	return put(n, &told);
}

static int put_exec(struct narrow *n, const struct record *rec)
{
	const struct rec_exec *e = &rec->exec;

	/* The caller takes the leader's number over. */
	if (e->old_tid && e->old_tid != e->tid && map_del(&n->outsiders, (u32)e->old_tid) &&
	    map_set(&n->outsiders, (u32)e->tid, n))
		return -ENOMEM;
	return outside(n, e->tid) ? 0 : put(n, rec);
}

static int put_window(struct narrow *n, u64 ts, bool begin)
{
	struct record rec = {.ts = ts, .type = REC_WINDOW, .cpu = CORUN_NO_CPU,
			     .window = {.begin = begin}};

	n->window = begin ? OPEN : CLOSED;
	return put(n, &rec);
}

static int meet_window(struct narrow *n, const struct record *rec)
{
	if (!rec->window.begin)
		return n->window == OPEN ? put_window(n, rec->ts, false) : 0;
	if (n->window != NOT_MET)
		return 0;
	n->window = BEFORE;
	n->from = rec->ts + n->options->from_ns;
	n->to = n->options->to_ns ? rec->ts + n->options->to_ns : UINT64_MAX;
	return 0;
}

static int pass(struct narrow *n, const struct record *rec)
{
	switch (rec->type) {
	case REC_THREAD:
	case REC_FORK:
		return put_thread(n, rec);
	case REC_SWITCH:
		return put_switch(n, rec);
	case REC_EXEC:
		return put_exec(n, rec);
	case REC_WINDOW:
		return meet_window(n, rec);
	case REC_WAKING:
		return outside(n, rec->waking.tid) ? 0 : put(n, rec);
	case REC_EXIT:
		return outside(n, rec->exit.tid) ? 0 : put(n, rec);
	case REC_AFFINITY:
		return outside(n, rec->affinity.tid) ? 0 : put(n, rec);
	case REC_REGION:
		return outside(n, rec->region.tid) ? 0 : put(n, rec);
	case REC_GIL:
		return wants_process(n, rec->gil.tgid) ? put(n, rec) : 0;
	case REC_TASK:
		return wants_process(n, rec->task.tgid) ? put(n, rec) : 0;
	case REC_END:
		n->lost = rec->end.lost;
		return 0;
	default:
		return put(n, rec);
	}
}

/* After --to: what is said of the recording as a whole. */
static bool is_fact(const struct record *rec)
{
	return rec->type == REC_META || rec->type == REC_NOTE || rec->type == REC_FACT ||
	       rec->type == REC_END;
}

/* Time has reached @ts: the window may open or close before. */
static int move(struct narrow *n, u64 ts)
{
	int code = 0;

	if (n->window == BEFORE && n->from <= ts)
		code = put_window(n, n->from, true);
	if (!code && n->window == OPEN && n->to < ts)
		code = put_window(n, n->to, false);
	return code;
}

static int copy(struct narrow *n, struct trace_reader *reader, struct error *err)
{
	const struct record *rec;
	u32 records = 0;
	int code;

	while ((code = trace_reader_next(reader, &rec, err)) > 0) {
		if (rec->ts > n->ts)
			n->ts = rec->ts;
		code = move(n, n->ts);
		if (!code && (n->window != CLOSED || is_fact(rec)))
			code = pass(n, rec);
		/* Its own record opens the window where nothing is cut. */
		if (!code && rec->type == REC_WINDOW)
			code = move(n, n->ts);
		if (code)
			return error_set(err, code, "cannot write to a temporary file: %s", strerror(-code));
		code = ++records & 0xffff ? 0 : export_goes_on(n->options, trace_reader_offset(reader),
								trace_reader_size(reader), err);
		if (code)
			return code;
	}
	/* Nothing happened after --from: a window of no length. */
	if (!code && n->window == BEFORE)
		code = put_window(n, n->ts, true);
	return code;
}

void narrow_describe(const struct export_options *o, struct buf *text)
{
	const char *before = "";

	if (o->from_ns || o->to_ns) {
		buf_put_duration(text, o->from_ns, 0);
		buf_puts(text, " – ");
		if (o->to_ns)
			buf_put_duration(text, o->to_ns, 0);
		before = ", ";
	}
	for (size_t i = 0; i < o->n_tgids; i++, before = ", ")
		buf_printf(text, "%spid %d", before, o->tgids[i]);
	for (size_t i = 0; i < o->n_tids; i++, before = ", ")
		buf_printf(text, "%stid %d", before, o->tids[i]);
	if (o->comm)
		buf_printf(text, "%s%s", before, o->comm);
}

int narrow_write(const char *from, const char *to, const struct export_options *options,
		 struct error *err)
{
	struct narrow n = {.options = options};
	struct trace_reader *reader = NULL;
	int code = trace_reader_open(&reader, from, err), closed;

	if (code)
		return code;
	n.kernel = options->all_idle || !is_all(trace_reader_meta(reader, "target"));
	if (options->comm)
		code = select_find_tids(&n.named, options->comm, reader, err);
	if (!code)
		code = trace_writer_open(&n.writer, to, true, err);
	if (!code) {
		code = copy(&n, reader, err);
		/* What reads as cut or damaged does so in the part, too. */
		if (trace_reader_status(reader) == TRACE_WHOLE)
			closed = trace_writer_close(n.writer, n.ts, n.lost, err);
		else
			closed = trace_writer_cut(n.writer, err);
		code = code ? code : closed;
	}
	map_free(&n.outsiders);
	map_free(&n.named);
	trace_reader_close(reader);
	return code;
}
