/* SPDX-License-Identifier: MIT */
/*
 * corun.bpf.c - the probes. Scheduler tracepoints alone tell everything: who ran, who was blocked
 * and in which call, who woke whom. No system-call tracepoints, no uprobes: a call that does not
 * block never gets here.
 *
 * Every program asks first whether the thread is a member of the traced set (task storage), so a
 * process outside the set pays for that question alone.
 */
#include "kernel_compat.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "event.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile struct ev_config config = {};
struct ev_cpu cpus[EV_MAX_CPUS];

/* What is kept of a thread whose process has a runtime with a global lock (gil.bpf.h). */
struct gil_ctx {
	__u64 thread;        /* the runtime's state of this thread; 0: not known yet */
	__s32 ns_tid;        /* in its innermost pid namespace; 0: not asked yet */
	__u32 changed;       /* `runtimes_changed` when its process was looked up there ... */
	__u32 present;       /* ... and had an entry */
	__u32 pad;
};

/* What is kept of a member between two of its events. */
struct task_ctx {
	struct gil_ctx gil;
	struct ev_wake wake; /* not yet told; ts 0: none */
	__u64 desc;          /* last descriptor waited on, and its kind */
	__u64 mask;          /* affinity as last told */
	__u64 regs;          /* where its saved user registers stand */
	__u64 go_start;      /* the goroutine that it made last: function, and ... */
	__u64 go_made;       /* ... where the go statement stands */
	__u32 allowed;
	__s32 ns_tgid;       /* in its innermost pid namespace; 0: not asked yet */
	__u16 call;          /* last call blocked in, plus 1, for restart_syscall; 0: none */
	__u8 desc_kind;
	bool running;        /* its latest switch-in was seen */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_ctx);
} members SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024 * 1024);
} ring SEC(".maps");

/* Processes to begin with, by tgid. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __s32);
	__type(value, __u8);
} targets SEC(".maps");

/* Threads outside the set whose name was told: tid -> task address. Preallocated: it is written
 * under the run queue's lock, where allocating is not allowed. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __s32);
	__type(value, __u64);
} outsiders SEC(".maps");

/*
 * Room on the ring for a record of @size bytes with its head filled, or NULL: then the number it
 * would have had is missing, which the collector sees. Some programs run with interrupts on and can
 * be interrupted by another one: hence the atomic add.
 */
static __always_inline void *event_new(const __u32 size, __u8 type)
{
	__u32 cpu = bpf_get_smp_processor_id() & (EV_MAX_CPUS - 1);
	struct ev_head *head = bpf_ringbuf_reserve(&ring, size, 0);
	__u32 seq = __sync_fetch_and_add(&cpus[cpu].seq, 1);

	if (!head) {
		__sync_fetch_and_add(&cpus[cpu].lost, 1);
		return NULL;
	}
	head->ts = bpf_ktime_get_ns();
	head->seq = seq;
	head->cpu = (__u16)cpu;
	head->type = type;
	head->stacks = 0;
	return head;
}

#include "peek.bpf.h"
#include "desc.bpf.h"
#include "waker.bpf.h"
#include "wait.bpf.h"
#include "joins.bpf.h"

static __always_inline struct task_ctx *member(struct task_struct *task)
{
	return bpf_task_storage_get(&members, task, NULL, 0);
}

static __always_inline __s32 innermost_nr(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	__s32 nr = 0;

	bpf_probe_read_kernel(&nr, sizeof(nr),
			      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				      level * bpf_core_type_size(struct upid) +
				      bpf_core_field_offset(struct upid, nr));
	return nr;
}

#include "gil.bpf.h"
#include "stack.bpf.h"

static __always_inline void thread_fill(struct task_struct *task, struct ev_thread *e)
{
	__builtin_memset((void *)e + sizeof(e->head), 0, sizeof(*e) - sizeof(e->head));
	e->tid = task->pid;
	e->tgid = task->tgid;
	e->ns_tid = innermost_nr(task);
	e->ns_tgid = innermost_nr(BPF_CORE_READ(task, group_leader));
	e->cpus = task->nr_cpus_allowed;
	e->mask = BPF_CORE_READ(task, cpus_ptr, bits[0]);
	e->flags = task->flags & PF_KTHREAD ? EV_THREAD_KERNEL : 0;
	e->wait.nr = -1;
	e->running_on = -1;
	bpf_probe_read_kernel_str(e->comm, sizeof(e->comm), task->comm);
}

/* Tell the name of a thread outside the set, once. */
static __noinline void announce_outsider(struct task_struct *task)
{
	__u64 address = (__u64)task, *known;
	__s32 tid = BPF_CORE_READ(task, pid);
	struct ev_thread *e;

	known = bpf_map_lookup_elem(&outsiders, &tid);
	if (known && *known == address)
		return;
	e = event_new(sizeof(*e), EV_OUTSIDER);
	if (!e)
		return;
	__builtin_memset((void *)e + sizeof(e->head), 0, sizeof(*e) - sizeof(e->head));
	e->tid = tid;
	e->tgid = BPF_CORE_READ(task, tgid);
	e->flags = EV_THREAD_OUTSIDER;
	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		e->flags |= EV_THREAD_KERNEL;
	e->wait.nr = -1;
	bpf_probe_read_kernel_str(e->comm, sizeof(e->comm), task->comm);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	bpf_map_update_elem(&outsiders, &tid, &address, BPF_ANY);
}

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

static __always_inline void note_wake(struct task_struct *task)
{
	struct task_struct *cur;
	struct task_ctx *ctx = member(task);

	if (!ctx)
		return;
	cur = bpf_get_current_task_btf();
	ctx->wake.waker = cur->pid;
	ctx->wake.cpu = (__u16)bpf_get_smp_processor_id();
	ctx->wake.context = waker_context(cur);
	ctx->wake.ts = bpf_ktime_get_ns();
	/* Most wakers are members, and that one runs here is known without asking. */
	if (cur->pid && ctx->wake.context == EV_WAKER_TASK &&
	    cpus[ctx->wake.cpu & (EV_MAX_CPUS - 1)].runs != cur->pid && !member(cur))
		announce_outsider(cur);
}

SEC("tp_btf/sched_waking")
int BPF_PROG(on_waking, struct task_struct *task)
{
	note_wake(task);
	return 0;
}

/* A new thread's first wake-up, by its parent: it goes by this tracepoint alone. */
SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_wakeup_new, struct task_struct *task)
{
	note_wake(task);
	return 0;
}

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

#include "snapshot.bpf.h"
#include "go.bpf.h"
#include "usdt_task.bpf.h"
