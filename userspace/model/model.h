/* SPDX-License-Identifier: MIT */
/*
 * model.h - records in, threads and states out.
 *
 * One small state machine: push a record, and every thread that it concerns leaves one state and
 * enters another; sinks are told. Pure: no file, no clock, no output. Memory grows with threads,
 * descriptors, locks and tasks, never with events, so a trace of any length streams through; who
 * follows a machine for hours lets it forget what has ended (model_forget).
 *
 * Definitions (window, life, state, wait kind, lock interval, C, P, D) are those of the README's
 * "Words". What holds at every instant, and is checked by model_check():
 *
 *     alive = running + ready + sum(waiting by kind) + stopped + unknown
 *
 * Time given to sinks never runs backwards. Before the window opens threads are built up without
 * telling sinks; when it opens each living thread is announced with start_ns = the window's begin.
 */
#ifndef CORUN_MODEL_MODEL_H
#define CORUN_MODEL_MODEL_H

#include "base/error.h"
#include "model/kind.h"

#define NO_THREAD 0xffffffffu

struct process {
	u32 id;            /* 0, 1, 2 ... in order of appearance: the index for sinks' own arrays; as a thread's */
	s32 tgid, ns_tgid;
	u32 parent;        /* process id, NO_THREAD if not known */
	u64 start_ns, end_ns; /* end_ns 0 while alive */
	char *name;        /* what people call it: script of an interpreter, else comm; never NULL */
	char **images;     /* each image's command line in order, n_images of them */
	u32 n_images;
	u32 n_alive;       /* living threads */
	bool outsider;     /* not in the traced set */
};

/* In what a thread waits or waited, with everything resolved. */
struct wait_info {
	enum wait_kind kind;
	struct rec_wait rec;
	const char *desc;      /* descriptor's name, "" if none; lives as long as the model */
	const char *local;
	const char *site;      /* call site text or "" */
	const char *func;      /* the kernel's function slept in, or "" */
	u32 owner;             /* thread id of the holder when the wait began, NO_THREAD: not known */
};

struct thread {
	u32 id;            /* 0, 1, 2 ...: the index for sinks' own arrays; reused only once forgotten */
	s32 tid, tgid, ns_tid;
	struct process *process;
	u64 start_ns, end_ns; /* life inside the window; end_ns 0 while alive */
	char comm[CORUN_COMM_LEN];
	char *name;        /* runtime's own name, or NULL: then comm */
	bool outsider, kernel;
	u32 parent;        /* thread id that forked it, or NO_THREAD */

	/* now */
	enum thread_state state;
	u64 since_ns;      /* when it entered `state` */
	s32 cpu;           /* running: where; else last CPU, -1 if never seen on one */
	u8 prio;
	bool preempted;    /* ready: by preemption, not by a wake-up */
	u32 preempted_by;  /* thread id, NO_THREAD: idle or not known */
	struct wait_info wait; /* waiting */
	u32 waker;         /* ready: who woke it, NO_THREAD: not known or no thread */
	u8 waker_context;  /* enum waker_context */

	/* so far */
	u64 voluntary, involuntary, migrations;
	u32 allowed_cpus;  /* affinity, 0: not known */
};

/* A state that has ended. For a wait, with how it ended. */
struct span {
	const struct thread *thread; /* in its new state already: use the fields here */
	enum thread_state state;
	u64 start_ns, end_ns;
	s32 cpu;                 /* running */
	u8 prio;                 /* running */
	bool preempted;          /* ready */
	u32 preempted_by;        /* ready after preemption; running: who took the CPU over */
	const struct wait_info *wait; /* waiting; NULL otherwise */
	u32 waker;               /* waiting, or ready after a wake-up: who woke it */
	u8 waker_context;
	u32 end_state;           /* running: task_state_bits at the switch-out, 0 preempted */
};

struct wakeup {
	u64 ts;
	const struct thread *wakee;
	const struct thread *waker; /* NULL: unknown, idle or no task */
	u8 context;
	s32 cpu;                 /* where the waker was */
	bool causal;             /* context says that the waker caused it */
};

/* Threads by state, now. */
struct counts {
	u32 alive, running, ready, stopped, unknown;
	u32 waiting[KINDS];
	u32 kinds;               /* bits of those that are not 0: mostly few */
	u32 held_back;           /* running or ready, but not in demand: a GIL holds them back (of tasks: 0) */
};

