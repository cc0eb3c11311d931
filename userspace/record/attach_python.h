/* SPDX-License-Identifier: MIT */
/*
 * attach_python.h - have a CPython that runs already (3.14 and later) run a script, as sys.remote_exec()
 * does (PEP 768): the interpreter looks for one at safe points of its main thread. Three fields in the
 * thread's state are written; the process is not stopped. Where they are the interpreter's own
 * _Py_DebugOffsets say.
 */
#ifndef CORUN_RECORD_ATTACH_PYTHON_H
#define CORUN_RECORD_ATTACH_PYTHON_H

#include "base/error.h"
#include "base/types.h"
#include "record/python_layout.h"

struct attach_python {
	s32 tgid;
	u64 pending, script, breaker; /* addresses in its memory */
};

/* -ENOENT: no CPython; -EOPNOTSUPP: one older than 3.14; -EACCES: it was told to refuse; -EINVAL: its memory
 * is not what it should be; -EAGAIN: it is only starting, or somebody else's script waits. */
int attach_python_find(s32 tgid, struct attach_python *at);
/* Let it run @path, a file as the process sees it, shorter than 512 bytes. 0 or -errno. */
int attach_python_run(const struct attach_python *at, const char *path);
/* asyncio's C half is built into the program (there is no file of it), and one of its threads runs a loop now. */
bool attach_python_runs_loop(s32 tgid);
/* It has not begun to run it: then it never will. */
bool attach_python_cancel(const struct attach_python *at);

#endif
