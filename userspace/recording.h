/* SPDX-License-Identifier: MIT */
/* recording.h - what `corun record` and `corun run` share: options, the recording itself. */
#ifndef CORUN_RECORDING_H
#define CORUN_RECORDING_H

#include "target_options.h"

struct recording_options {
	struct target_options target;
	const char *output;  /* -o, or NULL: named after the target */
	u64 duration_ns;     /* 0: until it ends */
	enum gil_mode gil;
	bool tasks_off;      /* leave the program's Python alone */
	bool tasks_go;       /* goroutines too */
	bool tasks_node;     /* Node's async resources too */
	bool tasks_ruby;     /* Ruby's fibers too */
	const char *probes;  /* --probes: file, or NULL */
	bool wait_all, redact, quiet, user_stacks, kernel_stacks;
	const char *parked;
};

struct recording {
	char trace[4096];    /* name of the trace file */
	char stem[4096];     /* the same without ".corun" */
	int status;          /* exit status of COMMAND, 0 when attaching */
	u64 bytes;
};

/* The options as help text, for both verbs. */
#define RECORDING_HELP                                                                             \
	TARGET_HELP                                                                            \
	"  -d, --duration SECONDS  stop after this time; a COMMAND that still runs goes on\n"                                         \
	"  -o, --output FILE       name of the trace; default: the command's name, with -2, -3 ...\n" \
	"                          if it exists\n"                                                 \
	"      --wait-all          go on until every descendant of COMMAND has ended\n"            \
	"      --parked KINDS      wait kinds that count as parked (join,child,poll ...)\n"        \
	"      --tasks on|off|go,node,ruby\n"                                                     \
	"                          asyncio's tasks and the names of Python's threads, by a hook in the\n" \
	"                          command's Python (default); go: goroutines too, by uprobes on Go's\n" \
	"                          scheduler; node: async resources too, ruby: fibers too, by hooks in\n" \
	"                          the command's Node and Ruby; all three slow the program\n"        \
	"      --probes FILE       USDT probes of programs as what their tasks do; TASKS.md has the form\n" \
	"      --gil sample|probe|off\n"                                                          \
	"                          Python's GIL: who holds it as seen at switches (default); by\n" \
	"                          uprobes on every change, which slows the program; or not at all\n" \
	"      --stacks            where in its code each thread waits: function, file and line, by\n" \
	"                          its unwind tables; Python's by its own frames\n"             \
	"      --kernel-stacks     and in which function of the kernel\n"                       \
	"      --redact            leave arguments, paths and addresses out of the trace\n"        \
	"  -q, --quiet             no progress and no closing line\n"                              \
	"\nThe command runs as the user who called sudo. Ctrl-C goes to it; when attached, Ctrl-C ends\n" \
	"the recording.\n"

/* Parse; 0, or the exit status after having said what is wrong. */
int recording_parse(const struct cmd *cmd, int argc, char **argv, struct recording_options *options);
/* Record. 0, or the exit status after having said what is wrong. What was recorded is kept. */
int recording_make(const struct cmd *cmd, const struct recording_options *options,
		   struct recording *result);
void recording_options_free(struct recording_options *options);

#endif
