/* SPDX-License-Identifier: MIT */
/* lives.bpf.h - threads begin, become another program, are renamed, and end. */
#ifndef CORUN_LIVES_H
#define CORUN_LIVES_H

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct task_ctx *own, *from = member(parent);
	struct ev_thread *e;
	struct pt_regs *regs;
	__u64 clone_flags = 0;

	if (!from)
		return 0;
	own = bpf_task_storage_get(&members, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!own)
		return 0;
	own->allowed = child->nr_cpus_allowed;
	own->mask = BPF_CORE_READ(child, cpus_ptr, bits[0]);
	e = event_new(sizeof(*e), EV_FORK);
	if (!e)
		return 0;
	thread_fill(child, e);
	e->parent = parent->pid;
	gil_fork(&from->gil, parent->tgid, child->tgid);
	if (child->tgid != parent->tgid)
		e->flags |= EV_THREAD_NEW_PROCESS;
	if (!(parent->flags & PF_KTHREAD)) {
		regs = (struct pt_regs *)bpf_task_pt_regs(parent);
		if (regs->orig_ax == 56) /* clone */
			clone_flags = regs->di;
		else if (regs->orig_ax == 435) /* clone3 */
			bpf_probe_read_user(&clone_flags, sizeof(clone_flags), (void *)regs->di);
		if (regs->orig_ax == 58 || clone_flags & CLONE_VFORK)
			e->flags |= EV_THREAD_VFORK;
	}
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, __s32 old_tid, struct linux_binprm *bprm)
{
	struct task_ctx *own = member(task);
	bool joined = false;
	struct ev_exec *e;
	struct mm_struct *mm;
	unsigned long start, len;
	char comm[EV_COMM_LEN] = {};

	if (!own) {
		__s32 tid = task->pid;

		bpf_map_delete_elem(&outsiders, &tid); /* its name has changed */
		bpf_probe_read_kernel_str(comm, sizeof(comm), task->comm);
		if (!joins(task, comm))
			return 0;
		own = bpf_task_storage_get(&members, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!own)
			return 0;
		joined = own->running = true;
	}
	e = event_new(sizeof(*e), EV_EXEC);
	if (!e)
		return 0;
	__builtin_memset((void *)e + sizeof(e->head), 0, sizeof(*e) - sizeof(e->head));
	e->tid = task->pid;
	e->old_tid = old_tid;
	e->tgid = task->tgid;
	gil_exec(&own->gil, task->tgid);
	e->joined = joined;
	e->ns_tid = innermost_nr(task);
	e->ns_tgid = innermost_nr(BPF_CORE_READ(task, group_leader));
	e->parent = BPF_CORE_READ(task, real_parent, tgid);
	e->cpus = own->allowed = task->nr_cpus_allowed;
	e->mask = own->mask = BPF_CORE_READ(task, cpus_ptr, bits[0]);
	bpf_probe_read_kernel_str(e->comm, sizeof(e->comm), task->comm);
	if (!config.redact) {
		bpf_probe_read_kernel_str(e->filename, sizeof(e->filename),
					  BPF_CORE_READ(bprm, filename));
		mm = task->mm;
		start = mm->arg_start;
		len = mm->arg_end - start;
		if (len > EV_ARGS_LEN)
			len = EV_ARGS_LEN;
		if (!bpf_probe_read_user(e->args, len, (void *)start))
			e->args_len = (__u32)len;
	}
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct ev_exit *e;

	if (!member(task)) {
		__s32 tid = task->pid;

		bpf_map_delete_elem(&outsiders, &tid);
		return 0;
	}
	e = event_new(sizeof(*e), EV_EXIT);
	if (!e)
		return 0;
	e->tid = task->pid;
	e->tgid = task->tgid;
	e->code = task->exit_code;
	e->group_dead = BPF_CORE_READ(task, signal, live.counter) == 0;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("tp_btf/task_rename")
int BPF_PROG(on_rename, struct task_struct *task, const char *comm)
{
	struct task_ctx *own;
	struct ev_snapshot *s;
	struct ev_thread *t;
	struct ev_rename *e;

	if (!member(task)) {
		__s32 tid = task->pid;

		bpf_map_delete_elem(&outsiders, &tid);
		if (!joins_by_rename(task, comm))
			return 0;
		own = bpf_task_storage_get(&members, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!own)
			return 0;
		own->running = true;
		own->allowed = task->nr_cpus_allowed;
		own->mask = BPF_CORE_READ(task, cpus_ptr, bits[0]);
		s = event_new(sizeof(*s), EV_SNAPSHOT);
		if (!s)
			return 0;
		t = &s->thread;
		__builtin_memset(s->words, 0, sizeof(s->words));
		thread_fill(task, t);
		t->parent = BPF_CORE_READ(task, real_parent, tgid);
		t->flags |= EV_THREAD_SNAPSHOT | EV_THREAD_RUNNING;
		bpf_ringbuf_submit(s, BPF_RB_NO_WAKEUP);
	}
	e = event_new(sizeof(*e), EV_RENAME);
	if (!e)
		return 0;
	e->tid = task->pid;
	e->pad = 0;
	__builtin_memset(e->comm, 0, sizeof(e->comm));
	bpf_probe_read_kernel_str(e->comm, sizeof(e->comm), comm);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

#endif
