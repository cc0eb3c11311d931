/* SPDX-License-Identifier: MIT */
/* python.h - a CPython process, shared by runtime_python.c (how it is read), python_gil.c (its GILs),
 * python_wait.c (what its threads wait for) and python_name.c (what they are called); objects are read
 * in python_object.c. */
#ifndef CORUN_RECORD_PYTHON_H
#define CORUN_RECORD_PYTHON_H

#include "record/python_layout.h"
#include "record/runtime_type.h"

/* runtime_process.data */
struct python {
	u64 runtime;                  /* &_PyRuntime */
	struct python_layout layout;
	struct map threads;           /* tid (innermost namespace) -> its thread state, as a pointer */
	struct python_waits *waits;   /* python_wait.c; NULL: nothing learnt yet */
};

#define PYTHON_INTERPRETERS_MAX 256

/* Find its GILs by py->layout, check them, and set p->how's and p->further. 0 (a free-threaded build: with
 * none); -EAGAIN: there is none yet, or it was caught in a change; -EINVAL: this is not that layout. */
int python_gils_find(struct runtime_process *p, const struct python *py);
/* runtime_type.refresh */
bool python_gils_refresh(struct runtime_process *p);

/* tid (innermost namespace) of the thread with this state, -1 if it cannot be read. */
s32 python_thread_tid(const struct python *py, s32 tgid, u64 thread);
/* Each thread state of each interpreter, until @thread returns something else than 0. -EINVAL: the
 * list has no end. */
int python_each_thread(const struct python *py, s32 tgid, int (*thread)(void *ctx, u64 address),
		       void *ctx);

/* The state of the thread with this tid (innermost namespace), 0: none. */
u64 python_thread(struct python *py, s32 tgid, s32 ns_tid);
/* Its innermost frame and, if @code is not NULL, the code object of that; 0: not readable. */
u64 python_frame(const struct python *py, s32 tgid, u64 thread, u64 *code);

/* A str object as UTF-8, cut to @size. False: it is none. @tail: the end of a long one. */
bool python_string(const struct python *py, s32 tgid, u64 object, bool tail, char *text, size_t size);
/* The value of attribute @name in the dictionary of @object, an instance of a class; 0: none. */
u64 python_attribute(const struct python *py, s32 tgid, u64 object, const char *name);
/* "_thread.lock": the name of @object's type as the interpreter's C code spells it. */
bool python_type_name(const struct python *py, s32 tgid, u64 object, char *name,
		      size_t size);

void python_wait_seen(struct runtime_process *p, const struct ev_futex *ev, s32 ns_tid);
void python_wait(struct runtime_process *p, const struct ev_futex *ev, struct rec_wait *wait);
/* Is the thread still in that very call? */
bool python_still_waits(s32 tgid, s32 tid, const struct ev_wait *wait);
bool python_late(struct runtime_process *p, s32 tid, s32 ns_tid, const struct ev_wait *wait, u64 *code,
		 u64 *instr);
bool python_place(struct runtime_process *p, u64 code, u64 instr, char *text, size_t size);
/* The line of code unit @unit (2 bytes each) by the location table of a code object that begins at
 * line @first; 0: it has none, or this is no such table. */
int python_line(const u8 *table, size_t len, int first, u32 unit);
void python_waits_free(struct python *py);
bool python_thread_name(struct runtime_process *p, s32 ns_tid, char *name, size_t size);

#endif
