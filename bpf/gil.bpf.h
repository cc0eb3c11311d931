/* SPDX-License-Identifier: MIT */
/*
 * gil.bpf.h - who holds a language runtime's global lock, read where a thread of such a process
 * leaves its CPU: the memory is the process's own, as it stands at that instant. The collector
 * finds the lock and says how to read it (struct ev_runtime); a process without an entry pays one
 * compare.
 *
 * User memory is read without faulting: what is not in memory is "not readable".
 */
#ifndef CORUN_GIL_H
#define CORUN_GIL_H

/* By tgid. Preallocated: a fork copies an entry, and the collector may be slow to clear one. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __s32);
	__type(value, struct ev_runtime);
} runtimes SEC(".maps");

/* Counts changes of `runtimes`: a thread looks there again only after one. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} runtimes_changed SEC(".maps");

/* The runtime's state of a thread, by tid, where the collector was first to find it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __s32);
	__type(value, __u64);
} runtime_threads SEC(".maps");

struct gil_facts {
	__u64 gil, code;
	__s32 holder;
	bool known;
};

#define GIL_UNREADABLE (-1)

static __always_inline struct ev_runtime *gil_runtime(struct gil_ctx *own, __s32 tgid)
{
	__u32 zero = 0, *changed = bpf_map_lookup_elem(&runtimes_changed, &zero);
	struct ev_runtime *rt;

	if (!changed || (own->changed == *changed && !own->present))
		return NULL;
	rt = bpf_map_lookup_elem(&runtimes, &tgid);
	own->changed = *changed;
	own->present = rt != NULL;
	return rt;
}

static __always_inline __s32 gil_thread_tid(const struct ev_runtime *rt, __u64 thread)
{
	__u64 id = 0;
	__s32 tid = 0;

	if (bpf_probe_read_user(&id, sizeof(id), (void *)(thread + rt->tid)))
		return GIL_UNREADABLE;
	if (!rt->pthread_tid)
		return (__s32)id;
	if (bpf_probe_read_user(&tid, sizeof(tid), (void *)(id + rt->pthread_tid)))
		return GIL_UNREADABLE;
	return tid;
}

/*
 * Holder of the lock at @gil: its tid, 0: nobody, GIL_UNREADABLE. Learns this thread's own state on
 * the way: who lets go leaves its mark in the lock.
 */
static __always_inline __s32 gil_holder(const struct ev_runtime *rt, struct gil_ctx *own, __u64 gil)
{
	__s32 locked = 1, tid;
	__u64 thread = 0;

	if (bpf_probe_read_user(&thread, sizeof(thread), (void *)(gil + rt->holder)))
		return GIL_UNREADABLE;
	if (rt->locked >= 0 &&
	    bpf_probe_read_user(&locked, sizeof(locked), (void *)(gil + rt->locked)))
		return GIL_UNREADABLE;
	if (!thread)
		return 0;
	if (locked <= 0 && own->thread)
		return 0;
	tid = gil_thread_tid(rt, thread);
	if (tid == own->ns_tid)
		own->thread = thread;
	return locked > 0 ? tid : 0;
}

