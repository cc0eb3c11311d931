/* SPDX-License-Identifier: MIT */
#include "record/locks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "record/futex.h"

#define OP_PRIVATE 0x80u
#define PAGE_SHIFT 12
/* A mapping may be replaced by another one at the same address: look again after this time. */
#define LOOK_AGAIN_NS (500 * NSEC_PER_MSEC)
#define PLACES_MAX 16384
#define TOLD_MAX 65536

/* What lies behind one page of one thread, from `since` on. */
struct place {
	s32 tid;
	u64 page;
	u64 since, looked;
	bool shared;
	u64 file;         /* hash of device and inode */
	u64 start;        /* offset in the file of the page's first byte */
	char *name;
	struct place *older;
};

struct locks {
	struct locks_ops ops;
	void *ctx;
	bool redact;
	struct map places; /* by thread and page: struct place, the newest */
	size_t n_places;
	u64 unread;        /* waits on a futex whose memory could not be read */
	struct map told;   /* identities of shared locks that have their REC_LOCK */
};

int locks_new(struct locks **out, const struct locks_ops *ops, bool redact, void *ctx)
{
	struct locks *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->ops = *ops;
	l->ctx = ctx;
	l->redact = redact;
	*out = l;
	return 0;
}

static void place_free(struct place *place)
{
	while (place) {
		struct place *older = place->older;

		free(place->name);
		free(place);
		place = older;
	}
}

static void places_clear(struct locks *l)
{
	struct map_slot *slot;

	for (size_t i = 0; (slot = map_next(&l->places, &i));)
		place_free(slot->value);
	map_free(&l->places);
	l->places = (struct map){0};
	l->n_places = 0;
}

void locks_free(struct locks *l)
{
	if (!l)
		return;
	places_clear(l);
	map_free(&l->told);
	free(l);
}

static u64 mix(u64 a, u64 b)
{
	u64 h = (a ^ 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL;

	h ^= h >> 32;
	h = (h ^ b) * 0xc4ceb9fe1a85ec53ULL;
	return h ^ h >> 29;
}

bool mapping_parse(char *line, struct mapping *m)
{
	char perms[5] = "";
	unsigned int major, minor;
	int path = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &m->start,
		   &m->end, perms, &m->offset, &major, &minor, &m->ino, &path) != 7 || !path)
		return false;
	m->dev = major << 20 | minor;
	m->shared = perms[3] == 's';
	m->path = line + path;
	line[path + (int)strcspn(line + path, "\n")] = '\0';
	return m->start < m->end;
}

/* "/dev/shm/queue" and the like, for people. */
static char *place_name(const struct locks *l, const struct mapping *m)
{
	static const char deleted[] = " (deleted)";
	size_t len = strlen(m->path);

	if (len >= sizeof(deleted) - 1 && !strcmp(m->path + len - (sizeof(deleted) - 1), deleted))
		len -= sizeof(deleted) - 1;
	/* mm/shmem.c: shmem_zero_setup() names the memory of MAP_SHARED | MAP_ANONYMOUS so. */
	if (l->redact || !len || (len == 9 && !memcmp(m->path, "/dev/zero", 9)))
		return strdup("shared memory");
	return strndup(m->path, len);
}

static bool place_look(const struct locks *l, struct place *place)
{
	u64 address = place->page << PAGE_SHIFT;
	char name[32], *line = NULL;
	struct mapping m;
	bool found = false;
	size_t cap = 0;
	FILE *maps;

	snprintf(name, sizeof(name), "/proc/%d/maps", place->tid);
	maps = fopen(name, "re");
	if (!maps)
		return false;
	while (!found && getline(&line, &cap, maps) > 0)
		found = mapping_parse(line, &m) && address >= m.start && address < m.end;
	if (found && m.shared) {
		place->shared = true;
		place->file = mix(m.dev, m.ino);
		place->start = m.offset + (address - m.start);
		place->name = place_name(l, &m);
	}
	free(line);
	fclose(maps);
	return found;
}

static struct place *place_get(const struct locks *l, s32 tid, u64 page, u64 *key)
{
	struct place *place;

	for (*key = mix((u64)(u32)tid, page); (place = map_get(&l->places, *key)); (*key)++)
		if (place->tid == tid && place->page == page)
			return place;
	return NULL;
}

