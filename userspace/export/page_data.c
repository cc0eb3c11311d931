/* SPDX-License-Identifier: MIT */
#include "export/page_data.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "export/base64.h"
#include "export/lanes.h"
#include "model/model.h"
#include "trace/syscall.h"
#include "trace/text.h"
#include "trace/trace.h"

#define FLUSH_AT 32768

/* First number of an entry: a thread's (or task's) id, eight times, plus one of these. viewer/PAGE.md. */
enum { ENTRY_START, ENTRY_SPAN, ENTRY_GIL, ENTRY_LOCK, ENTRY_TASK_START, ENTRY_TASK_SPAN,
       ENTRY_LANE };

struct data {
	struct model *model;
	struct base64 *base64;
	struct buf bytes;
	struct buf objects;  /* JSON strings with commas between */
	struct map known;    /* hash of a text: its number + 1 */
	u32 n_objects;
	const struct export_options *options;
	u64 begin, end, spans; /* what is shown: absolute times, set when the window opens */
	struct map begun[2]; /* by thread id, by task id: its first span was told */
	struct lanes lanes;  /* contended locks */
	struct buf tasks;    /* JSON objects with commas between, in the order in which tasks ended */
	u32 *task_thread;    /* by task id: thread of its first step, + 1 */
	u32 n_task_threads;
	struct buf text;
	bool failed;
};

static void put_number(struct data *d, u64 n)
{
	buf_put_leb128(&d->bytes, n);
}

static void flush(struct data *d)
{
	base64_put(d->base64, d->bytes.data, d->bytes.len);
	d->failed |= d->bytes.failed;
	buf_clear(&d->bytes);
}

static void entry(struct data *d, u32 id, unsigned int what)
{
	if (d->bytes.len > FLUSH_AT)
		flush(d);
	put_number(d, (u64)id << 3 | what);
}

static u64 clamp(const struct data *d, u64 ts)
{
	return ts < d->begin ? d->begin : ts > d->end ? d->end : ts;
}

static u64 since(const struct data *d, u64 ts)
{
	return clamp(d, ts) - d->begin;
}

