/* SPDX-License-Identifier: MIT */
/* main.c - the table of verbs, and what they share in talking to the user. */
#include "cmd.h"

#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/target.h"

static const struct cmd *const commands[] = {
	&cmd_run, &cmd_record, &cmd_top, &cmd_report, &cmd_compare, &cmd_export, &cmd_view, &cmd_dump, &cmd_doctor,
#ifndef NO_LESSONS
	&cmd_lesson,
#endif
};

static void complain(const struct cmd *cmd, const char *format, va_list args)
{
	fflush(stdout);
	fprintf(stderr, "corun: %s: ", cmd->name);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

int cmd_fail(const struct cmd *cmd, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(cmd, format, args);
	va_end(args);
	return 1;
}

int cmd_usage(const struct cmd *cmd, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(cmd, format, args);
	va_end(args);
	return 2;
}

int cmd_help(const struct cmd *cmd)
{
	printf("usage: corun %s %s\n\n%s.\n", cmd->name, cmd->arguments, cmd->summary);
	if (cmd->help && cmd->help[0])
		printf("\n%s", cmd->help);
	return 0;
}

int cmd_parse_time(const char *text, u64 *ns)
{
	char *end;
	double value = strtod(text, &end);
	double unit = 1e9;

	if (end == text || !isfinite(value) || value < 0)
		return -EINVAL;
	if (!strcmp(end, "ms"))
		unit = 1e6;
	else if (!strcmp(end, "us"))
		unit = 1e3;
	else if (!strcmp(end, "ns"))
		unit = 1;
	else if (*end && strcmp(end, "s"))
		return -EINVAL;
	if (value * unit > 1e18)
		return -EINVAL;
	*ns = (u64)(value * unit + 0.5);
	return 0;
}

int cmd_parse_language(const struct cmd *cmd, const char *text, const char **language)
{
	static const char *const languages[] = {"en", "ko"};

	for (size_t i = 0; i < ARRAY_SIZE(languages); i++)
		if (!strcmp(text, languages[i])) {
			*language = languages[i];
			return 0;
		}
	return cmd_usage(cmd, "there is no language '%s'; en and ko are there", text);
}

bool cmd_korean(const char *language)
{
	return language && !strcmp(language, "ko");
}

bool cmd_progress(void)
{
	return isatty(STDERR_FILENO);
}

bool cmd_color(void)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color);
}

bool cmd_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static int print_overview(FILE *to)
{
	fputs("corun shows which tasks of a program really run at the same time.\n\n"
	      "usage: corun VERB [options] ...\n\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nTry it:  sudo corun run -- python3 your_program.py\n"
	      "More:    corun VERB --help\n", to);
	return ferror(to) ? 1 : 0;
}

int main(int argc, char **argv)
{
	command_remember_signals();
	setlocale(LC_CTYPE, "");
	/* A closed pipe is an error of write(), told in one line, not a death by signal. */
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		print_overview(stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return print_overview(stdout);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("corun %s\n", CORUN_VERSION);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct cmd *cmd = commands[i];
		int status;

		if (strcmp(argv[1], cmd->name))
			continue;
		for (int a = 2; a < argc && strcmp(argv[a], "--"); a++)
			if (!strcmp(argv[a], "--help"))
				return cmd_help(cmd);
		status = cmd->run(cmd, argc - 1, argv + 1);
		if (fflush(stdout) || ferror(stdout)) {
			if (!status)
				status = cmd_fail(cmd, "cannot write to standard output: %s",
						  strerror(errno));
		}
		return status;
	}
	fprintf(stderr, "corun: no verb '%s'; corun --help lists them\n", argv[1]);
	return 2;
}
