/* SPDX-License-Identifier: MIT */
#include "metrics/lock_table.h"

#include <stdlib.h>
#include <string.h>

struct gil_sample {
	u64 ts;
	u32 holder;
};

struct gil_track {
	s32 tgid;
	u64 lock;
	u64 n;    /* samples so far; sample i is at samples[i % cap] */
	u32 cap;  /* grows to GIL_SAMPLES */
	bool read; /* somebody ever saw into it: without, nobody can tell who holds it */
	struct gil_sample *samples;
};

/* 64 bits of key are not enough for address, tgid and kind: mix, and let the caller verify. */
static u64 mix(s32 tgid, u64 lock, u32 kind)
{
	u64 h = lock ^ ((u64)(u32)tgid << 40) ^ ((u64)kind << 34);

	h ^= h >> 31;
	h *= 0x9e3779b97f4a7c15ULL;
	return h ^ (h >> 29);
}

static struct gil_track *track_find(const struct gil_history *history, s32 tgid, u64 lock,
				    u64 *key)
{
	struct gil_track *track;

	for (*key = mix(tgid, lock, 0); (track = map_get(&history->gils, *key)); (*key)++)
		if (track->tgid == tgid && track->lock == lock)
			return track;
	return NULL;
}

static int track_grow(struct gil_track *track)
{
	u32 cap = track->cap ? track->cap * 4 : 64;
	struct gil_sample *samples;

	samples = realloc(track->samples, cap * sizeof(*samples));
	if (!samples)
		return -ENOMEM;
	track->samples = samples;
	track->cap = cap;
	return 0;
}

int gil_history_add(struct gil_history *history, s32 tgid, u64 lock, u32 holder, bool known, u64 ts)
{
	u64 key;
	struct gil_track *track = track_find(history, tgid, lock, &key);
	const struct gil_sample *last;

	if (!track) {
		track = calloc(1, sizeof(*track));
		if (!track)
			return -ENOMEM;
		track->tgid = tgid;
		track->lock = lock;
		if (map_set(&history->gils, key, track)) {
			free(track);
			return -ENOMEM;
		}
	}
	track->read |= known;
	last = track->n ? &track->samples[(track->n - 1) % track->cap] : NULL;
	if (last && last->holder == holder)
		return 0;
	/* The ring only wraps once it is at its full size, so growing never reorders it. */
	if (track->n == track->cap && track->cap < GIL_SAMPLES && track_grow(track))
		return -ENOMEM;
	if (!track->samples)
		return -ENOMEM;
	track->samples[track->n % track->cap] = (struct gil_sample){ts, holder};
	track->n++;
	return 0;
}

void gil_history_free(struct gil_history *history)
{
	struct map_slot *slot;

	for (size_t i = 0; (slot = map_next(&history->gils, &i));) {
		struct gil_track *track = slot->value;

		free(track->samples);
		free(track);
	}
	map_free(&history->gils);
}

int gil_history_trim(struct gil_history *history, const struct model *model)
{
	struct gil_history kept = {0};
	struct map_slot *slot;
	int err = 0;

	for (size_t i = 0; !err && (slot = map_next(&history->gils, &i));) {
		const struct gil_track *track = slot->value;
		const struct gil_sample *last = track->n ? &track->samples[(track->n - 1) % track->cap] : NULL;
		u32 holder = last ? last->holder : NO_THREAD;

		if (!last || !model_process_of(model, track->tgid))
			continue;
		if (holder != NO_THREAD && model_thread(model, holder)->state == STATE_NONE)
			holder = NO_THREAD;
		err = gil_history_add(&kept, track->tgid, track->lock, holder, track->read, last->ts);
	}
	gil_history_free(history);
	*history = kept;
	return err;
}

static struct lock_figures *lock_find(struct figures *figures, const struct lock_wait *wait)
{
	u64 key = mix(wait->tgid, wait->lock, wait->kind);
	struct lock_figures *lock;

	for (; (lock = map_get(&figures->locks, key)); key++)
		if (lock->tgid == wait->tgid && lock->lock == wait->lock &&
		    lock->kind == wait->kind)
			return lock;
	if (figures->n_locks == figures->cap_locks) {
		u32 cap = figures->cap_locks ? figures->cap_locks * 2 : 16;
		struct lock_figures **list = realloc(figures->lock_list, cap * sizeof(*list));

		if (!list)
			return NULL;
		figures->lock_list = list;
		figures->cap_locks = cap;
	}
	lock = calloc(1, sizeof(*lock));
	if (!lock)
		return NULL;
	lock->kind = wait->kind;
	lock->tgid = wait->tgid;
	lock->process = wait->thread->process;
	lock->lock = wait->lock;
	lock->unknown.thread = NO_THREAD;
	lock->last_taker = NO_THREAD;
	if (map_set(&figures->locks, key, lock)) {
		free(lock);
		return NULL;
	}
	figures->lock_list[figures->n_locks++] = lock;
	return lock;
}

