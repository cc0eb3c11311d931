/* SPDX-License-Identifier: MIT */
/*
 * what_if.h - how long would the recorded work take under other terms? See WHATIF.md.
 *
 * The work is first replayed as it was (same CPUs, other programs' load included). Where that misses
 * the recorded wall time by over WHAT_IF_MISS, or a CPU quota held the threads back for longer than that
 * (the replay has no quota), or more of their time than that is unknown, there is no prediction.
 */
#ifndef CORUN_METRICS_WHAT_IF_H
#define CORUN_METRICS_WHAT_IF_H

#include "base/buf.h"
#include "metrics/replay.h"

#define WHAT_IF_MISS 0.05 /* of the wall time, of the threads' time */

struct what_if_options {
	u32 cpus;       /* 0: as recorded */
	bool no_gil, no_io;
	u64 no_lock;
};

/* What the graph does not say of the recording. */
struct what_if_recording {
	u32 cpus;           /* that its threads could use */
	u64 throttled_ns;   /* by a CPU quota */
	double unknown;     /* share of the threads' time */
};

enum what_if_refusal { WHAT_IF_ANSWERED = 0, WHAT_IF_MISSED, WHAT_IF_QUOTA, WHAT_IF_UNKNOWN };

struct what_if {
	struct what_if_options asked;
	struct what_if_recording recording;
	u32 cpus, recorded_cpus;
	u64 recorded_ns, replayed_ns; /* wall time; of the unchanged replay, 0: it came to no end */
	u64 duration_ns;              /* predicted, if `refusal` is 0 */
	enum what_if_refusal refusal;
};

/* "cpus=2,no-gil,no-lock=0x7f00,io=0"; -EINVAL with the bad word's start in *@bad. */
int what_if_parse(const char *text, struct what_if_options *options, const char **bad);
/* 0 (refused or not), or -errno. */
int what_if_ask(const struct graph *graph, const struct what_if_recording *recording,
		const struct what_if_options *options, struct what_if *answer);
/* "what_if":{...}, without a comma. */
void what_if_json(const struct what_if *answer, struct buf *buf);
/* Of an answer that is not refused, without the GIL: how long it would take, in one sentence. */
void what_if_sentence(const struct what_if *answer, bool korean, struct buf *buf);
void what_if_text(const struct what_if *answer, struct buf *buf);

#endif