/* A thread waits on a futex that may be in shared memory: learn where, while it is there. */
static void place_learn(struct locks *l, s32 tid, u64 address, u64 ts)
{
	u64 key, page = address >> PAGE_SHIFT;
	struct place *before = place_get(l, tid, page, &key);
	struct place *now;

	if (before && ts < before->looked + LOOK_AGAIN_NS)
		return;
	now = calloc(1, sizeof(*now));
	if (!now)
		return;
	*now = (struct place){.tid = tid, .page = page, .since = ts, .looked = ts, .older = before};
	if (!place_look(l, now)) { /* it has gone: what was known is the best there is */
		free(now);
		return;
	}
	if (before && before->shared == now->shared && before->file == now->file &&
	    before->start == now->start) {
		before->looked = ts;
		now->older = NULL;
		place_free(now);
		return;
	}
	if (!before && l->n_places >= PLACES_MAX) {
		places_clear(l);
		place_get(l, tid, page, &key);
	}
	if (map_set(&l->places, key, now)) {
		now->older = NULL;
		place_free(now);
		return;
	}
	l->n_places += !before;
	if (before && before->older) { /* two are enough for what still waits to be put out */
		place_free(before->older);
		before->older = NULL;
	}
}

static const struct place *place_at(const struct locks *l, s32 tid, u64 address, u64 ts)
{
	u64 key;
	const struct place *place = place_get(l, tid, address >> PAGE_SHIFT, &key);

	while (place && ts < place->since)
		place = place->older;
	return place && place->shared ? place : NULL;
}

static bool may_be_shared(const struct futex_call *call, const struct futex_found *found)
{
	return !(call->op & OP_PRIVATE) && !found->own_memory;
}

static void arrived(struct locks *l, const struct ev_wait *wait, const u8 *words, s32 tid, u64 ts)
{
	struct futex_found found;
	struct futex_call call;

	if (!(wait->flags & EV_WAIT_WORDS))
		words = NULL;
	if (!futex_call_of(wait, words, &call))
		return;
	l->unread += !words;
	if (call.op & OP_PRIVATE)
		return;
	futex_classify(&call, &found);
	if (may_be_shared(&call, &found))
		place_learn(l, tid, call.address, ts);
}

void locks_event(struct locks *l, const struct ev_head *head)
{
	if (head->type == EV_FUTEX) {
		const struct ev_futex *ev = (const void *)head;

		arrived(l, &ev->block.wait, ev->words, ev->block.sw.prev, head->ts);
	} else if (head->type == EV_SNAPSHOT) {
		const struct ev_snapshot *ev = (const void *)head;

		arrived(l, &ev->thread.wait, ev->words, ev->thread.tid, head->ts);
	}
}

void locks_finish(struct locks *l, u64 ts)
{
	struct record rec = {.ts = ts, .type = REC_NOTE, .cpu = CORUN_NO_CPU};
	char text[160];

	if (!l->unread)
		return;
	snprintf(text, sizeof(text), "the memory of the futex could not be read in %" PRIu64 " waits: they are shown as "
		 "the call alone says, without a holder", l->unread);
	rec.note.text = text;
	l->ops.put(l->ctx, &rec);
}

static void tell(struct locks *l, const struct place *place, u64 offset, const struct rec_wait *wait, u64 ts)
{
	struct record rec = {.ts = ts, .type = REC_LOCK, .cpu = CORUN_NO_CPU};
	char name[512];

	/* So many in one recording: told once more, which says the same. */
	if (l->told.len >= TOLD_MAX)
		map_free(&l->told);
	if (map_get(&l->told, wait->lock) || map_set(&l->told, wait->lock, l))
		return;
	snprintf(name, sizeof(name), "%.480s +0x%" PRIx64, place->name ? place->name : "", offset);
	rec.lock.lock = wait->lock;
	rec.lock.kind = wait->lock_kind;
	rec.lock.name = name;
	l->ops.put(l->ctx, &rec);
}

void locks_wait(struct locks *l, const struct ev_futex *ev, s32 tgid, struct rec_wait *wait)
{
	const u8 *words = ev->block.wait.flags & EV_WAIT_WORDS ? ev->words : NULL;
	u64 ts = ev->block.sw.head.ts;
	const struct place *place = NULL;
	struct futex_found found;
	struct futex_call call;
	s32 owner;

	if (!futex_call_of(&ev->block.wait, words, &call))
		return;
	futex_classify(&call, &found);
	if (may_be_shared(&call, &found))
		place = place_at(l, ev->block.sw.prev, call.address, ts);
	owner = found.owner;
	if (owner > 0)
		owner = l->ops.tid(l->ctx, tgid, owner, place != NULL);
	if (owner < 0 && found.must_live && !place) {
		/* What looked like a mutex's owner is no thread: a stdio lock, or nothing of glibc's. */
		found.kind = LOCK_FUTEX;
		found.base = call.address;
	}
	wait->lock_kind = found.kind;
	wait->lock = found.base;
	if (owner >= 0) {
		wait->owner = owner;
		wait->flags |= WAIT_OWNER;
	}
	if (place) {
		u64 offset = place->start + (call.address & ((1u << PAGE_SHIFT) - 1)) + found.base - call.address;

		wait->lock = mix(place->file, offset) | 1;
		wait->flags |= WAIT_SHARED;
		tell(l, place, offset, wait, ts);
	}
}
