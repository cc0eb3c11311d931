/* SPDX-License-Identifier: MIT */
#include "export/export.h"

#include <stdlib.h>
#include <string.h>

#include "export/parts.h"
#include "export/select.h"
#include "metrics/path.h"

const struct export_format *const export_formats[] = {
	&export_chrome,
	&export_html,
	&export_perfetto,
	&export_ndjson,
	NULL,
};

const struct export_format *export_format_by_name(const char *name)
{
	for (size_t i = 0; export_formats[i]; i++)
		if (!strcmp(export_formats[i]->name, name))
			return export_formats[i];
	return NULL;
}

int export_goes_on(const struct export_options *options, u64 done, u64 total, struct error *err)
{
	if (!options->progress || !options->progress(NULL, done, total))
		return 0;
	return error_set(err, -EINTR, "interrupted; nothing was written");
}

/* What one export needs from beginning to end. */
struct job {
	const struct export_format *format;
	struct out *out;
	struct parts parts;
	struct export_result *result;
};

static int stream(struct job *job, struct model *model, struct trace_reader *reader,
		  const struct selection *selection, struct error *err)
{
	const struct record *rec;
	u32 n = 0;
	int code;

	while ((code = trace_reader_next(reader, &rec, err)) > 0) {
		code = model_push(model, rec);
		/* What comes after --to is not asked for; this record has closed what was open. */
		if (code || (selection->open && rec->ts > selection->to))
			break;
		if (++n & 0xffff)
			continue;
		/* A full disk or a closed pipe ends it at once. */
		if (out_error(job->out))
			return 0;
		code = export_goes_on(selection->options, job->parts.done + trace_reader_offset(reader),
				      job->parts.size, err);
		if (code)
			return code;
	}
	if (!code)
		code = model_finish(model);
	return code == -ENOMEM ? error_set(err, code, "out of memory") : code;
}

/* The path is known at the end; of it what lies in [from, to]. */
static int tell_path(struct job *job, const struct graph *graph, const struct selection *selection,
		     struct error *err)
{
	struct path *path = NULL;
	int code = graph_error(graph);

	if (!code)
		code = path_find(&path, graph, NULL, 0, true);
	if (code == -E2BIG) {
		job->result->no_path = true;
		return 0;
	}
	if (code)
		return error_set(err, code, "there is no room for the critical path (memory, or "
				 "$TMPDIR); export without --critical-path");
	for (u32 i = 0; i < path->n_segments; i++) {
		struct path_segment segment = path->segments[i];

		if (segment.start_ns < selection->from)
			segment.start_ns = selection->from;
		if (segment.end_ns > selection->to)
			segment.end_ns = selection->to;
		if (segment.start_ns < segment.end_ns)
			job->format->path(selection->ctx, &segment);
	}
	path_free(path);
	return 0;
}

/* It is everybody's path: unasked it stands where everybody does. */
static bool wants_path(const struct export_format *format, const struct export_options *o)
{
	return format->path && (o->critical_path || (!o->n_tgids && !o->n_tids && !o->comm));
}

static int export_part(struct job *job, u32 index, struct export_options *options,
		       struct error *err)
{
	struct part *part = &job->parts.part[index];
	struct selection selection = {0};
	struct model *model = NULL;
	struct graph *graph = NULL;
	void *ctx = NULL;
	int code = model_new(&model, err);

	options->part = &part->pub;
	if (!code && options->comm)
		code = select_find_named(&selection, options->comm, part->reader, err);
	if (!code)
		code = job->format->open(&ctx, job->out, model, options);
	if (!code) {
		select_init(&selection, job->format, ctx, options, model);
		code = model_add_sink(model, &select_sink, &selection);
	}
	if (!code && wants_path(job->format, options)) {
		code = graph_new(&graph, model);
		if (!code && !options->critical_path)
			graph_at_most(graph, EXPORT_PATH_STATES);
		if (!code)
			code = model_add_sink(model, graph_sink(), graph);
	}
	if (!code)
		code = stream(job, model, part->reader, &selection, err);
	if (!code && graph)
		code = tell_path(job, graph, &selection, err);
	if (ctx) {
		int closed = job->format->close(ctx);

		if (!code && (closed || selection.curves.failed || selection.lanes.failed || selection.idle.failed))
			code = error_set(err, -ENOMEM, "out of memory");
	}
	if (!code && (int)trace_reader_status(part->reader) > job->result->status &&
	    !options->to_ns)
		job->result->status = (int)trace_reader_status(part->reader);
	job->result->threads += selection.threads;
	job->parts.done += trace_reader_size(part->reader);
	select_free(&selection);
	graph_free(graph);
	model_free(model);
	return code;
}

int export_file(const struct export_format *format, const char *const *traces, u32 n_traces,
		const char *path, const struct export_options *given, export_progress progress,
		struct export_result *result, struct error *err)
{
	struct job job = {.format = format, .result = result};
	struct export_options options = *given;
	int code;

	*result = (struct export_result){0};
	options.progress = progress;
	if (n_traces > 1 && format->one_trace)
		return error_set(err, -EINVAL, "-f %s takes one trace", format->name);
	code = parts_open(&job.parts, traces, n_traces, err);
	if (!code)
		code = out_open(&job.out, path, 0, err);
	if (!code && format->write)
		code = format->write(job.out, traces, n_traces, &options, err);
	for (u32 i = 0; !code && !format->write && i < n_traces; i++)
		code = export_part(&job, i, &options, err);
	if (!code) {
		out_flush(job.out);
		result->bytes = out_bytes(job.out);
		result->unsure_ns = job.parts.unsure_ns;
		code = out_commit(job.out, err);
	} else {
		out_abort(job.out);
	}
	parts_close(&job.parts);
	return code;
}
