/* SPDX-License-Identifier: MIT */
/*
 * python_wait.c - what a Python thread waits for that sleeps on a semaphore. To the kernel Lock,
 * Condition, Event, Queue.get and Thread.join are one and the same; the Python function that called
 * tells them apart. It has let go of the GIL and stands still meanwhile.
 *
 * The probes give the code object of the innermost function with the wait (gil_code() in
 * gil.bpf.h). A wait in the standard library is named by the function alone. Anywhere else it is
 * named by the object: a Lock or SimpleQueue holds its semaphore's address right after its head,
 * so an operand or local variable of the frame that points to one with this futex is what it waits
 * for. A wait for which neither can be read stays what the words around the futex say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/python.h"

#define FUTEX_CMD_MASK 0x7f
#define FUTEX_WAIT_BITSET 9
#define SLOTS 64                             /* of a frame that are looked at */
#define OBJECT_AGAIN_NS NSEC_PER_SEC         /* memory is used again: look anew */
#define OBJECT_TRIES 6
/* A look into /proc costs some 50 µs: so many at once, and one more every so often. */
#define LATE_LOOKS 200
#define LATE_PAUSE_NS NSEC_PER_MSEC
#define CODES_MAX 65536
#define OBJECTS_MAX 65536

struct code_entry {
	u8 kind;         /* enum lock_kind; LOCK_NONE: the object decides */
	bool readable;
};

struct object_entry { /* by futex address */
	u8 kind;         /* LOCK_NONE: not found yet */
	u8 tries;
	u64 looked;
};

struct late_entry {   /* by tid: a wait whose code the probes did not know */
	u64 ts, code;
};

struct python_waits {
	struct map codes, objects, late;
	u64 late_since;   /* event time up to which looks are paid for */
};

static const struct rule {
	const char *file, *function;
	enum lock_kind kind;
} rules[] = {
	{"/threading.py", "wait", LOCK_CONDITION}, /* Event, Semaphore, Barrier and Queue end here */
	{"/threading.py", "_wait_for_tstate_lock", LOCK_JOIN},   /* Thread.join, 3.8 to 3.12 */
	{"/threading.py", "join", LOCK_JOIN},                    /* 3.13 and later */
	{"/threading.py", "_shutdown", LOCK_JOIN},               /* at the end of the main thread */
	{"/threading.py", "_join_os_thread", LOCK_JOIN},
	{"/threading.py", "__enter__", LOCK_MUTEX},              /* of a Condition: its lock */
	{"/threading.py", "_acquire_restore", LOCK_MUTEX},       /* and again after wait() */
	{"/threading.py", "acquire", LOCK_MUTEX},
	{"/concurrent/futures/thread.py", "_worker", LOCK_CONDITION}, /* an idle worker of a pool */
	{"/multiprocessing/synchronize.py", "wait", LOCK_CONDITION},
	{"/multiprocessing/synchronize.py", "__enter__", LOCK_MUTEX},
};

/* Types of object by what a wait on them is. */
static const struct { const char *type; enum lock_kind kind; } object_types[] = {
	{"_thread.lock", LOCK_MUTEX},
	{"_thread.RLock", LOCK_MUTEX},
	{"_queue.SimpleQueue", LOCK_CONDITION},
	{"_thread._ThreadHandle", LOCK_JOIN},
};

static struct python_waits *waits_of(struct python *py)
{
	if (!py->waits)
		py->waits = calloc(1, sizeof(*py->waits));
	return py->waits;
}

static void free_values(struct map *map)
{
	struct map_slot *slot;

	for (size_t i = 0; (slot = map_next(map, &i));)
		free(slot->value);
	map_free(map);
}

void python_waits_free(struct python *py)
{
	if (!py->waits)
		return;
	free_values(&py->waits->codes);
	free_values(&py->waits->objects);
	free_values(&py->waits->late);
	free(py->waits);
	py->waits = NULL;
}

/* The entry of @key, made if it is not there; NULL: out of memory, or too many. */
static void *entry(struct map *map, u64 key, size_t size, size_t max)
{
	void *found = map_get(map, key);

	if (found || map->len >= max)
		return found;
	found = calloc(1, size);
	if (found && map_set(map, key, found)) {
		free(found);
		found = NULL;
	}
	return found;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), k = strlen(end);

	return n >= k && !strcmp(text + n - k, end);
}

