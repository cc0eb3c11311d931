/* SPDX-License-Identifier: MIT */
#include "export/export.h"

#include <string.h>

#include "trace/trace.h"

const struct export_format *const export_formats[] = {
	&export_chrome,
	NULL,
};

const struct export_format *export_format_by_name(const char *name)
{
	for (size_t i = 0; export_formats[i]; i++)
		if (!strcmp(export_formats[i]->name, name))
			return export_formats[i];
	return NULL;
}

static int stream(struct model *model, struct trace_reader *reader, struct out *out,
		  export_progress progress, struct error *err)
{
	const struct record *rec;
	u32 n = 0;
	int code;

	while ((code = trace_reader_next(reader, &rec, err)) > 0) {
		code = model_push(model, rec);
		if (code)
			break;
		if (++n & 0xffff)
			continue;
		/* A full disk or a closed pipe ends it at once. */
		if (out_error(out))
			return 0;
		if (progress)
			progress(NULL, trace_reader_offset(reader), trace_reader_size(reader));
	}
	if (!code)
		code = model_finish(model);
	return code == -ENOMEM ? error_set(err, code, "out of memory") : code;
}

int export_file(const struct export_format *format, const char *trace, const char *path,
		const struct export_options *options, export_progress progress,
		struct export_result *result, struct error *err)
{
	struct trace_reader *reader = NULL;
	struct model *model = NULL;
	struct out *out = NULL;
	void *ctx = NULL;
	int code = trace_reader_open(&reader, trace, err);

	if (!code)
		code = model_new(&model, err);
	if (!code)
		code = out_open(&out, path, 0, err);
	if (!code) {
		code = format->open(&ctx, out, model, options);
		if (!code)
			code = model_add_sink(model, format->sink, ctx);
		if (!code)
			code = stream(model, reader, out, progress, err);
	}
	if (ctx) {
		int closed = format->close(ctx);

		if (!code && closed)
			code = error_set(err, closed, "out of memory");
	}
	if (!code) {
		out_flush(out);
		*result = (struct export_result){trace_reader_status(reader), out_bytes(out)};
		code = out_commit(out, err);
	} else {
		out_abort(out);
	}
	model_free(model);
	trace_reader_close(reader);
	return code;
}
