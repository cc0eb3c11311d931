/* SPDX-License-Identifier: MIT */
/*
 * cmd_top.c - live: what the traced set does now. The collector's records go through a trace in memory
 * (trace/pipe.h) into the same model and the same figures as a report's, an interval after the other.
 */
#include <stdlib.h>
#include <string.h>

#include "model/kind.h"
#include "screen.h"
#include "top.h"

#define DELAY_MIN (100 * NSEC_PER_MSEC)
#define DELAY_MAX (3600 * NSEC_PER_SEC)

enum { OPT_SORT = 256, OPT_JSON, OPT_PARKED };

static int parse_sort(const struct cmd *cmd, const char *text, enum frame_sort *sort)
{
	static const char *const names[FRAME_SORTS] = {"flight", "running", "ready", "waiting", "number"};

	for (size_t i = 0; i < FRAME_SORTS; i++)
		if (!strcmp(text, names[i])) {
			*sort = (enum frame_sort)i;
			return 0;
		}
	return cmd_usage(cmd, "--sort is flight, running, ready, waiting or number, not '%s'", text);
}

static int parse_option(struct top *t, int c, char **argv)
{
	const struct cmd *cmd = t->cmd;
	const char *bad;
	char *end;
	int status;
	u32 kinds;

	if (target_option(cmd, c, optarg, &t->target, &status))
		return status;
	switch (c) {
	case 'd':
		if (cmd_parse_time(optarg, &t->look.delay_ns) || t->look.delay_ns < DELAY_MIN ||
		    t->look.delay_ns > DELAY_MAX)
			return cmd_usage(cmd, "-d takes 0.1 to 3600 seconds, not '%s'", optarg);
		return 0;
	case 'n':
		t->count = strtoull(optarg, &end, 10);
		if (*end || !t->count || *optarg == '-')
			return cmd_usage(cmd, "-n takes a number of intervals, not '%s'", optarg);
		return 0;
	case 'b':
		t->batch = true;
		return 0;
	case 'H':
		t->look.threads = true;
		return 0;
	case OPT_JSON:
		t->batch = t->json = true;
		return 0;
	case OPT_SORT:
		return parse_sort(cmd, optarg, &t->look.sort);
	case OPT_PARKED:
		t->parked = optarg;
		if (kind_parse_set(optarg, &kinds, &bad))
			return cmd_usage(cmd, "'%s' is no wait kind; the README lists them", bad);
		return 0;
	}
	return cmd_usage(cmd, "bad option '%s', or its argument is missing; see corun top --help",
			 argv[optind - 1]);
}

static int parse(struct top *t, int argc, char **argv)
{
	static const struct option longs[] = {
		TARGET_LONG,
		{"delay", required_argument, NULL, 'd'},
		{"iterations", required_argument, NULL, 'n'},
		{"batch", no_argument, NULL, 'b'},
		{"threads", no_argument, NULL, 'H'},
		{"sort", required_argument, NULL, OPT_SORT},
		{"json", no_argument, NULL, OPT_JSON},
		{"parked", required_argument, NULL, OPT_PARKED},
		{NULL, 0, NULL, 0},
	};
	int c, status;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "+" TARGET_SHORT "d:n:bH", longs, NULL)) >= 0) {
		status = parse_option(t, c, argv);
		if (status)
			return status;
	}
	status = target_options_end(t->cmd, argv + optind, &t->target);
	if (!status && !t->target.given)
		t->target.kind = TARGET_ALL;
	return status;
}

/* As wide as somebody says, else as a report. */
static int batch_columns(void)
{
	const char *text = getenv("COLUMNS");
	long columns = text ? strtol(text, NULL, 10) : 0;

	return columns >= 20 && columns <= 1000 ? (int)columns : REPORT_COLUMNS;
}

static int run_session(struct top *t)
{
	struct error err = {0};
	int code = top_begin(t, &err);

	if (code)
		return cmd_fail(t->cmd, "%s", error_text(&err, code));
	if (!t->batch) {
		code = screen_open(cmd_color(), &err);
		t->look.color = screen_color();
		if (!code)
			top_draw(t);
	}
	if (!code)
		code = top_follow(t, &err);
	screen_close();
	return code ? cmd_fail(t->cmd, "%s", error_text(&err, code)) : top_finish(t);
}

static int top_run(const struct cmd *cmd, int argc, char **argv)
{
	struct top t = {
		.cmd = cmd,
		.command = {.go = -1, .failure = -1, .pid = -1},
		.look = {.delay_ns = NSEC_PER_SEC, .columns = batch_columns(), .utf8 = cmd_utf8()},
	};
	int status = parse(&t, argc, argv);

	if (!status) {
		t.batch |= !screen_possible();
		status = run_session(&t);
	}
	top_free(&t);
	return status;
}

const struct cmd cmd_top = {
	.name = "top",
	.arguments = "[options] [-p PID... | --comm GLOB | --cgroup PATH | --all | -- COMMAND...]",
	.summary = "Live: how many are in flight, how many run, and what stands between them",
	.help =
	TARGET_HELP
	"  -d, --delay SECONDS     length of an interval, 0.1 to 3600; default 1\n"
	"  -n, --iterations COUNT  end after so many intervals\n"
	"  -b, --batch             plain text, one interval below the other; so too where standard\n"
	"                          input or output is no terminal, or one that cannot move its cursor\n"
	"      --json              the figures of `corun report --json`, one line an interval\n"
	"  -H, --threads           threads instead of processes\n"
	"      --sort KEY          flight (default), running, ready, waiting or number\n"
	"      --parked KINDS      wait kinds that count as parked (join,child,poll ...)\n"
	"\nWithout a target: --all.\n"
	"Keys: q quit, H threads, s sort, p pause, + and - interval, l locks, arrows scroll, ? help.\n"
	"A COMMAND runs as the user who called sudo; on a screen its own output is not shown. Nothing is\n"
	"written: `corun record` keeps what happens. NO_COLOR is respected.\n",
	.run = top_run,
};
