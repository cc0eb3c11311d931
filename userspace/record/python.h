/* SPDX-License-Identifier: MIT */
/* python.h - a CPython process, shared by runtime_python.c (its GIL), python_wait.c (what its threads
 * wait for) and python_name.c (what they are called). */
#ifndef CORUN_RECORD_PYTHON_H
#define CORUN_RECORD_PYTHON_H

#include "record/python_layout.h"
#include "record/runtime_type.h"

/* runtime_process.data */
struct python {
	u64 runtime;                  /* &_PyRuntime */
	struct python_layout layout;
};

/* tid (innermost namespace) of the thread with this state, -1 if it cannot be read. */
s32 python_thread_tid(const struct python *py, s32 tgid, u64 thread);
/* Each thread state of each interpreter, until @thread returns something else than 0. -EINVAL: the
 * list has no end. */
int python_each_thread(const struct python *py, s32 tgid, int (*thread)(void *ctx, u64 address),
		       void *ctx);

#endif