/* A span as far as it is shown; false if it is not. A lane begins with its first. */
static bool begin_span(struct data *d, u32 id, bool task, u64 start, u64 end)
{
	start = clamp(d, start);
	end = clamp(d, end);
	if (start == end)
		return false;
	if (!map_get(&d->begun[task], id)) {
		d->failed |= map_set(&d->begun[task], id, d) != 0;
		entry(d, id, task ? ENTRY_TASK_START : ENTRY_START);
		put_number(d, since(d, start));
	}
	entry(d, id, task ? ENTRY_TASK_SPAN : ENTRY_SPAN);
	put_number(d, end - start);
	d->spans++;
	return true;
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/. Two texts of one trace that share a 64-bit hash
 * are not to be expected; 0 is the number of no text. */
static u32 object_number(struct data *d, const char *text)
{
	u64 hash = 0xcbf29ce484222325ULL;
	uintptr_t number;

	if (!text[0])
		return 0;
	for (const char *p = text; *p; p++)
		hash = (hash ^ (u8)*p) * 0x100000001b3ULL;
	number = (uintptr_t)map_get(&d->known, hash);
	if (number)
		return (u32)number;
	if (d->n_objects)
		buf_putc(&d->objects, ',');
	buf_put_json(&d->objects, text);
	number = ++d->n_objects;
	d->failed |= map_set(&d->known, hash, (void *)number) != 0;
	return (u32)number;
}

/* "read pipe:[4711]", "futex 0x7f00", "nanosleep": the call, and on what. */
static u32 wait_object(struct data *d, const struct wait_info *w)
{
	const char *call = syscall_name(w->rec.nr);

	buf_clear(&d->text);
	if (call)
		buf_puts(&d->text, call);
	else if (w->rec.nr >= 0)
		buf_printf(&d->text, "call %d", w->rec.nr);
	if (w->desc[0])
		buf_printf(&d->text, " %s", w->desc);
	else if (w->rec.lock)
		buf_printf(&d->text, " 0x%" PRIx64, w->rec.lock);
	if (w->func[0])
		buf_printf(&d->text, " in %s", w->func);
	if (w->site[0])
		buf_printf(&d->text, "\n%s", w->site);
	return object_number(d, d->text.data ? d->text.data : "");
}

static u32 plus_one(u32 thread)
{
	return thread == NO_THREAD ? 0 : thread + 1;
}

static void on_window_begin(void *ctx, u64 ts)
{
	struct data *d = ctx;

	d->begin = ts + d->options->from_ns;
	d->end = d->options->to_ns ? ts + d->options->to_ns : UINT64_MAX;
}

static void on_thread_start(void *ctx, const struct thread *t, u64 ts)
{
	struct data *d = ctx;

	lanes_enter(&d->lanes, t, clamp(d, ts));
}

static void on_state(void *ctx, const struct span *s)
{
	struct data *d = ctx;

	if (s->state == STATE_WAITING)
		lanes_woken(&d->lanes, s->thread, s->waker, clamp(d, s->end_ns));
	if (s->thread->state == STATE_WAITING)
		lanes_enter(&d->lanes, s->thread, clamp(d, s->end_ns));
	if (!begin_span(d, s->thread->id, false, s->start_ns, s->end_ns))
		return;
	switch (s->state) {
	case STATE_RUNNING:
		put_number(d, CODE_RUNNING);
		put_number(d, (u32)(s->cpu + 1));
		break;
	case STATE_READY:
		put_number(d, s->preempted ? CODE_PREEMPTED : CODE_WOKEN);
		put_number(d, plus_one(s->preempted ? s->preempted_by : s->waker));
		break;
	case STATE_WAITING:
		put_number(d, CODE_WAIT + (u64)s->wait->kind);
		put_number(d, wait_object(d, s->wait));
		put_number(d, plus_one(s->wait->owner));
		put_number(d, plus_one(s->waker));
		break;
	default:
		put_number(d, s->state == STATE_STOPPED ? CODE_STOPPED : CODE_UNKNOWN);
	}
}

static void on_gil(void *ctx, s32 tgid, u64 lock, u32 holder, bool known, bool exact, u64 ts)
{
	struct data *d = ctx;
	char text[64];

	lanes_gil(&d->lanes, tgid, lock, holder, known, exact, clamp(d, ts));
	snprintf(text, sizeof(text), "GIL %d 0x%" PRIx64, tgid, lock);
	entry(d, known ? plus_one(holder) : 0, ENTRY_GIL);
	put_number(d, object_number(d, text));
	put_number(d, since(d, ts));
	put_number(d, known);
}

/* A wait for a lock as one interval over the states. */
static void on_lock_wait(void *ctx, const struct lock_wait *w)
{
	struct data *d = ctx;
	struct lock_wait cut = *w;

	cut.start_ns = clamp(d, w->start_ns);
	cut.end_ns = clamp(d, w->end_ns);
	lanes_wait_over(&d->lanes, &cut);
	if (cut.start_ns == cut.end_ns)
		return;
	entry(d, w->thread->id, ENTRY_LOCK);
	put_number(d, since(d, cut.start_ns));
	put_number(d, cut.end_ns - cut.start_ns);
	put_number(d, w->kind);
	put_number(d, plus_one(w->owner));
	put_number(d, plus_one(w->releaser));
	put_number(d, w->blocked_ns);
	put_number(d, w->turns);
}

/* While anybody waited for a lock: who held it. */
static void on_lane(void *ctx, const struct lock_lane *lane, u64 start, u64 end)
{
	struct data *d = ctx;

	if (start == end)
		return;
	entry(d, lane->id, ENTRY_LANE);
	put_number(d, since(d, start));
	put_number(d, end - start);
	put_number(d, plus_one(lane->holder));
}

static void on_window_end(void *ctx, u64 ts)
{
	struct data *d = ctx;

	d->end = clamp(d, ts);
	lanes_end(&d->lanes, d->end);
}

/* ---- tasks ---- */

/* The lane of a task stands under the thread of its first step. */
static void place_task(struct data *d, const struct task *task, const struct thread *thread)
{
	u32 n = task->id + 1;

	if (n > d->n_task_threads) {
		u32 cap = n < 64 ? 64 : n * 2;
		u32 *more = realloc(d->task_thread, cap * sizeof(*more));

		if (!more) {
			d->failed = true;
			return;
		}
		memset(more + d->n_task_threads, 0, (cap - d->n_task_threads) * sizeof(*more));
		d->task_thread = more;
		d->n_task_threads = cap;
	}
	if (!d->task_thread[task->id])
		d->task_thread[task->id] = thread->id + 1;
}

static void on_task_state(void *ctx, const struct task_span *s)
{
	struct data *d = ctx;

	if (s->thread)
		place_task(d, s->task, s->thread);
	if (!begin_span(d, s->task->id, true, s->start_ns, s->end_ns))
		return;
	switch (s->state) {
	case STATE_RUNNING:
		put_number(d, CODE_RUNNING);
		put_number(d, s->thread ? s->thread->id + 1 : 0);
		break;
	case STATE_READY:
		put_number(d, CODE_WOKEN);
		put_number(d, s->thread ? s->thread->id + 1 : 0);
		break;
	case STATE_WAITING:
		buf_clear(&d->text);
		buf_puts(&d->text, s->what);
		if (s->at[0])
			buf_printf(&d->text, "\n%s", s->at);
		put_number(d, CODE_WAIT + (u64)s->wait_kind);
		put_number(d, object_number(d, d->text.data ? d->text.data : ""));
		put_number(d, s->awaited == NO_TASK ? 0 : s->awaited + 1);
		put_number(d, 0);
		break;
	default:
		put_number(d, s->state == STATE_STOPPED ? CODE_STOPPED : CODE_UNKNOWN);
	}
}

static void on_task_end(void *ctx, const struct task *task, u64 ts)
{
	struct data *d = ctx;

	(void)ts;
	if (!map_get(&d->begun[true], task->id))
		return;
	buf_printf(&d->tasks, "%s{\"id\":%u,\"kind\":", d->tasks.len ? "," : "", task->id);
	buf_put_json(&d->tasks, task->kind);
	buf_puts(&d->tasks, ",\"name\":");
	buf_put_json(&d->tasks, task->name);
	buf_puts(&d->tasks, ",\"site\":");
	buf_put_json(&d->tasks, task->site);
	buf_printf(&d->tasks, ",\"process\":%u,\"thread\":%u,\"creator\":%u,\"outcome\":\"%s\"}",
		   task->process ? task->process->id : 0,
		   task->id < d->n_task_threads ? d->task_thread[task->id] : 0,
		   task->creator == NO_TASK ? 0 : task->creator + 1,
		   task->cut ? "" : task_outcome_name(task->outcome));
}

static const struct model_sink data_sink = {
	.window_begin = on_window_begin, .window_end = on_window_end, .thread_start = on_thread_start, .state = on_state,
	.gil = on_gil, .lock_wait = on_lock_wait, .task_state = on_task_state, .task_end = on_task_end,
};

static void put_threads(const struct data *d, struct buf *json)
{
	buf_puts(json, ",\"names\":[");
	for (u32 i = 0; i < model_n_threads(d->model); i++) {
		const struct thread *t = model_thread(d->model, i);

		buf_printf(json, "%s{\"tid\":%d,\"process\":%u,\"outsider\":%s,\"name\":", i ? "," : "",
			   t->tid, t->process ? t->process->id : 0, t->outsider ? "true" : "false");
		buf_put_json(json, thread_label(t));
		buf_putc(json, '}');
	}
	buf_puts(json, "],\"process_names\":[");
	for (u32 i = 0; i < model_n_processes(d->model); i++) {
		const struct process *p = model_process(d->model, i);

		buf_printf(json, "%s{\"tgid\":%d,\"name\":", i ? "," : "", p->tgid);
		buf_put_json(json, p->name);
		buf_putc(json, '}');
	}
	buf_putc(json, ']');
}

static void put_kinds(struct buf *json)
{
	buf_puts(json, ",\"kinds\":[");
	for (int i = 0; i < KINDS; i++) {
		buf_printf(json, "%s{\"name\":\"%s\",\"role\":\"%s\",\"label\":", i ? "," : "",
			   kind_table[i].name, kind_table[i].role);
		buf_put_json(json, kind_table[i].label);
		buf_puts(json, ",\"label_ko\":");
		buf_put_json(json, kind_table[i].label_ko);
		buf_putc(json, '}');
	}
	buf_putc(json, ']');
}

static void put_json(const struct data *d, struct buf *json)
{
	u32 parked = model_parked(d->model);
	bool first = true;

	buf_printf(json, "{\"page\":1,\"spans\":%" PRIu64 ",\"window_ns\":%" PRIu64 ",\"objects\":[",
		   d->spans, d->end - d->begin);
	if (d->objects.len)
		buf_put(json, d->objects.data, d->objects.len);
	buf_puts(json, "],\"tasks\":[");
	if (d->tasks.len)
		buf_put(json, d->tasks.data, d->tasks.len);
	buf_puts(json, "],\"lanes\":[");
	for (u32 i = 0; i < d->lanes.n; i++)
		buf_printf(json, "%s{\"kind\":%u,\"tgid\":%d,\"lock\":\"0x%" PRIx64 "\",\"contended_ns\":%" PRIu64 "}",
			   i ? "," : "", d->lanes.lane[i]->kind, d->lanes.lane[i]->tgid, d->lanes.lane[i]->lock,
			   d->lanes.lane[i]->contended_ns);
	buf_puts(json, "],\"parked_kinds\":[");
	for (int i = 0; i < KINDS; i++) {
		if (!(parked & 1u << i))
			continue;
		buf_printf(json, "%s%d", first ? "" : ",", i);
		first = false;
	}
	buf_putc(json, ']');
	put_kinds(json);
	put_threads(d, json);
}

static int read_all(struct data *d, struct trace_reader *reader, struct error *err)
{
	const struct record *rec;
	u32 n = 0;
	int code;

	while ((code = trace_reader_next(reader, &rec, err)) > 0) {
		code = model_push(d->model, rec);
		if (!code && !(++n & 0xffff))
			code = export_goes_on(d->options, trace_reader_offset(reader), trace_reader_size(reader),
					      err);
		if (code)
			break;
	}
	if (!code)
		code = model_finish(d->model);
	return code == -ENOMEM ? error_set(err, code, "out of memory") : code;
}

int page_data(struct out *out, const char *trace, const struct export_options *options, struct buf *json,
	      struct error *err)
{
	struct base64 *base64 = malloc(sizeof(*base64));
	struct data d = {.base64 = base64, .options = options};
	struct trace_reader *reader = NULL;
	int code = base64 ? base64_begin(base64, out) : -ENOMEM;

	if (code) {
		free(base64);
		return error_set(err, code, "out of memory");
	}
	lanes_init(&d.lanes, on_lane, &d);
	code = trace_reader_open(&reader, trace, err);
	if (!code)
		code = model_new(&d.model, err);
	if (!code)
		code = model_add_sink(d.model, &data_sink, &d);
	if (!code)
		code = read_all(&d, reader, err);
	if (!code) {
		flush(&d);
		put_json(&d, json);
	}
	base64_end(base64);
	if (!code && (d.failed || d.objects.failed || d.text.failed || d.tasks.failed || d.lanes.failed))
		code = error_set(err, -ENOMEM, "out of memory");
	trace_reader_close(reader);
	model_free(d.model);
	map_free(&d.known);
	map_free(&d.begun[0]);
	map_free(&d.begun[1]);
	lanes_free(&d.lanes);
	buf_free(&d.bytes);
	buf_free(&d.objects);
	buf_free(&d.text);
	buf_free(&d.tasks);
	free(d.task_thread);
	free(base64);
	return code;
}