/* A lock interval: from the first wait on a lock until the thread runs on holding it or gives up. */
struct lock_wait {
	const struct thread *thread;
	u64 lock;
	s32 tgid;                /* 0: shared between processes */
	enum wait_kind kind;     /* gil, mutex ... */
	u64 start_ns, end_ns;
	u64 blocked_ns;          /* of it waiting; the rest ran or was ready */
	u32 turns;               /* waits in the interval, time-outs of the GIL included */
	u32 owner;               /* holder at its start, NO_THREAD: not known */
	u32 releaser;            /* who woke it in the end, NO_THREAD: not known */
	bool got_it;
	const char *site;
};

struct region {
	u32 id;
	const char *name;
	const struct thread *thread; /* who marked it; NULL: from an option */
	u64 start_ns, end_ns;
};

#define NO_TASK 0xffffffffu

/*
 * A unit of work: a coroutine, a job, a request. Its states are those of threads (DESIGN "Words"):
 * in a step it is at what its thread is at, running, ready or waiting; when its thread is in a step
 * of another task meanwhile (an eager task, a nested one) it is ready; between steps it waits for what
 * it awaits, or is ready once it was scheduled; unknown when marks were lost.
 */
struct task {
	u32 id;                  /* 0, 1, 2 ...: the index for sinks' own arrays; never reused */
	u64 number;              /* in the trace */
	char *name, *kind, *site; /* never NULL; kind "asyncio", "job" ...; site: where its code is */
	u32 creator;             /* task id or NO_TASK */
	s32 tgid;
	const struct process *process; /* NULL: not known */
	u64 start_ns, end_ns;    /* end_ns 0 while alive */
	u8 outcome;              /* once ended: enum task_outcome */
	bool cut;                /* once ended: by the end of its process or of the window */

	/* now */
	enum thread_state state;
	enum wait_kind wait_kind; /* waiting */
	u64 since_ns;
	const struct thread *thread; /* in a step: whose; NULL: between steps */
	u64 step_ns;             /* in a step: since when */
	char *what, *at;         /* between steps: what it waits for ("network:127.0.0.1:80") and its
				  * source line; in a step: its phase ("serializing:1000"); never NULL */
	u32 awaited;             /* between steps: task id or NO_TASK */
	u64 steps;               /* begun so far */
};

/* A state of a task that has ended. */
struct task_span {
	const struct task *task;  /* in its new state already */
	enum thread_state state;
	enum wait_kind wait_kind; /* waiting */
	u64 start_ns, end_ns;
	const struct thread *thread; /* it was in a step of this thread, or NULL */
	const char *what, *at;    /* as in struct task; at: "" in a step */
	u64 phase_ns;             /* in a step: when the phase `what` began */
	u32 awaited;
};

/* A step that has ended. */
struct task_step {
	const struct task *task;
	const struct thread *thread;
	u64 start_ns, end_ns;
	const char *from, *to;    /* source lines of the awaits before and after it, "" if not known */
};

struct model;

/*
 * What a consumer wants to be told; any may be NULL. All pointers are lent for the call, except
 * struct thread and struct process, which live as long as the model.
 */
struct model_sink {
	/* A record as it came, before the model looks at it (META, HOST, CGROUP, NOTE, LOST ...). */
	void (*record)(void *ctx, const struct record *rec);
	void (*window_begin)(void *ctx, u64 ts);
	void (*process_start)(void *ctx, const struct process *process, u64 ts);
	void (*process_exec)(void *ctx, const struct process *process, u64 ts);
	void (*process_end)(void *ctx, const struct process *process, u64 ts);
	/* Enters its first state (thread->state) at @ts. */
	void (*thread_start)(void *ctx, const struct thread *thread, u64 ts);
	void (*thread_rename)(void *ctx, const struct thread *thread, u64 ts);
	/* @span has ended at span->end_ns; thread->state is the next one (STATE_NONE: life over).
	 * Never of length 0: a state that is left at once is not told. */
	void (*state)(void *ctx, const struct span *span);
	/* A GIL begins or ceases to hold @thread back, at the latest record: it counts in counts.held_back, or no longer. */
	void (*held_back)(void *ctx, const struct thread *thread);
	void (*wakeup)(void *ctx, const struct wakeup *wakeup);
	void (*lock_wait)(void *ctx, const struct lock_wait *wait);
	/* Holder of a GIL as sampled; NO_THREAD: nobody or not readable (then !known). */
	void (*gil)(void *ctx, s32 tgid, u64 lock, u32 holder, bool known, bool exact, u64 ts);
	/* Region has ended (or the window with it). */
	void (*region)(void *ctx, const struct region *region);
	void (*region_begin)(void *ctx, const struct region *region);
	void (*task)(void *ctx, const struct rec_task *task, u64 ts);
	/* Tasks by state. A struct task lives until task_end() has returned. */
	void (*task_start)(void *ctx, const struct task *task, u64 ts);
	void (*task_rename)(void *ctx, const struct task *task, u64 ts);
	void (*task_state)(void *ctx, const struct task_span *span); /* never of length 0 */
	void (*task_step)(void *ctx, const struct task_step *step);
	void (*task_link)(void *ctx, const struct task *task, u32 from, u64 ts);
	void (*task_end)(void *ctx, const struct task *task, u64 ts);
	/* Window closed: every open state was ended before. */
	void (*window_end)(void *ctx, u64 ts);
};

