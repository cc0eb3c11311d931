/* SPDX-License-Identifier: MIT */
#include "record/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/runtime_file.h"
#include "record/runtime_process.h"
#include "record/runtime_type.h"

static const struct runtime_type *const types[] = {&runtime_python, &runtime_ruby};

/* What is none, or is only starting, is looked at again, ever more seldom: dlopen() may still bring one. */
#define LOOK_PAUSE_NS (2 * NSEC_PER_MSEC)
#define LOOK_SHIFT_MAX 13 /* the pause doubles up to 16 s */
#define LOOKS_BAD 6       /* what does not stand the self-check so often is not caught in a change */
#define REFRESH_PAUSE_NS (20 * NSEC_PER_MSEC)
#define THREAD_TRIES 12
#define LATE_LOOKS 16

struct thread_entry {
	s32 tid, tgid, ns_tid;
	bool named, placed;  /* its name, its place in the runtime's memory were told */
	u8 tries, late;
	u64 next_try;
};

struct runtimes {
	struct runtimes_ops ops;
	void *ctx;
	bool redact;          /* say no path */
	struct runtime_processes processes;
	struct map threads;   /* tid -> struct thread_entry */
	struct runtime_files files;
	u32 n_unsure;         /* processes that ended before it was known what they are */
	char unsure[32];      /* the first of them */
};

int runtimes_new(struct runtimes **out, const struct runtimes_ops *ops, bool redact, void *ctx)
{
	struct runtimes *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->ops = *ops;
	r->redact = redact;
	r->ctx = ctx;
	*out = r;
	return 0;
}

void runtimes_free(struct runtimes *r)
{
	struct map_slot *slot;

	if (!r)
		return;
	for (size_t i = 0; (slot = map_next(&r->threads, &i));)
		free(slot->value);
	map_free(&r->threads);
	runtime_processes_free(&r->processes);
	runtime_files_free(&r->files);
	free(r);
}

/* ---- processes and threads ---- */

static const char *program_name(const struct runtime_process *p)
{
	const char *slash = strrchr(p->path, '/');

	return slash ? slash + 1 : p->path;
}

/* It has ended: was something of it missed? What could not be looked at counts if its name is a runtime's. */
static void count_unsure(struct runtimes *r, const struct runtime_process *p)
{
	bool runtime = p->seen == -EAGAIN || p->seen == -EINVAL;

	for (size_t i = 0; i < ARRAY_SIZE(types) && !runtime; i++)
		runtime = strstr(program_name(p), types[i]->file);
	/* What was looked at often enough was told to be none. */
	if (!p->unsure || p->settled || !runtime)
		return;
	if (!r->n_unsure++)
		snprintf(r->unsure, sizeof(r->unsure), "%.31s", program_name(p));
}

static void process_end(struct runtimes *r, s32 tgid, u64 ts)
{
	struct runtime_process *p = runtime_process_now(&r->processes, tgid);

	if (!p)
		return;
	p->until = ts;
	count_unsure(r, p);
	if (p->type)
		r->ops.publish(r->ctx, tgid, NULL, false);
}

static struct thread_entry *thread_add(struct runtimes *r, s32 tid, s32 tgid, s32 ns_tid)
{
	struct thread_entry *t = map_get(&r->threads, (u32)tid);

	if (!t) {
		t = malloc(sizeof(*t));
		if (!t || map_set(&r->threads, (u32)tid, t)) {
			free(t);
			return NULL;
		}
	}
	*t = (struct thread_entry){.tid = tid, .tgid = tgid, .ns_tid = ns_tid};
	return t;
}

static u64 lock_of(const struct runtime_process *p, u64 word)
{
	for (u32 i = 0; i < p->how.n_gils + p->n_further; i++) {
		u64 lock = i < p->how.n_gils ? p->how.gil[i] : p->further[i - p->how.n_gils];

		if (word - lock >= p->how.wait_from && word - lock < p->how.wait_to)
			return lock;
	}
	return 0;
}

/* ---- looking ---- */

static void say(struct runtimes *r, u64 ts, const char *text)
{
	struct record rec = {.ts = ts, .type = REC_NOTE, .cpu = CORUN_NO_CPU};

	rec.note.text = text;
	r->ops.put(r->ctx, &rec);
}

static void say_further(struct runtimes *r, const struct runtime_process *p, u64 ts)
{
	char text[sizeof(p->path) + 128];

	snprintf(text, sizeof(text), "%s (tgid %d) has more than %d %ss: who holds the newer ones is not known",
		 p->path, p->tgid, EV_GILS, p->type->lock);
	if (runtime_file_complain(&r->files, text))
		say(r, ts, text);
}

