/* SPDX-License-Identifier: MIT */
/*
 * cmd_top.c - live: what the traced set does now. The collector's records go through a trace in memory
 * (trace/pipe.h) into the same model and the same figures as a report's, an interval after the other.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "metrics/frame_text.h"
#include "metrics/live.h"
#include "model/kind.h"
#include "record/collect.h"
#include "record/host.h"
#include "record/loader.h"
#include "screen.h"
#include "target_options.h"
#include "trace/pipe.h"

#define DELAY_MIN (100 * NSEC_PER_MSEC)
#define DELAY_MAX (3600 * NSEC_PER_SEC)
/* Records are taken this often at least, so that few wait in memory. */
#define TAKE_NS (250 * NSEC_PER_MSEC)
#define POLL_MS 50

static volatile sig_atomic_t interrupted;

struct top {
	const struct cmd *cmd;
	struct target_options target;
	u64 count;              /* intervals; 0: no end */
	bool batch, json;
	const char *parked;

	struct command command;
	struct trace_pipe *pipe;
	struct trace_writer *writer;
	struct session *session;
	struct quota_source quota;
	struct live *live;

	u64 next_ns;            /* end of this interval; 0: the window has not begun */
	u64 take_ns;            /* when the records are next taken */
	u64 begin_ns;           /* when all was set up */
	u64 shown;              /* intervals */
	bool ended, quit;
	struct frame frame;
	bool seen;              /* frame holds an interval */
	struct frame_look look;
	struct frame_page page;
};

/* ---- options ---- */

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

/* ---- showing ---- */

/* As wide as somebody says, else as a report. */
static int batch_columns(void)
{
	const char *text = getenv("COLUMNS");
	long columns = text ? strtol(text, NULL, 10) : 0;

	return columns >= 20 && columns <= 1000 ? (int)columns : REPORT_COLUMNS;
}

/* Nobody reads any more: main() says so. */
static void put_out(struct top *t)
{
	fwrite(t->page.text.data, 1, t->page.text.len, stdout);
	t->quit |= fflush(stdout) || ferror(stdout);
}

static void draw(struct top *t)
{
	if (!t->batch)
		screen_size(&t->look.columns, &t->look.rows);
	frame_text(t->seen ? &t->frame : NULL, &t->look, &t->page);
	if (t->page.text.failed)
		return;
	if (!t->batch) {
		screen_draw(&t->page);
		return;
	}
	if (t->shown > 1)
		putchar('\n');
	put_out(t);
}

static int show(struct top *t, const struct report *report)
{
	int code;

	t->shown++;
	t->quit |= t->count && t->shown >= t->count;
	if (t->json) {
		buf_clear(&t->page.text);
		report_interval_json(report, &t->page.text);
		if (t->page.text.failed)
			return -ENOMEM;
		put_out(t);
		return 0;
	}
	if (t->look.paused)
		return 0;
	code = frame_take(&t->frame, report);
	if (code)
		return code;
	t->seen = true;
	frame_sort(&t->frame, t->look.sort);
	draw(t);
	return 0;
}

/* ---- intervals ---- */

/* Records until @until_ns, or the end of the interval; *@cut: it has come. */
static int read_interval(struct top *t, u64 until_ns, bool *cut)
{
	const struct record *rec;
	u64 limit = t->next_ns && t->next_ns < until_ns ? t->next_ns : until_ns;
	int code;

	while ((code = trace_pipe_next(t->pipe, limit, &rec)) > 0) {
		code = live_push(t->live, rec);
		if (code)
			return code;
		if (!t->next_ns && live_begin(t->live)) {
			t->next_ns = live_begin(t->live) + t->look.delay_ns;
			limit = t->next_ns < limit ? t->next_ns : limit;
		}
	}
	*cut = live_ended(t->live) || (t->next_ns && t->next_ns <= until_ns);
	return code;
}

/* Everything before @until_ns is there: show the intervals that end by then. */
static int take(struct top *t, u64 until_ns)
{
	const struct report *report;
	bool cut = true;
	int code = 0;

	while (!code && !t->quit) {
		code = read_interval(t, until_ns, &cut);
		if (code || !cut)
			break;
		code = live_cut(t->live, t->next_ns, &report);
		if (code || !report)
			break;
		code = show(t, report);
		t->next_ns += t->look.delay_ns;
	}
	return code;
}

static int take_now(struct top *t, struct error *err)
{
	u64 until_ns, now = loader_now();
	int code;

	host_put_stat(t->writer);
	quota_put(&t->quota, t->writer);
	code = session_settle(t->session, &until_ns, err);
	if (!code)
		code = take(t, until_ns);
	t->take_ns = now + TAKE_NS;
	/* Settled is what is older than the collector's hold. */
	if (t->next_ns > now - COLLECT_HOLD_NS && t->next_ns + COLLECT_HOLD_NS < t->take_ns)
		t->take_ns = t->next_ns + COLLECT_HOLD_NS;
	return code;
}

/* The set has ended: the rest is the last interval. */
static int take_rest(struct top *t, struct error *err)
{
	int code = session_stop(t->session, err);

	t->ended = true;
	if (!code)
		code = trace_writer_flush(t->writer);
	return code ? code : take(t, UINT64_MAX);
}

/* ---- keys ---- */

static void change_delay(struct top *t, bool longer)
{
	static const u64 steps[] = {100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000};
	u64 now = t->look.delay_ns, next = now;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		u64 step = steps[i] * NSEC_PER_MSEC;

		if (longer && step > now) {
			next = step;
			break;
		}
		if (!longer && step < now)
			next = step;
	}
	if (t->next_ns && next < now)
		t->next_ns -= now - next;
	else if (t->next_ns)
		t->next_ns += next - now;
	t->look.delay_ns = next;
	t->take_ns = 0;
}

