/* SPDX-License-Identifier: MIT */
/* target_options.h - what is to be recorded, as every verb that records is told it on its command line. */
#ifndef CORUN_TARGET_OPTIONS_H
#define CORUN_TARGET_OPTIONS_H

#include <getopt.h>

#include "cmd.h"
#include "record/session.h"
#include "record/target.h"

struct target_options {
	enum target_kind kind;
	struct tgids tgids;
	const char *comm_glob, *cgroup;
	u64 cgroup_id;
	char **command; /* NULL when attaching */
	int given;      /* how many of these were asked for */
};

enum { TARGET_OPTION_COMM = 512, TARGET_OPTION_CGROUP, TARGET_OPTION_ALL };

/* Among the short options, and the long ones. */
#define TARGET_SHORT "p:"
#define TARGET_LONG                                                                                \
	{"comm", required_argument, NULL, TARGET_OPTION_COMM},                                     \
	{"cgroup", required_argument, NULL, TARGET_OPTION_CGROUP},                                 \
	{"all", no_argument, NULL, TARGET_OPTION_ALL}
#define TARGET_HELP                                                                                \
	"  -p PID[,PID...]         processes that run already (a thread's id stands for its\n"     \
	"                          process)\n"                                                     \
	"      --comm GLOB         processes whose name matches, now or later\n"                   \
	"      --cgroup PATH       processes in this cgroup folder\n"                              \
	"      --all               everything on this machine\n"

/* Is getopt's @c one of them? Then it is taken, and *@status 0 or the exit status of the complaint. */
bool target_option(const struct cmd *cmd, int c, const char *arg, struct target_options *options,
		   int *status);
/* After the last option: @command is what is left of the words, NULL-terminated. At most one target may be
 * given; processes that match are looked for. 0, or the exit status after having said what is wrong. */
int target_options_end(const struct cmd *cmd, char **command, struct target_options *options);
/* The session's part of them. @child: the command, not yet let go. */
void target_options_apply(const struct target_options *options, const s32 *child,
			  struct session_config *config);
/* One process of it, for what is asked of the whole: @child, the first that is there, or this one. */
s32 target_options_one(const struct target_options *options, s32 child);
/* Processes by number that had all ended before anything of them was seen, since @begin_ns: nothing will
 * come. */
bool target_options_gone(const struct target_options *options, const struct session *session, u64 begin_ns);
void target_options_free(struct target_options *options);

#endif
