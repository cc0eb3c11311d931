/* SPDX-License-Identifier: MIT */
#include "record/unwind.h"

#ifdef NO_LIBDW

int unwind_new(struct unwind **unwind, s32 tgid, struct code_files *files)
{
	(void)unwind;
	(void)tgid;
	(void)files;
	return -ENOSYS;
}

void unwind_free(struct unwind *unwind)
{
	(void)unwind;
}

void unwind_stack(struct unwind *unwind, const struct ev_stack *stack, struct unwind_result *result)
{
	(void)unwind;
	(void)stack;
	*result = (struct unwind_result){0};
}

#else

#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* DWARF numbers of the registers (psABI for AMD64, figure 3.36); 16 is the return address. */
enum { DWARF_RBX = 3, DWARF_RBP = 6, DWARF_R12 = 12, DWARF_PC = 16 };

struct unwind {
	Dwfl *dwfl;
	bool attached;
	const struct ev_stack *stack;   /* under way */
	struct unwind_result *result;
};

/* ---- what is mapped where ---- */

static int find_elf(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
		    char **file_name, Elf **elf)
{
	const struct code_file *file = *userdata;

	(void)module;
	(void)name;
	(void)base;
	(void)file_name;
	(void)elf;
	return file && file->sound ? dup(file->fd) : -1;
}

/* Unwinding needs .eh_frame, which every file has in itself. */
static int no_debuginfo(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
			const char *file, const char *link, GElf_Word crc, char **found)
{
	(void)module;
	(void)userdata;
	(void)name;
	(void)base;
	(void)file;
	(void)link;
	(void)crc;
	(void)found;
	return -1;
}

static const Dwfl_Callbacks callbacks = {.find_elf = find_elf, .find_debuginfo = no_debuginfo};

/* One file's run of mappings, from that of its offset 0 on. */
struct run {
	u64 start, first_end, end, inode;
	bool code;
	char path[4096];
};

static void report_run(struct unwind *u, s32 tgid, struct code_files *files, const struct run *run)
{
	struct code_file *file;
	Dwfl_Module *module;
	void **userdata;

	if (!run->inode || !run->code)
		return;
	file = code_file_get(files, tgid, run->start, run->first_end, run->path);
	if (!file)
		return;
	module = dwfl_report_module(u->dwfl, file->name, run->start, run->end);
	if (module && dwfl_module_info(module, &userdata, NULL, NULL, NULL, NULL, NULL, NULL))
		*userdata = file;
}

static size_t read_maps(struct unwind *u, s32 tgid, struct code_files *files, FILE *maps)
{
	struct run run = {0};
	char *line = NULL;
	size_t size = 0, n = 0;

	while (getline(&line, &size, maps) > 0) {
		unsigned long long start, end, offset, inode;
		char perms[5], path[4096] = "";

		if (sscanf(line, "%llx-%llx %4s %llx %*s %llu %4095[^\n]", &start, &end, perms, &offset,
			   &inode, path) < 5)
			continue;
		n++;
		if (inode && offset && inode == run.inode) {
			run.end = end;
			run.code |= perms[2] == 'x';
			continue;
		}
		if (!inode)
			continue;
		report_run(u, tgid, files, &run);
		run = (struct run){.start = start, .first_end = end, .end = end, .code = perms[2] == 'x'};
		/* Without its head in memory a file's place is not known. */
		run.inode = offset ? 0 : inode;
		memcpy(run.path, path, sizeof(path));
	}
	report_run(u, tgid, files, &run);
	free(line);
	return n;
}

/* ---- libdwfl's view of the copy ---- */

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread)
{
	(void)dwfl;
	if (*thread)
		return 0;
	*thread = arg;
	return 1;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *arg, void **thread)
{
	(void)dwfl;
	(void)tid;
	*thread = arg;
	return true;
}

