/* SPDX-License-Identifier: MIT */
#include "export/rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

void rows_init(struct rows *rows, const struct model *model, const struct export_part *part)
{
	*rows = (struct rows){.model = model, .part = part};
}

void rows_free(struct rows *rows)
{
	for (u32 i = 0; i < rows->n_rows; i++) {
		free(rows->rows[i].place);
		free(rows->rows[i].ref);
	}
	free(rows->rows);
	free(rows->pids);
	map_free(&rows->tids);
	map_free(&rows->tgids);
}

static s64 unique(struct rows *rows, struct map *used, s32 number)
{
	uintptr_t times = (uintptr_t)map_get(used, (u32)number);
	u32 uses = ROW_USES / rows->part->count;

	rows->failed |= map_set(used, (u32)number, (void *)(times + 1)) != 0;
	return number + (s64)(rows->part->index * uses + times % (uses ? uses : 1)) * ROW_STEP;
}

/* Room for index @want, zeroed. */
static bool grow(struct rows *rows, void **array, u32 *n, size_t size, u32 want)
{
	u32 cap = want * 2 + 64;
	void *bigger;

	if (want < *n)
		return true;
	bigger = realloc(*array, cap * size);
	if (!bigger) {
		rows->failed = true;
		return false;
	}
	memset((char *)bigger + *n * size, 0, (cap - *n) * size);
	*array = bigger;
	*n = cap;
	return true;
}

s64 rows_pid(struct rows *rows, const struct process *p)
{
	if (!grow(rows, (void **)&rows->pids, &rows->n_pids, sizeof(*rows->pids), p->id))
		return p->tgid;
	if (!rows->pids[p->id])
		rows->pids[p->id] = unique(rows, &rows->tgids, p->tgid);
	return rows->pids[p->id];
}

static bool make_place(struct row *row)
{
	struct buf text = BUF_INIT;

	buf_printf(&text, ",\"pid\":%" PRId64 ",\"tid\":%" PRId64 ",\"ts\":", row->pid, row->tid);
	row->place = text.data;
	row->place_len = (u32)text.len;
	return !text.failed;
}

static struct row *slot(struct rows *rows, u32 id)
{
	if (!grow(rows, (void **)&rows->rows, &rows->n_rows, sizeof(*rows->rows), id))
		return NULL;
	return &rows->rows[id];
}

struct row *rows_get(struct rows *rows, const struct thread *t)
{
	struct row *row = slot(rows, t->id);

	if (!row || row->place)
		return row;
	row->pid = rows_pid(rows, t->process);
	row->tid = unique(rows, &rows->tids, t->tid);
	/* The leader's row has its process's number, also when only one of them came again. */
	if (t->tid == t->tgid && row->tid < row->pid)
		row->tid = row->pid;
	if (!make_place(row)) {
		rows->failed = true;
		return NULL;
	}
	return row;
}

const struct row *rows_ref(struct rows *rows, u32 thread_id)
{
	const struct thread *t = model_thread(rows->model, thread_id);
	struct buf name = BUF_INIT, text = BUF_INIT;
	struct row *row = slot(rows, thread_id);

	if (!row || row->ref)
		return row;
	buf_printf(&name, "%s (%d)", thread_label(t), t->tid);
	if (!name.failed)
		buf_put_json(&text, name.data);
	buf_free(&name);
	if (name.failed || text.failed) {
		rows->failed = true;
		buf_free(&text);
		return NULL;
	}
	row->ref = text.data;
	row->ref_len = (u32)text.len;
	return row;
}

void rows_renamed(struct rows *rows, const struct thread *t)
{
	if (t->id >= rows->n_rows)
		return;
	free(rows->rows[t->id].ref);
	rows->rows[t->id].ref = NULL;
}

s64 rows_group(const struct rows *rows, unsigned int group)
{
	return ROW_GROUP_PID + (s64)rows->part->index * ROW_GROUPS + group;
}