/* To the trace and to the probes: which locks the process has. */
static void tell_locks(struct runtimes *r, const struct runtime_process *p, u64 ts, bool fork)
{
	struct record rec = {.ts = ts, .type = REC_LOCK, .cpu = CORUN_NO_CPU};

	rec.lock.tgid = p->tgid;
	rec.lock.kind = LOCK_GIL;
	rec.lock.name = p->type->lock;
	for (u32 i = 0; i < p->how.n_gils + p->n_further; i++) {
		rec.lock.lock = i < p->how.n_gils ? p->how.gil[i] : p->further[i - p->how.n_gils];
		r->ops.put(r->ctx, &rec);
	}
	if (p->n_further)
		say_further(r, p, ts);
	r->ops.publish(r->ctx, p->tgid, &p->how, fork);
}

struct search {
	struct runtimes *runtimes;
	struct runtime_process *process;
	u64 ts;
	struct error *why;
	u32 files;
};

/* Once a file, for every process that has mapped it: the program attached to asks who it is. */
static void probe(struct runtimes *r, const struct process_file *file, struct runtime_file *known)
{
	char path[4200];

	if (!r->ops.probe || known->probed)
		return;
	known->probed = true;
	snprintf(path, sizeof(path), "/proc/%d/root%.4096s", file->tgid, file->path);
	for (u32 i = 0; i < RUNTIME_SYMBOLS; i++)
		if (known->offset[i] && (known->type->takes | known->type->drops) >> i & 1)
			r->ops.probe(r->ctx, path, known->offset[i], known->type->takes >> i & 1);
}

/* What to call it: with --redact its name alone. */
static const char *spoken_path(const struct runtimes *r, const struct process_file *file)
{
	return r->redact ? strrchr(file->path, '/') + 1 : file->path;
}

static void say_unsound(struct search *s, const struct process_file *file)
{
	const char *path = spoken_path(s->runtimes, file);
	char text[sizeof(s->process->path) + 128];

	if (!runtime_file_complain(&s->runtimes->files, path))
		return;
	snprintf(text, sizeof(text), "%.*s is no sound ELF file of this machine's kind: a language runtime in it, "
		 "and its lock, would not be seen", (int)sizeof(s->process->path), path);
	say(s->runtimes, s->ts, text);
}

/* One mapped file: is a runtime in it? 0: go on looking, 1: found, -errno of find(). */
static int look_at_file(void *ctx, const struct process_file *file)
{
	struct search *s = ctx;
	struct runtime_process *p = s->process;
	const char *name = strrchr(file->path, '/') + 1;

	s->files++;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		const struct runtime_type *type = types[i];
		struct runtime_file *known;
		u64 at[RUNTIME_SYMBOLS];
		int code;

		if (!file->is_program && !strstr(name, type->file))
			continue;
		code = runtime_file_get(&s->runtimes->files, file, type, &known);
		if (code == -EINVAL)
			say_unsound(s, file);
		if (code)
			continue;
		runtime_file_place(known, file, at);
		snprintf(p->path, sizeof(p->path), "%s", spoken_path(s->runtimes, file));
		p->type = type;
		code = type->find(p, at, s->why);
		if (!code) {
			probe(s->runtimes, file, known);
			return 1;
		}
		type->forget(p);
		p->type = NULL;
		p->how.n_gils = 0;
		return code;
	}
	return 0;
}

static void look(struct runtimes *r, struct runtime_process *p, u64 ts, u64 now)
{
	struct error why = {0};
	struct search search = {r, p, ts, &why, 0};
	int code;

	if (p->settled || now < p->next_look)
		return;
	code = process_files(p->tgid, look_at_file, &search);
	/* Of a process that is ending /proc shows an empty map. */
	p->seen = !code && !search.files ? -ESRCH : code;
	p->looks++;
	p->next_look = now + (LOOK_PAUSE_NS << (p->looks < LOOK_SHIFT_MAX ? p->looks : LOOK_SHIFT_MAX));
	p->bad += code == -EINVAL;
	p->settled = code == 1 || p->bad >= LOOKS_BAD;
	if (code == 1) {
		p->grew = true;
		tell_locks(r, p, ts, false);
	}
	if (p->settled && why.code && runtime_file_complain(&r->files, p->path))
		say(r, ts, why.text);
}

/* A thread of @p waits, in which no runtime is known. @looked: it has been looked at since, and a lock that is not
 * set up yet is not waited for. */
static void wait_unsure(struct runtime_process *p, bool looked)
{
	p->unsure |= p->seen && !(looked && p->seen == -EAGAIN);
}

static bool is_known(const struct thread_entry *t, u64 now)
{
	return (t->named && t->placed) || t->tries >= THREAD_TRIES || now < t->next_try;
}

