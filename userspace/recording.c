/* SPDX-License-Identifier: MIT */
#include "recording.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "model/kind.h"
#include "record/hook.h"
#include "record/hook_attach.h"
#include "record/host.h"
#include "record/loader.h"

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* ---- options ---- */

enum { OPT_WAIT_ALL = 256, OPT_PARKED, OPT_REDACT, OPT_TASKS, OPT_PROBES, OPT_GIL,
       OPT_STACKS, OPT_KERNEL_STACKS };

static const struct option longs[] = {
	TARGET_LONG,
	{"duration", required_argument, NULL, 'd'},
	{"output", required_argument, NULL, 'o'},
	{"wait-all", no_argument, NULL, OPT_WAIT_ALL},
	{"parked", required_argument, NULL, OPT_PARKED},
	{"gil", required_argument, NULL, OPT_GIL},
	{"stacks", no_argument, NULL, OPT_STACKS},
	{"kernel-stacks", no_argument, NULL, OPT_KERNEL_STACKS},
	{"redact", no_argument, NULL, OPT_REDACT},
	{"tasks", required_argument, NULL, OPT_TASKS},
	{"probes", required_argument, NULL, OPT_PROBES},
	{"quiet", no_argument, NULL, 'q'},
	{NULL, 0, NULL, 0},
};

static int parse_gil(const struct cmd *cmd, const char *text, enum gil_mode *mode)
{
	static const char *const modes[] = {
		[GIL_SAMPLE] = "sample", [GIL_OFF] = "off", [GIL_PROBE] = "probe",
	};

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (strcmp(text, modes[i]))
			continue;
		*mode = (enum gil_mode)i;
		return 0;
	}
	return cmd_usage(cmd, "--gil is sample, probe or off, not '%s'", text);
}

/* "on", "off", or a list of what is seen besides. */
static int parse_tasks(const struct cmd *cmd, const char *text, struct recording_options *o)
{
	const struct {
		const char *word;
		bool *on;
	} kinds[] = {{"go", &o->tasks_go}, {"node", &o->tasks_node}, {"ruby", &o->tasks_ruby}};

	o->tasks_off = !strcmp(text, "off");
	o->tasks_go = o->tasks_node = o->tasks_ruby = false;
	if (o->tasks_off || !strcmp(text, "on"))
		return 0;
	for (const char *word = text; *word; word += *word == ',') {
		size_t len = strcspn(word, ","), i = 0;

		while (i < ARRAY_SIZE(kinds) && (strlen(kinds[i].word) != len || strncmp(word, kinds[i].word, len)))
			i++;
		if (i == ARRAY_SIZE(kinds))
			break;
		*kinds[i].on = true;
		word += len;
		if (!*word)
			return 0;
	}
	return cmd_usage(cmd, "--tasks is on, off, or of go,node,ruby one or more, not '%s'", text);
}

static int parse_option(const struct cmd *cmd, int c, char **argv, struct recording_options *o)
{
	const char *bad;
	int status;
	u32 kinds;

	if (target_option(cmd, c, optarg, &o->target, &status))
		return status;
	switch (c) {
	case 'd':
		if (cmd_parse_time(optarg, &o->duration_ns) || !o->duration_ns)
			return cmd_usage(cmd, "'%s' is no duration; write -d 10 or -d 500ms", optarg);
		return 0;
	case 'o':
		o->output = optarg;
		return 0;
	case OPT_PARKED:
		o->parked = optarg;
		if (kind_parse_set(optarg, &kinds, &bad))
			return cmd_usage(cmd, "'%s' is no wait kind; the README lists them", bad);
		return 0;
	case OPT_WAIT_ALL:
		o->wait_all = true;
		return 0;
	case OPT_TASKS:
		return parse_tasks(cmd, optarg, o);
	case OPT_PROBES:
		o->probes = optarg;
		return 0;
	case OPT_GIL:
		return parse_gil(cmd, optarg, &o->gil);
	case OPT_STACKS:
#ifdef NO_LIBDW
		return cmd_usage(cmd, "this corun was built without libdw, which --stacks needs");
#endif
		o->user_stacks = true;
		return 0;
	case OPT_KERNEL_STACKS:
		o->kernel_stacks = true;
		return 0;
	case OPT_REDACT:
		o->redact = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	}
	return cmd_usage(cmd, "bad option '%s', or its argument is missing; see corun %s --help",
			 argv[optind - 1], cmd->name);
}

