/* SPDX-License-Identifier: MIT */
/*
 * target.h - what is to be recorded: a command that we start, or processes that run already.
 */
#ifndef CORUN_RECORD_TARGET_H
#define CORUN_RECORD_TARGET_H

#include "base/error.h"
#include "base/types.h"

/* A set of process ids; `ids` is owned, free with free(). */
struct tgids {
	s32 *ids;
	size_t n, cap;
};

/* "12,345" -> their processes (a thread's id stands for its process). -ESRCH with @err. */
int target_pids(const char *list, struct tgids *out, struct error *err);
/* Processes whose comm matches @glob ('*', '?'); none is no error: some may come later. */
int target_comm(const char *glob, struct tgids *out, struct error *err);
/* Processes in the cgroup folder @path and below; *@id is its id on cgroup v2, 0 on v1. */
int target_cgroup(const char *path, struct tgids *out, u64 *id, struct error *err);

/* A command that was started and waits until it is let go. */
struct command {
	pid_t pid;
	int go;       /* closing it lets the child go on */
	int failure;  /* the child tells here why it could not exec */
	int status;   /* as waitpid() tells, once reaped */
	bool reaped;
};

/* Called before corun changes any: what commands inherit. */
void command_remember_signals(void);
/*
 * Fork. The child waits, then runs @argv as the invoking user: under sudo with the user's ids,
 * groups, HOME, USER and LOGNAME and without SUDO_*; with the signal dispositions and the mask that
 * command_remember_signals() saw, by default the default ones and none. @off_terminal: the screen is ours,
 * and what it would read from or write to a terminal goes to /dev/null.
 */
int command_prepare(struct command *command, char **argv, bool off_terminal, struct error *err);
/* Let it go. 0 once it has exec'd, or -errno with @err when it cannot be run. */
int command_start(struct command *command, const char *name, struct error *err);
/* Has it ended? Never blocks unless @wait. */
bool command_ended(struct command *command, bool wait);
/* What a shell would give: its status, or 128 + the signal that killed it. */
int command_exit_status(const struct command *command);
/* End a child that was never let go. */
void command_abandon(struct command *command);

/* The file that execvp() would run for @name. False: none is found. */
bool target_program(const char *name, char *path, size_t size);

/* Name for the files of a recording: the command, for an interpreter its script; letters, digits,
 * '.', '_' and '-' alone, without suffix. @name has room for @size bytes. */
void target_file_name(char **argv, char *name, size_t size);

#endif
