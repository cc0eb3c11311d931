/* SPDX-License-Identifier: MIT */
/* cmd_export.c - a trace as a timeline for a viewer, or as tables for a database. */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
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
	s32 *tgids, *tids; /* what export.tgids and export.tids point to */
};

enum {
	OPT_COMPAT = 256, OPT_FROM, OPT_TO, OPT_TID, OPT_COMM, OPT_MIN_WAIT, OPT_ALL_IDLE, OPT_PATH,
	OPT_LANG, OPT_LESSON,
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

/* "1,2,3" appended to *@list. */
static int parse_ids(const char *text, s32 **list, size_t *n)
{
	do {
		char *end;
		long value = strtol(text, &end, 10);
		s32 *bigger;

		if (end == text || value <= 0 || value > INT32_MAX || (*end && *end != ','))
			return -EINVAL;
		bigger = realloc(*list, (*n + 1) * sizeof(**list));
		if (!bigger)
			return -ENOMEM;
		bigger[(*n)++] = (s32)value;
		*list = bigger;
		text = *end ? end + 1 : end;
	} while (*text);
	return 0;
}

static int parse_time(const struct cmd *cmd, const char *option, u64 *ns)
{
	if (cmd_parse_time(optarg, ns))
		return cmd_usage(cmd, "%s takes a time such as 1.5s, 200ms or 50us, not '%s'", option,
				 optarg);
	return 0;
}

static int parse_option(const struct cmd *cmd, int c, char **argv, struct options *o)
{
	struct export_options *e = &o->export;

	switch (c) {
	case 'f':
		o->format = export_format_by_name(optarg);
		return o->format ? 0 : cmd_usage(cmd, "there is no format '%s'; see corun export "
						 "--help", optarg);
	case 'o':
		o->output = optarg;
		return 0;
	case OPT_COMPAT:
		e->compat = true;
		return 0;
	case OPT_ALL_IDLE:
		e->all_idle = true;
		return 0;
	case OPT_LANG:
		if (cmd_parse_language(cmd, optarg, &e->language))
			return 2;
		return 0;
	case OPT_PATH:
		e->critical_path = true;
		return 0;
	case OPT_LESSON:
		e->lesson = optarg;
		return 0;
	case OPT_COMM:
		e->comm = optarg;
		return 0;
	case OPT_FROM:
		return parse_time(cmd, "--from", &e->from_ns);
	case OPT_TO:
		return parse_time(cmd, "--to", &e->to_ns);
	case OPT_MIN_WAIT:
		return parse_time(cmd, "--min-wait", &e->min_wait_ns);
	case 'p':
		if (parse_ids(optarg, &o->tgids, &e->n_tgids))
			return cmd_usage(cmd, "--pid takes process ids, as 12 or 12,34; not '%s'", optarg);
		return 0;
	case OPT_TID:
		if (parse_ids(optarg, &o->tids, &e->n_tids))
			return cmd_usage(cmd, "--tid takes thread ids, as 12 or 12,34; not '%s'", optarg);
		return 0;
	default:
		return cmd_usage(cmd, "bad option '%s', or its argument is missing; see corun export "
				 "--help", argv[optind - 1]);
	}
}

static int parse(const struct cmd *cmd, int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"format", required_argument, NULL, 'f'},
		{"output", required_argument, NULL, 'o'},
		{"compat", no_argument, NULL, OPT_COMPAT},
		{"from", required_argument, NULL, OPT_FROM},
		{"to", required_argument, NULL, OPT_TO},
		{"pid", required_argument, NULL, 'p'},
		{"tid", required_argument, NULL, OPT_TID},
		{"comm", required_argument, NULL, OPT_COMM},
		{"min-wait", required_argument, NULL, OPT_MIN_WAIT},
		{"all-idle", no_argument, NULL, OPT_ALL_IDLE},
		{"critical-path", no_argument, NULL, OPT_PATH},
		{"lesson", required_argument, NULL, OPT_LESSON},
		{"lang", required_argument, NULL, OPT_LANG},
		{NULL, 0, NULL, 0},
	};
	int c, code;

	*o = (struct options){.format = export_formats[0]};
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "f:o:p:", longs, NULL)) >= 0) {
		code = parse_option(cmd, c, argv, o);
		if (code)
			return code;
	}
	o->export.tgids = o->tgids;
	o->export.tids = o->tids;
	if (argc == optind)
		return cmd_usage(cmd, "give a trace; see corun export --help");
	if (o->export.to_ns && o->export.to_ns <= o->export.from_ns)
		return cmd_usage(cmd, "--to is not after --from");
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

