/* SPDX-License-Identifier: MIT */
/*
 * locks.h - futex waits of the traced processes as waits on locks: kind, identity and owner.
 *
 * What the words around a futex say is futex.h's business. Here it is put beside what is known of the
 * processes: an owner is told only if such a thread lives in the waiter's process (of a shared lock: in
 * its pid namespace), and a futex in memory that several processes share is known by its file and offset,
 * so that they meet on it. That needs /proc/PID/maps, which is read when a wait on a shared futex
 * arrives, once a page and thread and now and then again.
 */
#ifndef CORUN_RECORD_LOCKS_H
#define CORUN_RECORD_LOCKS_H

#include "base/types.h"
#include "event.h"
#include "trace/record.h"

struct locks;

struct locks_ops {
	/* A record of its own, at rec->ts, which may lie in the past. */
	void (*put)(void *ctx, const struct record *rec);
	/* Kernel tid of the thread whose tid in its innermost namespace is @ns_tid: of @tgid, or with
	 * @shared of any process in the namespace of @tgid. -1: no such thread lives. */
	s32 (*tid)(void *ctx, s32 tgid, s32 ns_tid, bool shared);
};

int locks_new(struct locks **locks, const struct locks_ops *ops, bool redact, void *ctx);
void locks_free(struct locks *locks); /* NULL is fine */

/* An event as it arrives, while its process still stands as it was. */
void locks_event(struct locks *locks, const struct ev_head *event);
/* All have arrived: a note, at @ts, of what could not be read. */
void locks_finish(struct locks *locks, u64 ts);
/* In order of time: kind, lock and owner of a wait of a thread of @tgid. */
void locks_wait(struct locks *locks, const struct ev_futex *event, s32 tgid, struct rec_wait *wait);

/* A line of /proc/PID/maps. */
struct mapping {
	u64 start, end, offset, ino;
	u32 dev;
	bool shared;
	const char *path; /* into the line, without its newline; "" if none */
};

/* False: no such line. @line is changed. */
bool mapping_parse(char *line, struct mapping *mapping);

#endif
