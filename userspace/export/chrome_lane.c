/* SPDX-License-Identifier: MIT */
/*
 * chrome_lane.c - what is not a thread's: locks while somebody waits for them, tasks, regions.
 *
 * A lock has a row in the group "Contended locks", with slices "held by worker-2". A task is an
 * async track of its process: one slice for its life, and within it one for each of its states.
 * Regions of different threads may overlap without nesting: each is an async slice of its own.
 */
#include <stdlib.h>

#include "export/chrome.h"
#include "export/words.h"
#include "metrics/path.h"

#define EVENT_ROOM 256
/* Rows of locks: above the pids of our own groups. */
#define LOCK_TID(c, id) (ROW_GROUP_PID + 1000000 * (s64)((c)->part->index + 1) + (id))

#define IDLE_TID(c, cpu) (ROW_GROUP_PID + 100000 * (s64)((c)->part->index + 1) + (cpu))

static void name_lane(struct chrome *c, const struct lock_lane *lane)
{
	s64 pid = rows_group(&c->rows, ROW_LOCKS);

	if (!c->locks.len)
		chrome_group(c, pid, "Contended locks", -1);
	buf_clear(&c->name);
	words_lock(&c->name, lane->kind, lane->lock, lane->tgid ? lane->process : NULL);
	chrome_metadata(c, "thread_name", pid, LOCK_TID(c, lane->id), c->name.failed ? "" : c->name.data);
	c->failed |= map_set(&c->locks, lane->id + 1, c) != 0;
}

void chrome_lock(void *ctx, const struct lock_lane *lane, u64 start, u64 end)
{
	struct chrome *c = ctx;
	char *p;

	if (!map_get(&c->locks, lane->id + 1))
		name_lane(c, lane);
	buf_clear(&c->name);
	words_holder(&c->name, c->model, lane);
	json_puts(&c->json, ",\n{\"ph\":\"X\",\"cat\":\"lock\",\"name\":");
	json_string(&c->json, c->name.failed ? "" : c->name.data);
	p = json_room(&c->json, EVENT_ROOM);
	p = put_lit(p, ",\"pid\":");
	p = put_u64(p, (u64)rows_group(&c->rows, ROW_LOCKS));
	p = put_lit(p, ",\"tid\":");
	p = put_u64(p, (u64)LOCK_TID(c, lane->id));
	p = put_lit(p, ",\"ts\":");
	p = put_us(p, chrome_time(c, start));
	p = chrome_dur(c, p, start, end);
	p = put_lit(p, ",\"args\":{\"waiters\":");
	p = put_u64(p, lane->max_waiters);
	p = put_lit(p, ",\"holder\":\"");
	p = put_bytes(p, words_known(lane), strlen(words_known(lane)));
	p = put_lit(p, "\"}}");
	json_wrote(&c->json, p);
}

/* As slices alone: a thread state of nobody's would be in the sums over `sched`. */
void chrome_idle(void *ctx, u32 cpu, u64 start, u64 end)
{
	struct chrome *c = ctx;
	s64 pid = rows_group(&c->rows, ROW_IDLE), tid = IDLE_TID(c, cpu);
	char *p;

	if (!c->idle.len)
		chrome_group(c, pid, "Idle CPUs (swapper)", -1);
	if (!map_get(&c->idle, cpu + 1)) {
		buf_clear(&c->name);
		buf_printf(&c->name, "swapper/%u", cpu);
		chrome_metadata(c, "thread_name", pid, tid, c->name.failed ? "" : c->name.data);
		c->failed |= map_set(&c->idle, cpu + 1, c) != 0;
	}
	p = json_room(&c->json, EVENT_ROOM);
	p = put_u64(put_lit(p, ",\n{\"ph\":\"X\",\"cat\":\"idle\",\"name\":\"Idle\",\"pid\":"), (u64)pid);
	p = put_u64(put_lit(p, ",\"tid\":"), (u64)tid);
	p = put_us(put_lit(p, ",\"ts\":"), chrome_time(c, start));
	p = chrome_dur(c, p, start, end);
	*p++ = '}';
	json_wrote(&c->json, p);
}

