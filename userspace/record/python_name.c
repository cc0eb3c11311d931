/* SPDX-License-Identifier: MIT */
/*
 * python_name.c - Thread.name. The outermost Python frame of a thread that the module threading
 * started is Thread._bootstrap(self), and self has the name. Its comm is "python3" for all of them.
 * The main thread of a process that multiprocessing started runs Process._bootstrap(self) likewise.
 */
#include <stdio.h>
#include <string.h>

#include "record/python.h"

#define FRAMES_MAX 400

static u64 frame_code(const struct python *py, s32 tgid, u64 frame)
{
	u64 code;

	return process_read_u64(tgid, frame + py->layout.frame_code, &code) ? 0 : code & ~(u64)3;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && !strcmp(text + len - n, end);
}

/* Is a new process here before it comes to Process._bootstrap()? The parent too, but it has a name. */
static bool is_before_bootstrap(const struct python *py, s32 tgid, u64 code, const char *function)
{
	char file[64];
	u64 at;

	if (process_read_u64(tgid, code + py->layout.code_file, &at) ||
	    !python_string(py, tgid, at, true, file, sizeof(file)))
		return false;
	return ends_with(file, "/multiprocessing/forkserver.py") || ends_with(file, "/multiprocessing/spawn.py") ||
	       (ends_with(file, "/multiprocessing/popen_fork.py") && !strcmp(function, "_launch"));
}

/* self of the Thread or Process that runs in this thread, 0: none, or its frames moved while they were
 * read. *@early: it may still come to it, or who knows. */
static u64 named_object(struct python *py, s32 tgid, s32 ns_tid, bool *early)
{
	u64 thread = python_thread(py, tgid, ns_tid), code = 0, self, name_at;
	u64 frame = thread ? python_frame(py, tgid, thread, NULL) : 0;
	bool seen_early = false;
	char name[16];

	*early = true;
	for (int i = 0; frame && i < FRAMES_MAX; i++) {
		code = frame_code(py, tgid, frame);
		/* Between the interpreter's C calls stand frames without a Python function. */
		if (code && !process_read_u64(tgid, code + py->layout.code_name, &name_at) &&
		    python_string(py, tgid, name_at, false, name, sizeof(name))) {
			if (!strcmp(name, "_bootstrap"))
				return process_read_u64(tgid, frame + py->layout.frame_locals, &self)
					       ? 0 : self & ~(u64)7;
			seen_early |= is_before_bootstrap(py, tgid, code, name);
		}
		if (process_read_u64(tgid, frame + py->layout.frame_back, &frame))
			return 0;
		if (!frame)
			*early = seen_early;
	}
	return 0;
}

bool python_thread_name(struct runtime_process *p, s32 ns_tid, char *name, size_t size)
{
	struct python *py = p->data;
	bool early;
	u64 self;

	if (process_read_u64(p->tgid, py->runtime, &self))
		return false;
	self = named_object(py, p->tgid, ns_tid, &early);
	if (self) {
		self = python_attribute(py, p->tgid, self, "_name");
		return self && python_string(py, p->tgid, self, false, name, size) && name[0];
	}
	/* A leader that nobody started has no Thread below it, and threading calls it so. */
	if (ns_tid != p->ns_tgid || early)
		return false;
	snprintf(name, size, "MainThread");
	return true;
}
