/* SPDX-License-Identifier: MIT */
/*
 * export.h - a trace in other people's formats. One file a format; a format is a model sink with a
 * beginning and an end, and one line in export_formats.
 */
#ifndef CORUN_EXPORT_EXPORT_H
#define CORUN_EXPORT_EXPORT_H

#include "base/out.h"
#include "model/model.h"

struct export_options {
	bool compat; /* chrome: X slices alone, for every viewer */
	bool korean; /* html: which language it opens in */
};

struct export_format {
	const char *name;      /* -f NAME */
	const char *extension; /* ".json" */
	const char *summary;
	const struct model_sink *sink;
	/* Begin: write what comes first to @out, which is borrowed. *@ctx is the sink's context. */
	int (*open)(void **ctx, struct out *out, struct model *model,
		    const struct export_options *options);
	/* End: write what comes last and free. 0 or -ENOMEM; write errors stick to the out. */
	int (*close)(void *ctx);
};

extern const struct export_format export_chrome;

/* Ends with a NULL. */
extern const struct export_format *const export_formats[];
const struct export_format *export_format_by_name(const char *name);

/* Called now and then with bytes read of the trace and in all; may be NULL. */
typedef void (*export_progress)(void *ctx, u64 done, u64 total);

/* What became of an export. */
struct export_result {
	int status;  /* enum trace_status: a cut or damaged trace is exported as far as it reads */
	u64 bytes;   /* before compression */
};

/*
 * Read @trace, write @path (which appears whole or not at all; "-": standard output). 0 or -errno
 * with @err.
 */
int export_file(const struct export_format *format, const char *trace, const char *path,
		const struct export_options *options, export_progress progress,
		struct export_result *result, struct error *err);

#endif