void chrome_path(void *ctx, const struct path_segment *segment)
{
	struct chrome *c = ctx;
	s64 pid = rows_group(&c->rows, ROW_PATH);
	char *p;

	if (!c->has_path)
		chrome_group(c, pid, "Critical path", -1);
	c->has_path = true;
	buf_clear(&c->name);
	words_path(&c->name, c->model, segment);
	json_puts(&c->json, ",\n{\"ph\":\"X\",\"cat\":\"path\",\"name\":");
	json_string(&c->json, c->name.failed ? "" : c->name.data);
	p = json_room(&c->json, EVENT_ROOM);
	p = put_u64(put_lit(p, ",\"pid\":"), (u64)pid);
	p = put_u64(put_lit(p, ",\"tid\":"), (u64)pid);
	p = put_us(put_lit(p, ",\"ts\":"), chrome_time(c, segment->start_ns));
	p = chrome_dur(c, p, segment->start_ns, segment->end_ns);
	*p++ = '}';
	json_wrote(&c->json, p);
}

static void put_async(struct chrome *c, char phase, const char *category, const char *name, u64 id,
		      s64 pid, u64 ts)
{
	char *p;

	json_puts(&c->json, phase == 'b' ? ",\n{\"ph\":\"b\",\"cat\":\"" : ",\n{\"ph\":\"e\",\"cat\":\"");
	json_puts(&c->json, category);
	json_puts(&c->json, "\",\"name\":");
	json_string(&c->json, name);
	p = json_room(&c->json, EVENT_ROOM);
	p = put_lit(p, ",\"id\":");
	p = put_u64(p, id);
	p = put_lit(p, ",\"pid\":");
	p = put_u64(p, (u64)pid);
	p = put_lit(p, ",\"ts\":");
	p = put_us(p, chrome_time(c, ts));
	*p++ = '}';
	json_wrote(&c->json, p);
}

/* Tasks have even ids, regions odd ones. */
static u64 async_id(const struct chrome *c, u64 n, u64 odd)
{
	return (n * c->part->count + c->part->index + 1) * 2 + odd;
}

static s64 task_pid(struct chrome *c, const struct task *task)
{
	return task->process ? rows_pid(&c->rows, task->process) : task->tgid;
}

void chrome_task_start(void *ctx, const struct task *task, u64 ts)
{
	struct chrome *c = ctx;
	/* A slice ends under the name that it began with, also when the task has another by then. */
	char *name = strdup(task->name[0] ? task->name : task->kind);

	if (!name || map_set(&c->tasks, task->id + 1, name)) {
		free(name);
		c->failed = true;
		return;
	}
	put_async(c, 'b', "task", name, async_id(c, task->id, 0), task_pid(c, task), ts);
}

void chrome_task_state(void *ctx, const struct task_span *span)
{
	struct chrome *c = ctx;
	u64 id = async_id(c, span->task->id, 0);
	s64 pid = task_pid(c, span->task);

	buf_clear(&c->name);
	words_task(&c->name, span);
	if (c->name.failed)
		return;
	put_async(c, 'b', "task", c->name.data, id, pid, span->start_ns);
	put_async(c, 'e', "task", c->name.data, id, pid, span->end_ns);
}

void chrome_task_end(void *ctx, const struct task *task, u64 ts)
{
	struct chrome *c = ctx;
	char *name = map_del(&c->tasks, task->id + 1);

	if (name)
		put_async(c, 'e', "task", name, async_id(c, task->id, 0), task_pid(c, task), ts);
	free(name);
}

void chrome_region(void *ctx, const struct region *region)
{
	struct chrome *c = ctx;
	s64 pid = region->thread ? rows_pid(&c->rows, region->thread->process) :
				   rows_group(&c->rows, ROW_CURVES);
	u64 id = async_id(c, c->regions++, 1);

	put_async(c, 'b', "region", region->name, id, pid, region->start_ns);
	put_async(c, 'e', "region", region->name, id, pid, region->end_ns);
}

void chrome_lanes_free(struct chrome *c)
{
	struct map_slot *slot;

	for (size_t i = 0; (slot = map_next(&c->tasks, &i));)
		free(slot->value);
	map_free(&c->tasks);
	map_free(&c->locks);
	map_free(&c->idle);
}