/* ---- the function ---- */

static void read_code(const struct python *py, s32 tgid, u64 code, struct code_entry *e)
{
	char file[64], function[64];
	u64 file_at, name_at;

	if (process_read_u64(tgid, code + py->layout.code_file, &file_at) ||
	    process_read_u64(tgid, code + py->layout.code_name, &name_at) ||
	    !python_string(py, tgid, file_at, true, file, sizeof(file)) ||
	    !python_string(py, tgid, name_at, false, function, sizeof(function)))
		return;
	e->readable = true;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (!strcmp(function, rules[i].function) && ends_with(file, rules[i].file))
			e->kind = (u8)rules[i].kind;
	/* "<frozen threading>" and zipped libraries have no such path: the object may still tell. */
}

static struct code_entry *code_of(struct python *py, s32 tgid, u64 code)
{
	struct python_waits *w = waits_of(py);
	struct code_entry *e = w && code ? entry(&w->codes, code, sizeof(*e), CODES_MAX) : NULL;

	if (e && !e->readable)
		read_code(py, tgid, code, e);
	return e && e->readable ? e : NULL;
}

/* ---- the object ---- */

/* What the wait is on, as the object says: right behind its head
 * stands the address of its semaphore, or (3.14) a PyMutex. */
static bool is_object(const struct python *py, s32 tgid, u64 object, u64 futex, u64 parked)
{
	u64 at = object + py->layout.object_head, lock;

	if (object < 4096 || object & 7)
		return false;
	return at == parked || (!process_read_u64(tgid, at, &lock) && lock == futex);
}

static enum lock_kind object_kind(const struct python *py, s32 tgid, u64 slot, u64 futex, u64 parked)
{
	char type[32];
	u64 self;

	slot &= ~(u64)7; /* tags of 3.14's stack references */
	if (!is_object(py, tgid, slot, futex, parked)) {
		/* A bound method of C, as `with lock:` leaves it on the stack: m_self behind m_ml. */
		if (slot < 4096 || process_read_u64(tgid, slot + py->layout.object_head + 8, &self) ||
		    !is_object(py, tgid, self, futex, parked))
			return LOCK_NONE;
		slot = self;
	}
	if (!python_type_name(py, tgid, slot, type, sizeof(type)))
		return LOCK_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(object_types); i++)
		if (!strcmp(type, object_types[i].type))
			return object_types[i].kind;
	return LOCK_NONE;
}

static enum lock_kind find_object(struct python *py, s32 tgid, s32 ns_tid, u64 futex, u64 parked)
{
	u64 thread = python_thread(py, tgid, ns_tid), slots[SLOTS];
	u64 frame = thread ? python_frame(py, tgid, thread, NULL) : 0;
	enum lock_kind kind = LOCK_NONE;
	size_t n = SLOTS;

	/* The frame may stand near the end of its mapping. */
	while (frame && n >= 4 && process_read(tgid, frame + py->layout.frame_locals, slots, n * 8))
		n /= 2;
	for (size_t i = 0; frame && n >= 4 && i < n && !kind; i++)
		if (slots[i])
			kind = object_kind(py, tgid, slots[i], futex, parked);
	return kind;
}

static u64 word_before(const struct ev_futex *ev, size_t bytes)
{
	u64 word = 0;

	if (ev->block.wait.flags & EV_WAIT_WORDS)
		memcpy(&word, ev->words + EV_WORDS_BEFORE - bytes, sizeof(word));
	return word;
}

/*
 * 3.13 and later park threads on a semaphore on their own stack, in struct wait_entry {park_arg,
 * addr, sema} (Python/parking_lot.c): the word before the semaphore is the address of the PyMutex.
 */
static u64 parked_on(const struct python *py, const struct ev_futex *ev)
{
	u64 address = word_before(ev, 8);

	return py->layout.minor >= 13 && address >= 4096 && address >> 47 == 0 ? address : 0;
}

