/* SPDX-License-Identifier: MIT */
#include "record/ring.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "trace/text.h"

#define HEAD_BYTES 4096
#define CELLS_AT 64
#define CELLS 126
#define SLOTS_MIN 4096
#define SLOTS_MAX (1u << 20)
#define STRINGS_MAX (1u << 24)
#define STRING_MAX 4096
#define WINDOW 1024 /* slots read at a time; a mark with the longest text fits */
#define MORE ((u64)1 << 63)
/* A slot that is reserved and stays empty so long belongs to a thread that died or hangs. */
#define HOLE_NS (200 * NSEC_PER_MSEC)
/* Marks are written while we read: some are younger than the look that finds them. */
#define AHEAD_NS (10 * NSEC_PER_SEC)
/* Strings of the string area kept in memory: longer lists are read again each time. */
#define CACHE_BYTES ((size_t)4 << 20)

enum wire_op {
	OP_PADDING = 0, /* 1 to 7 are enum task_op */
	OP_REGION_BEGIN = 16,
	OP_REGION_END,
	OP_FACT,
	OP_THREAD_NAME,
	OP_RUN,
	OP_NOTE,
};

enum run_outcome { RUN_WAITS = 3, RUN_READY, RUN_NOTHING }; /* before them, as in a mark */

struct head {
	u64 magic;
	u32 version, tgid, n_slots, strings;
	u64 slots_at;
};

struct slot {
	u64 ts, task, ref;
	u32 tid;
	u8 op, outcome;
	u16 len;
	union {
		char text[24];
		struct {
			u32 what, site;
			u64 end, ready;
		} run;
	};
	u64 stamp;
};

struct cell {
	u64 task, since;
	u32 tid, zero[3];
};

_Static_assert(sizeof(struct slot) == 64 && sizeof(struct cell) == 32, "MARKS.md");

struct ring {
	int fd;
	struct head head;
	u64 next;        /* index of the slot to read next */
	u64 hole_since;
	u64 lost, bad;
	u64 last_ts;     /* of the latest mark that was read */
	bool lost_told;  /* a loss is to be told with the next mark */
	struct map runs;    /* thread -> when its last whole step began */
	struct map strings; /* offset -> char * */
	size_t cached;
	char string[2][STRING_MAX + 1]; /* those that are not cached */
	struct slot window[WINDOW];
	char text[RING_TEXT_MAX + 1];
};

int ring_open(struct ring **out, int fd)
{
	struct ring *r;
	struct head h;
	struct stat st;
	ssize_t n = pread(fd, &h, sizeof(h), 0);

	if (n < 0)
		return -errno;
	if (n < (ssize_t)sizeof(h) || !h.magic)
		return -EAGAIN;
	if (memcmp(&h.magic, "runmark1", 8) || h.version != 1 || !h.tgid || h.tgid > INT32_MAX ||
	    h.n_slots < SLOTS_MIN || h.n_slots > SLOTS_MAX || h.n_slots & (h.n_slots - 1) ||
	    h.strings > STRINGS_MAX || h.slots_at != HEAD_BYTES + h.strings || h.slots_at % 64 ||
	    fstat(fd, &st) || (u64)st.st_size < h.slots_at + (u64)h.n_slots * sizeof(struct slot))
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->fd = fd;
	r->head = h;
	*out = r;
	return 0;
}

void ring_close(struct ring *r)
{
	struct map_slot *slot;

	if (!r)
		return;
	for (size_t i = 0; (slot = map_next(&r->strings, &i));)
		free(slot->value);
	map_free(&r->strings);
	map_free(&r->runs);
	close(r->fd);
	free(r);
}

s32 ring_tgid(const struct ring *r)
{
	return (s32)r->head.tgid;
}

u64 ring_lost(const struct ring *r)
{
	return r->lost;
}

u64 ring_bad(const struct ring *r)
{
	return r->bad;
}

static bool in_time(const struct ring_times *times, u64 ts)
{
	return ts >= times->begin && ts < times->now + AHEAD_NS;
}

/* ---- slots ---- */

static u64 place(const struct ring *r, u64 index)
{
	return r->head.slots_at + (index & (r->head.n_slots - 1)) * sizeof(struct slot);
}

