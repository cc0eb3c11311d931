/* SPDX-License-Identifier: MIT */
/*
 * runtime_python.c - CPython 3.8 and later: which version it is, how its memory is laid out (checked
 * by what python_gil.c finds in it), who its threads are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/python.h"

#define THREADS_MAX 4096

s32 python_thread_tid(const struct python *py, s32 tgid, u64 thread)
{
	u64 id;
	s32 tid;

	if (process_read_u64(tgid, thread + py->layout.thread_tid, &id))
		return -1;
	if (!py->layout.tid_in_pthread)
		return id && id <= INT32_MAX ? (s32)id : -1;
	if (process_read(tgid, id + GLIBC_PTHREAD_TID, &tid, sizeof(tid)))
		return -1;
	return tid;
}

int python_each_thread(const struct python *py, s32 tgid,
		       int (*thread)(void *ctx, u64 address), void *ctx)
{
	u64 interpreter, at;
	int code = process_read_u64(tgid, py->runtime + py->layout.interpreters, &interpreter);

	for (int i = 0; !code && interpreter && i < PYTHON_INTERPRETERS_MAX; i++) {
		code = process_read_u64(tgid, interpreter + py->layout.threads, &at);
		for (int n = 0; !code && at && n < THREADS_MAX; n++) {
			code = thread(ctx, at);
			if (!code)
				code = process_read_u64(tgid, at + py->layout.thread_next, &at);
		}
		if (!code && at)
			return -EINVAL; /* a list without an end is no list */
		if (!code)
			code = process_read_u64(tgid, interpreter + py->layout.interpreter_next,
						&interpreter);
	}
	return code;
}

/* ---- where it is ---- */

static void describe(struct runtime_process *p, const struct python *py)
{
	struct ev_runtime *how = &p->how;

	how->wait_from = PYTHON_GIL_COND;
	how->wait_to = PYTHON_GIL_SIZE;
	how->locked = PYTHON_GIL_LOCKED;
	how->holder = PYTHON_GIL_HOLDER;
	how->tid = py->layout.thread_tid;
	how->pthread_tid = py->layout.tid_in_pthread ? GLIBC_PTHREAD_TID : 0;
	how->n_frame = 0;
	for (u32 i = 0; i < py->layout.n_frame; i++)
		how->frame[how->n_frame++] = py->layout.frame[i];
	how->frame[how->n_frame++] = py->layout.frame_code;
	how->frame_instr = py->layout.frame_instr;
}

static int try_layout(struct runtime_process *p, struct python *py)
{
	int code = python_gils_find(p, py);

	if (!code)
		describe(p, py);
	return code;
}

/* 3.N from a file name such as libpython3.9.so.1.0 or python3.10; 0: it does not say. */
static unsigned int version_in_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = strstr(slash ? slash : path, "python3.");
	unsigned int minor = 0;

	if (name)
		sscanf(name, "python3.%3u", &minor);
	return minor;
}

/* Layouts in the order of their likelihood, until one stands the check. */
static int find_by_version(struct runtime_process *p, struct python *py, u64 version_at)
{
	static const u8 older[] = {8, 10, 9};
	unsigned int minor = version_in_name(p->path);
	const struct python_layout *layout;
	u64 version = 0;
	int code = -EINVAL;

	/* Py_Version exists since 3.11; PY_VERSION_HEX. */
	if (version_at && !process_read_u64(p->tgid, version_at, &version) && version >> 24 == 3)
		minor = (version >> 16) & 0xff;
	layout = python_layout(minor);
	if (layout) {
		py->layout = *layout;
		return try_layout(p, py);
	}
	for (size_t i = 0; i < ARRAY_SIZE(older) && !version && code == -EINVAL; i++) {
		py->layout = *python_layout(older[i]);
		code = try_layout(p, py);
	}
	py->layout.minor = code ? (u8)minor : py->layout.minor;
	return code;
}

