/* SPDX-License-Identifier: MIT */
/*
 * record.h - what a trace is made of: one fact each, as the kernel or the collector saw it.
 *
 * A trace is a stream of records in order of time. They hold facts, not conclusions: states, wait
 * kinds, intervals and figures are the model's (../model). The same records exist in three forms:
 * this struct, the bytes of a .corun file (format.h), and lines of text (text.h).
 *
 * Units: `ts` and every *_ns are nanoseconds; ts is CLOCK_MONOTONIC. tid and tgid are the kernel's
 * own (initial pid namespace); ns_tid and ns_tgid are those of the thread's innermost namespace. 0
 * as a tid is the idle task, -1 is "not known".
 *
 * Strings belong to whoever made the record; a record from the reader lends them until the next
 * call to the reader. They may hold any byte but NUL and are never NULL ("" when absent).
 */
#ifndef CORUN_TRACE_RECORD_H
#define CORUN_TRACE_RECORD_H

#include "base/types.h"

#define CORUN_NO_CPU 0xffff
#define CORUN_COMM_LEN 16

enum record_type {
	REC_META = 1, /* a fact about the whole recording: key and value */
	REC_THREAD,   /* a thread that is met without its fork: snapshot, or an outsider */
	REC_FORK,     /* a new thread or process of the traced set */
	REC_EXEC,     /* a process replaced its image */
	REC_EXIT,     /* do_exit() begins; the thread may run on until its switch with state dead */
	REC_RENAME,   /* a thread changed its comm */
	REC_NAME,     /* a runtime's own name for a thread (Python's Thread.name) */
	REC_SWITCH,   /* sched_switch in which the previous or the next thread is traced */
	REC_WAKING,   /* a traced thread is being woken */
	REC_DESC,     /* what a file descriptor was: precedes the first wait that refers to it */
	REC_AFFINITY, /* the set of CPUs that a thread may use, at its start and when it changes */
	REC_LOST,     /* events of one CPU were lost between ts and until_ns */
	REC_HOST,     /* the machine's own CPU accounting (/proc/stat), cumulative */
	REC_CGROUP,   /* CPU quota and throttling of the target's cgroup, cumulative */
	REC_WINDOW,   /* the window opens or closes */
	REC_SITE,     /* a call site or call chain, by id: text for rec_wait.site */
	REC_LOCK,     /* a lock's name or origin, by address: "GIL", a backing file ... */
	REC_GIL,      /* who held a GIL at this instant (a sample, or exact: see rec_gil) */
	REC_REGION,   /* a marked stretch begins or ends */
	REC_TASK,     /* a coroutine, job or other unit of work changes its state */
	REC_FACT,     /* one line of JSON that the program wrote for the claims */
	REC_NOTE,     /* something that recording could not do, for the report: text */
	REC_END,      /* last record of a whole trace; its absence means "cut" */
	REC_TYPES,
};

/* What stands behind a file descriptor, as the kernel knows it. */
enum fd_kind {
	FD_NONE = 0, /* the call has no descriptor, or it was closed meanwhile */
	FD_UNKNOWN,  /* not readable */
	FD_FILE,     /* regular file or directory */
	FD_BLOCK,    /* block device */
	FD_CHAR,     /* character device that is no terminal */
	FD_TTY,      /* terminal or pseudo terminal */
	FD_PIPE,     /* pipe or named pipe */
	FD_TCP,
	FD_UDP,
	FD_UNIX,
	FD_NETLINK,
	FD_SOCKET, /* any other socket */
	FD_EPOLL,
	FD_EVENTFD,
	FD_TIMERFD,
	FD_SIGNALFD,
	FD_INOTIFY, /* inotify and fanotify */
	FD_IO_URING,
	FD_PIDFD,
	FD_MQUEUE, /* POSIX message queue */
	FD_ANON,   /* any other anonymous inode */
	FD_KINDS,
};

/* Why a futex waiter waits, from the words around the futex (record/futex.h has the signatures). */
enum lock_kind {
	LOCK_NONE = 0, /* not a futex wait */
	LOCK_FUTEX,    /* a futex whose words fit nothing, or more than one thing */
	LOCK_MUTEX,
	LOCK_RWLOCK,
	LOCK_CONDITION,
	LOCK_SEMAPHORE,
	LOCK_BARRIER,
	LOCK_JOIN,
	LOCK_GIL,        /* a runtime's global lock: CPython's GIL, Ruby's GVL */
	LOCK_GIL_SWITCH, /* CPython's forced switch: it has let go of the GIL and waits for a taker */
	LOCK_KINDS,
};

enum rec_wait_flags {
	WAIT_FAULT = 1,  /* in a page fault (user or kernel address), not by the call's own will */
	WAIT_IO = 2,     /* task->in_iowait: block I/O */
	WAIT_TIMED = 4,  /* timeout_ns is valid */
	WAIT_OWNER = 8,  /* owner was read (0: nobody held it); else the holder is not known */
	WAIT_SHARED = 16, /* a futex shared between processes: lock is a file-wide identity */
	WAIT_LOCK_LOOP = 32, /* the same lock interval as this thread's previous wait */
};

