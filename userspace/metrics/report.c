/* SPDX-License-Identifier: MIT */
#include "metrics/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/lock_table.h"
#include "metrics/phases.h"

static char *meta(const struct trace_reader *reader, const char *key)
{
	const char *value = trace_reader_meta(reader, key);

	return strdup(value ? value : "");
}

static void add_line(char ***list, u32 *n, const char *text)
{
	char **more = realloc(*list, (*n + 1) * sizeof(**list));

	if (!more)
		return;
	*list = more;
	more[*n] = strdup(text);
	if (more[*n])
		++*n;
}

static void add_note(struct report *r, const char *text)
{
	add_line(&r->notes, &r->n_notes, text);
}

static int read_all(struct report *r, struct trace_reader *reader, report_progress progress,
		    struct error *err)
{
	const struct record *rec;
	int code;

	while ((code = trace_reader_next(reader, &rec, err)) > 0) {
		code = model_push(r->model, rec);
		if (code)
			return error_set(err, code, "out of memory");
		if (rec->type == REC_NOTE)
			add_note(r, rec->note.text);
		else if (rec->type == REC_FACT)
			add_line(&r->facts, &r->n_facts, rec->fact.json);
		else if (rec->type == REC_END)
			r->lost_events = rec->end.lost;
		if (!(++r->records & 0xffff) && progress)
			progress(trace_reader_offset(reader), trace_reader_size(reader));
	}
	if (code)
		return code;
	code = model_finish(r->model);
	if (!code)
		code = meter_error(r->meter) ? meter_error(r->meter) : task_meter_error(r->tasks);
	return code ? error_set(err, code, "out of memory") : 0;
}

/* CPUs that the traced threads could have used: online, allowed by affinity, left by the quota. */
void report_find_usable(struct report *r)
{
	const struct host_figures *host = meter_host(r->meter);

	r->affinity_cpus = 0;
	r->quota_cpus = 0;
	for (u32 i = 0; i < model_n_threads(r->model); i++) {
		const struct thread *t = model_thread(r->model, i);

		if (!t->outsider && t->allowed_cpus > r->affinity_cpus)
			r->affinity_cpus = t->allowed_cpus;
	}
	r->usable_cpus = r->cpus;
	if (r->affinity_cpus && (!r->cpus || r->affinity_cpus < r->cpus))
		r->usable_cpus = r->affinity_cpus;
	if (host->n_cgroup && host->cgroup_last.quota_us && host->cgroup_last.period_us) {
		r->quota_cpus = (double)host->cgroup_last.quota_us / (double)host->cgroup_last.period_us;
		if (!r->usable_cpus || r->quota_cpus < r->usable_cpus)
			r->usable_cpus = r->quota_cpus;
	}
}

static int choose_stretch(struct report *r, const struct report_options *o, struct error *err)
{
	u32 n = meter_n_stretches(r->meter);
	struct buf names = BUF_INIT;
	int code;

	r->figures = meter_stretch(r->meter, o->to_ns ? 1 : 0);
	if (!o->region)
		return 0;
	for (u32 i = 1; i < n; i++) {
		struct figures *f = meter_stretch(r->meter, i);

		if (f->name && !strcmp(f->name, o->region)) {
			r->figures = f;
			buf_free(&names);
			return 0;
		}
		if (f->name)
			buf_printf(&names, "%s'%s'", names.len ? ", " : "", f->name);
	}
	code = error_set(err, -ENOENT, "the trace has no region '%s'%s%s", o->region,
			 names.len ? "; it has " : "; the program marked none",
			 names.len ? names.data : "");
	buf_free(&names);
	return code;
}

int report_ask(const struct report *r, const struct what_if_options *o, struct what_if *answer)
{
	const struct host_figures *host = meter_host(r->meter);
	const struct usage *time = &meter_stretch(r->meter, 0)->time;
	u64 alive = usage_alive(time);
	struct what_if_recording recording = {
		.cpus = r->affinity_cpus && (!r->cpus || r->affinity_cpus < r->cpus) ? r->affinity_cpus
										      : r->cpus,
		.throttled_ns = host->cgroup_last.throttled_ns - host->cgroup_first.throttled_ns,
		.unknown = alive ? (double)time->ns[USAGE_UNKNOWN] / (double)alive : 0,
	};

	return what_if_ask(r->graph, &recording, o, answer);
}

static bool has_thread(const struct model *m)
{
	for (u32 i = 0; i < model_n_threads(m); i++)
		if (!model_thread(m, i)->outsider)
			return true;
	return false;
}

static void find_paths(struct report *r, bool segments)
{
	int code = 0;

	for (u32 i = 0; !code && i < meter_n_stretches(r->meter); i++) {
		const struct figures *f = meter_stretch(r->meter, i);
		struct buf note = BUF_INIT;

		if (f->n_pieces < f->times && f->n_pieces == FIGURES_PIECES) {
			buf_printf(&note, "no critical path of '%s': it ran more than %d times", f->name,
				   FIGURES_PIECES);
			add_note(r, note.data ? note.data : "");
			buf_free(&note);
		} else if (f->n_pieces) {
			code = path_find(&r->paths[i], r->graph, f->pieces, f->n_pieces,
					 segments && f == r->figures);
		}
	}
	if (code == -E2BIG)
		add_note(r, "no critical path: it takes memory for each of more than a million states; --path asks for "
			 "it all the same");
	else if (code)
		add_note(r, "no critical path: there is no room for the graph (memory, or $TMPDIR)");
}