static bool memory_read(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *value, void *arg)
{
	struct unwind *u = arg;
	u64 at = address - u->stack->sp;

	(void)dwfl;
	if (at > u->stack->len || u->stack->len - at < sizeof(*value))
		return false;
	memcpy(value, u->stack->user + at, sizeof(*value));
	if (u->result->n_reads < UNWIND_READS)
		u->result->reads[u->result->n_reads++] = (struct unwind_read){address, *value};
	return true;
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	const struct ev_stack *s = ((struct unwind *)arg)->stack;
	const Dwarf_Word frame[] = {s->bp, s->sp}, rest[] = {s->r12, s->r13, s->r14, s->r15};
	const Dwarf_Word bx = s->bx, ip = s->ip;

	return dwfl_thread_state_registers(thread, DWARF_RBX, 1, &bx) &&
	       dwfl_thread_state_registers(thread, DWARF_RBP, 2, frame) &&
	       dwfl_thread_state_registers(thread, DWARF_R12, 4, rest) &&
	       dwfl_thread_state_registers(thread, DWARF_PC, 1, &ip);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = memory_read,
	.set_initial_registers = set_registers,
};

/* ---- frames ---- */

static bool has_entry(Dwarf_CFI *cfi, Dwarf_Addr address)
{
	Dwarf_Frame *frame = NULL;

	if (!cfi || dwarf_cfi_addrframe(cfi, address, &frame))
		return false;
	free(frame);
	return true;
}

/* Without a table libdwfl would go on by the frame pointer, which may be anything. */
static bool has_table(Dwfl_Module *module, Dwarf_Addr pc)
{
	Dwarf_Addr bias = 0;
	Dwarf_CFI *cfi = dwfl_module_eh_cfi(module, &bias);

	return has_entry(cfi, pc - bias);
}

static int on_frame(Dwfl_Frame *state, void *arg)
{
	struct unwind *u = arg;
	struct unwind_result *r = u->result;
	struct unwind_frame *f = &r->frames[r->n_frames];
	Dwarf_Addr bias = 0, at, pc;
	Dwfl_Module *module;
	void **userdata = NULL;
	bool exact;

	if (!dwfl_frame_pc(state, &pc, &exact) || !pc)
		return DWARF_CB_ABORT;
	at = pc - !exact;
	*f = (struct unwind_frame){.pc = pc, .exact = exact};
	r->n_frames++;
	module = dwfl_addrmodule(u->dwfl, at);
	if (!module || !dwfl_module_getelf(module, &bias) ||
	    !dwfl_module_info(module, &userdata, NULL, NULL, NULL, NULL, NULL, NULL) || !*userdata) {
		r->strange = true;
		return DWARF_CB_ABORT;
	}
	f->file = ((const struct code_file *)*userdata)->id;
	f->address = pc - bias;
	if (r->n_frames == UNWIND_FRAMES || !has_table(module, at))
		return DWARF_CB_ABORT;
	return DWARF_CB_OK;
}

void unwind_stack(struct unwind *u, const struct ev_stack *stack, struct unwind_result *result)
{
	result->n_frames = result->n_reads = 0;
	result->strange = false;
	u->stack = stack;
	u->result = result;
	if (!u->attached)
		u->attached = dwfl_attach_state(u->dwfl, NULL, 1, &thread_callbacks, u);
	if (u->attached)
		dwfl_getthread_frames(u->dwfl, 1, on_frame, u);
	else
		result->strange = true;
}

int unwind_new(struct unwind **out, s32 tgid, struct code_files *files)
{
	struct unwind *u;
	char path[64];
	FILE *maps;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/maps", tgid);
	maps = fopen(path, "re");
	if (!maps)
		return -ESRCH;
	u = calloc(1, sizeof(*u));
	if (u)
		u->dwfl = dwfl_begin(&callbacks);
	if (!u || !u->dwfl) {
		fclose(maps);
		free(u);
		return -ENOMEM;
	}
	dwfl_report_begin(u->dwfl);
	n = read_maps(u, tgid, files, maps);
	dwfl_report_end(u->dwfl, NULL, NULL);
	fclose(maps);
	if (!n) { /* a process that has given its memory back has no lines */
		unwind_free(u);
		return -ESRCH;
	}
	*out = u;
	return 0;
}

void unwind_free(struct unwind *u)
{
	if (!u)
		return;
	dwfl_end(u->dwfl);
	free(u);
}

#endif