static __always_inline void gil_tell(__u64 gil, __s32 tgid, __s32 holder, bool exact)
{
	struct ev_gil *e = event_new(sizeof(*e), EV_GIL);

	if (!e)
		return;
	e->gil = gil;
	e->tgid = tgid;
	e->holder = holder;
	e->exact = exact;
	e->pad = 0;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

/* This thread's own state, 0: not known. */
static __always_inline __u64 gil_thread(struct gil_ctx *own, __s32 tid)
{
	__u64 *told;

	if (!own->thread) {
		told = bpf_map_lookup_elem(&runtime_threads, &tid);
		if (told)
			own->thread = *told;
	}
	return own->thread;
}

/* The code object in which the thread called what it waits in, and if @instr is not NULL the
 * instruction in it; 0: not known. */
static __always_inline __u64 gil_code(const struct ev_runtime *rt, struct gil_ctx *own, __s32 tid,
				      __u64 *instr)
{
	__u64 at = rt->n_frame ? gil_thread(own, tid) : 0;

	if (!at)
		return 0;
	if (gil_thread_tid(rt, at) != own->ns_tid) {
		own->thread = 0; /* this state is another thread's by now */
		return 0;
	}
#pragma unroll
	for (int i = 0; i < EV_FRAME_STEPS; i++) {
		if (i >= rt->n_frame)
			break;
		if (instr && i == rt->n_frame - 1 && rt->frame_instr &&
		    bpf_probe_read_user(instr, sizeof(*instr), (void *)(at + rt->frame_instr)))
			return 0;
		if (bpf_probe_read_user(&at, sizeof(at), (void *)(at + rt->frame[i])))
			return 0;
		at &= ~3ULL; /* CPython 3.14 keeps a tag in the low bits */
		if (!at)
			return 0;
	}
	return at;
}

/* Ruby: a waiter sleeps on a word of its own, for the lock only while it is in the lock's queue. */
static __always_inline bool gil_own_wait(const struct ev_runtime *rt, struct gil_ctx *own, __s32 tid,
					 __u64 word)
{
	__u64 thread, next = 0;

	if (!rt->own_to)
		return false;
	thread = gil_thread(own, tid);
	if (!thread || word - thread < rt->own_from || word - thread >= rt->own_to ||
	    bpf_probe_read_user(&next, sizeof(next), (void *)(thread + rt->own_link)))
		return false;
	return next && next != thread + rt->own_link;
}

/*
 * Thread @tid of process @tgid leaves its CPU; @word: the futex that it waits on, 0 if it does not. A
 * holder other than the one last told is told. 0: the process has no runtime. A global function,
 * verified once by itself: the verifier of 6.1 would walk it anew after each way through wait_read().
 */
__noinline __u32 gil_look(__s32 tgid, __s32 tid, struct gil_ctx *own, __u64 word,
			  struct gil_facts *facts)
{
	struct ev_runtime *rt;
	__s32 holder;

	if (!own || !facts)
		return 0;
	facts->gil = facts->code = 0;
	facts->holder = 0;
	facts->known = false;
	rt = gil_runtime(own, tgid);
	if (!rt)
		return 0;
	for (__u32 i = 0; i < EV_GILS; i++) {
		__u64 gil = rt->gil[i];

		if (i >= rt->n_gils)
			break;
		holder = gil_holder(rt, own, gil);
		if (holder != rt->told[i]) {
			rt->told[i] = holder;
			gil_tell(gil, tgid, holder, false);
		}
		if ((word - gil >= rt->wait_from && word - gil < rt->wait_to) ||
		    (word && !i && gil_own_wait(rt, own, tid, word))) {
			facts->gil = gil;
			facts->holder = holder;
			facts->known = holder != GIL_UNREADABLE;
		}
	}
	if (word && !facts->gil)
		facts->code = gil_code(rt, own, tid, NULL);
	return 1;
}

struct gil_place {
	__u64 code, instr;
};

/* --stacks: where in the runtime's own code the thread is. 0: not in one, or not known. */
__noinline __u32 gil_place(__s32 tgid, __s32 tid, struct gil_ctx *own, struct gil_place *place)
{
	struct ev_runtime *rt;

	if (!own || !place)
		return 0;
	place->code = place->instr = 0;
	rt = gil_runtime(own, tgid);
	if (rt)
		place->code = gil_code(rt, own, tid, &place->instr);
	return place->code != 0;
}

static __always_inline void gil_see(struct task_struct *task, struct gil_ctx *own, __u64 word,
				    struct gil_facts *facts)
{
	/* At its first look nobody knows yet that its process has a runtime. */
	if (own->present && !own->ns_tid)
		own->ns_tid = innermost_nr(task);
	gil_look(task->tgid, task->pid, own, word, facts);
}

/*
 * --gil=probe: this thread has just got the lock (@got), or is about to let go of it. Which of
 * several locks, the locks themselves say.
 */
static __always_inline void gil_changed(struct task_struct *task, struct gil_ctx *own, bool got)
{
	__s32 tgid = task->tgid;
	struct ev_runtime *rt = gil_runtime(own, tgid);

	if (!rt)
		return;
	if (!own->ns_tid)
		own->ns_tid = innermost_nr(task);
	for (__u32 i = 0; i < EV_GILS; i++) {
		if (i >= rt->n_gils)
			break;
		if (gil_holder(rt, own, rt->gil[i]) != own->ns_tid)
			continue;
		rt->told[i] = got ? own->ns_tid : 0;
		gil_tell(rt->gil[i], tgid, rt->told[i], true);
	}
}

/* --gil=probe: attached to a runtime's own functions, where it has their names. */
SEC("uretprobe")
int gil_taken(struct pt_regs *regs)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_ctx *own = member(task);

	if (own)
		gil_changed(task, &own->gil, true);
	return 0;
}

SEC("uprobe")
int gil_dropped(struct pt_regs *regs)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_ctx *own = member(task);

	if (own)
		gil_changed(task, &own->gil, false);
	return 0;
}

/* A forked process has its parent's memory, and so a lock of its own at the same address. */
static __always_inline void gil_fork(struct gil_ctx *parent, __s32 parent_tgid, __s32 child_tgid)
{
	struct ev_runtime *rt, *own;

	if (parent_tgid == child_tgid || !parent->present)
		return;
	rt = bpf_map_lookup_elem(&runtimes, &parent_tgid);
	if (!rt || bpf_map_update_elem(&runtimes, &child_tgid, rt, BPF_ANY))
		return;
	own = bpf_map_lookup_elem(&runtimes, &child_tgid);
	for (int i = 0; own && i < EV_GILS; i++)
		own->told[i] = EV_GIL_UNTOLD;
}

static __always_inline void gil_exec(struct gil_ctx *own, __s32 tgid)
{
	if (own->present)
		bpf_map_delete_elem(&runtimes, &tgid);
	own->present = 0;
	own->thread = 0;
}

#endif
