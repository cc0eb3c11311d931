/* SPDX-License-Identifier: MIT */
/*
 * switch.bpf.h - a CPU goes from one thread to another, and one of them is traced: who leaves it and
 * why, who gets it and who had woken that one. Everything here runs with the run queue locked.
 */
#ifndef CORUN_SWITCH_H
#define CORUN_SWITCH_H

static __always_inline void affinity_check(struct task_struct *task, struct task_ctx *ctx)
{
	__u64 mask = task->cpus_ptr->bits[0];
	__u32 allowed = task->nr_cpus_allowed;
	struct ev_affinity *e;

	if (ctx->allowed == allowed && ctx->mask == mask)
		return;
	e = event_new(sizeof(*e), EV_AFFINITY);
	if (!e)
		return;
	e->tid = task->pid;
	e->cpus = ctx->allowed = allowed;
	e->mask = ctx->mask = mask;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

/*
 * A thread leaves the CPU that was never seen to get it: the kernel does not fire sched_switch for
 * every switch everywhere (seen on a hypervisor's guest kernel, where ftrace misses the same ones).
 * Its own accounting knows when the thread arrived: sched_info.last_arrival, on the run queue's clock
 * (kernel/sched/stats.h: sched_info_arrive()), which stands at now in __schedule().
 */
static __noinline void emit_arrival(struct task_struct *task, struct task_ctx *own)
{
	struct rq *rq = NULL;
	struct ev_pending *e;
	__u64 clock = 0, arrival = 0;

	if (!bpf_core_field_exists(task->sched_info) || !bpf_core_field_exists(struct cfs_rq, rq))
		return;
	rq = BPF_CORE_READ(task, se.cfs_rq, rq);
	clock = BPF_CORE_READ(rq, clock);
	arrival = BPF_CORE_READ(task, sched_info.last_arrival);
	if (!arrival || arrival > clock)
		return;
	e = event_new(sizeof(*e), EV_ARRIVAL);
	if (!e)
		return;
	e->head.ts -= clock - arrival;
	e->tid = BPF_CORE_READ(task, pid);
	e->pad = 0;
	e->wake = own->wake;
	own->wake.ts = 0;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

#define NR_FUTEX 202

struct switch_facts {
	struct task_struct *prev, *next;
	__u32 state;
	__u8 flags;
};

static __always_inline void switch_fill(struct ev_switch *e, const struct switch_facts *f,
					struct task_ctx *next_ctx)
{
	e->prev = f->prev->pid;
	e->next = f->next->pid;
	e->prev_state = f->state;
	e->prev_prio = (__u8)f->prev->prio;
	e->next_prio = (__u8)f->next->prio;
	e->flags = f->flags;
	e->pad = 0;
	if (next_ctx) {
		e->wake = next_ctx->wake;
		next_ctx->wake.ts = 0;
		next_ctx->running = true;
		cpus[e->head.cpu & (EV_MAX_CPUS - 1)].runs = e->next;
	} else {
		__builtin_memset(&e->wake, 0, sizeof(e->wake));
	}
}

static __always_inline void emit_switch(const struct switch_facts *f, struct task_ctx *next_ctx)
{
	struct ev_switch *e = event_new(sizeof(*e), EV_SWITCH);

	if (!e)
		return;
	switch_fill(e, f, next_ctx);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

static __always_inline void emit_block(void *ctx, const struct switch_facts *f, struct ev_wait *wait,
				       struct task_ctx *prev_ctx, struct task_ctx *next_ctx)
{
	struct ev_block *e = event_new(sizeof(*e) + config.stack_size, EV_BLOCK);

	if (!e)
		return;
	switch_fill(&e->sw, f, next_ctx);
	e->wait = *wait;
	if (config.stack_size)
		stack_fill(ctx, f->prev, prev_ctx, &e->sw.head, (void *)(e + 1));
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

/*
 * The words around a futex. At the start or the end of a mapping, where most shared locks stand, as
 * far as it goes on either side, and 0 beyond: no lock reaches out of its mapping. False: not even
 * the word itself could be read.
 */
static __always_inline bool futex_words(__u8 *words, __u64 address, struct task_struct *remote)
{
	bool read = false;

	if (!user_read(words, EV_WORDS_LEN, address - EV_WORDS_BEFORE, remote))
		return true;
	__builtin_memset(words, 0, EV_WORDS_LEN);
#pragma unroll
	for (int at = 0; at < EV_WORDS_LEN - EV_WORDS_BEFORE; at += 4) {
		if (user_read(words + EV_WORDS_BEFORE + at, 4, address + at, remote))
			break;
		read = true;
	}
#pragma unroll
	for (int at = 4; at <= EV_WORDS_BEFORE; at += 4)
		if (user_read(words + EV_WORDS_BEFORE - at, 4, address - at, remote))
			break;
	return read;
}

static __always_inline void emit_futex(void *ctx, const struct switch_facts *f, struct ev_wait *wait,
				       struct task_ctx *prev_ctx, struct task_ctx *next_ctx)
{
	struct gil_facts gil;
	struct ev_futex *e;

	gil_see(f->prev, &prev_ctx->gil, wait->args[0], &gil);
	e = event_new(sizeof(*e) + config.stack_size, EV_FUTEX);
	if (!e)
		return;
	if (!prev_ctx->ns_tgid)
		prev_ctx->ns_tgid = innermost_nr(f->prev->group_leader);
	switch_fill(&e->block.sw, f, next_ctx);
	e->block.wait = *wait;
	e->ns_tgid = prev_ctx->ns_tgid;
	e->gil = gil.gil;
	e->code = gil.code;
	e->holder = gil.holder;
	if (gil.known)
		e->block.wait.flags |= EV_WAIT_HOLDER;
	if (futex_words(e->words, wait->args[0], NULL))
		e->block.wait.flags |= EV_WAIT_WORDS;
	if (config.stack_size)
		stack_fill(ctx, f->prev, prev_ctx, &e->block.sw.head, (void *)(e + 1));
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	struct task_ctx *prev_ctx = prev->pid ? member(prev) : NULL;
	struct task_ctx *next_ctx = next->pid ? member(next) : NULL;
	struct switch_facts f = {prev, next, prev_state, 0};
	struct gil_facts gil;
	struct ev_wait wait;

	if (!prev_ctx) {
		if (!next_ctx)
			return 0;
		f.state = 0;
		f.flags |= EV_NEXT_MEMBER;
		emit_switch(&f, next_ctx);
		return 0;
	}
	if (preempt || !prev_state) {
		f.flags |= EV_PREEMPT;
		f.state = 0;
	}
	if (next_ctx)
		f.flags |= EV_NEXT_MEMBER;
	else if (next->pid)
		announce_outsider(next);
	f.flags |= EV_PREV_MEMBER;
	if (!prev_ctx->running)
		emit_arrival(prev, prev_ctx);
	prev_ctx->running = false;
	affinity_check(prev, prev_ctx);
	if (f.flags & EV_PREEMPT) {
		/* A wake-up that met it running is spent. */
		prev_ctx->wake.ts = 0;
		gil_see(prev, &prev_ctx->gil, 0, &gil);
		emit_switch(&f, next_ctx);
		return 0;
	}
	if (prev_state & 0x80) { /* dead: there is nothing left to ask */
		emit_switch(&f, next_ctx);
		return 0;
	}
	wait_read(prev, prev_ctx, &wait, NULL);
	if (wait.nr == NR_FUTEX) {
		emit_futex(ctx, &f, &wait, prev_ctx, next_ctx);
		return 0;
	}
	gil_see(prev, &prev_ctx->gil, 0, &gil);
	emit_block(ctx, &f, &wait, prev_ctx, next_ctx);
	return 0;
}

#endif
