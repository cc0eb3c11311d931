/* SPDX-License-Identifier: MIT */
/*
 * what_if.h - how long would the recorded work take under other terms? See WHATIF.md.
 *
 * The work is first replayed as it was (same CPUs, other programs' load included). Where that misses
 * the recorded wall time by over WHAT_IF_MISS, there is no prediction.
 */
#ifndef CORUN_METRICS_WHAT_IF_H
#define CORUN_METRICS_WHAT_IF_H

#include "base/buf.h"
#include "metrics/replay.h"

#define WHAT_IF_MISS 0.05

struct what_if_options {
	u32 cpus;       /* 0: as recorded */
	bool no_gil, no_io;
	u64 no_lock;
};

struct what_if {
	struct what_if_options asked;
	u32 cpus, recorded_cpus;
	u64 recorded_ns, replayed_ns; /* wall time; of the unchanged replay, 0: it came to no end */
	u64 duration_ns;              /* predicted; 0: refused */
};

/* "cpus=2,no-gil,no-lock=0x7f00,io=0"; -EINVAL with the bad word's start in *@bad. */
int what_if_parse(const char *text, struct what_if_options *options, const char **bad);
/* @cpus: how many the recorded threads could use. 0 (refused or not), or -errno. */
int what_if_ask(const struct graph *graph, u32 cpus, const struct what_if_options *options,
		struct what_if *answer);
/* "what_if":{...}, without a comma. */
void what_if_json(const struct what_if *answer, struct buf *buf);
void what_if_text(const struct what_if *answer, struct buf *buf);

#endif
