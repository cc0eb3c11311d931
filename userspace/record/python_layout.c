/* SPDX-License-Identifier: MIT */
#include "record/python_layout.h"

#include <string.h>

static const struct python_layout layouts[] = {
	{
		.minor = 8, .gil = 1152, .interpreters = 32, .threads = 8, .thread_next = 8,
		.thread_tid = 176, .tid_in_pthread = true, .frame = {24}, .n_frame = 1,
		.frame_code = 32, .frame_back = 24, .frame_locals = 360, .code_file = 104,
		.code_name = 112, .string_data = 48, .object_head = 16,
	},
	{
		.minor = 9, .gil = 352, .interpreters = 32, .threads = 8, .thread_next = 8,
		.thread_tid = 176, .tid_in_pthread = true, .frame = {24}, .n_frame = 1,
		.frame_code = 32, .frame_back = 24, .frame_locals = 360, .code_file = 104,
		.code_name = 112, .string_data = 48, .object_head = 16,
	},
	{
		.minor = 10, .gil = 352, .interpreters = 32, .threads = 8, .thread_next = 8,
		.thread_tid = 176, .tid_in_pthread = true, .frame = {24}, .n_frame = 1,
		.frame_code = 32, .frame_back = 24, .frame_locals = 352, .code_file = 104,
		.code_name = 112, .string_data = 48, .object_head = 16,
	},
	{ /* the frame by way of _PyCFrame */
		.minor = 11, .gil = 360, .interpreters = 40, .threads = 16, .thread_next = 8,
		.thread_tid = 160, .frame = {56, 8}, .n_frame = 2, .frame_code = 32, .frame_back = 48,
		.frame_locals = 72, .code_file = 112, .code_name = 120, .string_data = 48,
		.object_head = 16, .frame_instr = 56, .code_lines = 136, .code_first = 72,
		.code_start = 184,
	},
	{
		.minor = 12, .gil = PYTHON_NONE, .interpreters = 40, .interpreter_gil = 384,
		.threads = 72, .thread_next = 8, .thread_tid = 144, .frame = {56, 0}, .n_frame = 2,
		.frame_code = 0, .frame_back = 8, .frame_locals = 72, .code_file = 112,
		.code_name = 120, .string_data = 40, .object_head = 16, .frame_instr = 56,
		.code_lines = 136, .code_first = 68, .code_start = 192,
	},
};

const struct python_layout *python_layout(unsigned int minor)
{
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (layouts[i].minor == minor)
			return &layouts[i];
	return NULL;
}

#define INTERPRETER_MAX (16 << 20) /* bytes; PyInterpreterState has 200,000 */

/* Words of _Py_DebugOffsets that stand at one place in all versions ... */
enum { OFF_VERSION = 1, OFF_FREE_THREADED, OFF_RUNTIME_SIZE, OFF_INTERPRETERS = 5, OFF_NEXT = 8,
       OFF_THREADS };

/*
 * ... and the parts behind them, whose places differ (3.14 put in words): each begins with the
 * size of its struct, and its words bear relations that nothing else bears.
 */
static size_t find_gil(const u64 *w, size_t n)
{
	/* gil_runtime_state, .._enabled, .._locked, .._holder; ceval_gil stands before them */
	for (size_t i = OFF_THREADS + 1; i + 3 < n; i++) {
		u64 extra = w[OFF_FREE_THREADED] ? 8 : 0;

		if (w[i] && w[i + 2] == w[i] + PYTHON_GIL_LOCKED + extra &&
		    w[i + 3] == w[i] + PYTHON_GIL_HOLDER + extra)
			return i;
	}
	return 0;
}

static size_t find_thread(const u64 *w, size_t n, size_t from)
{
	/* size, prev, next, interp, current_frame: 0, 8, 16 lead it */
	for (size_t i = from; i + 6 < n; i++)
		if (w[i + 1] == 0 && w[i + 2] == 8 && w[i + 3] == 16 && w[i] > w[i + 4])
			return i;
	return 0;
}

/* thread_id, native_thread_id: two words in a row behind all that comes before; then the size of a
 * stack chunk's pointer, which stands further behind. 3.15 put in words before them. */
static size_t find_tid(const u64 *w, size_t n, size_t thread)
{
	for (size_t i = thread + 5; i + 2 < n && i < thread + 12; i++)
		if (w[i] >= 0x80 && w[i + 1] == w[i] + 8 && w[i + 2] > w[i + 1] + 8 && w[i + 2] < w[thread])
			return i + 1;
	return 0;
}

static size_t find_frame(const u64 *w, size_t n, size_t from)
{
	/* size, previous, executable, instr_ptr, localsplus: 8, 0 lead it, and the locals end it */
	for (size_t i = from; i + 4 < n; i++)
		if (w[i + 1] == 8 && w[i + 2] == 0 && w[i + 3] < w[i + 4] && w[i + 4] + 8 == w[i])
			return i;
	return 0;
}

