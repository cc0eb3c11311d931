/* SPDX-License-Identifier: MIT */
/* chrome.h - the inside of the Chrome JSON exporter: shared by chrome*.c, nobody else. */
#ifndef CORUN_EXPORT_CHROME_H
#define CORUN_EXPORT_CHROME_H

#include "export/arrows.h"
#include "export/chrome_wait.h"
#include "export/curves.h"
#include "export/json.h"
#include "export/lanes.h"

struct chrome {
	struct json json;
	struct model *model;
	const struct export_part *part;
	bool compat, open, has_path;
	u64 begin, end; /* of what is exported */
	u64 flows, lost, regions;
	struct rows rows;
	struct wait_texts waits;
	struct buf name, meta;
	struct arrows arrows;
	struct map locks;     /* lane id + 1: its row has a name */
	struct map idle;      /* CPU + 1: its row has a name */
	struct map tasks;     /* task id + 1 -> name that its slice began with */
	bool failed;
};

/*
 * ns in the file. The compatible shape begins at 1 us: Perfetto v20 loses the value of a sample at
 * 0, and its UI stops at that.
 */
static inline u64 chrome_time(const struct chrome *c, u64 ts)
{
	u64 since = ts - c->part->zero_ns;

	return ((s64)since > 0 ? since : 0) + (c->compat ? 1000 : 0);
}

/*
 * `,"dur":` of what lasts from @start to @end. Speedscope adds it to ts as doubles, and where that comes out behind
 * the next slice's ts it takes the two for nested the wrong way round: the compatible shape takes 0.01 ns off, which
 * rounds to the same nanosecond. (Enough up to the 19th hour, when doubles are coarser.)
 */
static inline char *chrome_dur(const struct chrome *c, char *p, u64 start, u64 end)
{
	p = put_lit(p, ",\"dur\":");
	return c->compat && end > start ? put_lit(put_us(p, end - start - 1), "99") : put_us(p, end - start);
}

/* chrome_meta.c: what names and orders things, and what stands at both ends of the file. */
void chrome_metadata(struct chrome *c, const char *what, s64 pid, s64 tid, const char *name);
/* A group of our own: one before another by @index, before processes if it is negative. */
void chrome_group(struct chrome *c, s64 pid, const char *name, s64 index);
void chrome_head(struct chrome *c);
void chrome_tail(struct chrome *c);
void chrome_note_meta(struct chrome *c, const struct rec_meta *meta);
void chrome_lost(struct chrome *c, const struct record *rec);

/* chrome_lane.c */
void chrome_lock(void *ctx, const struct lock_lane *lane, u64 start, u64 end);
void chrome_idle(void *ctx, u32 cpu, u64 start, u64 end);
void chrome_path(void *ctx, const struct path_segment *segment);
void chrome_task_start(void *ctx, const struct task *task, u64 ts);
void chrome_task_state(void *ctx, const struct task_span *span);
void chrome_task_end(void *ctx, const struct task *task, u64 ts);
void chrome_region(void *ctx, const struct region *region);
void chrome_lanes_free(struct chrome *c);

/* chrome_count.c */
void chrome_curve(void *ctx, u32 process, u64 ts, u32 changed, const u32 *now);

#endif