int model_new(struct model **model, struct error *err);
void model_free(struct model *model);
/* At most 8 sinks; before the first push. @sink and @ctx must outlive the model. */
int model_add_sink(struct model *model, const struct model_sink *sink, void *ctx);
/* Which kinds count as parked; default kind_default_parked(). */
void model_set_parked(struct model *model, u32 kinds);
u32 model_parked(const struct model *model);

/* Records in order of ts. 0, or -ENOMEM. What contradicts itself is counted (model_conflicts). */
int model_push(struct model *model, const struct record *rec);
/* End of the stream: closes the window if no record did. */
int model_finish(struct model *model);
/* It is @ts now, though no record says so; records that are older are taken as of now. */
void model_advance(struct model *model, u64 ts);
/*
 * Threads and processes that have ended are forgotten: those that begin from here on may get their ids.
 * For models that never end; only where no sink keeps anything of the dead. Descriptors, call sites and
 * threads outside the set stay: who runs for ever does not push their records.
 */
void model_forget(struct model *model);

/* Live while records are pushed: what stands now, for the whole traced set and per process. */
const struct counts *model_counts(const struct model *model);
const struct counts *model_process_counts(const struct model *model, u32 process_id);
/* Concurrency now, from @counts: running + ready + waiting in kinds not parked. Unknown threads are
 * not in it: the upper bound is counts_concurrency() + counts->unknown. */
u32 counts_concurrency(const struct counts *counts, u32 parked);
/* D of such counts. */
u32 counts_demand(const struct counts *counts);
/* Threads that only ask for a GIL, or are preempted just after they gave it away on demand, now: they do not count as
 * demand. D = running + ready - this. */
u32 model_gil_held_back(const struct model *model);
/* Is this one of them? */
bool model_is_held_back(const struct model *model, u32 thread_id);

/* The same for tasks: living ones by state, and those that do not count as demand because the thread
 * of their step is inside a GIL interval. */
const struct counts *model_task_counts(const struct model *model);
u32 model_tasks_held_back(const struct model *model);
bool model_task_is_held_back(const struct task *task);
u32 model_n_tasks(const struct model *model); /* ever seen */

u32 model_n_threads(const struct model *model);
const struct thread *model_thread(const struct model *model, u32 id);
u32 model_n_processes(const struct model *model);
const struct process *model_process(const struct model *model, u32 id);
/* The living one with that number in the kernel, or NULL. */
const struct thread *model_thread_of(const struct model *model, s32 tid);
const struct process *model_process_of(const struct model *model, s32 tgid);
/* The lock interval that thread @id is in, up to now. False: it is in none. */
bool model_lock_wait(const struct model *model, u32 id, struct lock_wait *wait);
/* name if it has one, else comm. */
const char *thread_label(const struct thread *thread);
u64 model_window_begin(const struct model *model);
u64 model_window_end(const struct model *model); /* last ts so far while open */
/* Records that contradicted the state they met (continuity, unknown tids ...). */
u64 model_conflicts(const struct model *model);
/* 0, or -EINVAL with @err when the identity above does not hold now. */
int model_check(const struct model *model, struct error *err);

/* Read @path (whole trace) through @model to its end. */
struct trace_reader;
int model_read(struct model *model, struct trace_reader *reader, struct error *err);

#endif
