/* SPDX-License-Identifier: MIT */
/* convert.h - one event of the probes as one record of the trace. Pure; part of the collector. */
#ifndef CORUN_RECORD_CONVERT_H
#define CORUN_RECORD_CONVERT_H

#include "base/buf.h"
#include "event.h"
#include "trace/record.h"

/* Bytes of an event of @type without a stack; 0: there is none of this type. */
size_t convert_event_size(u8 type);
/* The facts that stand in the event; not the lock of a futex wait, which takes a look at its words. */
void convert_wait(const struct ev_wait *from, struct rec_wait *to);
/* @strings (cleared first) holds the record's strings. */
void convert_switch(const struct ev_switch *from, const struct ev_wait *wait, struct record *to);
void convert_thread(const struct ev_thread *from, struct record *to);
void convert_exec(const struct ev_exec *from, bool redact, struct record *to, struct buf *strings);
void convert_desc(const struct ev_desc *from, bool redact, struct record *to, struct buf *strings);
/* A switch-in that only the kernel's accounting told of. */
void convert_arrival(const struct ev_pending *from, struct record *to);
void convert_waking(const struct ev_wake *from, s32 tid, struct record *to);

#endif
