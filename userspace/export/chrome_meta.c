/* SPDX-License-Identifier: MIT */
/* chrome_meta.c - names, order, losses, and the block "corun" that says what a file holds. */
#include <inttypes.h>
#include <stdlib.h>

#include "export/chrome.h"

void chrome_metadata(struct chrome *c, const char *what, s64 pid, s64 tid, const char *name)
{
	json_printf(&c->json, ",\n{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%" PRId64 ",\"tid\":%" PRId64
		    ",\"args\":{\"name\":", what, pid, tid);
	json_string(&c->json, name);
	json_puts(&c->json, "}}");
}

static void sort_index(struct chrome *c, const char *what, s64 pid, s64 tid, s64 index)
{
	json_printf(&c->json, ",\n{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%" PRId64 ",\"tid\":%" PRId64
		    ",\"args\":{\"sort_index\":%" PRId64 "}}", what, pid, tid, index);
}

static void name_thread(struct chrome *c, const struct thread *t)
{
	const struct row *row = rows_get(&c->rows, t);

	if (!row)
		return;
	chrome_metadata(c, "thread_name", row->pid, row->tid, thread_label(t));
	sort_index(c, "thread_sort_index", row->pid, row->tid, t->id);
}

/* The name of one of several traces' processes says which trace it is from. */
static const char *labelled(struct chrome *c, const char *name)
{
	buf_clear(&c->name);
	if (c->part->label[0]) {
		buf_puts(&c->name, c->part->label);
		buf_puts(&c->name, ": ");
	}
	buf_puts(&c->name, name);
	return c->name.failed ? "" : c->name.data;
}

/* Processes of the first trace stand before those of the second, our own groups before all. */
static s64 order(const struct chrome *c, s64 index)
{
	return index + (s64)c->part->index * 10000000;
}

void chrome_group(struct chrome *c, s64 pid, const char *name, s64 index)
{
	chrome_metadata(c, "process_name", pid, pid, labelled(c, name));
	sort_index(c, "process_sort_index", pid, pid, order(c, index));
}

void chrome_head(struct chrome *c)
{
	size_t first = c->json.len;

	if (!c->part->index) {
		/* No displayTimeUnit: Perfetto of old (v20) takes "ns" for the unit of ts. */
		json_puts(&c->json, "{\"traceEvents\":[");
		first = c->json.len;
	}
	chrome_group(c, rows_group(&c->rows, ROW_CURVES), "Concurrency and parallelism", -2);
	/* Every event brings its comma along; the very first has nothing before it. */
	if (!c->part->index)
		memmove(c->json.data + first, c->json.data + first + 1, --c->json.len - first);
}

void chrome_note_meta(struct chrome *c, const struct rec_meta *meta)
{
	if (c->meta.len)
		buf_putc(&c->meta, ',');
	buf_put_json(&c->meta, meta->key);
	buf_putc(&c->meta, ':');
	buf_put_json(&c->meta, meta->value);
}

void chrome_lost(struct chrome *c, const struct record *rec)
{
	s64 pid = rows_group(&c->rows, ROW_CURVES), tid = ROW_GROUP_PID + 1000 + rec->cpu;
	u64 end = rec->lost.until_ns > rec->ts ? rec->lost.until_ns : rec->ts;
	char *p;

	c->lost += rec->lost.count;
	buf_clear(&c->name);
	buf_printf(&c->name, "Events lost on CPU %u", rec->cpu);
	if (c->name.failed)
		return;
	chrome_metadata(c, "thread_name", pid, tid, c->name.data);
	json_printf(&c->json, ",\n{\"ph\":\"X\",\"cat\":\"lost\",\"name\":\"%" PRIu64
		    " events lost here\",\"pid\":%" PRId64 ",\"tid\":%" PRId64 ",\"ts\":",
		    rec->lost.count, pid, tid);
	p = json_room(&c->json, 64);
	p = put_us(p, chrome_time(c, rec->ts));
	p = chrome_dur(c, p, rec->ts, end);
	*p++ = '}';
	json_wrote(&c->json, p);
}

/* Names come last: a process may be called otherwise when it ends than when it began. */
static void put_names(struct chrome *c)
{
	u32 n = model_n_processes(c->model);
	u8 *met = calloc(n ? n : 1, 1);

	if (!met) {
		c->failed = true;
		return;
	}
	for (u32 i = 0; i < model_n_threads(c->model) && i < c->rows.n_rows; i++) {
		const struct thread *t = model_thread(c->model, i);

		if (!c->rows.rows[i].used)
			continue;
		met[t->process->id] = 1;
		name_thread(c, t);
	}
	for (u32 i = 0; i < n; i++) {
		const struct process *p = model_process(c->model, i);

		if (met[i])
			chrome_group(c, rows_pid(&c->rows, p), p->name, i);
	}
	free(met);
}

static void put_block(struct chrome *c)
{
	if (c->meta.len) {
		json_put_buf(&c->json, &c->meta);
		json_puts(&c->json, ",");
	}
	json_printf(&c->json, "\"lost_events\":%" PRIu64 ",\"window_ns\":%" PRIu64
		    ",\"from_ns\":%" PRIu64 ",\"to_ns\":%" PRIu64, c->lost,
		    model_window_end(c->model) - model_window_begin(c->model),
		    c->begin - c->part->zero_ns, c->end - c->part->zero_ns);
	if (c->part->wall_zero_ns)
		json_printf(&c->json, ",\"wall_zero_ns\":\"%" PRIu64 "\"", c->part->wall_zero_ns);
	if (c->part->count > 1 && c->part->unsure_ns >= 0)
		json_printf(&c->json, ",\"wall_clock_unsure_ns\":%" PRId64, c->part->unsure_ns);
	else if (c->part->count > 1)
		json_puts(&c->json, ",\"wall_clock_unsure_ns\":null");
	json_puts(&c->json, ",\"clock\":\"ts are microseconds since the window opened");
	json_puts(&c->json, c->compat ? ", and 1, CLOCK_MONOTONIC\"" : ", CLOCK_MONOTONIC\"");
	json_puts(&c->json, ",\"definitions\":{\"running\":\"threads on a CPU: parallelism\","
		  "\"in flight\":\"threads running, ready, or waiting in a kind that is not parked: "
		  "concurrency\"}}");
}

void chrome_tail(struct chrome *c)
{
	s64 pid = rows_group(&c->rows, ROW_CURVES);

	put_names(c);
	if (c->part->count == 1) {
		json_puts(&c->json, "\n],\n\"corun\":{");
		put_block(c);
		json_puts(&c->json, "}\n");
		return;
	}
	/* Of several traces each has its block among the events: viewers pass over it. */
	json_printf(&c->json, ",\n{\"ph\":\"M\",\"name\":\"corun\",\"pid\":%" PRId64
		    ",\"tid\":%" PRId64 ",\"args\":{", pid, pid);
	put_block(c);
	json_puts(&c->json, c->part->index + 1 == c->part->count ? "}\n]}\n" : "}");
}
