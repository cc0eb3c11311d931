/* SPDX-License-Identifier: MIT */
/* words.h - what a state, a wait, a thread is called in every exported picture. */
#ifndef CORUN_EXPORT_WORDS_H
#define CORUN_EXPORT_WORDS_H

#include "base/buf.h"
#include "model/model.h"

/* "GIL (held by worker-2)", "network 127.0.0.1:5432", "sleep 50 ms", "page fault". */
void words_wait(struct buf *buf, const struct model *model, const struct wait_info *wait);
/* "On CPU", "Ready (preempted by cc1)", the wait, "Stopped", "Unknown (events lost)". */
void words_span(struct buf *buf, const struct model *model, const struct span *span);
/* "GIL of app.py 4242", "mutex 0x7f12 of server 4242". @process NULL: shared between processes. */
void words_lock(struct buf *buf, enum wait_kind kind, u64 lock, const struct process *process);
/* Who has a contended lock: "held by worker-2", "handed on", "held by nobody", "holder not known". */
struct lock_lane;
void words_holder(struct buf *buf, const struct model *model, const struct lock_lane *lane);
/* And how that is known: "seen at switches, inferred between them". */
const char *words_known(const struct lock_lane *lane);
/* A stretch of the critical path: "worker-1: On CPU", "main: join". */
struct path_segment;
void words_path(struct buf *buf, const struct model *model, const struct path_segment *segment);
/* What a task does: "running on worker-1", "ready", "network 127.0.0.1:80". */
void words_task(struct buf *buf, const struct task_span *span);
/* "50 ms", "1.25 s", "340 us": three significant figures. */
void words_duration(struct buf *buf, u64 ns);

#endif