static void learn_object(struct python *py, s32 tgid, s32 ns_tid, const struct ev_futex *ev)
{
	u64 futex = ev->block.wait.args[0], parked = parked_on(py, ev), ts = ev->block.sw.head.ts;
	struct python_waits *w = waits_of(py);
	struct object_entry *e = w ? entry(&w->objects, parked ? parked : futex, sizeof(*e),
					   OBJECTS_MAX) : NULL;
	enum lock_kind kind;

	if (!e)
		return;
	if (e->looked && ts < e->looked + OBJECT_AGAIN_NS && (e->kind || e->tries >= OBJECT_TRIES))
		return;
	if (ts >= e->looked + OBJECT_AGAIN_NS)
		e->tries = 0;
	e->looked = ts;
	e->tries++;
	kind = find_object(py, tgid, ns_tid, futex, parked);
	if (kind)
		e->kind = (u8)kind;
}

/* ---- waits that the probes could not look into ---- */

/* proc_pid_syscall(5): its number and arguments. */
bool python_still_waits(s32 tgid, s32 tid, const struct ev_wait *wait)
{
	unsigned long long nr, a0, a1;
	char path[64];
	FILE *file;
	int n;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", tgid, tid);
	file = fopen(path, "re");
	if (!file)
		return false;
	n = fscanf(file, "%llu %llx %llx", &nr, &a0, &a1);
	fclose(file);
	return n == 3 && nr == (unsigned long long)wait->nr && a0 == wait->args[0] &&
	       a1 == wait->args[1];
}

/* The thread's state was not known in the kernel yet. It may still wait, and then stands still. */
static u64 late_code(struct python *py, const struct runtime_process *p, const struct ev_futex *ev,
		     s32 ns_tid)
{
	struct python_waits *w = waits_of(py);
	u64 ts = ev->block.sw.head.ts, thread, code = 0;
	struct late_entry *e;
	s32 tid = ev->block.sw.prev;

	if (!w || ts < w->late_since)
		return 0;
	if (w->late_since + LATE_LOOKS * LATE_PAUSE_NS < ts)
		w->late_since = ts - LATE_LOOKS * LATE_PAUSE_NS;
	w->late_since += LATE_PAUSE_NS;
	if (!python_still_waits(p->tgid, tid, &ev->block.wait))
		return 0;
	thread = python_thread(py, p->tgid, ns_tid);
	if (!thread || !python_frame(py, p->tgid, thread, &code) ||
	    !python_still_waits(p->tgid, tid, &ev->block.wait))
		return 0;
	e = entry(&w->late, (u32)tid, sizeof(*e), CODES_MAX);
	if (e)
		*e = (struct late_entry){ts, code};
	return code;
}

/* ---- the seams ---- */

/* sem_wait() and its like: WAIT_BITSET for a value of 0. */
static bool is_semaphore_call(const struct ev_wait *wait)
{
	return (wait->args[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET && (u32)wait->args[2] == 0;
}

void python_wait_seen(struct runtime_process *p, const struct ev_futex *ev, s32 ns_tid)
{
	struct python *py = p->data;
	const struct code_entry *code;

	if (!is_semaphore_call(&ev->block.wait))
		return;
	code = code_of(py, p->tgid, ev->code ? ev->code : late_code(py, p, ev, ns_tid));
	if (code && !code->kind)
		learn_object(py, p->tgid, ns_tid, ev);
}

void python_wait(struct runtime_process *p, const struct ev_futex *ev, struct rec_wait *wait)
{
	struct python *py = p->data;
	struct python_waits *w = py->waits;
	const struct object_entry *object;
	const struct late_entry *late;
	const struct code_entry *e;
	u64 code = ev->code, parked = parked_on(py, ev);

	if (!w || !is_semaphore_call(&ev->block.wait) || wait->lock_kind == LOCK_NONE)
		return;
	late = code ? NULL : map_get(&w->late, (u32)ev->block.sw.prev);
	if (late && late->ts == ev->block.sw.head.ts)
		code = late->code;
	e = code ? map_get(&w->codes, code) : NULL;
	if (!e || !e->readable)
		return;
	if (e->kind) {
		wait->lock_kind = e->kind;
	} else {
		object = map_get(&w->objects, parked ? parked : wait->args[0]);
		if (!object || !object->kind)
			return;
		wait->lock_kind = object->kind;
	}
	/* A PyMutex; or the event that those wait for who join one thread. */
	if (parked && (wait->lock_kind == LOCK_MUTEX || wait->lock_kind == LOCK_JOIN))
		wait->lock = parked;
}
