/* SPDX-License-Identifier: MIT */
/*
 * cmd_view.c - a trace in the browser: the offline viewer, and a link that opens it in the Perfetto UI
 * with the counters pinned and the processes open. Nothing is uploaded: the UI's page asks this
 * process for the file.
 *
 * ui.perfetto.dev may read from http://127.0.0.1:9001 and from no other port (its
 * Content-Security-Policy).
 */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "cmd.h"
#include "export/export.h"
#include "metrics/phases.h"
#include "serve.h"

#define PERFETTO_PORT 9001
#define IDLE_SECONDS 300.0

struct options {
	long port;
	bool no_browser;
	const char *language;
	const char *trace;
};

enum { OPT_PORT = 256, OPT_NO_BROWSER, OPT_LANG };

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

static int parse(const struct cmd *cmd, int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"port", required_argument, NULL, OPT_PORT},
		{"no-browser", no_argument, NULL, OPT_NO_BROWSER},
		{"lang", required_argument, NULL, OPT_LANG},
		{NULL, 0, NULL, 0},
	};
	char *end;
	int c;

	*o = (struct options){.port = PERFETTO_PORT};
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		switch (c) {
		case OPT_PORT:
			o->port = strtol(optarg, &end, 10);
			if (end == optarg || *end || o->port < 1 || o->port > 65535)
				return cmd_usage(cmd, "'%s' is no port", optarg);
			break;
		case OPT_NO_BROWSER:
			o->no_browser = true;
			break;
		case OPT_LANG:
			if (cmd_parse_language(cmd, optarg, &o->language))
				return 2;
			break;
		default:
			return cmd_usage(cmd, "bad option '%s', or its argument is missing; see corun view "
					 "--help", argv[optind - 1]);
		}
	}
	if (argc - optind != 1)
		return cmd_usage(cmd, "give one trace; see corun view --help");
	o->trace = argv[optind];
	return 0;
}

static int goes_on(void *ctx, u64 done, u64 total)
{
	(void)ctx;
	(void)done;
	(void)total;
	return interrupted;
}

/* @trace in @format, in a file that is gone from its folder as soon as it is open. */
static int make_file(const char *format, const struct options *o, struct serve_file *file,
		     struct error *err)
{
	struct export_options options = {.language = o->language};
	char folder[] = "/tmp/corun-view-XXXXXX", path[sizeof(folder) + 8];
	struct export_result result;
	struct stat st;
	int code;

	if (!mkdtemp(folder))
		return error_set(err, -errno, "cannot make a folder in /tmp: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s/file", folder);
	code = export_file(export_format_by_name(format), &o->trace, 1, path, &options, goes_on, &result, err);
	if (!code) {
		file->fd = open(path, O_RDONLY | O_CLOEXEC);
		if (file->fd < 0 || fstat(file->fd, &st))
			code = error_set(err, -errno, "cannot open what was exported: %s", strerror(errno));
		else
			file->size = (u64)st.st_size;
	}
	unlink(path);
	rmdir(folder);
	return code;
}

static void put_escaped(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if ((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
		    (*text >= '0' && *text <= '9') || strchr("-_.~", *text))
			buf_putc(b, *text);
		else
			buf_printf(b, "%%%02X", (unsigned char)*text);
	}
}

/*
 * The time that matters, from the window's begin: from the first to the last region that the program
 * marked; without one, the window less what at its ends had nothing in flight.
 */
static int find_window(const char *trace, u64 *from, u64 *to, struct error *err)
{
	const struct report_options options = {0};
	struct report *report;
	u64 begin;
	int code = report_read(&report, trace, &options, NULL, err);

	if (code)
		return code;
	begin = model_window_begin(report->model);
	*from = UINT64_MAX;
	*to = 0;
	for (u32 i = 1; i < meter_n_stretches(report->meter); i++) {
		const struct figures *region = meter_stretch(report->meter, i);

		if (region->begin_ns - begin < *from)
			*from = region->begin_ns - begin;
		if (region->end_ns - begin > *to)
			*to = region->end_ns - begin;
	}
	for (u32 i = 0; *from >= *to && i < report->phases->n; i++)
		if (report->phases->list[i].active_ns) {
			*from = report->phases->list[i].begin_ns;
			break;
		}
	for (u32 i = report->phases->n; *from >= *to && i-- > 0;)
		if (report->phases->list[i].active_ns)
			*to = report->phases->list[i].end_ns;
	if (*from >= *to) {
		*from = 0;
		*to = model_window_end(report->model) - begin;
	}
	report_free(report);
	return 0;
}

