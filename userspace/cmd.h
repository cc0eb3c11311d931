/* SPDX-License-Identifier: MIT */
/*
 * cmd.h - the verbs. A verb describes itself in one struct, lives in its own cmd_*.c, and is the
 * only code that talks to the user: results to standard output, one line of error to standard
 * error, exit status 0 (done), 1 (failed) or 2 (wrong usage).
 */
#ifndef CORUN_CMD_H
#define CORUN_CMD_H

#include "base/error.h"
#include "base/types.h"

struct cmd {
	const char *name;
	const char *arguments; /* "[options] TRACE" */
	const char *summary;   /* one line for `corun --help` */
	const char *help;      /* the rest of `corun NAME --help`, options described */
	int (*run)(const struct cmd *cmd, int argc, char **argv); /* argv[0] is the verb */
};

extern const struct cmd cmd_run, cmd_record, cmd_report, cmd_compare, cmd_export, cmd_view, cmd_dump,
	cmd_doctor, cmd_lesson, cmd_top;

/* "corun: <verb>: <text>" on standard error; returns 1 or 2 to return from run(). */
int cmd_fail(const struct cmd *cmd, const char *format, ...) __attribute__((format(printf, 2, 3)));
int cmd_usage(const struct cmd *cmd, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Print the help of @cmd on standard output; returns 0. */
int cmd_help(const struct cmd *cmd);
/* Parse "1.5", "1.5s", "200ms" to ns; -EINVAL. */
int cmd_parse_time(const char *text, u64 *ns);
/* "en" or "ko" to a string that lives on; 0, or 2 after having said that there is no such language. */
int cmd_parse_language(const struct cmd *cmd, const char *text, const char **language);
/* Is it Korean? NULL is not. */
bool cmd_korean(const char *language);
/* Standard error is a terminal: progress lines are welcome. */
bool cmd_progress(void);
/* Standard output takes colour (a terminal, no NO_COLOR) / UTF-8 (by the locale). */
bool cmd_color(void);
bool cmd_utf8(void);

#endif