static size_t find_code(const u64 *w, size_t n, size_t from)
{
	/* size, filename, name, qualname, linetable: four pointers in a row */
	for (size_t i = from; i + 4 < n; i++)
		if (w[i] > w[i + 4] && w[i + 2] == w[i + 1] + 8 && w[i + 3] == w[i + 2] + 8 &&
		    w[i + 4] == w[i + 3] + 8)
			return i;
	return 0;
}

int python_layout_parse(const void *offsets, size_t size, struct python_layout *layout)
{
	u64 w[PYTHON_DEBUG_OFFSETS / 8];
	size_t n = size / 8 < ARRAY_SIZE(w) ? size / 8 : ARRAY_SIZE(w);
	size_t gil, thread, tid, frame, code;

	memcpy(w, offsets, n * 8);
	if (n < 32 || memcmp(w, "xdebugpy", 8))
		return -ENOENT;
	*layout = (struct python_layout){
		.minor = (u8)(w[OFF_VERSION] >> 16),
		.free_threaded = w[OFF_FREE_THREADED] != 0,
		.gil = PYTHON_NONE,
		.interpreters = (u32)w[OFF_INTERPRETERS],
		.interpreter_next = (u32)w[OFF_NEXT],
		.threads = (u32)w[OFF_THREADS],
		.n_frame = 1,
		.object_head = w[OFF_FREE_THREADED] ? 32 : 16,
	};
	gil = find_gil(w, n);
	thread = gil ? find_thread(w, n, gil + 4) : 0;
	tid = thread ? find_tid(w, n, thread) : 0;
	frame = tid ? find_frame(w, n, tid + 1) : 0;
	code = frame ? find_code(w, n, frame + 5) : 0;
	if (w[OFF_VERSION] >> 24 != 3 || !code || w[OFF_INTERPRETERS] >= w[OFF_RUNTIME_SIZE])
		return -EINVAL;
	/* What is read of the small structs lies near their start: what does not fit is no offset. */
	for (size_t i = thread; i < code + 4; i++)
		if (w[i] >= PYTHON_NONE)
			return -EINVAL;
	if (w[OFF_NEXT] > INTERPRETER_MAX || w[OFF_THREADS] > INTERPRETER_MAX ||
	    w[gil - 1] > INTERPRETER_MAX)
		return -EINVAL;
	layout->interpreter_gil = (u32)w[gil - 1];
	layout->thread_next = (u16)w[thread + 2];
	layout->frame[0] = (u16)w[thread + 4];
	layout->thread_tid = (u16)w[tid];
	layout->frame_back = (u16)w[frame + 1];
	layout->frame_code = (u16)w[frame + 2];
	layout->frame_locals = (u16)w[frame + 4];
	layout->code_file = (u16)w[code + 1];
	layout->code_name = (u16)w[code + 2];
	/* linetable, firstlineno, argcount, localsplusnames, localspluskinds, co_code_adaptive */
	if (code + 9 < n && w[code + 9] < PYTHON_NONE && w[code + 5] < w[code + 9]) {
		layout->frame_instr = (u16)w[frame + 3];
		layout->code_lines = (u16)w[code + 4];
		layout->code_first = (u16)w[code + 5];
		layout->code_start = (u16)w[code + 9];
	}
	/* PyASCIIObject: hash and length and state behind the head, since 3.12 */
	layout->string_data = layout->object_head + 24;
	return 0;
}

int python_debugger_parse(const void *offsets, size_t size, struct python_debugger *debugger)
{
	u64 w[PYTHON_DEBUG_OFFSETS / 8];
	size_t n = size / 8 < ARRAY_SIZE(w) ? size / 8 : ARRAY_SIZE(w), gil, thread;

	memcpy(w, offsets, n * 8);
	gil = n >= 32 && !memcmp(w, "xdebugpy", 8) ? find_gil(w, n) : 0;
	thread = gil ? find_thread(w, n, gil + 4) : 0;
	/* eval_breaker, support, enabled, then in the support: pending 0, script 4, its size */
	for (size_t i = thread + 5; thread && i + 5 < n; i++) {
		if (w[i + 3] != 0 || w[i + 4] != 4 || w[i + 5] != PYTHON_SCRIPT_MAX)
			continue;
		/* All of it lies in the thread state, whose size is told. */
		if (w[i] <= w[thread + 3] || w[i] + 8 > w[i + 1] || w[i + 1] + 4 + PYTHON_SCRIPT_MAX > w[thread] ||
		    w[thread] >= PYTHON_NONE || w[i + 2] > INTERPRETER_MAX)
			return -EINVAL;
		*debugger = (struct python_debugger){
			.interpreter = (u16)w[thread + 3],
			.breaker = (u16)w[i],
			.support = (u16)w[i + 1],
			.enabled = (u32)w[i + 2],
			.pending = (u16)w[i + 3],
			.script = (u16)w[i + 4],
		};
		return 0;
	}
	return -EINVAL;
}
