/* SPDX-License-Identifier: MIT */
/*
 * event.h - the records that the probes put on the ring buffer, shared by kernel and user side.
 *
 * These are the probes' own words; the collector (userspace/record/collect.c) turns them into the
 * records of a trace. Fixed-width fields, no padding that is not named, sizes asserted at the end.
 *
 * ts is CLOCK_MONOTONIC in ns (bpf_ktime_get_ns), read after the ring's space was reserved: a record
 * that was not yet reserved when the reader looked at the ring cannot have an older ts.
 * seq counts the records of one CPU, those that found no room included: a gap is a loss.
 */
#ifndef CORUN_EVENT_H
#define CORUN_EVENT_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define EV_COMM_LEN 16
#define EV_ARGS_LEN 256
#define EV_PATH_PARTS 6
#define EV_PART_LEN 40
#define EV_MAX_CPUS 8192 /* the largest NR_CPUS of x86 (arch/x86/Kconfig) */
/* Around a futex word: enough for a glibc condition variable before it, a mutex after it. */
#define EV_WORDS_BEFORE 48
#define EV_WORDS_LEN 72
/* --stacks: bytes copied from the user stack pointer on; --kernel-stacks: return addresses. */
#define EV_STACK_BYTES 512
#define EV_STACK_LESS 256 /* near the end of the stack's mapping */
#define EV_KERNEL_FRAMES 16

enum ev_type {
	EV_SWITCH = 1, /* struct ev_switch */
	EV_BLOCK,      /* struct ev_block: a switch whose previous thread blocks */
	EV_FUTEX,      /* struct ev_futex: the same, on a futex */
	EV_FORK,       /* struct ev_thread */
	EV_SNAPSHOT,   /* struct ev_snapshot: alive when recording began */
	EV_OUTSIDER,   /* struct ev_thread: not traced, but preempts or wakes one that is */
	EV_EXEC,       /* struct ev_exec */
	EV_EXIT,       /* struct ev_exit */
	EV_RENAME,     /* struct ev_rename */
	EV_DESC,       /* struct ev_desc */
	EV_AFFINITY,   /* struct ev_affinity */
	EV_WAKE,       /* struct ev_pending: woken, not run when recording stopped */
	EV_ARRIVAL,    /* struct ev_pending: was switched in at ts without a sched_switch */
	EV_GIL,        /* struct ev_gil: another holder of a runtime's lock than before */
	EV_GO,         /* struct ev_go: a goroutine changes its status */
	EV_GO_WAIT,    /* struct ev_go_wait: the same, to waiting */
	EV_USDT,       /* struct ev_usdt: a probe of the program's own that stands for a task's doing */
};

enum ev_stacks { EV_STACK_USER = 1, EV_STACK_KERNEL = 2 };

struct ev_head {
	__u64 ts;
	__u32 seq;
	__u16 cpu;
	__u8 type;
	__u8 stacks;        /* enum ev_stacks: a struct ev_stack follows the event */
};

/* The wake-up that let the next thread run; ts 0: none. */
struct ev_wake {
	__u64 ts;
	__s32 waker;
	__u16 cpu;     /* where the waker was */
	__u8 context;  /* enum ev_waker_context */
	__u8 pad;
};

/* Same values as enum waker_context in userspace/trace/record.h. */
enum ev_waker_context {
	EV_WAKER_UNKNOWN = 0,
	EV_WAKER_TASK,
	EV_WAKER_SOFTIRQ_SELF,
	EV_WAKER_SOFTIRQ,
	EV_WAKER_HARDIRQ,
};

enum ev_switch_flags {
	EV_PREEMPT = 1,     /* prev is still runnable */
	EV_PREV_MEMBER = 2, /* prev is traced */
	EV_NEXT_MEMBER = 4, /* next is traced */
};

struct ev_switch {
	struct ev_head head;
	__s32 prev, next;   /* tids, 0: idle */
	__u32 prev_state;
	__u8 prev_prio, next_prio;
	__u8 flags;         /* enum ev_switch_flags */
	__u8 pad;
	struct ev_wake wake; /* of next */
};

enum ev_wait_flags {
	EV_WAIT_FAULT = 1,  /* blocked without a call of its own: a page fault */
	EV_WAIT_IO = 2,     /* task->in_iowait */
	EV_WAIT_TIMED = 4,  /* timeout_ns holds */
	EV_WAIT_WORDS = 8,  /* the futex's word was read; around it, what is not mapped is 0 */
	EV_WAIT_HOLDER = 16, /* ev_futex.holder holds */
};

struct ev_wait {
	__s16 nr;           /* system call, -1: none */
	__u8 flags;         /* enum ev_wait_flags */
	__u8 fd_kind;       /* enum fd_kind of userspace/trace/record.h */
	__u8 nfds;          /* poll, select: how many, at most 255 */
	__u8 pad[3];
	__u64 args[4];
	__u64 desc;         /* identity of the descriptor; 0: none */
	__u64 timeout_ns;
};

