/* SPDX-License-Identifier: MIT */
/* cmd_report.c - the figures of a trace, for people or as JSON. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "metrics/report.h"
#include "metrics/series.h"

enum { OPT_JSON = 256, OPT_REGION, OPT_FROM, OPT_TO, OPT_PARKED, OPT_ALL_THREADS, OPT_LANG, OPT_PATH, OPT_WHAT_IF,
       OPT_POINTS };

struct options {
	struct report_options report;
	bool json, all_threads;
	const char *language;
};

static int parse(const struct cmd *cmd, int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, OPT_JSON},
		{"region", required_argument, NULL, OPT_REGION},
		{"from", required_argument, NULL, OPT_FROM},
		{"to", required_argument, NULL, OPT_TO},
		{"parked", required_argument, NULL, OPT_PARKED},
		{"what-if", required_argument, NULL, OPT_WHAT_IF},
		{"path", no_argument, NULL, OPT_PATH},
		{"points", required_argument, NULL, OPT_POINTS},
		{"all-threads", no_argument, NULL, OPT_ALL_THREADS},
		{"lang", required_argument, NULL, OPT_LANG},
		{NULL, 0, NULL, 0},
	};
	const char *bad;
	unsigned long points;
	char *end;
	int c;

	*o = (struct options){0};
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		switch (c) {
		case OPT_JSON:
			o->json = true;
			break;
		case OPT_REGION:
			o->report.region = optarg;
			break;
		case OPT_FROM:
		case OPT_TO:
			if (cmd_parse_time(optarg, c == OPT_FROM ? &o->report.from_ns : &o->report.to_ns))
				return cmd_usage(cmd, "'%s' is no time; write 1.5 or 200ms", optarg);
			break;
		case OPT_PARKED:
			if (kind_parse_set(optarg, &o->report.parked, &bad))
				return cmd_usage(cmd, "'%s' is no wait kind; the README lists them", bad);
			o->report.parked_set = true;
			break;
		case OPT_WHAT_IF:
			if (what_if_parse(optarg, &o->report.what_if, &bad))
				return cmd_usage(cmd, "'%s' is no what-if; write cpus=N, no-gil, "
						 "no-lock=ADDRESS, io=0", bad);
			o->report.ask_what_if = true;
			break;
		case OPT_PATH:
			o->report.path_segments = true;
			break;
		case OPT_POINTS:
			points = strtoul(optarg, &end, 10);
			o->report.points = (u32)points;
			if (*end || *optarg == '-' || !points || points > SERIES_BINS)
				return cmd_usage(cmd, "'%s' is no number of points; write 1 to %d", optarg,
						 SERIES_BINS);
			break;
		case OPT_ALL_THREADS:
			o->all_threads = true;
			break;
		case OPT_LANG:
			if (cmd_parse_language(cmd, optarg, &o->language))
				return 2;
			break;
		default:
			return cmd_usage(cmd, "bad option '%s', or its argument is missing; see corun "
					 "report --help", argv[optind - 1]);
		}
	}
	if (argc - optind != 1)
		return cmd_usage(cmd, "give one trace; see corun report --help");
	if (o->report.from_ns && !o->report.to_ns)
		o->report.to_ns = UINT64_MAX;
	if (o->report.to_ns && o->report.to_ns <= o->report.from_ns)
		return cmd_usage(cmd, "--to must be later than --from");
	return 0;
}

static void show_progress(u64 done, u64 total)
{
	fprintf(stderr, "\r\033[K  %.0f %%", total ? 100.0 * (double)done / (double)total : 100.0);
}

static int report_run(const struct cmd *cmd, int argc, char **argv)
{
	struct buf buf = BUF_INIT;
	struct error err = {0};
	struct report *report;
	struct options o;
	int code = parse(cmd, argc, argv, &o);

	if (code)
		return code;
	code = report_read(&report, argv[optind], &o.report, cmd_progress() ? show_progress : NULL, &err);
	if (cmd_progress())
		fputs("\r\033[K", stderr);
	if (code)
		return cmd_fail(cmd, "%s", error_text(&err, code));
	if (o.json) {
		report_json(report, &buf);
	} else {
		struct report_look look = {cmd_utf8(), o.all_threads, cmd_korean(o.language)};

		report_text(report, &look, &buf);
	}
	report_free(report);
	if (buf.failed) {
		buf_free(&buf);
		return cmd_fail(cmd, "out of memory");
	}
	fwrite(buf.data, 1, buf.len, stdout);
	buf_free(&buf);
	return 0;
}

const struct cmd cmd_report = {
	.name = "report",
	.arguments = "[options] TRACE",
	.summary = "Say what ran at the same time, and what stood in between",
	.help = "      --json         as JSON\n"
		"      --region NAME  over a region that the program marked\n"
		"      --from T --to T  over a stretch of the window (1.5, 200ms)\n"
		"      --parked KINDS wait kinds that do not count as in flight (join,child,poll ...)\n"
		"      --what-if cpus=N[,no-gil][,no-lock=ADDRESS][,io=0]  predict the wall time\n"
		"      --path         the critical path of a long trace, too; with --json each stretch\n"
		"      --points N     with --json: the curves as N points of equal width (1 to 1024)\n"
		"      --all-threads  every line of the long lists\n"
		"      --lang LANG    the verdict in English (en) or Korean (ko)\n",
	.run = report_run,
};