static int find(struct runtime_process *p, const u64 *at, struct error *why)
{
	u8 offsets[PYTHON_DEBUG_OFFSETS];
	struct python *py = calloc(1, sizeof(*py));
	int code;

	if (!py)
		return -ENOMEM;
	p->data = py;
	py->runtime = at[0];
	code = process_read(p->tgid, py->runtime, offsets, sizeof(offsets));
	/* 3.8's _PyRuntime is 1464 bytes, 3.9's 656 */
	if (code == -EFAULT)
		code = process_read(p->tgid, py->runtime, offsets, 256) ? -EINVAL : -ENOENT;
	if (!code)
		code = python_layout_parse(offsets, sizeof(offsets), &py->layout);
	if (!code)
		code = try_layout(p, py);
	else if (code == -ENOENT)
		code = find_by_version(p, py, at[1]);
	if (!code && !p->how.n_gils)
		error_set(why, -ENODEV, "%s is a free-threaded Python 3.%u: it has no GIL", p->path,
			  py->layout.minor);
	else if (code)
		error_set(why, code, "%s (Python 3.%u): its memory is not as that version lays it out; "
			  "its GIL waits are shown as futex waits", p->path, py->layout.minor);
	return code;
}

static enum lock_kind part(const struct runtime_process *p, u64 offset)
{
	(void)p;
	return offset >= PYTHON_GIL_SWITCH_COND ? LOCK_GIL_SWITCH : LOCK_GIL;
}

static int fork_python(struct runtime_process *child, const struct runtime_process *parent)
{
	const struct python *from = parent->data;
	struct python *py = malloc(sizeof(*py));

	if (!py)
		return -ENOMEM;
	*py = (struct python){.runtime = from->runtime, .layout = from->layout};
	child->data = py;
	return 0;
}

static void forget(struct runtime_process *p)
{
	struct python *py = p->data;

	if (!py)
		return;
	python_waits_free(py);
	map_free(&py->threads);
	free(py);
	p->data = NULL;
}

/* ---- threads ---- */

struct thread_search {
	const struct python *py;
	s32 tgid, ns_tid;
	u64 found;
};

static int is_thread(void *ctx, u64 address)
{
	struct thread_search *s = ctx;

	if (python_thread_tid(s->py, s->tgid, address) != s->ns_tid)
		return 0;
	s->found = address;
	return 1;
}

u64 python_thread(struct python *py, s32 tgid, s32 ns_tid)
{
	struct thread_search search = {.py = py, .tgid = tgid, .ns_tid = ns_tid};
	u64 known = (u64)(uintptr_t)map_get(&py->threads, (u32)ns_tid);

	if (known && python_thread_tid(py, tgid, known) == ns_tid)
		return known;
	python_each_thread(py, tgid, is_thread, &search);
	if (search.found)
		map_set(&py->threads, (u32)ns_tid, (void *)(uintptr_t)search.found);
	return search.found;
}

static u64 thread(struct runtime_process *p, s32 ns_tid)
{
	return python_thread(p->data, p->tgid, ns_tid);
}

u64 python_frame(const struct python *py, s32 tgid, u64 thread, u64 *code)
{
	u64 at = thread;

	for (u32 i = 0; i < py->layout.n_frame; i++)
		if (process_read_u64(tgid, at + py->layout.frame[i], &at) || !at)
			return 0;
	if (code && process_read_u64(tgid, at + py->layout.frame_code, code))
		return 0;
	if (code)
		*code &= ~(u64)3; /* 3.14 keeps a tag there */
	return at;
}

const struct runtime_type runtime_python = {
	.name = "CPython",
	.lock = "GIL",
	.file = "python",
	.symbols = {"_PyRuntime", "Py_Version", "take_gil", "take_gil.constprop.0", "drop_gil"},
	.takes = 1 << 2 | 1 << 3,
	.drops = 1 << 4,
	.find = find,
	.refresh = python_gils_refresh,
	.part = part,
	.wait_seen = python_wait_seen,
	.wait = python_wait,
	.place = python_place,
	.late = python_late,
	.thread = thread,
	.thread_name = python_thread_name,
	.fork = fork_python,
	.forget = forget,
};