struct ev_block {
	struct ev_switch sw;
	struct ev_wait wait;
};

struct ev_futex {
	struct ev_block block;
	__s32 ns_tgid;      /* of the waiter, in its innermost namespace */
	__s32 holder;       /* of the runtime's lock `gil`, as in ev_gil */
	__u64 gil;          /* the runtime's lock that the word belongs to; 0: none */
	__u64 code;         /* the runtime's code object that the thread is in; 0: not known */
	__u8 words[EV_WORDS_LEN]; /* user memory from EV_WORDS_BEFORE bytes before the word */
};

/*
 * Where in its code a thread that blocks is: behind an ev_block or ev_futex whose head says so. The
 * registers are those that a called function preserves (System V psABI, AMD64, 3.2.1), and so all
 * that unwinding needs beside the stack itself.
 */
struct ev_stack {
	__u64 ip, sp, bp, bx, r12, r13, r14, r15;
	__u64 code;         /* the runtime's code object that the thread is in; 0: not known */
	__u64 instr;        /* and the address of the instruction in it; 0: not known */
	__u32 len;          /* bytes of `user` that were read */
	__u32 n_kernel;     /* addresses in `kernel` */
	__u64 kernel[EV_KERNEL_FRAMES];
	__u8 user[];        /* from sp on */
};

enum ev_thread_flags { /* same values as enum thread_flags of record.h */
	EV_THREAD_SNAPSHOT = 1,
	EV_THREAD_OUTSIDER = 2,
	EV_THREAD_KERNEL = 4,
	EV_THREAD_RUNNING = 8,
	EV_THREAD_READY = 16,
	EV_THREAD_VFORK = 32,
	EV_THREAD_NEW_PROCESS = 64,
};

struct ev_thread {
	struct ev_head head;
	__s32 tid, tgid, ns_tid, ns_tgid;
	__s32 parent;
	__u32 flags;
	__u32 state;
	__u32 cpus;         /* CPUs that it may use */
	__u64 mask;         /* CPUs 0 to 63 */
	__s32 running_on;   /* snapshot, EV_THREAD_RUNNING: the CPU; else -1 */
	__u32 pad;
	char comm[EV_COMM_LEN];
	struct ev_wait wait;
};

struct ev_snapshot {
	struct ev_thread thread;
	__u8 words[EV_WORDS_LEN]; /* asleep in a futex: as in ev_futex */
};

struct ev_exec {
	struct ev_head head;
	__s32 tid, old_tid, tgid;
	__u32 args_len;
	__u8 joined;        /* became a member by this exec */
	__u8 pad[7];
	char comm[EV_COMM_LEN];
	char filename[128];
	char args[EV_ARGS_LEN]; /* words end in NUL */
	/* what a new member is, as in ev_thread */
	__s32 ns_tid, ns_tgid, parent;
	__u32 cpus;
	__u64 mask;
};

struct ev_exit {
	struct ev_head head;
	__s32 tid, tgid, code;
	__u32 group_dead;
};

struct ev_rename {
	struct ev_head head;
	__s32 tid;
	__u32 pad;
	char comm[EV_COMM_LEN];
};

struct ev_affinity {
	struct ev_head head;
	__s32 tid;
	__u32 cpus;
	__u64 mask;
};

struct ev_pending {
	struct ev_head head;
	__s32 tid;
	__u32 pad;
	struct ev_wake wake;
};

struct ev_desc {
	struct ev_head head;
	__u64 id;
	__u8 kind;          /* enum fd_kind */
	__u8 family;        /* AF_INET, AF_INET6, AF_UNIX */
	__u8 state;         /* TCP state; TCP_LISTEN has no peer */
	__u8 parts;         /* path components in `path` */
	__u16 port, peer_port; /* host order */
	__u32 rdev;         /* device files */
	__u32 pad;
	__u64 ino;
	__u8 addr[16], peer_addr[16]; /* network order; IPv4 in the first 4 */
	union {
		char path[EV_PATH_PARTS][EV_PART_LEN]; /* innermost name first */
		char text[EV_PATH_PARTS * EV_PART_LEN]; /* Unix sockets: their address */
	};
};

struct ev_gil {
	struct ev_head head;
	__u64 gil;
	__s32 tgid;
	__s32 holder;       /* tid in the innermost namespace, 0: nobody, -1: not readable */
	__u32 exact;        /* 1: seen at the change itself, by an uprobe */
	__u32 pad;
};

/*
 * --tasks=go: runtime.casgstatus(gp, from, to) is about to be called, which every change of a
 * goroutine's status goes through. Where in the g its fields are the collector finds out.
 */
#define EV_GO_FIELDS_AT 136 /* in the g: status, id and reason lie here, by version a word or two on */
#define EV_GO_FIELDS_LEN 56
#define EV_GO_FRAMES 12

