/* SPDX-License-Identifier: MIT */
/*
 * tasks_usdt.h - --probes FILE: USDT probes that a program has already, read as what its tasks do. TASKS.md
 * describes the file.
 */
#ifndef CORUN_RECORD_TASKS_USDT_H
#define CORUN_RECORD_TASKS_USDT_H

#include "base/error.h"
#include "event.h"
#include "trace/record.h"

struct tasks_usdt;

struct tasks_usdt_ops {
	/* A REC_TASK, with ids as in MARKS.md. */
	void (*put)(void *ctx, const struct record *rec);
	/* Tell of the probe @provider:@name of the file @path, with @cookie. 0 or -errno. */
	int (*probe)(void *ctx, const char *path, const char *provider, const char *name, u64 cookie);
};

/* Read the configuration @path. @redact: no texts out of the program. -EINVAL and the like with @err, which
 * names the line. */
int tasks_usdt_new(struct tasks_usdt **usdt, const char *path, bool redact, const struct tasks_usdt_ops *ops,
		   void *ctx, struct error *err);
void tasks_usdt_free(struct tasks_usdt *usdt); /* NULL is fine */

/* Have the probes told. -ENOENT and the like with @err, which names the line. */
int tasks_usdt_attach(struct tasks_usdt *usdt, struct error *err);
/* Events as they arrive. */
void tasks_usdt_event(struct tasks_usdt *usdt, const struct ev_head *event);
/* Events were lost before @ts. */
void tasks_usdt_lost(struct tasks_usdt *usdt, u64 ts);

#endif
