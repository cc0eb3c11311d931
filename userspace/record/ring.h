/* SPDX-License-Identifier: MIT */
/*
 * ring.h - one process's ring of marks (MARKS.md): its slots in, records out.
 *
 * What is in the file is not trusted: it is read with pread() (a file that shrinks ends the reading,
 * it does not kill us), and every length, op, time and offset is checked. The writer never waits
 * for us; when it has lapped us, what it wrote over is counted as lost.
 *
 * Pure but for the file: no clock, nothing of the session.
 */
#ifndef CORUN_RECORD_RING_H
#define CORUN_RECORD_RING_H

#include "base/types.h"
#include "trace/record.h"

#define RING_TEXT_MAX 16384

/* Where the recorder says that it reads no more. */
#define RING_CLOSED_AT 32

struct ring;

/* What is true of all rings of a recording. */
struct ring_times {
	u64 begin; /* marks from before are not of this recording */
	u64 now;   /* nor are those from after */
};

/* A record; its strings are lent for the call, its task ids are the program's own. */
typedef void (*ring_emit)(void *ctx, const struct record *rec);

/* Take over @fd. -EAGAIN: the header is not written yet (the fd stays the caller's, as on any
 * error); -EINVAL: it is no ring. */
int ring_open(struct ring **ring, int fd);
/* Hand out what is new. @final: nothing will be written any more, so do not wait for slots that
 * are reserved but not stamped, and tell of steps that have not ended. Returns the slots read. */
u64 ring_read(struct ring *ring, const struct ring_times *times, bool final, ring_emit emit,
	      void *ctx);
s32 ring_tgid(const struct ring *ring);
u64 ring_lost(const struct ring *ring); /* slots */
u64 ring_bad(const struct ring *ring);  /* marks that made no sense */
void ring_close(struct ring *ring);

#endif
