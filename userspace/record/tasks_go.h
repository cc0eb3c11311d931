/* SPDX-License-Identifier: MIT */
/*
 * tasks_go.h - --tasks=go: goroutines as tasks. The probes (bpf/go.bpf.h) tell every change of a
 * goroutine's status; this knows who is who and says it as records of tasks.
 */
#ifndef CORUN_RECORD_TASKS_GO_H
#define CORUN_RECORD_TASKS_GO_H

#include "event.h"
#include "trace/record.h"

struct tasks_go;

struct tasks_go_ops {
	/* A REC_TASK, with ids as in MARKS.md, or a REC_NOTE. */
	void (*put)(void *ctx, const struct record *rec);
	/* Run the uprobe program @program at @offset of the file @path, with @cookie. 0 or -errno. */
	int (*probe)(void *ctx, const char *program, const char *path, u64 offset, u64 cookie);
};

int tasks_go_new(struct tasks_go **go, const struct tasks_go_ops *ops, void *ctx);
void tasks_go_free(struct tasks_go *go); /* NULL is fine */

/* A program that may soon be run: probed from now on if it is one of Go. Otherwise, or if it cannot be
 * looked at, nothing happens. */
void tasks_go_program(struct tasks_go *go, const char *path);
/* Events as they arrive, in order: for one goroutine that is the order in which they happened. */
void tasks_go_event(struct tasks_go *go, const struct ev_head *event);
/* Events were lost before @ts: what any goroutine is at is not known. */
void tasks_go_lost(struct tasks_go *go, u64 ts);

#endif