/* The Perfetto UI on this file: counters of the whole set pinned, processes expanded, [@from, @to] in view. */
static void perfetto_link(struct buf *b, long port, const char *path, u64 from, u64 to)
{
	struct buf file = BUF_INIT;

	buf_printf(&file, "http://127.0.0.1:%ld%s", port, path);
	buf_puts(b, SERVE_ORIGIN "/#!/?url=");
	put_escaped(b, file.data ? file.data : "");
	buf_puts(b, "&startupCommands=");
	put_escaped(b, "[{\"id\":\"dev.perfetto.PinTracksByRegex\",\"args\":[\"^(running|in flight|waiting)\"]},"
		       "{\"id\":\"dev.perfetto.ExpandTracksByRegex\",\"args\":[\".*\"]}]");
	buf_printf(b, "&visStart=%" PRIu64 "&visEnd=%" PRIu64, from, to);
	b->failed |= file.failed;
	buf_free(&file);
}

/* A desktop, and not one at the other end of an ssh. */
static bool has_browser(void)
{
	return (getenv("DISPLAY") || getenv("WAYLAND_DISPLAY")) && !getenv("SSH_CONNECTION") && geteuid();
}

static void open_browser(const char *url)
{
	pid_t child = fork();

	if (!child) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execlp("xdg-open", "xdg-open", url, (char *)NULL);
		_exit(127);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}

/* From the beginning: what is exported for it must not stay in /tmp. */
static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void wait_for_end(const struct server *server)
{
	while (!interrupted && server_idle(server) < IDLE_SECONDS)
		usleep(200000);
}

static int view_run(const struct cmd *cmd, int argc, char **argv)
{
	struct serve_file files[2] = {
		{.path = "/", .type = "text/html; charset=utf-8", .fd = -1},
		{.path = "/trace.pftrace", .type = "application/octet-stream", .fd = -1},
	};
	struct server *server = NULL;
	struct buf page = BUF_INIT, link = BUF_INIT;
	struct error err = {0};
	struct options o;
	u64 from, to;
	int code = parse(cmd, argc, argv, &o);

	if (code)
		return code;
	catch_signals();
	code = make_file("html", &o, &files[0], &err);
	if (!code)
		code = make_file("perfetto", &o, &files[1], &err);
	if (!code)
		code = find_window(o.trace, &from, &to, &err);
	if (!code)
		code = server_start(&server, (u16)o.port, files, ARRAY_SIZE(files), &err);
	if (code) {
		code = cmd_fail(cmd, "%s", error_text(&err, code));
		goto out;
	}
	buf_printf(&page, "http://127.0.0.1:%ld/", o.port);
	perfetto_link(&link, o.port, files[1].path, from, to);
	printf("%s\n", page.data);
	if (o.port == PERFETTO_PORT)
		printf("%s\n", link.data);
	else
		fprintf(stderr, "corun: view: the Perfetto UI reads from port %d alone: no link into it\n",
			PERFETTO_PORT);
	fflush(stdout);
	fprintf(stderr, "Ctrl-C ends it; so do five minutes without a request\n");
	if (!o.no_browser && has_browser())
		open_browser(page.data);
	wait_for_end(server);
out:
	server_stop(server);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (files[i].fd >= 0)
			close(files[i].fd);
	buf_free(&page);
	buf_free(&link);
	return code;
}

const struct cmd cmd_view = {
	.name = "view",
	.arguments = "[options] TRACE",
	.summary = "Show a trace in the browser, from this machine alone",
	.help = "      --port PORT    another port than 9001, which is the one that the Perfetto UI reads from\n"
		"      --no-browser   print the links only, as over ssh\n"
		"      --lang LANG    the page opens in English (en) or Korean (ko)\n"
		"\n"
		"The first link is the offline viewer, the second one the same trace in ui.perfetto.dev, which\n"
		"reads it from here: nothing is uploaded.\n",
	.run = view_run,
};
