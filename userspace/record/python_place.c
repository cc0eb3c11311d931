/* SPDX-License-Identifier: MIT */
/*
 * python_place.c - the function and line that a Python thread was at, for --stacks. The probes read
 * the innermost frame's code object and the address of its instruction with the wait; the rest
 * stands in the code object, which does not change.
 */
#include <stdio.h>
#include <string.h>

#include "record/python.h"

#define TABLE_MAX (64 << 10)
#define UNITS_MAX (1 << 20)

static int line_of(const struct python *py, s32 tgid, u64 code, u64 instr)
{
	const struct python_layout *l = &py->layout;
	static u8 table[TABLE_MAX];
	u64 units, at, len, start = code + l->code_start;
	s32 first;

	if (!l->code_start || !instr || instr < start || (instr - start) % 2 ||
	    process_read_u64(tgid, code + l->object_head, &units) || units > UNITS_MAX ||
	    (instr - start) / 2 >= units)
		return 0;
	/* PyBytesObject: size, hash, then the bytes */
	if (process_read_u64(tgid, code + l->code_lines, &at) ||
	    process_read(tgid, code + l->code_first, &first, sizeof(first)) ||
	    process_read_u64(tgid, at + l->object_head, &len) || len > sizeof(table) ||
	    process_read(tgid, at + l->object_head + 16, table, len))
		return 0;
	return python_line(table, len, first, (u32)((instr - start) / 2));
}

bool python_place(struct runtime_process *p, u64 code, u64 instr, char *text, size_t size)
{
	const struct python *py = p->data;
	char file[128], function[128];
	const char *slash;
	u64 file_at, name_at;
	int line;

	if (process_read_u64(p->tgid, code + py->layout.code_file, &file_at) ||
	    process_read_u64(p->tgid, code + py->layout.code_name, &name_at) ||
	    !python_string(py, p->tgid, file_at, true, file, sizeof(file)) ||
	    !python_string(py, p->tgid, name_at, false, function, sizeof(function)))
		return false;
	slash = strrchr(file, '/');
	line = line_of(py, p->tgid, code, instr);
	if (line > 0)
		snprintf(text, size, "%s:%d (%s)", slash ? slash + 1 : file, line, function);
	else
		snprintf(text, size, "%s (%s)", slash ? slash + 1 : file, function);
	return true;
}

/* The probes did not know the thread's state yet. While it waits it stands still, and can be asked. */
bool python_late(struct runtime_process *p, s32 tid, s32 ns_tid, const struct ev_wait *wait, u64 *code,
		 u64 *instr)
{
	struct python *py = p->data;
	u64 thread, frame;

	if (!python_still_waits(p->tgid, tid, wait))
		return false;
	thread = python_thread(py, p->tgid, ns_tid);
	frame = thread ? python_frame(py, p->tgid, thread, code) : 0;
	if (!frame)
		return false;
	*instr = 0;
	if (py->layout.frame_instr)
		process_read_u64(p->tgid, frame + py->layout.frame_instr, instr);
	return python_still_waits(p->tgid, tid, wait);
}