int recording_parse(const struct cmd *cmd, int argc, char **argv, struct recording_options *o)
{
	int c, code;

	*o = (struct recording_options){0};
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "+" TARGET_SHORT "d:o:q", longs, NULL)) >= 0) {
		code = parse_option(cmd, c, argv, o);
		if (code)
			return code;
	}
	if (optind == argc && !o->target.given)
		return cmd_usage(cmd, "say what to record: a COMMAND, -p PID, --comm GLOB, --cgroup PATH "
				 "or --all");
	return target_options_end(cmd, argv + optind, &o->target);
}

void recording_options_free(struct recording_options *o)
{
	target_options_free(&o->target);
}

/* ---- names ---- */

static void default_stem(const struct recording_options *o, char *stem, size_t size)
{
	if (o->target.command)
		target_file_name(o->target.command, stem, size);
	else if (o->target.kind == TARGET_PIDS)
		snprintf(stem, size, "pid-%d", (int)o->target.tgids.ids[0]);
	else
		snprintf(stem, size, "corun");
}

/* Open NAME.corun, or NAME-2.corun ... where neither it nor NAME.json exists. */
static int open_trace(const struct recording_options *o, struct recording *r,
		      struct trace_writer **writer, struct error *err)
{
	char stem[128], other[4200];
	size_t len;

	if (o->output) {
		snprintf(r->trace, sizeof(r->trace), "%s", o->output);
		snprintf(r->stem, sizeof(r->stem), "%s", o->output);
		len = strlen(r->stem);
		if (len > 6 && !strcmp(r->stem + len - 6, ".corun"))
			r->stem[len - 6] = '\0';
		return trace_writer_open(writer, r->trace, true, err);
	}
	default_stem(o, stem, sizeof(stem));
	for (int n = 1; n < 10000; n++) {
		int code;

		if (n == 1)
			snprintf(r->stem, sizeof(r->stem), "%s", stem);
		else
			snprintf(r->stem, sizeof(r->stem), "%s-%d", stem, n);
		snprintf(r->trace, sizeof(r->trace), "%.4000s.corun", r->stem);
		snprintf(other, sizeof(other), "%s.json", r->stem);
		if (!access(other, F_OK))
			continue;
		code = trace_writer_open(writer, r->trace, false, err);
		if (code != -EEXIST)
			return code;
	}
	return error_set(err, -EEXIST, "too many files named %s-N.corun here; choose a name with -o", stem);
}

static void put_meta(struct trace_writer *writer, const struct recording_options *o, pid_t command)
{
	static const char *const targets[] = {"command", "pid", "comm", "cgroup", "all"};
	struct buf text = BUF_INIT;
	char number[24], name[128];

	host_put_meta(writer);
	host_put_pair(writer, "target", targets[o->target.kind]);
	for (char **word = o->target.command; word && *word; word++) {
		if (o->redact) {
			buf_puts(&text, basename(*word));
			break;
		}
		if (word != o->target.command)
			buf_putc(&text, ' ');
		buf_puts(&text, *word);
	}
	if (text.len && !text.failed) {
		host_put_pair(writer, "command", text.data);
		if (!o->redact) {
			target_file_name(o->target.command, name, sizeof(name));
			host_put_pair(writer, "script", name);
		}
		snprintf(number, sizeof(number), "%d", (int)command);
		host_put_pair(writer, "root_tgid", number);
	}
	if (o->parked)
		host_put_pair(writer, "parked", o->parked);
	buf_free(&text);
}

/* ---- the recording ---- */

struct live {
	const struct cmd *cmd;
	const struct recording_options *options;
	struct session *session;
	struct trace_writer *writer;
	struct marks *marks;
	struct hook_attach hook;
	struct command command;
	struct quota_source quota;
	u64 begin, last_sample, last_line, last_events;
};

static void show_progress(struct live *l, u64 now)
{
	struct session_stats s;
	double seconds = (double)(now - l->last_line) / 1e9;

	if (now - l->last_line < 200 * NSEC_PER_MSEC)
		return;
	session_stats(l->session, &s);
	fprintf(stderr, "\r\033[K  %.1f s   %.0f events/s   %" PRIu64 " lost   %u running / %u in flight",
		(double)(now - l->begin) / 1e9, (double)(s.events - l->last_events) / seconds, s.lost,
		s.running, s.in_flight);
	fflush(stderr);
	l->last_events = s.events;
	l->last_line = now;
}

