/* SPDX-License-Identifier: MIT */
/*
 * kind.h - the states of a thread, the kinds of a wait, and what each is called and looks like.
 *
 * The one table of wait kinds: name (files, JSON, options), label (people), colour role (every
 * picture), parked or not. Exporters, reports and the viewer take them from here.
 */
#ifndef CORUN_MODEL_KIND_H
#define CORUN_MODEL_KIND_H

#include "trace/record.h"

enum thread_state {
	STATE_NONE = 0, /* not alive */
	STATE_RUNNING,
	STATE_READY,
	STATE_WAITING,
	STATE_STOPPED,
	STATE_UNKNOWN,
	STATES,
};

enum wait_kind {
	KIND_GIL = 0,
	KIND_MUTEX,
	KIND_RWLOCK,
	KIND_CONDITION,
	KIND_SEMAPHORE,
	KIND_BARRIER,
	KIND_JOIN,
	KIND_FUTEX,
	KIND_SLEEP,
	KIND_DISK,
	KIND_NETWORK,
	KIND_PIPE,
	KIND_TERMINAL,
	KIND_FILE_LOCK,
	KIND_POLL,
	KIND_CHILD,
	KIND_SIGNAL,
	KIND_FAULT,
	KIND_KERNEL,
	KIND_OTHER,
	KINDS,
};

struct kind_info {
	const char *name;     /* "file-lock" */
	const char *label;    /* "file lock" */
	const char *label_ko;
	const char *role;     /* colour family of viewer/: "gil", "lock", "disk", "network", "party",
			       * "sleep", "kernel", "parked" */
	bool parked;          /* by default: no work of its own outstanding */
};

extern const struct kind_info kind_table[KINDS];
extern const char *const state_names[STATES]; /* "none", "running", "ready" ... */

/* Bit per kind, from the table's defaults. */
u32 kind_default_parked(void);
/* "join,child,poll" -> bits. -EINVAL with the bad word's start in *@bad. */
int kind_parse_set(const char *text, u32 *set, const char **bad);
/* Index of @name or -1. */
int kind_by_name(const char *name);

/*
 * The kind of a wait, from its facts alone: call, descriptor, lock, flags. The whole table call x
 * descriptor -> kind is in docs: userspace/model/KINDS.md.
 */
enum wait_kind kind_of_wait(const struct rec_wait *wait, u32 prev_state);
/* Of a kernel thread: asleep interruptibly, or idle (TASK_IDLE: no load), it waits until there is work. */
enum wait_kind kind_of_kernel_wait(const struct rec_wait *wait, u32 prev_state);

#endif