struct ev_go {
	struct ev_head head;
	__u64 g;
	__u64 ip;           /* of the function probed */
	__s32 tid, tgid;
	__u64 start, made;  /* a new one: its function, and the return address of its go statement */
	__u64 cookie;       /* given when the file was probed */
	__u32 from, to;     /* the runtime's numbers of them */
	__u32 n_fields;     /* bytes of `fields` that were read: all or none */
	__u32 pad;
	__u8 fields[EV_GO_FIELDS_LEN];
};

struct ev_go_wait {
	struct ev_go go;
	__u64 pcs[EV_GO_FRAMES]; /* return addresses from runtime.gopark outwards; 0: no more */
};

/* --probes: which line of the configuration it is, and which arguments (from 1; 0: none) are the task's id
 * and a text, all in the probe's cookie. */
#define EV_USDT_COOKIE(line, id, text) ((__u64)(line) << 16 | (__u64)(id) << 8 | (__u64)(text))
#define EV_USDT_LINE(cookie) ((__u32)((__u64)(cookie) >> 16))
#define EV_USDT_ID(cookie) ((__u64)(cookie) >> 8 & 0xff)
#define EV_USDT_TEXT(cookie) ((__u64)(cookie) & 0xff)

struct ev_usdt {
	struct ev_head head;
	__s32 tid, tgid;
	__u32 line, pad;
	__u64 id;
	char text[128]; /* ends in NUL */
};

/*
 * How to read the global lock of a process's language runtime (CPython's GIL, Ruby's GVL): filled in
 * by the collector (userspace/record/runtime.h), used at the switches of that process. Offsets are
 * those of the runtime's own structs.
 */
#define EV_GILS 16          /* CPython 3.12 and later may have one per interpreter */
#define EV_FRAME_STEPS 3
#define EV_GIL_UNTOLD (-2)

struct ev_runtime {
	__u64 gil[EV_GILS]; /* base addresses */
	__s32 told[EV_GILS]; /* holder as last told; EV_GIL_UNTOLD: not yet */
	__u32 n_gils;
	__u16 wait_from, wait_to; /* futex words inside the lock */
	__u16 own_from, own_to; /* and inside the waiter's own thread state; 0, 0: none */
	__u16 own_link;     /* there: list node, linked while the thread waits for the lock */
	__u16 frame_instr;  /* in the innermost frame: pointer to its instruction; 0: not known */
	__s16 locked;       /* int, > 0: held; -1: there is none, the holder's pointer says it */
	__u16 holder;       /* pointer to the holder's thread state */
	__u16 tid;          /* in the thread state: the native thread's tid, or ... */
	__u16 pthread_tid;  /* ... not 0: a pthread_t, in which the tid stands here */
	/* From the thread state to the code object of its innermost frame: pointers at these offsets */
	__u16 frame[EV_FRAME_STEPS];
	__u16 n_frame;      /* 0: not known */
};

/* One CPU's own facts, in .bss: seq is also read by the collector at the end. */
struct ev_cpu {
	__u32 seq;
	__u32 lost;
	__s32 runs;    /* tid of the member that was last switched in here */
	__u8 pad[52];
};

enum ev_target { EV_TARGET_LIST, EV_TARGET_COMM, EV_TARGET_CGROUP, EV_TARGET_ALL };

/* Set before the probes are loaded. */
struct ev_config {
	__u32 target;            /* enum ev_target */
	__s32 command_tgid;      /* joins at its exec; 0: none */
	__s32 self_tgid;         /* the recorder: never traced */
	__u32 preempt_offset_ok; /* the next two hold */
	__s64 runqueues_offset;  /* of `runqueues` and of the preempt count among the per-CPU data */
	__s64 preempt_offset;
	__s64 realtime_offset;   /* CLOCK_REALTIME less CLOCK_MONOTONIC, ns */
	__u64 cgroup_id;
	char comm_glob[EV_COMM_LEN];
	__u32 redact;
	__u32 rdonly_cast;       /* the kernel has bpf_rdonly_cast() */
	__u32 user_stacks, kernel_stacks;
	__u32 stack_size;        /* of the struct ev_stack behind an event, user[] included; 0: none */
	__u32 pad;
};

#define EV_SIZE(type, size) _Static_assert(sizeof(struct type) == (size), #type)
EV_SIZE(ev_head, 16);
EV_SIZE(ev_wake, 16);
EV_SIZE(ev_switch, 48);
EV_SIZE(ev_wait, 56);
EV_SIZE(ev_block, 104);
EV_SIZE(ev_futex, 200);
EV_SIZE(ev_gil, 40);
EV_SIZE(ev_go, 136);
EV_SIZE(ev_go_wait, 232);
EV_SIZE(ev_usdt, 168);
EV_SIZE(ev_stack, 216);
EV_SIZE(ev_runtime, 224);
EV_SIZE(ev_thread, 136);
EV_SIZE(ev_snapshot, 208);
EV_SIZE(ev_cpu, 64);

#endif
