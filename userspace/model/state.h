/* SPDX-License-Identifier: MIT */
/* state.h - the inside of a model: shared by the files of model/, nobody else. */
#ifndef CORUN_MODEL_STATE_H
#define CORUN_MODEL_STATE_H

#include "base/map.h"
#include "model/model.h"

#define MODEL_SINKS 8
#define MODEL_CPUS 1024

/* The GIL's waiter runs this long at most between two of its 5 ms time-outs: it only asks the holder
 * to let go and waits again (Python/ceval_gil.c: take_gil). Who runs on longer has got it. */
#define GIL_TURN_NS ((u64)200000)

/* The open lock interval of a thread. */
struct lock_interval {
	bool open;
	bool handed;        /* woken by another thread since its last wait: it may have the lock */
	bool resolved_late; /* running: not yet known whether it has the lock (GIL) */
	struct lock_wait wait;
	u64 ran_ns;         /* when it last began to run */
};

/* A thread with what only the model knows of it. */
struct thr {
	struct thread pub; /* first: struct thread * and struct thr * are the same address */
	bool told;         /* sinks know it */
	bool forgotten;    /* among model.spare_threads */
	u64 born_ns;       /* in or before the window */
	bool woken;        /* a waking has met it running: it will not really sleep */
	u32 early_waker;
	u8 early_context;
	bool exiting;
	bool held_back;    /* counts in its counts.held_back */
	u32 alive_index;
	struct lock_interval lock;
	u64 gave_ns;       /* it let go of the GIL when asked to, or began to run again then; 0: no */
	struct tsk *step; /* innermost task in a step of this thread, or NULL */
};

/* A task with what only the model knows of it. */
struct tsk {
	struct task pub;   /* first */
	struct thr *in;    /* thread of its step */
	struct tsk *below; /* in a step of the same thread, and waits for this one to end its own */
	bool held_back;    /* counts in model.tasks_held_back */
	u64 phase_ns;      /* in a step: since when it is in the phase pub.what */
	char *from;        /* source line of the await before its step */
};

struct desc {
	char *name, *local;
};

struct open_region {
	struct region region;
	char *name;
};

struct model {
	struct {
		const struct model_sink *sink;
		void *ctx;
	} sinks[MODEL_SINKS];
	u32 n_sinks;

	u32 parked;
	bool parked_fixed;

	struct thr **threads;
	u32 n_threads, cap_threads;
	struct process **processes;
	struct counts *process_counts;
	u32 n_processes, cap_processes;
	u32 *alive;         /* thread ids of the living, in no order */
	u32 n_alive, cap_alive;
	u32 *spare_threads, *spare_processes; /* ids of the forgotten */
	u32 n_spare_threads, cap_spare_threads, n_spare_processes, cap_spare_processes;

	struct map by_tid;      /* living members: struct thr */
	struct map by_tgid;     /* living processes of members: struct process */
	struct map outsiders;   /* tid: struct thr */
	struct map outsider_processes;
	struct map descs;       /* struct desc */
	struct map sites;       /* char * */
	struct open_region *regions;
	u32 n_regions, cap_regions, next_region;

	struct map tasks;       /* the trace's number -> struct tsk, living ones */
	u32 n_tasks;            /* ever */
	struct counts task_counts;
	u32 tasks_held_back;

	u32 pending[MODEL_CPUS]; /* threads whose GIL interval is undecided, at most one a CPU */
	u32 n_pending;

	struct counts counts;
	bool open, closed;
	u64 begin_ns, end_ns, now;
	u64 gap_until;      /* some CPU is silent until then */
	u64 conflicts;
	bool failed;        /* memory ran out */
};

#define FOR_SINKS(model, call, ...)                                                                \
	do {                                                                                       \
		for (u32 sink_ = 0; sink_ < (model)->n_sinks; sink_++)                             \
			if ((model)->sinks[sink_].sink->call)                                      \
				(model)->sinks[sink_].sink->call((model)->sinks[sink_].ctx,        \
								 __VA_ARGS__);                     \
	} while (0)

/* table.c: threads, processes and names. NULL when memory is out (model.failed is set). */
struct thr *table_thread(struct model *m, s32 tid);
struct thr *table_outsider(struct model *m, s32 tid);
struct process *table_process(struct model *m, s32 tgid, s32 ns_tgid, bool outsider);
struct thr *table_add_thread(struct model *m, const struct rec_thread *rec, bool outsider);
void table_remove_thread(struct model *m, struct thr *t);
void table_exec_swap(struct model *m, s32 tid, s32 old_tid);
void table_set_image(struct model *m, struct process *p, const char *args, const char *comm);
void table_set_comm(struct thr *t, const char *comm);
void table_add_desc(struct model *m, const struct rec_desc *rec);
void table_add_site(struct model *m, const struct rec_site *rec);
void table_resolve_wait(struct model *m, struct wait_info *wait);
void table_free(struct model *m);
bool table_grow(void **array, u32 n, u32 *cap, size_t size);

/* The state that a thread enters, with the facts that belong to it. */
struct next {
	enum thread_state state;
	s32 cpu;                      /* running */
	u8 prio;                      /* running */
	bool preempted;               /* ready */
	u32 preempted_by;             /* thread id; also of a running span that ends */
	const struct wait_info *wait; /* waiting */
	u32 waker;                    /* thread id: who ended the sleep */
	u8 waker_context;
	u32 end_state;                /* of a running span that ends */
};

/* @state and nothing known about it. */
static inline struct next next_of(enum thread_state state)
{
	return (struct next){.state = state, .preempted_by = NO_THREAD, .waker = NO_THREAD};
}

/* change.c: a thread leaves one state and enters another. */
void change_start(struct model *m, struct thr *t, enum thread_state state, u64 ts);
void change_state(struct model *m, struct thr *t, const struct next *next, u64 ts);
void change_announce(struct model *m, struct thr *t, u64 ts);
void change_held_back(struct model *m, struct thr *t);
void change_count(struct counts *c, enum thread_state state, enum wait_kind kind, s32 by);

/* window.c: the window opens and closes, regions begin and end. */
void window_open(struct model *m, u64 ts);
void window_close(struct model *m, u64 ts);
void window_region(struct model *m, const struct record *rec);

/* task.c: tasks, by their own records and by the states of the threads that they run on. */
void task_record(struct model *m, const struct record *rec);
void task_thread_changed(struct model *m, struct thr *t, u64 ts); /* state, or held_back */
void task_thread_died(struct model *m, struct thr *t, u64 ts);
void task_process_ended(struct model *m, s32 tgid, u64 ts); /* or execs: another program */
void task_window_opened(struct model *m, u64 ts);
void task_window_closed(struct model *m, u64 ts);
void task_free_all(struct model *m);

/* lock.c: intervals over the states. */
void lock_blocked(struct model *m, struct thr *t, u64 ts);  /* t has just begun to wait */
void lock_woken(struct model *m, struct thr *t, u32 waker, bool causal, u64 ts);
void lock_runs(struct model *m, struct thr *t, u64 ts);     /* t has just begun to run */
void lock_leaves(struct model *m, struct thr *t, u64 ts);   /* t stops running, is not (yet) known why */
void lock_end(struct model *m, struct thr *t, u64 ts, bool got_it);
void lock_settle(struct model *m, u64 now);                 /* who has run long enough has got it */

#endif
