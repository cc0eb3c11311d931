/* SPDX-License-Identifier: MIT */
/* cmd_run.c - record, print the summary, write the timeline: the whole road in one command. */
#include <stdio.h>
#include <string.h>

#include "export/export.h"
#include "metrics/report.h"
#include "recording.h"

static int print_summary(const struct cmd *cmd, const char *trace)
{
	struct report_options options = {0};
	struct report_look look = {.utf8 = cmd_utf8()};
	struct buf text = BUF_INIT;
	struct error err = {0};
	struct report *report;
	int code = report_read(&report, trace, &options, NULL, &err);

	if (code)
		return cmd_fail(cmd, "%s", error_text(&err, code));
	report_text(report, &look, &text);
	report_free(report);
	if (text.failed) {
		buf_free(&text);
		return cmd_fail(cmd, "out of memory");
	}
	fwrite(text.data, 1, text.len, stdout);
	buf_free(&text);
	return 0;
}

static int write_timeline(const struct cmd *cmd, const struct recording *recording)
{
	const char *trace = recording->trace;
	struct export_options options = {0};
	struct export_result result;
	struct error err = {0};
	char path[4200];
	int code;

	snprintf(path, sizeof(path), "%s.json", recording->stem);
	code = export_file(&export_chrome, &trace, 1, path, &options, NULL, &result, &err);
	if (code)
		return cmd_fail(cmd, "%s", error_text(&err, code));
	printf("\n  wrote %s (%.0f kB) and %s (%.0f kB)\n"
	       "  see it: corun export -f html %s\n"
	       "  or drop %s on ui.perfetto.dev\n", recording->trace, (double)recording->bytes / 1000,
	       path, (double)result.bytes / 1000, recording->trace, path);
	return 0;
}

static int run_run(const struct cmd *cmd, int argc, char **argv)
{
	struct recording_options options;
	struct recording recording = {0};
	int status = recording_parse(cmd, argc, argv, &options);

	if (!status && options.output && !strcmp(options.output, "-"))
		status = cmd_usage(cmd, "the summary goes to standard output; use corun record -o -");
	if (!status)
		status = recording_make(cmd, &options, &recording);
	if (!status)
		status = print_summary(cmd, recording.trace);
	if (!status)
		status = write_timeline(cmd, &recording);
	if (!status)
		status = recording.status;
	recording_options_free(&options);
	return status;
}

const struct cmd cmd_run = {
	.name = "run",
	.arguments = "[options] [--] COMMAND...",
	.summary = "Record a program, print the summary, write NAME.corun and NAME.json",
	.help = RECORDING_HELP,
	.run = run_run,
};