static void sample_host(struct live *l, u64 now, bool force)
{
	if (!force && now - l->last_sample < NSEC_PER_SEC)
		return;
	l->last_sample = now;
	host_put_stat(l->writer);
	quota_put(&l->quota, l->writer);
}

/* Until the target ends, the time is up, or somebody presses Ctrl-C. 0 or -errno of the writer. */
static int collect(struct live *l, struct error *err)
{
	const struct recording_options *o = l->options;
	bool progress = cmd_progress() && !o->quiet;
	u64 gone = 0;
	int code;

	for (;;) {
		u64 now;

		code = session_poll(l->session, 50, o->wait_all, err);
		now = loader_now();
		if (code)
			break;
		if (progress)
			show_progress(l, now);
		sample_host(l, now, false);
		if (o->duration_ns && now - l->begin >= o->duration_ns)
			break;
		if (interrupted || target_options_gone(&o->target, l->session, l->begin))
			break;
		/* COMMAND is gone, but its last switch was lost: do not wait for it for ever. */
		if (o->target.command && !o->wait_all && command_ended(&l->command, false)) {
			if (!gone)
				gone = now;
			else if (now - gone > NSEC_PER_SEC)
				break;
		}
	}
	if (progress)
		fputs("\r\033[K", stderr);
	return code < 0 ? code : 0;
}

static void name_survivors(const struct live *l)
{
	s32 tgids[8];
	size_t n = session_survivors(l->session, tgids, ARRAY_SIZE(tgids));
	struct buf list = BUF_INIT;

	if (!n || !session_ended(l->session) || l->options->quiet)
		return;
	for (size_t i = 0; i < n && i < ARRAY_SIZE(tgids); i++)
		buf_printf(&list, "%s%d", i ? ", " : "", (int)tgids[i]);
	if (n > ARRAY_SIZE(tgids))
		buf_puts(&list, " ...");
	fprintf(stderr, "corun: %zu descendant%s of the command still run%s (%s); --wait-all waits for them\n",
		n, n == 1 ? "" : "s", n == 1 ? "s" : "", list.failed ? "" : list.data);
	buf_free(&list);
}

static void put_note(struct live *l, const char *text)
{
	struct record rec = {.ts = loader_now(), .type = REC_NOTE, .cpu = CORUN_NO_CPU};

	rec.note.text = text;
	trace_writer_put_late(l->writer, &rec);
}

/* Let the hook into the Pythons that run already, where they let it in; where not, that is said. */
static void attach_hook(struct live *l)
{
	const struct tgids *tgids = &l->options->target.tgids;

	for (size_t i = 0; i < tgids->n && l->marks && !l->options->tasks_off; i++) {
		struct error why = {0};

		if (hook_uses_asyncio(tgids->ids[i]) && hook_attach(&l->hook, l->marks, tgids->ids[i], &why))
			put_note(l, error_text(&why, why.code));
	}
}

static void detach_hook(struct live *l)
{
	char text[160];
	s32 tgid;

	while ((tgid = hook_attach_cancel(&l->hook)) >= 0) {
		snprintf(text, sizeof(text), "asyncio's tasks of process %d are not visible: its main thread did not "
			 "come to where Python lets a recorder in", (int)tgid);
		put_note(l, text);
	}
}

static int finish(struct live *l, struct recording *r, int code, struct error *err)
{
	struct session_stats stats = {0};
	struct error late = {0};
	char status[16];
	struct stat st;
	int closed;

	detach_hook(l);
	if (!code)
		code = session_stop(l->session, err);
	session_stats(l->session, &stats);
	sample_host(l, loader_now(), true);
	if (!stats.joined)
		fputs("corun: no thread of what was to be recorded was seen: it had ended, or this kernel "
		      "does not show it to BPF\n", stderr);
	if (l->options->target.command) {
		/* The window is closed: its process is a zombie at most. Unless the recording ended
		 * first (-d, SIGTERM): then the command is left alone. */
		bool ended = command_ended(&l->command, session_ended(l->session));

		if ((l->options->tasks_node || l->options->tasks_ruby) &&
		    (!ended || session_survivors(l->session, NULL, 0)))
			hook_outlives(l->marks);
		name_survivors(l);
		if (ended) {
			r->status = command_exit_status(&l->command);
			snprintf(status, sizeof(status), "%d", r->status);
			host_put_pair(l->writer, "status", status);
		} else if (!l->options->quiet) {
			fprintf(stderr, "corun: the command goes on (process %d)\n", (int)l->command.pid);
		}
	}
	closed = trace_writer_close(l->writer, loader_now(), stats.lost, &late);
	l->writer = NULL;
	if (!stat(r->trace, &st))
		r->bytes = (u64)st.st_size;
	if (!code && closed) {
		*err = late;
		code = closed;
	}
	return code;
}

