/* SPDX-License-Identifier: MIT */
#include "record/attach_python.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "record/elf.h"
#include "record/python.h"

#define PLEASE_STOP (1u << 5) /* _PY_EVAL_PLEASE_STOP_BIT (pycore_ceval.h) */

/* Py_AsyncioModuleDebugOffsets (Modules/_asynciomodule.c, the same in 3.14 and 3.15), in words. */
enum { ASYNCIO_THREAD_SIZE = 9, ASYNCIO_RUNNING_LOOP, ASYNCIO_OFFSETS = 13 };

struct found {
	struct python py;
	struct python_debugger debugger;
	u64 asyncio;    /* address of its asyncio's offsets; 0: not built in */
	bool is_python; /* one of any version */
};

struct seek {
	const struct python *py;
	s32 tgid;
	u64 thread;
	u64 running_loop; /* where it stands in a thread's state */
};

static int write_memory(s32 tgid, u64 address, const void *data, size_t size)
{
	struct iovec here = {(void *)(uintptr_t)data, size}, there = {(void *)(uintptr_t)address, size};
	ssize_t n = process_vm_writev(tgid, &here, 1, &there, 1, 0);

	return n < 0 ? -errno : (size_t)n == size ? 0 : -EFAULT;
}

static int look_at_file(void *ctx, const struct process_file *file)
{
	struct elf_symbol symbols[] = {{.name = "_PyRuntime"}, {.name = ".AsyncioDebug"}};
	u8 offsets[PYTHON_DEBUG_OFFSETS];
	struct found *f = ctx;
	u64 base;
	int fd, code;

	if (!file->is_program && !strstr(strrchr(file->path, '/') + 1, "python"))
		return 0;
	fd = process_open(file);
	if (fd < 0)
		return 0;
	code = elf_find(fd, symbols, ARRAY_SIZE(symbols), &base);
	close(fd);
	if (code || !symbols[0].value)
		return 0;
	f->is_python = true;
	f->py.runtime = symbols[0].value - base + file->start;
	if (symbols[1].value)
		f->asyncio = symbols[1].value - base + file->start;
	code = process_read(file->tgid, f->py.runtime, offsets, sizeof(offsets));
	if (!code)
		code = python_layout_parse(offsets, sizeof(offsets), &f->py.layout);
	if (!code && f->py.layout.minor < 14)
		code = -ENOENT;
	if (!code)
		code = python_debugger_parse(offsets, sizeof(offsets), &f->debugger);
	return code ? code : 1;
}

/* The state of the main thread. */
static int is_main(void *ctx, u64 address)
{
	struct seek *s = ctx;

	s->thread = address;
	return python_thread_tid(s->py, s->tgid, address) == s->tgid;
}

int attach_python_find(s32 tgid, struct attach_python *at)
{
	struct found f = {.is_python = false};
	struct seek seek = {.py = &f.py, .tgid = tgid};
	int code = process_files(tgid, look_at_file, &f);
	s32 enabled, pending;
	u64 interpreter;

	if (code != 1)
		return code == -ENOENT && f.is_python ? -EOPNOTSUPP : code ? code : -ENOENT;
	code = python_each_thread(&f.py, tgid, is_main, &seek);
	if (code != 1)
		return code ? code : -EAGAIN;
	code = process_read_u64(tgid, seek.thread + f.debugger.interpreter, &interpreter);
	if (!code)
		code = process_read(tgid, interpreter + f.debugger.enabled, &enabled, sizeof(enabled));
	*at = (struct attach_python){
		.tgid = tgid,
		.pending = seek.thread + f.debugger.support + f.debugger.pending,
		.script = seek.thread + f.debugger.support + f.debugger.script,
		.breaker = seek.thread + f.debugger.breaker,
	};
	if (!code)
		code = process_read(tgid, at->pending, &pending, sizeof(pending));
	if (code)
		return code;
	if (enabled != 0 && enabled != 1)
		return -EINVAL;
	if (!enabled)
		return -EACCES;
	return !pending ? 0 : pending == 1 ? -EAGAIN : -EINVAL;
}

static int is_in_loop(void *ctx, u64 address)
{
	const struct seek *s = ctx;
	u64 loop;

	return !process_read_u64(s->tgid, address + s->running_loop, &loop) && loop;
}

bool attach_python_runs_loop(s32 tgid)
{
	struct found f = {.is_python = false};
	struct seek seek = {.py = &f.py, .tgid = tgid};
	u64 offsets[ASYNCIO_OFFSETS];

	if (process_files(tgid, look_at_file, &f) != 1 || !f.asyncio ||
	    process_read(tgid, f.asyncio, offsets, sizeof(offsets)))
		return false;
	seek.running_loop = offsets[ASYNCIO_RUNNING_LOOP];
	return offsets[ASYNCIO_THREAD_SIZE] < PYTHON_NONE && seek.running_loop < offsets[ASYNCIO_THREAD_SIZE] &&
	       python_each_thread(&f.py, tgid, is_in_loop, &seek) == 1;
}

int attach_python_run(const struct attach_python *at, const char *path)
{
	s32 pending = 1;
	u64 breaker = 0;
	int code;

	if (strlen(path) >= PYTHON_SCRIPT_MAX)
		return -ENAMETOOLONG;
	code = write_memory(at->tgid, at->script, path, strlen(path) + 1);
	if (!code)
		code = write_memory(at->tgid, at->pending, &pending, sizeof(pending));
	if (!code)
		code = process_read_u64(at->tgid, at->breaker, &breaker);
	if (code)
		return code;
	/* One bit of its lowest byte: the interpreter's own bits are others, and a lost one is set again. */
	breaker |= PLEASE_STOP;
	return write_memory(at->tgid, at->breaker, &breaker, 1);
}

bool attach_python_cancel(const struct attach_python *at)
{
	s32 pending = 0, none = 0;

	return !process_read(at->tgid, at->pending, &pending, sizeof(pending)) && pending == 1 &&
	       !write_memory(at->tgid, at->pending, &none, sizeof(none));
}