/* Copy @n slots from @index on; they may lie on both sides of the end. */
static bool fetch(const struct ring *r, u64 index, struct slot *to, size_t n)
{
	size_t left = r->head.n_slots - (size_t)(index & (r->head.n_slots - 1));
	size_t first = n < left ? n : left;

	if (pread(r->fd, to, first * sizeof(*to), (off_t)place(r, index)) !=
	    (ssize_t)(first * sizeof(*to)))
		return false;
	n -= first;
	return !n || pread(r->fd, to + first, n * sizeof(*to), (off_t)r->head.slots_at) ==
			     (ssize_t)(n * sizeof(*to));
}

static u64 stamp_at(const struct ring *r, u64 index)
{
	u64 stamp = 0;

	if (pread(r->fd, &stamp, sizeof(stamp), (off_t)(place(r, index) + offsetof(struct slot, stamp))) !=
	    (ssize_t)sizeof(stamp))
		return 0;
	return stamp & ~MORE;
}

/* The writer is at least at @newest: go on a quarter of the ring behind what it writes over. */
static void lapped(struct ring *r, u64 newest)
{
	u64 resume = newest - r->head.n_slots + r->head.n_slots / 4;

	if (resume <= r->next)
		resume = r->next + r->head.n_slots / 4;
	r->lost += resume - r->next;
	r->next = resume;
	r->hole_since = 0;
	r->lost_told = true;
}

/*
 * How many slots from r->next on are whole; their contents are in r->window.
 *
 * A copy of a slot may be torn in two ways. Its stamp is new and the rest is old: so stamps are
 * looked at first, and the contents copied after. Its stamp is old and the rest is being written
 * over: the writer goes in order, so then it has passed the slots before; one an eighth of the ring
 * before is looked at last.
 */
static size_t whole_slots(struct ring *r)
{
	u64 guard = r->head.n_slots / 8, last, stamp;
	size_t n = 0, ready;

	if (!fetch(r, r->next, r->window, WINDOW))
		return 0;
	while (n < WINDOW && (r->window[n].stamp & ~MORE) == r->next + n + 1)
		n++;
	stamp = r->window[0].stamp & ~MORE;
	if (!n && stamp > r->next + 1 && !((stamp - r->next - 1) & (r->head.n_slots - 1)))
		lapped(r, stamp - 1);
	if (!n)
		return 0;
	if (!fetch(r, r->next, r->window, n))
		return 0;
	for (ready = 0; ready < n && (r->window[ready].stamp & ~MORE) == r->next + ready + 1;)
		ready++;
	last = r->next + ready;
	if (last > guard) {
		stamp = stamp_at(r, last - guard - 1);
		if (stamp > last - guard) {
			lapped(r, stamp - 1);
			return 0;
		}
	}
	return ready;
}

/* Nothing more to read in order: an empty slot before full ones is waited for, but not for ever. */
static bool skip_hole(struct ring *r, u64 now, bool final)
{
	size_t n = 0;

	if (!fetch(r, r->next, r->window, WINDOW))
		return false;
	for (n = 1; n < WINDOW; n++)
		if ((r->window[n].stamp & ~MORE) == r->next + n + 1)
			break;
	if (n == WINDOW || (r->window[0].stamp & ~MORE) == r->next + 1) {
		/* Nothing written after it; or the first slot of a mark whose others are not there. */
		if (n == WINDOW && (r->window[0].stamp & ~MORE) != r->next + 1) {
			r->hole_since = 0;
			return false;
		}
		n = 1;
	}
	if (!r->hole_since)
		r->hole_since = now;
	if (!final && now - r->hole_since < HOLE_NS)
		return false;
	r->lost += n;
	r->lost_told = true;
	r->next += n;
	r->hole_since = 0;
	return true;
}

/* ---- strings ---- */

/* The string at @offset of the string area, "" if there is none. @spare: which buffer may be used. */
static const char *area_string(struct ring *r, u32 offset, int spare)
{
	char *text = r->string[spare], *copy;
	u16 len;

	if (!offset || offset > r->head.strings - sizeof(len) || r->head.strings < sizeof(len))
		return "";
	copy = map_get(&r->strings, offset);
	if (copy)
		return copy;
	if (pread(r->fd, &len, sizeof(len), HEAD_BYTES + (off_t)offset) != (ssize_t)sizeof(len) ||
	    len > STRING_MAX || (u64)offset + sizeof(len) + len > r->head.strings ||
	    pread(r->fd, text, len, HEAD_BYTES + (off_t)(offset + sizeof(len))) != (ssize_t)len) {
		r->bad++;
		return "";
	}
	text[len] = '\0';
	if (r->cached + len > CACHE_BYTES)
		return text;
	copy = strdup(text);
	if (!copy || map_set(&r->strings, offset, copy)) {
		free(copy);
		return text;
	}
	r->cached += len + 1u;
	return copy;
}