static int progress(void *ctx, u64 done, u64 total)
{
	(void)ctx;
	if (cmd_progress())
		fprintf(stderr, "\r\033[K  %.0f %%",
			total ? 100.0 * (double)done / (double)total : 100.0);
	return interrupted;
}

/* Ctrl-C ends in the same way as a full disk: one line, and no half file. */
static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void say_result(const struct cmd *cmd, const struct options *o, int traces,
		       const char *output, const struct export_result *result)
{
	if (result->status != TRACE_WHOLE)
		cmd_fail(cmd, "the trace is %s; what could be read is in %s",
			 result->status == TRACE_CUT ? "cut" : "damaged", output);
	if (!result->threads && !o->format->write &&
	    (o->export.n_tgids || o->export.n_tids || o->export.comm || o->export.from_ns))
		cmd_fail(cmd, "no thread of the trace is what the options ask for; %s is empty", output);
	if (result->no_path)
		fprintf(stderr, "no critical path: it takes memory for each of more than %d states; --critical-path "
			"draws it all the same\n", EXPORT_PATH_STATES);
	if (o->format->write)
		; /* a page keeps each trace on a time of its own */
	else if (traces > 1 && result->unsure_ns < 0)
		fprintf(stderr, "the traces are laid side by side by their wall clocks; how well those "
			"agree is not known (no NTP kept them when they were recorded)\n");
	else if (traces > 1 && result->unsure_ns)
		fprintf(stderr, "the traces are laid side by side by their wall clocks, which may be "
			"%.3f ms apart\n", (double)result->unsure_ns / 1e6);
	else if (traces > 1)
		fprintf(stderr, "the traces share one clock: their order is exact\n");
	if (result->status == TRACE_WHOLE && strcmp(output, "-") && !o->output)
		fprintf(stderr, "wrote %s (%.0f kB)\n", output, (double)result->bytes / 1000);
}

static int export_run(const struct cmd *cmd, int argc, char **argv)
{
	struct export_result result = {0};
	struct error err = {0};
	char *output = NULL;
	struct options o;
	int code = parse(cmd, argc, argv, &o);

	if (code)
		goto out;
	output = o.output ? strdup(o.output) : default_output(argv[optind], o.format->extension);
	if (!output) {
		code = cmd_fail(cmd, "out of memory");
		goto out;
	}
	catch_signals();
	code = export_file(o.format, (const char *const *)argv + optind, (u32)(argc - optind), output,
			   &o.export, progress, &result, &err);
	if (cmd_progress())
		fputs("\r\033[K", stderr);
	if (code)
		code = cmd_fail(cmd, "%s", error_text(&err, code));
	else
		say_result(cmd, &o, argc - optind, output, &result);
out:
	free(output);
	free(o.tgids);
	free(o.tids);
	return code;
}

const struct cmd cmd_export = {
	.name = "export",
	.arguments = "[options] TRACE...",
	.summary = "Write a timeline for a viewer",
	.help = "  -f, --format FORMAT  chrome: Chrome trace JSON, for ui.perfetto.dev and others\n"
		"                       perfetto: its own format, a seventh of the size\n"
		"                       ndjson: tables for databases, a JSON object a line\n"
		"                       html: one page with the viewer in it, that needs no network\n"
		"  -o, --output FILE    name of the file, \"-\" for standard output; FILE.gz compresses.\n"
		"                       Default: TRACE with the format's ending\n"
		"      --lang LANG      html: the page opens in English (en) or Korean (ko)\n"
		"      --lesson FILE    html: the page asks first; viewer/PAGE.md describes FILE\n"
		"      --compat         chrome: slices alone, for viewers older than Perfetto v54\n"
		"      --critical-path  chrome, perfetto: its track in a long trace too (takes memory)\n"
		"\n"
		"Several traces, also of several hosts, go onto one time line by their wall clocks.\n"
		"\n"
		"What is exported (counters are of that):\n"
		"      --from TIME      from here, since the window opened: 1.5s, 200ms\n"
		"      --to TIME        up to here\n"
		"  -p, --pid PID,...    these processes\n"
		"      --tid TID,...    these threads\n"
		"      --comm GLOB      threads and processes that were ever so called\n"
		"      --min-wait TIME  draw no shorter wait; the counters still count it\n"
		"      --all-idle       of a recording of everything, kernel threads and idle CPUs too\n",
	.run = export_run,
};
