/* SPDX-License-Identifier: MIT */
/* cmd_compare.c - two or more traces of the same work side by side. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "export/export.h"
#include "metrics/compare.h"

#define MAX_TRACES 32

struct options {
	struct report_options report;
	bool json, html;
	const char *language; /* NULL: not chosen */
	const char *output;
};

enum { OPT_JSON = 256, OPT_REGION, OPT_LANG };

static int parse(const struct cmd *cmd, int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, OPT_JSON},
		{"region", required_argument, NULL, OPT_REGION},
		{"lang", required_argument, NULL, OPT_LANG},
		{"format", required_argument, NULL, 'f'},
		{"output", required_argument, NULL, 'o'},
		{NULL, 0, NULL, 0},
	};
	int c;

	*o = (struct options){0};
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "f:o:", longs, NULL)) >= 0) {
		switch (c) {
		case OPT_JSON:
			o->json = true;
			break;
		case OPT_REGION:
			o->report.region = optarg;
			break;
		case OPT_LANG:
			if (cmd_parse_language(cmd, optarg, &o->language))
				return 2;
			break;
		case 'f':
			o->html = !strcmp(optarg, "html");
			if (!o->html)
				return cmd_usage(cmd, "there is no format '%s'; html is there", optarg);
			break;
		case 'o':
			o->output = optarg;
			break;
		default:
			return cmd_usage(cmd, "bad option '%s', or its argument is missing; see corun "
					 "compare --help", argv[optind - 1]);
		}
	}
	if (argc - optind < 2 || argc - optind > MAX_TRACES)
		return cmd_usage(cmd, "give 2 to %d traces; see corun compare --help", MAX_TRACES);
	if (o->html && !o->output)
		return cmd_usage(cmd, "-f html needs -o FILE");
	return 0;
}

static int write_page(const struct cmd *cmd, const struct options *o, char **traces, int n)
{
	struct export_options options = {.language = o->language};
	struct export_result result;
	struct error err = {0};
	int code = export_file(&export_html, (const char *const *)traces, (u32)n, o->output, &options,
			       NULL, &result, &err);

	return code ? cmd_fail(cmd, "%s", error_text(&err, code)) : 0;
}

static int compare_run(const struct cmd *cmd, int argc, char **argv)
{
	struct compare_side sides[MAX_TRACES] = {0};
	struct report *reports[MAX_TRACES] = {0};
	struct buf text = BUF_INIT;
	struct error err = {0};
	struct options o;
	size_t n = 0;
	int code = parse(cmd, argc, argv, &o);

	if (!code && o.html)
		return write_page(cmd, &o, argv + optind, argc - optind);
	for (; !code && optind + (int)n < argc; n++) {
		const char *path = argv[optind + (int)n];

		code = report_read(&reports[n], path, &o.report, NULL, &err);
		if (code) {
			code = cmd_fail(cmd, "%s", error_text(&err, code));
			break;
		}
		sides[n] = (struct compare_side){reports[n], compare_name(path)};
		if (!sides[n].name)
			code = cmd_fail(cmd, "out of memory");
		if (reports[n]->status != TRACE_WHOLE)
			cmd_fail(cmd, "%s is %s: it is compared as far as it reads", path,
				 reports[n]->status == TRACE_CUT ? "cut" : "damaged");
	}
	if (!code && o.json)
		compare_json(sides, n, &text);
	else if (!code)
		compare_text(sides, n, cmd_korean(o.language), &text);
	if (!code && text.failed)
		code = cmd_fail(cmd, "out of memory");
	if (!code)
		fwrite(text.data, 1, text.len, stdout);
	buf_free(&text);
	for (size_t i = 0; i < MAX_TRACES; i++) {
		report_free(reports[i]);
		free(sides[i].name);
	}
	return code;
}

const struct cmd cmd_compare = {
	.name = "compare",
	.arguments = "[options] TRACE TRACE...",
	.summary = "Put recordings of the same work side by side, and say what the difference is",
	.help = "      --json         as JSON, with the whole report of each trace\n"
		"      --region NAME  over a region that the programs marked\n"
		"      --lang LANG    in English (en) or Korean (ko)\n"
		"  -f html -o FILE    one page with all of them on one time scale\n",
	.run = compare_run,
};