/* What the runtime says of a thread: to the probes where its state is, to the trace its name. */
static void tell_thread(struct runtimes *r, struct runtime_process *p, struct thread_entry *t, u64 ts,
			u64 now)
{
	struct record rec = {.ts = ts, .type = REC_NAME, .cpu = CORUN_NO_CPU};
	u64 place = 0;
	char name[128];

	if (is_known(t, now))
		return;
	t->tries++;
	t->next_try = now + t->tries * LOOK_PAUSE_NS;
	if (!t->placed && p->type->thread)
		place = p->type->thread(p, t->ns_tid);
	if (place) {
		t->placed = true;
		r->ops.thread(r->ctx, t->tid, place);
	}
	if (t->named || !p->type->thread_name || !p->type->thread_name(p, t->ns_tid, name,
									    sizeof(name)))
		return;
	t->named = true;
	rec.name.tid = t->tid;
	rec.name.name = name;
	r->ops.put(r->ctx, &rec);
}

/* A thread waits on a futex, or was started: whatever can be learnt of its process is learnt now. */
static void futex_arrived(struct runtimes *r, const struct ev_futex *ev, u64 now)
{
	const struct ev_switch *sw = &ev->block.sw;
	struct thread_entry *t = map_get(&r->threads, (u32)sw->prev);
	struct runtime_process *p = t ? runtime_process_now(&r->processes, t->tgid) : NULL;
	u32 looks = p ? p->looks : 0;
	bool other;

	if (!p)
		return;
	look(r, p, sw->head.ts, now);
	if (!p->type) {
		wait_unsure(p, p->looks > looks);
		return;
	}
	other = !ev->gil && !lock_of(p, ev->block.wait.args[0]);
	/* A thread that was there before may enter a new interpreter, and then waits in turns. */
	if (other && (p->grew || ev->block.wait.flags & EV_WAIT_TIMED) && now >= p->next_look) {
		p->next_look = now + REFRESH_PAUSE_NS;
		p->grew = false;
		if (p->type->refresh(p))
			tell_locks(r, p, sw->head.ts, false);
	}
	if (other && p->type->wait_seen)
		p->type->wait_seen(p, ev, t->ns_tid);
	tell_thread(r, p, t, sw->head.ts, now);
}

/* A thread that has no name yet leaves its CPU: a good time to ask for it. */
static void switch_arrived(struct runtimes *r, const struct ev_switch *ev, u64 now)
{
	struct thread_entry *t = ev->flags & EV_PREV_MEMBER ? map_get(&r->threads, (u32)ev->prev) : NULL;
	struct runtime_process *p;

	if (!t || is_known(t, now))
		return;
	p = runtime_process_now(&r->processes, t->tgid);
	if (p && p->type)
		tell_thread(r, p, t, ev->head.ts, now);
}

static void thread_arrived(struct runtimes *r, const struct ev_thread *ev, u64 now)
{
	struct runtime_process *p = runtime_process_now(&r->processes, ev->tgid), *parent;
	struct thread_entry *from = map_get(&r->threads, (u32)ev->parent);

	if (!thread_add(r, ev->tid, ev->tgid, ev->ns_tid))
		return;
	if (ev->head.type == EV_SNAPSHOT) {
		if (!p)
			p = runtime_process_add(&r->processes, ev->tgid, ev->ns_tgid, ev->head.ts);
		if (p)
			look(r, p, ev->head.ts, now);
		if (p && p->type)
			tell_thread(r, p, map_get(&r->threads, (u32)ev->tid), ev->head.ts + 1, now);
		return;
	}
	if (!(ev->flags & EV_THREAD_NEW_PROCESS)) {
		if (!p)
			return;
		p->grew = true;
		look(r, p, ev->head.ts, now);
		if (p->type)
			tell_thread(r, p, map_get(&r->threads, (u32)ev->tid), ev->head.ts + 1, now);
		return;
	}
	process_end(r, ev->tgid, ev->head.ts);
	parent = from ? runtime_process_now(&r->processes, from->tgid) : NULL;
	/* Once: it may be a runtime that has not waited yet, and its child never look like one. */
	if (parent && !parent->looks)
		look(r, parent, ev->head.ts, now);
	p = runtime_process_add(&r->processes, ev->tgid, ev->ns_tgid, ev->head.ts);
	if (!p || !parent)
		return;
	memcpy(p->path, parent->path, sizeof(p->path));
	if (!parent->type || parent->type->fork(p, parent))
		return;
	p->type = parent->type;
	p->how = parent->how;
	p->settled = true;
	p->grew = true; /* the child has its parent's locks, but not its other interpreters */
	tell_locks(r, p, ev->head.ts, true);
}

