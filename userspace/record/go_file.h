/* SPDX-License-Identifier: MIT */
/*
 * go_file.h - what a Go program's file says of its own code: functions, lines, the words for why a
 * goroutine waits. All of it comes from .gopclntab, which the runtime itself needs: it is there in a
 * stripped program too (Go 1.18 and later; cmd/link/internal/ld/pcln.go, runtime/symtab.go).
 */
#ifndef CORUN_RECORD_GO_FILE_H
#define CORUN_RECORD_GO_FILE_H

#include "base/types.h"

struct go_file;

/*
 * Where to probe a function of the runtime: an address in the file's own terms and its place in the file. If
 * one of the first instructions, before any changes an argument's register, is one that the kernel
 * carries out by itself (nop, push, jump: arch/x86/kernel/uprobes.c), then that one, else the first: it would be
 * stepped, which is a second trap, and on some virtual machines a very slow one.
 */
struct go_function {
	u64 address, offset;
};

/*
 * Read the open file @fd, which is not kept. -ENOENT: no Go program, or one older than 1.18; -EINVAL: no
 * sound one; -ENOMEM. The file may be hostile: nothing is followed out of what was read of it.
 */
int go_file_open(struct go_file **file, int fd);
void go_file_close(struct go_file *file); /* NULL is fine */

/* False: the file, open as @fd, has no such function. */
bool go_file_function(const struct go_file *file, int fd, const char *name, struct go_function *function);
/* Name of the function that @address (in the file's own terms) lies in; NULL: in none. */
const char *go_file_name(const struct go_file *file, u64 address);
/*
 * "app.go:12 (main.fetch)" of the call that returns to @address; without the line where code of another
 * file was inlined there. False: not code of the file.
 */
bool go_file_line(const struct go_file *file, u64 address, char *text, size_t size);
/*
 * The runtime's word for why a goroutine waits (runtime.waitReason), "" unknown. @bias and @tgid say where
 * a process has mapped the file: a position-independent one has its strings' addresses in memory only.
 */
const char *go_file_reason(struct go_file *file, u32 reason, s32 tgid, u64 bias);

#endif