/* The next of the NUL-separated parts of a text that ends at @end; "" when there is none. */
static const char *next_part(const char **at, const char *end)
{
	const char *part = *at < end ? *at : "";

	if (*at < end)
		*at += strlen(*at) + 1;
	return part;
}

/* ---- marks ---- */

static struct record new_record(const struct ring *r, const struct slot *s, u16 type, u64 ts)
{
	struct record rec = {.ts = ts, .type = type, .cpu = CORUN_NO_CPU};

	if (type == REC_TASK) {
		rec.task = (struct rec_task){.task = s->task, .tid = (s32)s->tid,
					     .tgid = (s32)r->head.tgid, .kind = "", .name = "",
					     .what = "", .site = ""};
	}
	return rec;
}

static void emit_run(struct ring *r, const struct slot *s, const struct ring_times *times,
		     ring_emit emit, void *ctx)
{
	struct record rec = new_record(r, s, REC_TASK, s->run.ready);

	if (s->run.ready >= times->begin && s->run.ready <= s->ts) {
		rec.task.op = TASK_READY;
		emit(ctx, &rec);
	}
	rec.ts = s->ts;
	rec.task.op = TASK_STEP;
	emit(ctx, &rec);
	if (map_get(&r->runs, s->tid) || r->runs.len < CELLS)
		map_set(&r->runs, s->tid, (void *)(uintptr_t)s->ts);
	rec.ts = s->run.end;
	rec.task.site = area_string(r, s->run.site, 0);
	switch (s->outcome) {
	case RUN_WAITS:
		rec.task.op = TASK_WAIT;
		rec.task.ref = s->ref;
		rec.task.what = area_string(r, s->run.what, 1);
		break;
	case RUN_READY:
		rec.task.op = TASK_READY;
		break;
	case RUN_NOTHING:
		return;
	default:
		rec.task.op = TASK_END;
		rec.task.outcome = s->outcome;
	}
	emit(ctx, &rec);
}

static bool emit_task(struct ring *r, const struct slot *s, size_t len, ring_emit emit, void *ctx)
{
	const char *part = r->text, *end = r->text + len;
	struct record rec = new_record(r, s, REC_TASK, s->ts);

	if (!s->task || s->outcome >= OUTCOMES)
		return false;
	rec.task.op = s->op;
	rec.task.ref = s->ref;
	if (s->op == TASK_END)
		rec.task.outcome = s->outcome;
	if (s->op == TASK_BEGIN) {
		rec.task.kind = next_part(&part, end);
		rec.task.name = next_part(&part, end);
		rec.task.site = next_part(&part, end);
	} else if (s->op == TASK_WAIT || s->op == TASK_STEP) {
		rec.task.what = next_part(&part, end);
		rec.task.site = next_part(&part, end);
	} else if (s->op == TASK_NAME) {
		rec.task.name = r->text;
	}
	emit(ctx, &rec);
	return true;
}

/* One mark whose text stands in r->text; false when it makes no sense. */
static bool emit_mark(struct ring *r, const struct slot *s, size_t len, const struct ring_times *times,
		      ring_emit emit, void *ctx)
{
	struct record rec;

	if (!in_time(times, s->ts) || s->tid > INT32_MAX)
		return false;
	switch (s->op) {
	case OP_REGION_BEGIN:
	case OP_REGION_END:
		rec = new_record(r, s, REC_REGION, s->ts);
		rec.region.tid = (s32)s->tid;
		rec.region.begin = s->op == OP_REGION_BEGIN;
		rec.region.name = r->text;
		break;
	case OP_FACT:
		rec = new_record(r, s, REC_FACT, s->ts);
		rec.fact.tgid = (s32)r->head.tgid;
		rec.fact.json = r->text;
		break;
	case OP_THREAD_NAME:
		rec = new_record(r, s, REC_NAME, s->ts);
		rec.name.tid = (s32)s->tid;
		rec.name.name = r->text;
		break;
	case OP_NOTE:
		rec = new_record(r, s, REC_NOTE, s->ts);
		rec.note.text = r->text;
		break;
	case OP_RUN:
		if (!s->task || s->outcome > RUN_NOTHING || s->run.end < s->ts || !in_time(times, s->run.end))
			return false;
		emit_run(r, s, times, emit, ctx);
		return true;
	default:
		return s->op && s->op < TASK_OPS && emit_task(r, s, len, emit, ctx);
	}
	emit(ctx, &rec);
	return true;
}

