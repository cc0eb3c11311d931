/* SPDX-License-Identifier: MIT */
/*
 * runtime_type.h - what a language runtime has to say of itself: one struct runtime_type in one
 * file (runtime_python.c, runtime_ruby.c), listed in runtime.c.
 */
#ifndef CORUN_RECORD_RUNTIME_TYPE_H
#define CORUN_RECORD_RUNTIME_TYPE_H

#include "base/error.h"
#include "base/map.h"
#include "event.h"
#include "record/elf.h"
#include "record/process.h"
#include "trace/record.h"

#define RUNTIME_SYMBOLS 6

struct runtime_type;

/* A process, from one exec (or its fork) to the next. */
struct runtime_process {
	s32 tgid, ns_tgid;
	const struct runtime_type *type; /* NULL: none found (yet) */
	void *data;              /* the type's own */
	struct ev_runtime how;   /* as published; n_gils 0: no lock */
	u64 *further;            /* locks beyond EV_GILS: waits for them are told, not who holds them */
	u32 n_further;
	u64 since, until;        /* ns; until 0: lives */
	u64 next_look;           /* not before */
	u32 looks, bad;          /* how often; how often its memory was not what it should be */
	bool settled;            /* no more looking: found, or not readable */
	bool grew;               /* threads have started: names and interpreters are to be looked at */
	int seen;                /* by the last look: 0: no runtime is there; -errno of find(), or of /proc */
	bool unsure;             /* a thread waited while it was not known whether that was for the lock */
	char path[256];          /* of the file that the runtime is in; until one is found, its program's */
	struct runtime_process *older; /* what the tgid was before */
};

struct runtime_type {
	const char *name;                       /* "CPython" */
	const char *lock;                       /* "GIL" */
	const char *file;                       /* a part of its libraries' names: "python" */
	const char *symbols[RUNTIME_SYMBOLS];   /* the first one decides; NULL at the end */
	u32 takes, drops;                       /* which of them are functions that take (when they
						 * return) and drop the lock: bits */
	/*
	 * The runtime is in @p; @at are its symbols' addresses there, 0: not exported. Fills p->how and
	 * p->data. 0, with @why where there is something to say (it has no such lock); -EAGAIN: it is
	 * only starting; another -errno with @why: its memory is not what it should be.
	 */
	int (*find)(struct runtime_process *p, const u64 *at, struct error *why);
	/* Other locks than before? p->how or p->further was changed: true. */
	bool (*refresh)(struct runtime_process *p);
	/* Part of the lock that the futex word stands in: LOCK_GIL or LOCK_GIL_SWITCH. */
	enum lock_kind (*part)(const struct runtime_process *p, u64 offset);
	/* What else can be known of a wait from the code that waits; may be NULL. */
	void (*wait_seen)(struct runtime_process *p, const struct ev_futex *ev, s32 ns_tid);
	void (*wait)(struct runtime_process *p, const struct ev_futex *ev, struct rec_wait *wait);
	/* Where code object @code is at instruction @instr: "app.py:12 (fetch)". May be NULL. */
	bool (*place)(struct runtime_process *p, u64 code, u64 instr, char *text, size_t size);
	/* Code object and instruction of thread @tid, if it is still in that call. May be NULL. */
	bool (*late)(struct runtime_process *p, s32 tid, s32 ns_tid, const struct ev_wait *wait, u64 *code,
		     u64 *instr);
	/* Address of the runtime's state of a thread, 0: it has none (yet). May be NULL. */
	u64 (*thread)(struct runtime_process *p, s32 ns_tid);
	/* The runtime's own name for a thread. False: none, or not readable now. May be NULL. */
	bool (*thread_name)(struct runtime_process *p, s32 ns_tid, char *name, size_t size);
	/* The child of a fork has the parent's memory. 0 or -ENOMEM. */
	int (*fork)(struct runtime_process *child, const struct runtime_process *parent);
	void (*forget)(struct runtime_process *p); /* frees p->data */
};

extern const struct runtime_type runtime_python, runtime_ruby;

#endif
