/* SPDX-License-Identifier: MIT */
/* top_session.c - a recording into memory, read an interval after the other while it goes on. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "record/collect.h"
#include "record/loader.h"
#include "top.h"
#include "trace/pipe.h"

/* Records are taken this often at least, so that few wait in memory. */
#define TAKE_NS (250 * NSEC_PER_MSEC)
#define POLL_MS 50

static volatile sig_atomic_t interrupted;

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
		code = top_show(t, report);
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

int top_begin(struct top *t, struct error *err)
{
	struct session_config config = {0};
	s32 child;
	int code = 0;

	catch_signals();
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

int top_follow(struct top *t, struct error *err)
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
			top_draw(t);
		} else if (!code && !t->ended && loader_now() >= t->take_ns) {
			code = take_now(t, err);
		}
		if (!t->batch)
			top_keys(t);
		if (t->ended)
			usleep(POLL_MS * 1000);
	}
	return code;
}

int top_finish(struct top *t)
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

void top_free(struct top *t)
{
	command_abandon(&t->command);
	session_close(t->session);
	if (t->writer)
		trace_writer_cut(t->writer, NULL);
	live_free(t->live);
	trace_pipe_free(t->pipe);
	frame_free(&t->frame);
	frame_page_free(&t->page);
	target_options_free(&t->target);
}