/* Slots that the mark at @s takes. */
static size_t slots_of(const struct slot *s)
{
	return s->op == OP_RUN || s->len <= 24 ? 1 : 1 + (s->len - 24u + 55) / 56;
}

/* The mark at window[at], all of it there. */
static void read_mark(struct ring *r, size_t at, const struct ring_times *times, ring_emit emit, void *ctx)
{
	const struct slot *s = &r->window[at];
	size_t len = s->op == OP_RUN ? 0 : s->len, copied = len < 24 ? len : 24;

	memcpy(r->text, s->text, copied);
	for (size_t i = 1; copied < len; i++) {
		size_t n = len - copied < 56 ? len - copied : 56;

		if (!(r->window[at + i].stamp & MORE)) {
			r->bad++;
			return;
		}
		memcpy(r->text + copied, &r->window[at + i], n);
		copied += n;
	}
	r->text[len] = '\0';
	if (!emit_mark(r, s, len, times, emit, ctx))
		r->bad++;
	else if (s->ts > r->last_ts)
		r->last_ts = s->op == OP_RUN ? s->run.end : s->ts;
}

/* Slots were lost: what the tasks of this process did since the last one read is not known. */
static void tell_loss(struct ring *r, const struct slot *s, ring_emit emit, void *ctx)
{
	struct slot none = {.tid = s->tid};
	struct record rec = new_record(r, &none, REC_TASK, r->last_ts ? r->last_ts : s->ts);

	rec.task.op = TASK_LOST;
	emit(ctx, &rec);
	r->lost_told = false;
}

static size_t read_window(struct ring *r, const struct ring_times *times, ring_emit emit, void *ctx)
{
	size_t n = whole_slots(r), at = 0;

	while (at < n) {
		const struct slot *s = &r->window[at];
		size_t slots = 1;

		if (s->stamp & MORE || s->op == OP_PADDING) {
			/* Text whose beginning was lost; or filling. */
		} else if (s->len > RING_TEXT_MAX) {
			r->bad++;
		} else {
			slots = slots_of(s);
			if (at + slots > n)
				break;
			if (r->lost_told && in_time(times, s->ts))
				tell_loss(r, s, emit, ctx);
			read_mark(r, at, times, emit, ctx);
		}
		at += slots;
	}
	r->next += at;
	if (at)
		r->hole_since = 0;
	return at;
}

/* Steps that were under way when the process, or the recording, ended. */
static void read_cells(struct ring *r, const struct ring_times *times, ring_emit emit, void *ctx)
{
	struct cell cells[CELLS];

	if (pread(r->fd, cells, sizeof(cells), CELLS_AT) != (ssize_t)sizeof(cells))
		return;
	for (size_t i = 0; i < CELLS; i++) {
		struct slot s = {.task = cells[i].task, .tid = cells[i].tid};
		struct record rec = new_record(r, &s, REC_TASK, cells[i].since);

		/* What stands there stays until the thread's next step. */
		if (!cells[i].task || !in_time(times, cells[i].since) || cells[i].tid > INT32_MAX ||
		    (u64)(uintptr_t)map_get(&r->runs, cells[i].tid) >= cells[i].since)
			continue;
		rec.task.op = TASK_STEP;
		emit(ctx, &rec);
	}
}

u64 ring_read(struct ring *r, const struct ring_times *times, bool final, ring_emit emit, void *ctx)
{
	u64 read = 0;

	/* At most twice round: a writer that is faster than we are must not keep us for ever. */
	for (int leaps = 0; read < 2 * (u64)r->head.n_slots && leaps < 64;) {
		u64 lost = r->lost;
		size_t n = read_window(r, times, emit, ctx);

		read += n;
		if (!n && r->lost == lost && !skip_hole(r, times->now, final))
			break;
		leaps += r->lost != lost;
	}
	if (final)
		read_cells(r, times, emit, ctx);
	return read;
}
