/* SPDX-License-Identifier: MIT */
#include "target_options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/loader.h"

bool target_option(const struct cmd *cmd, int c, const char *arg, struct target_options *o, int *status)
{
	struct error err = {0};

	*status = 0;
	switch (c) {
	case 'p':
		o->kind = TARGET_PIDS;
		if (target_pids(arg, &o->tgids, &err))
			*status = cmd_fail(cmd, "%s", error_text(&err, -ESRCH));
		break;
	case TARGET_OPTION_COMM:
		o->kind = TARGET_COMM;
		o->comm_glob = arg;
		if (!*arg || strlen(arg) > 15)
			*status = cmd_usage(cmd, "a process name has 1 to 15 bytes, '%s' does not", arg);
		break;
	case TARGET_OPTION_CGROUP:
		o->kind = TARGET_CGROUP;
		o->cgroup = arg;
		break;
	case TARGET_OPTION_ALL:
		o->kind = TARGET_ALL;
		break;
	default:
		return false;
	}
	o->given++;
	return true;
}

int target_options_end(const struct cmd *cmd, char **command, struct target_options *o)
{
	struct error err = {0};
	int code = 0;

	if (*command) {
		o->command = command;
		o->kind = TARGET_COMMAND;
		o->given++;
	}
	if (o->given > 1)
		return cmd_usage(cmd, "give one of COMMAND, -p, --comm, --cgroup and --all");
	if (o->comm_glob)
		code = target_comm(o->comm_glob, &o->tgids, &err);
	else if (o->cgroup)
		code = target_cgroup(o->cgroup, &o->tgids, &o->cgroup_id, &err);
	return code ? cmd_fail(cmd, "%s", error_text(&err, code)) : 0;
}

void target_options_apply(const struct target_options *o, const s32 *child, struct session_config *config)
{
	config->target = o->kind;
	config->tgids = o->command ? child : o->tgids.ids;
	config->n_tgids = o->command ? 1 : o->tgids.n;
	config->comm_glob = o->comm_glob;
	config->cgroup_id = o->cgroup_id;
}

s32 target_options_one(const struct target_options *o, s32 child)
{
	if (o->command)
		return child;
	return o->tgids.n ? o->tgids.ids[0] : getpid();
}

bool target_options_gone(const struct target_options *o, const struct session *session, u64 begin_ns)
{
	struct session_stats stats;

	if (o->kind != TARGET_PIDS || loader_now() - begin_ns < NSEC_PER_SEC)
		return false;
	session_stats(session, &stats);
	return !stats.joined;
}

void target_options_free(struct target_options *o)
{
	free(o->tgids.ids);
	o->tgids = (struct tgids){0};
}