static void scroll(struct top *t, int by)
{
	u32 n = t->look.threads ? t->frame.n_threads : t->frame.n_processes;

	if (by < 0)
		t->look.skip -= t->look.skip < (u32)-by ? t->look.skip : (u32)-by;
	else
		t->look.skip += (u32)by;
	if (t->look.skip >= n)
		t->look.skip = n ? n - 1 : 0;
}

static void press(struct top *t, int key)
{
	int page = t->look.rows > 14 ? t->look.rows - 12 : 2;

	switch (key) {
	case 'q':
		t->quit = true;
		break;
	case 'H':
		t->look.threads = !t->look.threads;
		t->look.skip = 0;
		break;
	case 's':
		t->look.sort = (t->look.sort + 1) % FRAME_SORTS;
		if (t->seen)
			frame_sort(&t->frame, t->look.sort);
		break;
	case 'p':
		t->look.paused = !t->look.paused;
		break;
	case 'l':
		t->look.locks = !t->look.locks;
		break;
	case '?':
	case 'h':
		t->look.help = !t->look.help;
		break;
	case '+':
	case '-':
		change_delay(t, key == '+');
		break;
	case SCREEN_UP:
	case SCREEN_DOWN:
		scroll(t, key == SCREEN_UP ? -1 : 1);
		break;
	case SCREEN_PAGE_UP:
	case SCREEN_PAGE_DOWN:
		scroll(t, key == SCREEN_PAGE_UP ? -page : page);
		break;
	case SCREEN_HOME:
		t->look.skip = 0;
		break;
	default: /* resized, or nothing that is known */
		break;
	}
}

static void press_all(struct top *t)
{
	bool any = false;

	for (int key; !t->quit && (key = screen_key()) != SCREEN_NONE; any = true)
		press(t, key);
	if (any && !t->quit)
		draw(t);
}

/* ---- the recording ---- */

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

static void catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction action = {.sa_handler = on_interrupt};

	interrupted = 0;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

static int begin(struct top *t, struct error *err)
{
	struct session_config config = {0};
	s32 child;
	int code = 0;

	if (t->target.command)
		code = command_prepare(&t->command, t->target.command, !t->batch, err);
	child = t->command.pid;
	if (!code)
		code = live_new(&t->live, err);
	if (!code)
		code = trace_pipe_new(&t->pipe);
	if (!code)
		code = trace_writer_pipe(&t->writer, t->pipe, err);
	if (code)
		return code;
	host_put_meta(t->writer);
	if (t->parked)
		host_put_pair(t->writer, "parked", t->parked);
	quota_find(&t->quota, target_options_one(&t->target, child), t->target.cgroup);
	target_options_apply(&t->target, &child, &config);
	code = session_open(&t->session, &config, t->writer, err);
	if (!code)
		code = session_start(t->session, err);
	if (!code && t->target.command)
		code = command_start(&t->command, t->target.command[0], err);
	return code;
}

/* COMMAND is gone, but its last switch was lost; or what was asked for was gone before it was seen: not
 * waited for for ever. */
static bool long_gone(struct top *t, u64 *gone)
{
	if (target_options_gone(&t->target, t->session, t->begin_ns))
		return true;
	if (!t->target.command || !command_ended(&t->command, false))
		return false;
	if (!*gone)
		*gone = loader_now();
	return loader_now() - *gone > NSEC_PER_SEC;
}

static int follow(struct top *t, struct error *err)
{
	u64 gone = 0;
	int code = 0;

	t->begin_ns = loader_now();
	while (!code && !t->quit && !interrupted) {
		code = t->ended ? 0 : session_poll(t->session, POLL_MS, false, err);
		if (code == 1 || (!code && !t->ended && long_gone(t, &gone))) {
			code = take_rest(t, err);
			if (t->batch)
				break;
			t->look.note = "ENDED";
			draw(t);
		} else if (!code && !t->ended && loader_now() >= t->take_ns) {
			code = take_now(t, err);
		}
		if (!t->batch)
			press_all(t);
		if (t->ended)
			usleep(POLL_MS * 1000);
	}
	return code;
}

static int finish(struct top *t)
{
	struct session_stats stats;

	session_stats(t->session, &stats);
	if (!stats.joined)
		fputs("corun: no thread of what was to be followed was seen: it had ended, or this kernel does "
		      "not show it to BPF\n", stderr);
	if (!t->target.command)
		return 0;
	if (command_ended(&t->command, t->ended))
		return command_exit_status(&t->command);
	fprintf(stderr, "corun: the command goes on (process %d)\n", (int)t->command.pid);
	return 0;
}

static int run_session(struct top *t)
{
	struct error err = {0};
	int code = begin(t, &err);

	if (code)
		return cmd_fail(t->cmd, "%s", error_text(&err, code));
	if (!t->batch) {
		code = screen_open(cmd_color(), &err);
		t->look.color = screen_color();
		if (!code)
			draw(t);
	}
	if (!code)
		code = follow(t, &err);
	screen_close();
	return code ? cmd_fail(t->cmd, "%s", error_text(&err, code)) : finish(t);
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
		catch_signals();
		status = run_session(&t);
	}
	command_abandon(&t.command);
	session_close(t.session);
	if (t.writer)
		trace_writer_cut(t.writer, NULL);
	live_free(t.live);
	trace_pipe_free(t.pipe);
	frame_free(&t.frame);
	frame_page_free(&t.page);
	target_options_free(&t.target);
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
