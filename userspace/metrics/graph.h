/* SPDX-License-Identifier: MIT */
/*
 * graph.h - what happened, as a graph: one node for each state that a thread was in, and for each
 * node the thread that had to act before it could begin.
 *
 *     struct graph *graph;
 *
 *     graph_new(&graph, model);
 *     model_add_sink(model, graph_sink(), graph);
 *     ... records through the model ...
 *     if (!graph_error(graph))
 *             path_find(graph, ...), replay_run(graph, ...)
 *
 * An edge is a wake-up in the context of the waker (a system call or fault of its own, or a soft
 * interrupt while it was sending over the loopback) or a fork. Timers and devices cause no edge, nor
 * do wakers that are not known.
 *
 * Memory: one node of 56 bytes a state, in blocks. The first 56 MB are in memory; what is more lies
 * in an unlinked file of $TMPDIR (/var/tmp), mapped: its pages are the kernel's to write out, and
 * both users go over the nodes in order of time.
 *
 * Nodes are numbered in the order in which they begin. Times are CLOCK_MONOTONIC ns.
 */
#ifndef CORUN_METRICS_GRAPH_H
#define CORUN_METRICS_GRAPH_H

#include "model/model.h"

#define NO_NODE 0xffffffffu
#define NO_LOCK 0xffffffffu

struct graph_node {
	u64 start_ns, end_ns;
	u32 thread;
	u32 prev, next;   /* this thread's neighbours in time, or NO_NODE */
	u32 from;         /* thread that acted at start_ns so that this began, or NO_THREAD */
	u32 from_next;    /* the next node with the same `from`, in order of start_ns */
	u32 owner;        /* waiting for a lock: its holder when the wait began, or NO_THREAD */
	u32 lock;         /* index for graph_lock(), or NO_LOCK */
	u32 outside_ns;   /* ready: of it while fewer traced threads ran than could have: other
			   * programs had the CPU, or it took that long to be switched to */
	s16 nr;           /* waiting: system call, -1 none */
	u8 state, kind;   /* enum thread_state, enum wait_kind */
	u8 flags;         /* graph_flags */
	u8 context;       /* enum waker_context of what ended a wait */
};

enum graph_flags {
	GRAPH_PREEMPTED = 1, /* ready after preemption */
	GRAPH_OPEN = 2,      /* ended by the end of the window, not by itself */
	GRAPH_GIL = 4,       /* ready: woken on its way to wait for a GIL, before it slept */
};

struct graph_lock {
	u64 lock;
	s32 tgid;            /* 0: shared between processes */
	enum wait_kind kind;
};

struct graph;

/* 0 or -ENOMEM. @model must outlive the graph; add graph_sink() to it before the first record. */
int graph_new(struct graph **graph, const struct model *model);
void graph_free(struct graph *graph);
const struct model_sink *graph_sink(void);
/* Give up, with -E2BIG, where there are more nodes than @nodes: for who would like the graph, but not at any price. */
void graph_at_most(struct graph *graph, u32 nodes);
#define GRAPH_NODES_IN_MEMORY 1048576
/* 0, or -errno of what went wrong on the way (memory, the file's disk). Then the graph is no use. */
int graph_error(const struct graph *graph);

const struct model *graph_model(const struct graph *graph);
u32 graph_n_nodes(const struct graph *graph);
struct graph_node *graph_node(const struct graph *graph, u32 index);
u32 graph_n_threads(const struct graph *graph); /* ids are below this */
/* First and last node of a thread, or NO_NODE: it is none of the traced. */
u32 graph_first(const struct graph *graph, u32 thread);
u32 graph_last(const struct graph *graph, u32 thread);
/* First node that @thread let begin; follow from_next. */
u32 graph_first_caused(const struct graph *graph, u32 thread);
u32 graph_n_locks(const struct graph *graph);
const struct graph_lock *graph_lock(const struct graph *graph, u32 index);

#endif
