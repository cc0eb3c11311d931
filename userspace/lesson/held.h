/* SPDX-License-Identifier: MIT */
/*
 * held.h - whom a recording names as the holder of a mutex, against the program's own log of who held it.
 *
 * The log is facts of the form
 *
 *     {"held": {"lock": "0x55d0c1a2b080", "tid": 5438, "from_ns": 81250123456789, "to_ns": 81250123789012}}
 *
 * one for each time that a thread held the pthread mutex at that address: stamped by CLOCK_MONOTONIC after it
 * had got it and before it let go, so that the mutex was held all the time between. tid: gettid().
 */
#ifndef CORUN_LESSON_HELD_H
#define CORUN_LESSON_HELD_H

#include "base/error.h"
#include "base/types.h"

struct held {
	u32 logged; /* facts of that form */
	u32 waits;  /* waits that began within a logged hold: the log knows for whom they were */
	u32 right;  /* of these, the ones for which the recording names the same thread */
};

/* @facts: lines of JSON, others are passed over. 0, or -errno with @err: the recording @trace cannot be read. */
int held_compare(struct held *held, const char *trace, char *const *facts, u32 n_facts, struct error *err);

#endif
