/* SPDX-License-Identifier: MIT */
/* cmd_export.c - a trace as a timeline for a viewer. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cmd.h"
#include "export/export.h"
#include "trace/trace.h"

struct options {
	const struct export_format *format;
	struct export_options export;
	const char *output;
};

enum { OPT_COMPAT = 256 };

static int parse(const struct cmd *cmd, int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"format", required_argument, NULL, 'f'}, {"output", required_argument, NULL, 'o'},
		{"compat", no_argument, NULL, OPT_COMPAT}, {NULL, 0, NULL, 0},
	};
	int c;

	*o = (struct options){.format = export_formats[0]};
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "f:o:", longs, NULL)) >= 0) {
		switch (c) {
		case 'f':
			o->format = export_format_by_name(optarg);
			if (!o->format)
				return cmd_usage(cmd, "there is no format '%s'; see corun export --help",
						 optarg);
			break;
		case 'o':
			o->output = optarg;
			break;
		case OPT_COMPAT:
			o->export.compat = true;
			break;
		default:
			return cmd_usage(cmd, "bad option '%s', or its argument is missing; see corun "
					 "export --help", argv[optind - 1]);
		}
	}
	if (argc - optind != 1)
		return cmd_usage(cmd, "give one trace; see corun export --help");
	return 0;
}

/* TRACE.corun -> TRACE.json, beside it. */
static char *default_output(const char *trace, const char *extension)
{
	struct buf name = BUF_INIT;
	size_t len = strlen(trace);

	if (!strcmp(trace, "-"))
		return strdup("-");
	if (len > 6 && !strcmp(trace + len - 6, ".corun"))
		len -= 6;
	buf_put(&name, trace, len);
	buf_puts(&name, extension);
	return name.data;
}

static void show_progress(void *ctx, u64 done, u64 total)
{
	(void)ctx;
	fprintf(stderr, "\r\033[K  %.0f %%", total ? 100.0 * (double)done / (double)total : 100.0);
}

static int export_run(const struct cmd *cmd, int argc, char **argv)
{
	struct error err = {0};
	struct options o;
	char *output;
	struct export_result result = {0};
	int code = parse(cmd, argc, argv, &o);

	if (code)
		return code;
	output = o.output ? strdup(o.output) : default_output(argv[optind], o.format->extension);
	if (!output)
		return cmd_fail(cmd, "out of memory");
	code = export_file(o.format, (const char *const *)argv + optind, 1, output, &o.export,
			   cmd_progress() ? show_progress : NULL, &result, &err);
	if (cmd_progress())
		fputs("\r\033[K", stderr);
	if (code)
		code = cmd_fail(cmd, "%s", error_text(&err, code));
	else if (result.status != TRACE_WHOLE)
		cmd_fail(cmd, "the trace is %s; what could be read is in %s",
			 result.status == TRACE_CUT ? "cut" : "damaged", output);
	else if (strcmp(output, "-") && !o.output)
		fprintf(stderr, "wrote %s (%.0f kB)\n", output, (double)result.bytes / 1000);
	free(output);
	return code;
}

const struct cmd cmd_export = {
	.name = "export",
	.arguments = "[options] TRACE",
	.summary = "Write a timeline for a viewer",
	.help = "  -f, --format FORMAT  chrome: Chrome trace JSON, for ui.perfetto.dev and others\n"
		"  -o, --output FILE    name of the file, \"-\" for standard output; FILE.gz compresses.\n"
		"                       Default: TRACE with the format's ending\n"
		"      --compat         chrome: slices alone, for viewers older than Perfetto v54\n",
	.run = export_run,
};
