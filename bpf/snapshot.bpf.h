/* SPDX-License-Identifier: MIT */
/* snapshot.bpf.h - walks over all threads: those alive when recording begins, those left at its end. */
#ifndef CORUN_SNAPSHOT_H
#define CORUN_SNAPSHOT_H

/* Still in the wait that was read from it? A blocked thread's registers stand still. */
static __always_inline bool still_in(struct task_struct *task, struct task_ctx *ctx,
				     const struct ev_wait *w)
{
	struct pt_regs *regs;

	if (task->flags & PF_KTHREAD)
		return true;
	regs = user_regs(task, ctx);
	if (w->nr < 0)
		return (long)regs->orig_ax < 0;
	return (long)regs->ax == ENOSYS_AX && regs->di == w->args[0] && regs->si == w->args[1] &&
	       regs->dx == w->args[2] && regs->r10 == w->args[3];
}

/*
 * Threads that exist already. Membership first, then what it waits in (user memory may have to be
 * paged in, so this program may sleep), then the stamp, then the state: events of the thread that
 * come after the stamp are newer than what is read here and win in the model.
 */
SEC("iter.s/task")
int snapshot(struct bpf_iter__task *it)
{
	struct task_struct *task = it->task;
	struct task_ctx *ctx;
	struct ev_snapshot *s;
	struct ev_thread *e;
	struct ev_wait wait;
	__u8 words[EV_WORDS_LEN];
	__u32 state;
	__s32 tgid;

	if (!task)
		return 0;
	tgid = task->tgid;
	if (tgid == config.self_tgid || task->flags & 0x4 /* PF_EXITING */)
		return 0;
	if (config.target != EV_TARGET_ALL && !bpf_map_lookup_elem(&targets, &tgid))
		return 0;
	if (member(task))
		return 0;
	ctx = bpf_task_storage_get(&members, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!ctx)
		return 0;
	ctx->allowed = task->nr_cpus_allowed;
	ctx->mask = BPF_CORE_READ(task, cpus_ptr, bits[0]);
	wait_read(task, ctx, &wait, task);
	if (wait.nr != NR_FUTEX)
		__builtin_memset(words, 0, sizeof(words));
	else if (futex_words(words, wait.args[0], task))
		wait.flags |= EV_WAIT_WORDS;
	s = event_new(sizeof(*s), EV_SNAPSHOT);
	if (!s)
		return 0;
	e = &s->thread;
	thread_fill(task, e);
	__builtin_memcpy(s->words, words, sizeof(words));
	e->parent = BPF_CORE_READ(task, real_parent, tgid);
	state = task->__state;
	e->state = state;
	e->flags |= EV_THREAD_SNAPSHOT;
	if (task->on_cpu) {
		ctx->running = true;
		e->flags |= EV_THREAD_RUNNING;
		if (bpf_core_field_exists(task->cpu))
			e->running_on = (__s32)task->cpu;
	} else if (!state || state == 0x200 /* waking */) {
		e->flags |= EV_THREAD_READY;
	} else if (still_in(task, ctx, &wait)) {
		e->wait = wait;
	} else {
		e->wait.fd_kind = FD_UNKNOWN;
	}
	bpf_ringbuf_submit(s, BPF_RB_NO_WAKEUP);
	return 0;
}

/* At the end: threads that were woken and are still waiting for a CPU. */
SEC("iter/task")
int pending(struct bpf_iter__task *it)
{
	struct task_struct *task = it->task;
	struct ev_pending *e;
	struct task_ctx *ctx;

	if (!task)
		return 0;
	ctx = member(task);
	if (!ctx || !ctx->wake.ts || task->on_cpu || (task->__state && task->__state != 0x200))
		return 0;
	e = event_new(sizeof(*e), EV_WAKE);
	if (!e)
		return 0;
	e->tid = task->pid;
	e->pad = 0;
	e->wake = ctx->wake;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

#endif
