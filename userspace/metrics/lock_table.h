/* SPDX-License-Identifier: MIT */
/*
 * lock_table.h - waits on locks added up by lock, and by who held it meanwhile.
 *
 * A lock wait is the model's interval: from the first futex wait until the thread runs on. Of a
 * mutex the holder is the one read when the wait began. The GIL changes hands during a wait: its
 * interval is cut at every sample of the holder, and each piece is charged to the holder seen at the
 * piece's start, or, while it was being handed on, to who held it next. The samples kept for that are
 * the last GIL_SAMPLES of each GIL; what is older than those, or has no such holder, counts as "holder
 * unknown".
 *
 * So for every lock: sum of holders' wait_ns + unknown.wait_ns = wait_ns, and the same for waits
 * (a wait counts for the holder at its start).
 */
#ifndef CORUN_METRICS_LOCK_TABLE_H
#define CORUN_METRICS_LOCK_TABLE_H

#include "metrics/figures.h"

#define GIL_SAMPLES 65536

/* Holders of the GILs over time. Start from zeroed memory. */
struct gil_history {
	struct map gils; /* struct gil_track */
};

/* @known: @holder, or NO_THREAD for nobody, was read. Of a lock where it never is, nobody is said to be the holder. */
int gil_history_add(struct gil_history *history, s32 tgid, u64 lock, u32 holder, bool known, u64 ts);
/* Only the last sample of each GIL whose process lives; a holder that has died holds nothing. */
int gil_history_trim(struct gil_history *history, const struct model *model);
void gil_history_free(struct gil_history *history);

/* Charge @wait, as far as it lies in [@from, @to), to its lock in @figures. */
int lock_table_add(struct figures *figures, const struct gil_history *history,
		   const struct lock_wait *wait, u64 from, u64 to);

#endif