/* In what a thread is blocked; of rec_switch (previous thread) and rec_thread. */
struct rec_wait {
	s16 nr;          /* system call (numbers of the trace's `arch`), -1: in none */
	u8 flags;        /* rec_wait_flags */
	u8 fd_kind;      /* enum fd_kind of the (one) descriptor waited on */
	u8 lock_kind;    /* enum lock_kind */
	u8 nfds;         /* poll, select: descriptors asked for, 255 = 255 or more; else 0 */
	u64 args[4];     /* the call's first four arguments as passed */
	u64 desc;        /* identity of the descriptor, see rec_desc; 0: none */
	u64 timeout_ns;  /* requested timeout or sleep, relative; WAIT_TIMED */
	u64 lock;        /* lock's identity: its base address, or for WAIT_SHARED a hash of the
			  * backing file and offset; 0: none */
	u32 word;        /* the futex word's value at the wait */
	s32 owner;       /* kernel tid of who held the lock when the wait began; WAIT_OWNER */
	u32 site;        /* call site or chain, see rec_site; 0: none */
	u32 func;        /* kernel function slept in, as a site id (--kernel-stacks); 0: none */
};

enum switch_flags {
	SWITCH_PREEMPT = 1, /* the previous thread is still runnable: preempted, not blocked */
	SWITCH_PREV_OUTSIDER = 2, /* not in the traced set (idle, tid 0, needs no flag) */
	SWITCH_NEXT_OUTSIDER = 4,
	SWITCH_ACCOUNTED = 8, /* no sched_switch was fired: the time is the kernel's accounting, prev is
			       * not known (-1) */
};

/* State bits of the previous thread, from task_struct.__state (include/linux/sched.h). */
enum task_state_bits {
	TASK_BIT_INTERRUPTIBLE = 0x1,
	TASK_BIT_UNINTERRUPTIBLE = 0x2,
	TASK_BIT_STOPPED = 0x4,
	TASK_BIT_TRACED = 0x8,
	TASK_BIT_DEAD = 0x80,
	TASK_BIT_FROZEN = 0x8000,
	TASK_BIT_FREEZABLE = 0x2000,
};

struct rec_switch {
	s32 prev, next;     /* tids; 0: idle */
	u32 prev_state;     /* task_state_bits; 0 with SWITCH_PREEMPT */
	u8 flags;           /* switch_flags */
	u8 prev_prio, next_prio; /* kernel priority, 0 to 139 */
	struct rec_wait wait; /* meaningful when prev is traced and blocks */
};

/* Context that a wake-up came from. */
enum waker_context {
	WAKER_UNKNOWN = 0,
	WAKER_TASK,    /* the waker itself, by a system call or fault: a causal edge */
	WAKER_SOFTIRQ_SELF, /* soft interrupt while the waker was in a send or write: loopback, causal */
	WAKER_SOFTIRQ, /* soft interrupt on somebody else's behalf: from outside */
	WAKER_HARDIRQ, /* timer or device: no causal edge */
};

struct rec_waking { /* rec.cpu: where the waker was */
	s32 tid;        /* who is woken */
	s32 waker;      /* who ran there; the cause only if `context` says so */
	u8 context;     /* enum waker_context */
};

enum thread_flags {
	THREAD_SNAPSHOT = 1,  /* existed when recording began; `state` and `wait` hold */
	THREAD_OUTSIDER = 2,  /* not in the traced set: named for "preempted by" and "woken by" */
	THREAD_KERNEL = 4,    /* kernel thread */
	THREAD_RUNNING = 8,   /* snapshot: on rec.cpu */
	THREAD_READY = 16,    /* snapshot: on a run queue */
	THREAD_VFORK = 32,    /* fork: the parent waits for exec or exit */
	THREAD_NEW_PROCESS = 64, /* fork: a process, not a thread (no CLONE_THREAD) */
};

struct rec_thread { /* REC_THREAD, REC_FORK */
	s32 tid, tgid, ns_tid, ns_tgid;
	s32 parent;       /* fork: tid of the forking thread; snapshot: tgid of the parent process */
	u32 flags;        /* thread_flags */
	u32 state;        /* snapshot: task_state_bits */
	struct rec_wait wait; /* snapshot, blocked: what it is waiting in */
	const char *comm;
	const char *args; /* snapshot of a group leader: command line, words separated by one blank */
};

struct rec_exec {
	s32 tid;          /* after the exec: equals tgid */
	s32 old_tid;      /* before it: another thread than the leader may call exec */
	s32 tgid;
	const char *comm, *filename, *args; /* args as in rec_thread */
};

struct rec_exit {
	s32 tid, tgid;
	s32 code;        /* task->exit_code: low 7 bits the signal, bits 8 to 15 the status */
	u8 group_dead;   /* the last thread of its process */
};

struct rec_rename { s32 tid; const char *comm; };
struct rec_name { s32 tid; const char *name; };

struct rec_desc {
	u64 id;            /* unique in the trace */
	u8 kind;           /* enum fd_kind */
	const char *name;  /* peer "127.0.0.1:5432", path "/var/log/x", "pts/3"; "" unknown */
	const char *local; /* sockets: own address; else "" */
};

