/* SPDX-License-Identifier: MIT */
/* chrome_lane.c - numbers and names of threads and processes in Chrome trace JSON. */
#include <inttypes.h>
#include <stdlib.h>

#include "export/chrome.h"

/* @number, or a free one above it when an earlier process or thread had the same. */
static s64 unique_number(struct map *used, s32 number)
{
	uintptr_t times = (uintptr_t)map_get(used, (u32)number);

	map_set(used, (u32)number, (void *)(times + 1));
	return number + (s64)(times % 400) * PID_STEP;
}

/* Room for element @id of an array that grows; new ones are zero. */
static void *grow(struct chrome *c, void *array, u32 *n, u32 id, size_t size)
{
	u32 more = id * 2 + 64;
	char *bigger;

	if (id < *n)
		return array;
	bigger = realloc(array, more * size);
	if (!bigger) {
		c->failed = true;
		return NULL;
	}
	memset(bigger + *n * size, 0, (more - *n) * size);
	*n = more;
	return bigger;
}

struct group *chrome_group(struct chrome *c, const struct process *p)
{
	struct group *groups = grow(c, c->groups, &c->n_groups, p->id, sizeof(*groups));

	if (!groups)
		return NULL;
	c->groups = groups;
	if (!groups[p->id].pid)
		groups[p->id].pid = unique_number(&c->used_pids, p->tgid);
	return &groups[p->id];
}

static struct lane *lane_at(struct chrome *c, u32 id)
{
	struct lane *lanes = grow(c, c->lanes, &c->n_lanes, id, sizeof(*lanes));

	if (!lanes)
		return NULL;
	c->lanes = lanes;
	return &lanes[id];
}

struct lane *chrome_lane(struct chrome *c, const struct thread *t)
{
	struct lane *lane = lane_at(c, t->id);
	struct group *group;

	if (!lane || lane->tid)
		return lane;
	group = chrome_group(c, t->process);
	if (!group)
		return NULL;
	lane->pid = group->pid;
	lane->tid = unique_number(&c->used_tids, t->tid);
	buf_printf(&lane->place, "\"pid\":%" PRId64 ",\"tid\":%" PRId64, lane->pid, lane->tid);
	return lane;
}

const struct buf *chrome_reference(struct chrome *c, u32 thread)
{
	const struct thread *t = model_thread(c->model, thread);
	const char *label = thread_label(t);
	struct lane *lane = lane_at(c, thread);

	if (!lane)
		return &c->scratch;
	if (!lane->reference.len || strcmp(lane->label.data, label)) {
		buf_clear(&lane->label);
		buf_puts(&lane->label, label);
		buf_clear(&c->scratch);
		buf_printf(&c->scratch, "%s (%d)", label, t->tid);
		buf_clear(&lane->reference);
		buf_put_json(&lane->reference, c->scratch.data);
		c->failed |= lane->label.failed || lane->reference.failed;
	}
	return &lane->reference;
}

static void metadata(struct chrome *c, const char *what, s64 pid, s64 tid)
{
	buf_clear(&c->scratch);
	buf_printf(&c->scratch, "\"ph\":\"M\",\"name\":\"%s\",\"pid\":%" PRId64 ",\"tid\":%" PRId64,
		   what, pid, tid);
	event_begin(c);
	json_buf(&c->json, &c->scratch);
}

void chrome_metadata(struct chrome *c, const char *what, s64 pid, s64 tid, const char *name)
{
	metadata(c, what, pid, tid);
	json_lit(&c->json, ",\"args\":{\"name\":");
	json_string(&c->json, name);
	json_lit(&c->json, "}}");
}

void chrome_sort_index(struct chrome *c, const char *what, s64 pid, s64 tid, u64 index)
{
	metadata(c, what, pid, tid);
	json_lit(&c->json, ",\"args\":{\"sort_index\":");
	json_u64(&c->json, index);
	json_lit(&c->json, "}}");
}

void chrome_name_thread(struct chrome *c, const struct thread *t)
{
	struct lane *lane = chrome_lane(c, t);

	if (!lane || lane->named)
		return;
	lane->named = true;
	chrome_metadata(c, "thread_name", lane->pid, lane->tid, thread_label(t));
	chrome_sort_index(c, "thread_sort_index", lane->pid, lane->tid, t->id);
}

void chrome_name_process(struct chrome *c, const struct process *p)
{
	struct group *g = chrome_group(c, p);

	if (g)
		chrome_metadata(c, "process_name", g->pid, g->pid, p->name);
}

void chrome_lanes_free(struct chrome *c)
{
	for (u32 i = 0; i < c->n_lanes; i++) {
		struct lane *lane = &c->lanes[i];

		buf_free(&lane->place);
		buf_free(&lane->label);
		buf_free(&lane->reference);
		buf_free(&lane->wait_facts);
		buf_free(&lane->wait_name);
		buf_free(&lane->wait_args);
	}
	free(c->lanes);
	free(c->groups);
}