static void exec_arrived(struct runtimes *r, const struct ev_exec *ev)
{
	struct runtime_process *p;

	process_end(r, ev->tgid, ev->head.ts);
	thread_add(r, ev->tid, ev->tgid, ev->ns_tid);
	p = runtime_process_add(&r->processes, ev->tgid, ev->ns_tgid, ev->head.ts);
	if (p)
		snprintf(p->path, sizeof(p->path), "%s", ev->filename);
}

void runtimes_event(struct runtimes *r, const struct ev_head *head, u64 now)
{
	switch (head->type) {
	case EV_SWITCH:
	case EV_BLOCK:
		switch_arrived(r, (const void *)head, now);
		break;
	case EV_FUTEX:
		futex_arrived(r, (const void *)head, now);
		break;
	case EV_FORK:
	case EV_SNAPSHOT:
		thread_arrived(r, (const void *)head, now);
		break;
	case EV_EXEC:
		exec_arrived(r, (const void *)head);
		break;
	case EV_EXIT: {
		const struct ev_exit *ev = (const void *)head;

		if (ev->group_dead)
			process_end(r, ev->tgid, head->ts);
		free(map_del(&r->threads, (u32)ev->tid));
		break;
	}
	}
}

/* ---- in order of time ---- */

static void set_owner(struct runtimes *r, const struct ev_futex *ev, s32 tgid, struct rec_wait *wait)
{
	s32 tid;

	if (!(ev->block.wait.flags & EV_WAIT_HOLDER))
		return;
	tid = ev->holder ? r->ops.tid(r->ctx, tgid, ev->holder) : 0;
	if (tid < 0)
		return;
	wait->owner = tid;
	wait->flags |= WAIT_OWNER;
}

bool runtimes_futex(struct runtimes *r, const struct ev_futex *ev, s32 tgid, struct rec_wait *wait)
{
	struct runtime_process *p = runtime_process_at(&r->processes, tgid, ev->block.sw.head.ts);
	u64 lock;

	if (!p || !p->type)
		return false;
	/* The probes say so, or it was before they knew of the lock. */
	lock = ev->gil ? ev->gil : lock_of(p, wait->args[0]);
	if (!lock) {
		if (!p->type->wait)
			return false;
		p->type->wait(p, ev, wait);
		return true;
	}
	wait->lock = lock;
	wait->lock_kind = p->type->part(p, wait->args[0] - lock);
	wait->flags &= (u8)~(WAIT_OWNER | WAIT_SHARED);
	wait->owner = 0; /* of the mutex inside */
	set_owner(r, ev, tgid, wait);
	return true;
}

bool runtimes_place(const struct runtimes *r, s32 tgid, u64 code, u64 instr, char *text, size_t size)
{
	struct runtime_process *p = runtime_process_now(&r->processes, tgid);

	return p && p->type && p->type->place && p->type->place(p, code, instr, text, size);
}

bool runtimes_late(const struct runtimes *r, s32 tid, const struct ev_wait *wait, u64 *code, u64 *instr)
{
	struct thread_entry *t = map_get(&r->threads, (u32)tid);
	struct runtime_process *p = t ? runtime_process_now(&r->processes, t->tgid) : NULL;

	/* A look into /proc costs some 50 us, and the probes soon know the thread. */
	if (!p || !p->type || !p->type->late || t->late >= LATE_LOOKS)
		return false;
	t->late++;
	return p->type->late(p, tid, t->ns_tid, wait, code, instr);
}

bool runtimes_gil(struct runtimes *r, const struct ev_gil *ev, struct record *rec)
{
	*rec = (struct record){.ts = ev->head.ts, .type = REC_GIL, .cpu = ev->head.cpu};
	rec->gil.tgid = ev->tgid;
	rec->gil.lock = ev->gil;
	rec->gil.holder = ev->holder;
	rec->gil.exact = ev->exact != 0;
	if (ev->holder > 0)
		rec->gil.holder = r->ops.tid(r->ctx, ev->tgid, ev->holder);
	return true;
}

void runtimes_finish(struct runtimes *r, u64 ts)
{
	struct map_slot *slot;
	char text[256];

	for (size_t i = 0; (slot = map_next(&r->processes.map, &i));) {
		const struct runtime_process *p = slot->value;

		if (!p->until)
			count_unsure(r, p);
	}
	if (!r->n_unsure)
		return;
	snprintf(text, sizeof(text), "of %u process%s (the first: %s) it is not known whether there is a GIL: the "
		 "end came before it could be read; waits for it, if any, are shown as futex waits", r->n_unsure,
		 r->n_unsure == 1 ? "" : "es", r->unsure);
	say(r, ts, text);
}