struct rec_affinity {
	s32 tid;
	u32 cpus;          /* how many CPUs it may use */
	u64 mask;          /* CPUs 0 to 63 */
};

struct rec_lost {      /* rec.ts: just after the last good record of rec.cpu */
	u64 until_ns;      /* its first good record after it */
	u64 count;         /* records that were lost */
};

struct rec_host {      /* sums over all CPUs since boot, ns, granular to 1/USER_HZ */
	u64 user_ns, system_ns, idle_ns, iowait_ns, irq_ns, softirq_ns, steal_ns;
};

struct rec_cgroup {
	u64 quota_us;      /* per period, 0: none */
	u64 period_us;
	u64 throttled_ns;  /* cumulative */
	u64 throttles;     /* cumulative count */
	const char *path;
};

struct rec_window { u8 begin; };
struct rec_site { u32 id; const char *text; }; /* innermost frame first, one a line */

struct rec_lock {
	s32 tgid;          /* process it belongs to; 0 for WAIT_SHARED */
	u64 lock;          /* as in rec_wait.lock */
	u8 kind;           /* enum lock_kind */
	const char *name;  /* "GIL", "GVL", backing file of a shared futex ... */
};

struct rec_gil {
	s32 tgid;
	u64 lock;
	s32 holder;        /* kernel tid, 0: nobody, -1: not readable */
	u8 exact;          /* 1: the change itself (--gil=probe); 0: a sample */
};

struct rec_region { s32 tid; u8 begin; const char *name; };

enum task_op {
	TASK_BEGIN = 1, /* created; ref: creating task or 0 */
	TASK_STEP,      /* runs on rec_task.tid from here; again in a step: another phase of it, `what` */
	TASK_WAIT,      /* its step ended; waits for `what`; ref: task awaited or 0 */
	TASK_READY,     /* scheduled: its next step is queued; ref: task that caused it or 0 */
	TASK_END,       /* over */
	TASK_LINK,      /* ref led to this task, for arrows */
	TASK_NAME,      /* `name` is its name from now on */
	TASK_LOST,      /* marks of process tgid were lost before: what its tasks are at is not known
			 * until their next own record; task is 0 */
	TASK_OPS,
};

enum task_outcome {
	OUTCOME_RESULT,
	OUTCOME_EXCEPTION,
	OUTCOME_CANCELLED,
	OUTCOME_UNKNOWN, /* it has ended; how, nobody told */
	OUTCOMES,
};

struct rec_task {
	u64 task;          /* unique in the trace, never recycled */
	u64 ref;
	s32 tid, tgid;
	u8 op;             /* enum task_op */
	u8 outcome;        /* TASK_END: enum task_outcome */
	const char *kind;  /* TASK_BEGIN, TASK_NAME: "asyncio", "job", "goroutine" ...; "": as it was */
	const char *name;  /* TASK_BEGIN, TASK_NAME */
	const char *what;  /* TASK_STEP: the phase, "" or e.g. "serializing:1000" (bytes);
			    * TASK_WAIT: a wait kind's name, then optionally ':' and detail:
			    * "sleep", "network:127.0.0.1:80", "join:Task-3" */
	const char *site;  /* source line "app.py:12 (fetch)" or "" */
};

struct rec_fact { s32 tgid; const char *json; };
struct rec_note { const char *text; };
struct rec_meta { const char *key, *value; };

struct rec_end {
	u64 records;       /* in the trace, this one not counted */
	u64 lost;          /* events lost on all CPUs */
};

struct record {
	u64 ts;            /* ns, CLOCK_MONOTONIC */
	u16 type;          /* enum record_type */
	u16 cpu;           /* where it was written; CORUN_NO_CPU: by the collector */
	union {
		struct rec_meta meta;
		struct rec_thread thread;
		struct rec_thread fork;
		struct rec_exec exec;
		struct rec_exit exit;
		struct rec_rename rename;
		struct rec_name name;
		struct rec_switch sw;
		struct rec_waking waking;
		struct rec_desc desc;
		struct rec_affinity affinity;
		struct rec_lost lost;
		struct rec_host host;
		struct rec_cgroup cgroup;
		struct rec_window window;
		struct rec_site site;
		struct rec_lock lock;
		struct rec_gil gil;
		struct rec_region region;
		struct rec_task task;
		struct rec_fact fact;
		struct rec_note note;
		struct rec_end end;
	};
};

/*
 * Keys of REC_META: version (corun's), command (words joined by a blank), script (what names a
 * process whose image is an interpreter), host, boot_id, kernel, arch, cpus (online), ncpu_ids,
 * mono_ns and wall_ns (CLOCK_MONOTONIC and CLOCK_REALTIME of one instant), wall_error_ns (how far the
 * latter may be off, where NTP keeps it), started (RFC 3339),
 * target (how it was chosen: "command", "pid", "comm", "cgroup", "all"), root_tgid (of COMMAND),
 * status (exit status of COMMAND, at the end), parked (kinds, if the recorder was told other ones).
 */

#endif
