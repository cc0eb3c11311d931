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

#include "switch.bpf.h"

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

#include "lives.bpf.h"
#include "snapshot.bpf.h"
#include "go.bpf.h"
#include "usdt_task.bpf.h"