/* The entry of @thread, made if it is not there; NULL: out of memory. */
static struct holder_figures *entry_of(struct map *map, u32 thread)
{
	struct holder_figures *entry = map_get(map, thread);

	if (entry)
		return entry;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->thread = thread;
	if (map_set(map, thread, entry)) {
		free(entry);
		return NULL;
	}
	return entry;
}

static int charge(struct lock_figures *lock, u32 holder, u64 ns, bool first)
{
	struct holder_figures *entry = holder == NO_THREAD ? &lock->unknown : entry_of(&lock->holder_map, holder);

	if (!entry)
		return -ENOMEM;
	entry->wait_ns += ns;
	entry->waits += first;
	return 0;
}

static int charge_releaser(struct lock_figures *lock, const struct lock_wait *wait, u64 ns)
{
	struct holder_figures *entry;

	if (wait->releaser == NO_THREAD || wait->releaser == wait->thread->id)
		return 0;
	entry = entry_of(&lock->releaser_map, wait->releaser);
	if (!entry)
		return -ENOMEM;
	entry->wait_ns += ns;
	entry->waits++;
	return 0;
}

/* Index of the last sample at or before @ts among those kept, or `oldest` - 1 if there is none. */
static u64 sample_before(const struct gil_track *track, u64 oldest, u64 ts)
{
	u64 low = oldest, high = track->n;

	while (low < high) {
		u64 middle = low + (high - low) / 2;

		if (track->samples[middle % track->cap].ts <= ts)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

/*
 * Whom the piece from sample @at on is charged to. While the lock is being handed on nobody holds it,
 * perhaps for as long as the next one waits for a CPU: then whoever is seen to hold it next, before
 * the wait ends at @to, is whom the waiter came after. A sample that names the waiter is stale. And
 * if none was seen: who woke the waiter held it, because the GIL's conditions are signalled by who has
 * just let go of it (cond) or taken it (switch_cond) and by nobody else.
 */
static u32 piece_holder(const struct gil_track *track, u64 at, const struct lock_wait *wait, u64 to)
{
	for (; at < track->n; at++) {
		const struct gil_sample *sample = &track->samples[at % track->cap];

		if (sample->ts >= to)
			break;
		if (sample->holder != NO_THREAD && sample->holder != wait->thread->id)
			return sample->holder;
	}
	return wait->releaser == wait->thread->id ? NO_THREAD : wait->releaser;
}

static int charge_pieces(struct lock_figures *lock, const struct gil_track *track,
			 const struct lock_wait *wait, u64 from, u64 to)
{
	u64 oldest = track->n > track->cap ? track->n - track->cap : 0;
	u64 at = sample_before(track, oldest, from);
	bool first = true;
	int err = 0;

	while (from < to && !err) {
		/* oldest - 1 may be UINT64_MAX: nothing was sampled yet. */
		bool known = at + 1 > oldest;
		u32 holder = known ? piece_holder(track, at, wait, to) : NO_THREAD;
		u64 next = at + 1 < track->n ? track->samples[(at + 1) % track->cap].ts : to;

		if (next > to)
			next = to;
		if (next > from) {
			err = charge(lock, holder, next - from, first);
			first = false;
		}
		from = next;
		at++;
	}
	return err;
}

int lock_table_add(struct figures *figures, const struct gil_history *history,
		   const struct lock_wait *wait, u64 from, u64 to)
{
	const struct gil_track *track = NULL;
	struct lock_figures *lock;
	u64 key;

	if (from < wait->start_ns)
		from = wait->start_ns;
	if (to > wait->end_ns)
		to = wait->end_ns;
	if (from >= to)
		return 0;
	lock = lock_find(figures, wait);
	if (!lock)
		return -ENOMEM;
	if (sites_add(&lock->sites, wait->site, to - from))
		return -ENOMEM;
	if (wait->got_it) {
		if (lock->last_taker == wait->thread->id)
			lock->got_back++;
		else if (lock->last_taker != NO_THREAD)
			lock->hand_offs++;
		lock->last_taker = wait->thread->id;
	}
	lock->waits++;
	lock->wait_ns += to - from;
	lock->blocked_ns += wait->blocked_ns < to - from ? wait->blocked_ns : to - from;
	hist_add(&lock->waits_hist, to - from);
	if (map_set(&lock->threads, wait->thread->id, lock) || charge_releaser(lock, wait, to - from))
		return -ENOMEM;
	if (wait->kind == KIND_GIL)
		track = track_find(history, wait->tgid, wait->lock, &key);
	if (track && track->read)
		return charge_pieces(lock, track, wait, from, to);
	return charge(lock, wait->owner == wait->thread->id ? NO_THREAD : wait->owner, to - from,
		      true);
}