static void catch_signals(const struct recording_options *o)
{
	struct sigaction action = {.sa_handler = on_interrupt};

	interrupted = 0;
	/* While a command runs, Ctrl-C is for it; its end is ours. */
	if (o->target.command)
		action.sa_handler = SIG_IGN;
	sigaction(SIGINT, &action, NULL);
	if (o->target.command)
		sigaction(SIGQUIT, &action, NULL);
	action.sa_handler = on_interrupt;
	sigaction(SIGTERM, &action, NULL);
}

/* Fork, with the means to mark in the environment. */
static int prepare_command(struct live *l, struct error *err)
{
	struct hook hook;
	int code = marks_open(&l->marks, err);

	if (code)
		return code;
	code = hook_enter(&hook, l->marks, (struct hook_kinds){.python = !l->options->tasks_off,
			  .node = l->options->tasks_node, .ruby = l->options->tasks_ruby});
	if (!code)
		code = command_prepare(&l->command, l->options->target.command, false, err);
	hook_leave(&hook);
	return code;
}

/* Is there anything to be read of the programs' own marks, when none was started with them? */
static bool attach_wants_marks(const struct recording_options *o)
{
	bool wants = o->tasks_go || o->probes;

	for (size_t i = 0; !wants && !o->tasks_off && i < o->target.tgids.n; i++)
		wants = hook_uses_asyncio(o->target.tgids.ids[i]);
	return wants;
}

/* Everything up to the first event. On failure nothing stays behind. */
static int begin(struct live *l, struct recording *r, struct error *err)
{
	const struct recording_options *o = l->options;
	struct session_config config = {
		.gil = o->gil,
		.tasks_go = o->tasks_go,
		.probes = o->probes,
		.command = o->target.command,
		.user_stacks = o->user_stacks,
		.kernel_stacks = o->kernel_stacks,
		.redact = o->redact,
	};
	s32 child;
	int code = 0;

	if (o->target.command) {
		code = prepare_command(l, err);
	} else if (attach_wants_marks(o)) {
		code = marks_open(&l->marks, err);
	}
	if (!code)
		code = open_trace(o, r, &l->writer, err);
	if (code)
		return code;
	child = l->command.pid;
	target_options_apply(&o->target, &child, &config);
	config.marks = l->marks;
	put_meta(l->writer, o, l->command.pid);
	quota_find(&l->quota, target_options_one(&o->target, child), o->target.cgroup);
	code = session_open(&l->session, &config, l->writer, err);
	if (!code) {
		sample_host(l, loader_now(), true);
		code = session_start(l->session, err);
		if (!code && !o->target.command)
			attach_hook(l);
	}
	if (!code && o->target.command)
		code = command_start(&l->command, o->target.command[0], err);
	if (code) {
		trace_writer_close(l->writer, 0, 0, NULL);
		l->writer = NULL;
		if (strcmp(r->trace, "-"))
			unlink(r->trace);
	}
	return code;
}

int recording_make(const struct cmd *cmd, const struct recording_options *o, struct recording *r)
{
	struct live l = {.cmd = cmd, .options = o, .command = {.go = -1, .failure = -1, .pid = -1}};
	struct error err = {0};
	int code;

	*r = (struct recording){0};
	catch_signals(o);
	code = begin(&l, r, &err);
	if (code) {
		cmd_fail(cmd, "%s", error_text(&err, code));
		command_abandon(&l.command);
		session_close(l.session);
		marks_close(l.marks);
		return 1;
	}
	l.begin = l.last_line = loader_now();
	code = collect(&l, &err);
	code = finish(&l, r, code, &err);
	session_close(l.session);
	marks_close(l.marks);
	if (code)
		return cmd_fail(cmd, "%s; what was recorded before is kept in %s", error_text(&err, code),
				r->trace);
	return 0;
}
