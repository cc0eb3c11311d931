/* SPDX-License-Identifier: MIT */
/* perfetto_lane.c - what is not a thread's: locks while somebody waits for them, tasks, regions. */
#include "export/perfetto.h"
#include "export/words.h"
#include "metrics/path.h"

/* Three kinds of lanes share their ids; CPUs that lost events are the first. */
#define LANE_LOCK(id) UUID_LANE((u64)(id) * 3 + 1)
#define LANE_TASK(id) UUID_LANE((u64)(id) * 3 + 2)

void perfetto_lost(struct perfetto *p, const struct record *rec)
{
	u64 lane = UUID_LANE((u64)rec->cpu * 3);

	if (!p->lost)
		perfetto_track(p, UUID_LOST, UUID_CURVES, "Events lost", 100, "");
	p->lost += rec->lost.count;
	buf_clear(&p->name);
	buf_printf(&p->name, "CPU %u", rec->cpu);
	perfetto_track(p, lane, UUID_LOST, p->name.data, rec->cpu, "");
	buf_clear(&p->name);
	buf_printf(&p->name, "%llu events lost here", (unsigned long long)rec->lost.count);
	perfetto_plain(p, lane, "lost", p->name.data, rec->ts,
		       rec->lost.until_ns > rec->ts ? rec->lost.until_ns : rec->ts);
}

void perfetto_lock(void *ctx, const struct lock_lane *lane, u64 start, u64 end)
{
	struct perfetto *p = ctx;

	if (!p->locks.len)
		perfetto_track(p, UUID_LOCKS, 0, "Contended locks", 3,
			       "While anybody waits for a lock: who holds it, as far as it was seen.");
	if (!map_get(&p->locks, lane->id + 1)) {
		buf_clear(&p->name);
		words_lock(&p->name, lane->kind, lane->lock, lane->tgid ? lane->process : NULL);
		perfetto_track(p, LANE_LOCK(lane->id), UUID_LOCKS, p->name.failed ? "" : p->name.data,
			       lane->id, words_known(lane));
		p->failed |= map_set(&p->locks, lane->id + 1, p) != 0;
	}
	buf_clear(&p->name);
	words_holder(&p->name, p->model, lane);
	if (!p->name.failed)
		perfetto_plain(p, LANE_LOCK(lane->id), "lock", p->name.data, start, end);
}

void perfetto_path(void *ctx, const struct path_segment *segment)
{
	struct perfetto *p = ctx;

	if (!p->has_path)
		perfetto_track(p, UUID_PATH, 0, "Critical path", 2,
			       "Back from the end of the work over wake-ups, lock hand-offs and forks.");
	p->has_path = true;
	buf_clear(&p->name);
	words_path(&p->name, p->model, segment);
	if (!p->name.failed)
		perfetto_plain(p, UUID_PATH, "path", p->name.data, segment->start_ns,
			       segment->end_ns);
}

void perfetto_task_start(void *ctx, const struct task *task, u64 ts)
{
	struct perfetto *p = ctx;
	u64 parent = 0;

	(void)ts;
	if (task->process)
		parent = perfetto_process_track(p, task->process);
	perfetto_track(p, LANE_TASK(task->id), parent, task->name[0] ? task->name : task->kind,
		       1000 + task->id, task->site);
}

void perfetto_task_state(void *ctx, const struct task_span *span)
{
	struct perfetto *p = ctx;

	buf_clear(&p->name);
	words_task(&p->name, span);
	if (!p->name.failed)
		perfetto_plain(p, LANE_TASK(span->task->id), "task", p->name.data, span->start_ns,
			       span->end_ns);
}

/* Regions may overlap without nesting: each has a track, and the viewer puts tracks of one name and
 * parent together. */
void perfetto_region(void *ctx, const struct region *region)
{
	struct perfetto *p = ctx;
	u64 parent = UUID_CURVES, lane = UUID_LANE(((u64)CORUN_NO_CPU + 1 + p->regions++) * 3);

	if (region->thread)
		parent = perfetto_process_track(p, region->thread->process);
	perfetto_track(p, lane, parent, region->name, 900, "");
	perfetto_plain(p, lane, "region", region->name, region->start_ns, region->end_ns);
}
