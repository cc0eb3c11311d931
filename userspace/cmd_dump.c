/* SPDX-License-Identifier: MIT */
/* cmd_dump.c - the records of a trace as text, and back. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/out.h"
#include "cmd.h"
#include "trace/text.h"
#include "trace/trace.h"

struct options {
	u64 from, to;     /* ns since the window opened */
	int type;         /* 0: all */
	bool pack;
	const char *output;
};

static int type_by_name(const char *name)
{
	for (int t = 1; t < REC_TYPES; t++)
		if (!strcmp(record_type_name((unsigned int)t), name))
			return t;
	return -1;
}

static int parse(const struct cmd *cmd, int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"from", required_argument, NULL, 'f'}, {"to", required_argument, NULL, 't'},
		{"type", required_argument, NULL, 'y'}, {"pack", no_argument, NULL, 'p'},
		{"output", required_argument, NULL, 'o'}, {NULL, 0, NULL, 0},
	};
	int c;

	*o = (struct options){.to = UINT64_MAX, .output = "-"};
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "o:", longs, NULL)) >= 0) {
		switch (c) {
		case 'f':
		case 't':
			if (cmd_parse_time(optarg, c == 'f' ? &o->from : &o->to))
				return cmd_usage(cmd, "'%s' is no time; write 1.5 or 200ms", optarg);
			break;
		case 'y':
			o->type = type_by_name(optarg);
			if (o->type < 0)
				return cmd_usage(cmd, "there is no record '%s'; `corun dump` without "
						 "--type shows which there are", optarg);
			break;
		case 'p':
			o->pack = true;
			break;
		case 'o':
			o->output = optarg;
			break;
		default:
			return cmd_usage(cmd, "bad option '%s'; see corun dump --help", argv[optind - 1]);
		}
	}
	if (argc - optind != 1)
		return cmd_usage(cmd, "give one trace; see corun dump --help");
	if (o->pack && !strcmp(o->output, "-"))
		return cmd_usage(cmd, "--pack needs -o FILE");
	return 0;
}

/* Time 0 of --from and --to: where the window opens, or the first record without a window. */
static int window_begin(struct trace_reader *reader, u64 *begin, struct error *err)
{
	const struct record *rec;
	bool first = true;
	int code;

	*begin = 0;
	while ((code = trace_reader_next(reader, &rec, err)) > 0) {
		if (rec->ts && first) {
			*begin = rec->ts;
			first = false;
		}
		if (rec->type == REC_WINDOW && rec->window.begin) {
			*begin = rec->ts;
			break;
		}
	}
	if (code >= 0)
		code = trace_reader_rewind(reader);
	return code;
}

static int dump_text(struct trace_reader *reader, const struct options *o, struct error *err)
{
	const struct record *rec;
	struct buf line = BUF_INIT;
	struct out *out = NULL;
	u64 begin = 0;
	int code = 0;

	if (o->from || o->to != UINT64_MAX)
		code = window_begin(reader, &begin, err);
	if (!code)
		code = out_open(&out, o->output, OUT_PRIVATE, err);
	if (code < 0)
		return code;
	out_puts(out, TRACE_TEXT_MAGIC "\n");
	while (!out_error(out) && (code = trace_reader_next(reader, &rec, err)) > 0) {
		if (o->type && rec->type != o->type)
			continue;
		/* What stands before all times is about the whole recording. */
		if (o->from && rec->ts && rec->ts < begin + o->from)
			continue;
		if (o->to != UINT64_MAX && rec->ts > begin + o->to)
			break;
		buf_clear(&line);
		text_print(&line, rec);
		out_put(out, line.data, line.len);
	}
	buf_free(&line);
	if (!code && trace_reader_status(reader) != TRACE_WHOLE)
		out_puts(out, trace_reader_status(reader) == TRACE_CUT ? TRACE_TEXT_CUT "\n" :
									 TRACE_TEXT_DAMAGED "\n");
	if (code < 0) {
		out_abort(out);
		return code;
	}
	return out_commit(out, err);
}

static int pack(struct trace_reader *reader, const char *path, struct error *err)
{
	const struct record *rec;
	struct trace_writer *writer;
	u64 last = 0, lost = 0;
	int code = trace_writer_open(&writer, path, true, err);

	if (code)
		return code;
	while ((code = trace_reader_next(reader, &rec, err)) > 0) {
		last = rec->ts;
		if (rec->type == REC_END) {
			lost = rec->end.lost;
			continue;
		}
		if (trace_writer_put(writer, rec))
			break;
	}
	if (code < 0) {
		trace_writer_cut(writer, NULL);
		return code;
	}
	if (trace_reader_status(reader) != TRACE_WHOLE)
		return trace_writer_cut(writer, err);
	return trace_writer_close(writer, last, lost, err);
}

static bool same_file(const char *one, const char *other)
{
	struct stat a, b;

	return !stat(one, &a) && !stat(other, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int dump_run(const struct cmd *cmd, int argc, char **argv)
{
	struct trace_reader *reader;
	struct error err = {0};
	struct options o;
	int code = parse(cmd, argc, argv, &o);

	if (code)
		return code;
	if (o.pack && same_file(argv[optind], o.output))
		return cmd_usage(cmd, "--pack cannot write over the text that it reads; choose another "
				 "name with -o");
	code = trace_reader_open(&reader, argv[optind], &err);
	if (code)
		return cmd_fail(cmd, "%s", error_text(&err, code));
	code = o.pack ? pack(reader, o.output, &err) : dump_text(reader, &o, &err);
	if (code)
		code = cmd_fail(cmd, "%s", error_text(&err, code));
	else if (trace_reader_status(reader) != TRACE_WHOLE && o.to == UINT64_MAX)
		cmd_fail(cmd, "the trace is %s; what was shown is all that could be read",
			 trace_reader_status(reader) == TRACE_CUT ? "cut" : "damaged");
	trace_reader_close(reader);
	return code;
}

const struct cmd cmd_dump = {
	.name = "dump",
	.arguments = "[options] TRACE",
	.summary = "Print the records of a trace as text, which every verb reads back",
	.help = "  -o, --output FILE   write there instead of standard output\n"
		"      --from T        from T after the window opened (1.5, 200ms)\n"
		"      --to T          up to T after the window opened\n"
		"      --type NAME     only records of this type (switch, waking, fork ...)\n"
		"      --pack          the other way: TRACE is text, -o FILE becomes a .corun file\n",
	.run = dump_run,
};
