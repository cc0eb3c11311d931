/* SPDX-License-Identifier: MIT */
/* joins.bpf.h - which newcomers belong to the traced set, besides the children of its members. */
#ifndef CORUN_JOINS_H
#define CORUN_JOINS_H

/* '*' any run of bytes, '?' any byte. */
static __noinline bool comm_matches(const char *comm)
{
	int p = 0, c = 0, star = -1, mark = 0;

	for (int i = 0; i < 2 * EV_COMM_LEN * EV_COMM_LEN; i++) {
		char want = config.comm_glob[p & 15], have = comm[c & 15];

		if (!have) {
			while (p < EV_COMM_LEN && config.comm_glob[p & 15] == '*')
				p++;
			return p >= EV_COMM_LEN || !config.comm_glob[p & 15];
		}
		if (want == '*') {
			star = p++;
			mark = c;
		} else if (want && (want == '?' || want == have)) {
			p++;
			c++;
		} else if (star >= 0) {
			p = star + 1;
			c = ++mark;
		} else {
			return false;
		}
	}
	return false;
}

/* A process outside the set that execs (or renames itself): does it belong to it from now on? */
static __always_inline bool joins(struct task_struct *task, const char *comm)
{
	if (task->tgid == config.self_tgid)
		return false;
	switch (config.target) {
	case EV_TARGET_ALL:
		return true;
	case EV_TARGET_COMM:
		return comm_matches(comm);
	case EV_TARGET_CGROUP:
		for (int level = 0; level < 16; level++) {
			__u64 id = bpf_get_current_ancestor_cgroup_id(level);

			if (!id)
				return false;
			if (id == config.cgroup_id)
				return true;
		}
		return false;
	}
	return config.command_tgid && task->tgid == config.command_tgid;
}

/* --comm: a thread that gives itself a name that matches belongs to the set from now on. exec renames
 * too, after it has exchanged the tids; on_exec() deals with that. */
static __always_inline bool joins_by_rename(struct task_struct *task, const char *comm)
{
	struct task_struct *cur = bpf_get_current_task_btf();
	char name[EV_COMM_LEN] = {};
	struct pt_regs *regs;

	if (config.target != EV_TARGET_COMM || task != cur || task->tgid == config.self_tgid ||
	    task->flags & PF_KTHREAD)
		return false;
	regs = (struct pt_regs *)bpf_task_pt_regs(cur);
	if (regs->orig_ax == 59 || regs->orig_ax == 322) /* execve, execveat */
		return false;
	bpf_probe_read_kernel_str(name, sizeof(name), comm);
	return comm_matches(name);
}

#endif