const struct path *report_path(const struct report *r, const struct figures *figures)
{
	for (u32 i = 0; i < meter_n_stretches(r->meter); i++)
		if (meter_stretch(r->meter, i) == figures)
			return r->paths[i];
	return NULL;
}

int report_read(struct report **out, const char *path, const struct report_options *o,
		report_progress progress, struct error *err)
{
	struct meter_options meter = {o->from_ns, o->to_ns, o->points > 0};
	struct report *r = calloc(1, sizeof(*r));
	struct trace_reader *reader = NULL;
	int code;

	if (!r)
		return error_set(err, -ENOMEM, "out of memory");
	code = trace_reader_open(&reader, path, err);
	if (!code)
		code = model_new(&r->model, err);
	if (!code) {
		const char *cpus = trace_reader_meta(reader, "cpus");
		const char *root = trace_reader_meta(reader, "root_tgid");

		r->points = o->points;
		r->command = meta(reader, "command");
		r->script = meta(reader, "script");
		r->kernel = meta(reader, "kernel");
		r->started = meta(reader, "started");
		r->host = meta(reader, "host");
		r->cpus = cpus ? (u32)strtoul(cpus, NULL, 10) : 0;
		r->root_tgid = root ? (s32)strtol(root, NULL, 10) : 0;
		if (o->parked_set)
			model_set_parked(r->model, o->parked);
		code = meter_new(&r->meter, r->model, &meter);
		if (!code)
			code = model_add_sink(r->model, meter_sink(), r->meter);
		if (!code)
			code = task_meter_new(&r->tasks, r->model, o->points > 0);
		if (!code)
			code = model_add_sink(r->model, task_meter_sink(), r->tasks);
		if (!code)
			code = graph_new(&r->graph, r->model);
		/* A plain report takes memory by threads and locks, not by events. */
		if (!code && !o->path_segments && !o->ask_what_if)
			graph_at_most(r->graph, GRAPH_NODES_IN_MEMORY);
		if (!code)
			code = model_add_sink(r->model, graph_sink(), r->graph);
		if (!code)
			code = read_all(r, reader, progress, err);
	}
	if (!code) {
		const char *status = trace_reader_meta(reader, "status");

		r->exit_status = status ? (int)strtol(status, NULL, 10) : -1;
		r->status = trace_reader_status(reader);
		if (!r->lost_events)
			r->lost_events = meter_losses(r->meter)->events;
		report_find_usable(r);
		code = choose_stretch(r, o, err);
	}
	if (!code) {
		r->phases = calloc(1, sizeof(*r->phases));
		if (!r->phases || phases_find(r->phases, meter_stretch(r->meter, 0)->series,
					      meter_stretch(r->meter, 0)->duration_ns))
			code = error_set(err, -ENOMEM, "out of memory");
	}
	trace_reader_close(reader);
	if (code) {
		report_free(r);
		return code;
	}
	if (!has_thread(r->model))
		add_note(r, "the trace has no thread: nobody that was traced ran or waited in it");
	figures_sort_locks(r->figures);
	r->asked = o->ask_what_if && !report_ask(r, &o->what_if, &r->what_if);
	if (o->ask_what_if && !r->asked)
		add_note(r, "no what-if: there is no room for the graph (memory, or $TMPDIR)");
	find_paths(r, o->path_segments);
	*out = r;
	return 0;
}

void report_free(struct report *r)
{
	if (!r)
		return;
	meter_free(r->meter);
	task_meter_free(r->tasks);
	for (size_t i = 0; i < ARRAY_SIZE(r->paths); i++)
		path_free(r->paths[i]);
	if (r->phases)
		phases_free(r->phases);
	free(r->phases);
	graph_free(r->graph);
	model_free(r->model);
	free(r->command);
	free(r->script);
	free(r->kernel);
	free(r->started);
	free(r->host);
	for (u32 i = 0; i < r->n_notes; i++)
		free(r->notes[i]);
	free(r->notes);
	for (u32 i = 0; i < r->n_facts; i++)
		free(r->facts[i]);
	free(r->facts);
	free(r);
}

void report_thread_label(const struct report *r, u32 thread, struct buf *buf)
{
	const struct thread *t = model_thread(r->model, thread);
	const char *label = thread_label(t);
	bool alone = true;

	/* Names are compared among at most a few thousand threads; beyond that every one has its tid. */
	for (u32 i = 0; alone && i < model_n_threads(r->model); i++)
		alone = i < 4096 && (i == thread ||
				     strcmp(thread_label(model_thread(r->model, i)), label));
	buf_puts(buf, label);
	if (!alone)
		buf_printf(buf, " (%d)", t->tid);
}
