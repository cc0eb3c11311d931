/* SPDX-License-Identifier: MIT */
/*
 * python_layout.h - where CPython keeps what is read of it, by version. x86-64; free-threaded
 * builds are told apart. Offsets in bytes.
 *
 * Sources: CPython's own headers of each version (Include/internal/pycore_runtime.h,
 * pycore_interp.h, pycore_gil.h, pycore_frame.h, cpython/pystate.h, cpython/code.h), compared with
 * the DWARF of builds of each; 3.13 and later describe themselves (pycore_debug_offsets.h).
 */
#ifndef CORUN_RECORD_PYTHON_LAYOUT_H
#define CORUN_RECORD_PYTHON_LAYOUT_H

#include "base/types.h"

#define PYTHON_NONE 0xffff

struct python_layout {
	u8 minor;                /* of 3.x */
	bool free_threaded;
	u16 gil;                 /* in _PyRuntime; PYTHON_NONE: each interpreter points to its own */
	u32 interpreters;        /* in _PyRuntime: the first interpreter */
	u32 interpreter_next;
	u32 interpreter_gil;     /* pointer to its GIL */
	u32 threads;             /* in the interpreter: the first thread state */
	u16 thread_next;
	u16 thread_tid;          /* native_thread_id, or the pthread_t (tid_in_pthread) */
	bool tid_in_pthread;
	u16 frame[2];            /* thread state -> innermost frame */
	u8 n_frame;
	u16 frame_code, frame_back, frame_locals;
	u16 code_file, code_name;
	/* for lines, 3.11 and later; else 0 */
	u16 frame_instr;         /* pointer to the instruction that the frame is at */
	u16 code_lines, code_first, code_start; /* location table, first line, first instruction */
	u16 object_head;         /* sizeof(PyObject) */
	u16 string_data;         /* characters of an ASCII string object (sizeof(PyASCIIObject)) */
};

/* Behind the head (struct PyObject, which ends with the type), the same in all of 3.8 to 3.14:
 * PyTypeObject, PyASCIIObject, PyDictObject. */
enum python_object {
	PYTHON_TYPE = -8,
	PYTHON_TYPE_NAME = 8,
	PYTHON_TYPE_BASICSIZE = 16,
	PYTHON_STRING_LENGTH = 0,
	PYTHON_STRING_STATE = 16,
	PYTHON_DICT_KEYS = 16,
	PYTHON_DICT_VALUES = 24,
};

/* struct _gil_runtime_state, the same from 3.8 to 3.14: a free-threaded build puts one more word before
 * it. */
enum python_gil {
	PYTHON_GIL_INTERVAL = 0, /* µs */
	PYTHON_GIL_HOLDER = 8,
	PYTHON_GIL_LOCKED = 16,
	PYTHON_GIL_COND = 32,
	PYTHON_GIL_SWITCH_COND = 120,
	PYTHON_GIL_SIZE = 208,
};

/* glibc's struct pthread (nptl/descr.h): the tid; the same since 2.4. */
#define GLIBC_PTHREAD_TID 0x2d0

#define PYTHON_DEBUG_OFFSETS 1024 /* bytes of _Py_DebugOffsets that are looked at, at most */

/* Layout of 3.@minor for 3.8 to 3.12, NULL for others. */
const struct python_layout *python_layout(unsigned int minor);
/* From the _Py_DebugOffsets at the start of _PyRuntime. 0, -ENOENT: there are none, -EINVAL: they are
 * not what they should be. */
int python_layout_parse(const void *offsets, size_t size, struct python_layout *layout);

#define PYTHON_SCRIPT_MAX 512

/* Where 3.14 and later look for a script to run (PEP 768): _Py_DebugOffsets.debugger_support. */
struct python_debugger {
	u16 interpreter;              /* thread state -> its interpreter */
	u16 breaker, support;         /* in the thread state */
	u32 enabled;                  /* in the interpreter: an int */
	u16 pending, script;          /* in the support: an int, and PYTHON_SCRIPT_MAX characters */
};

/* 0, or -EINVAL: they are not there, or not what they should be. */
int python_debugger_parse(const void *offsets, size_t size, struct python_debugger *debugger);

#endif
