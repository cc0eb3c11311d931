/* SPDX-License-Identifier: MIT */
#include "record/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/runtime_file.h"
#include "record/runtime_type.h"

static const struct runtime_type *const types[] = {&runtime_python, &runtime_ruby};

/* A runtime that is only starting is looked at again, ever more seldom, this often. */
#define LOOKS_MAX 13   /* the pause doubles: 16 s */
#define LOOKS_BAD 6    /* what does not stand the self-check so often is not caught in a change */
#define LOOK_PAUSE_NS (2 * NSEC_PER_MSEC)
#define REFRESH_PAUSE_NS (20 * NSEC_PER_MSEC)
#define THREAD_TRIES 12
#define LATE_LOOKS 16
/* What a tgid was is needed until its last event has been put out: see COLLECT_HOLD_NS. */
#define KEEP_NS (10 * NSEC_PER_SEC)

struct thread_entry {
	s32 tid, tgid, ns_tid;
	bool named, placed;  /* its name, its place in the runtime's memory were told */
	u8 tries, late;
	u64 next_try;
};

struct runtimes {
	struct runtimes_ops ops;
	void *ctx;
	struct map processes; /* tgid -> struct runtime_process, the newest */
	size_t sweep_at;      /* so many of them: time to forget those that have ended */
	struct map threads;   /* tid -> struct thread_entry */
	struct runtime_files files;
};

int runtimes_new(struct runtimes **out, const struct runtimes_ops *ops, void *ctx)
{
	struct runtimes *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->ops = *ops;
	r->ctx = ctx;
	*out = r;
	return 0;
}

static void process_free(struct runtime_process *p)
{
	while (p) {
		struct runtime_process *older = p->older;

		if (p->type)
			p->type->forget(p);
		free(p);
		p = older;
	}
}

void runtimes_free(struct runtimes *r)
{
	struct map_slot *slot;

	if (!r)
		return;
	for (size_t i = 0; (slot = map_next(&r->processes, &i));)
		process_free(slot->value);
	for (size_t i = 0; (slot = map_next(&r->threads, &i));)
		free(slot->value);
	map_free(&r->processes);
	map_free(&r->threads);
	runtime_files_free(&r->files);
	free(r);
}

/* ---- processes and threads ---- */

static struct runtime_process *current_process(const struct runtimes *r, s32 tgid)
{
	struct runtime_process *p = map_get(&r->processes, (u32)tgid);

	return p && !p->until ? p : NULL;
}

/* What @tgid was at @ts. */
static struct runtime_process *process_at(const struct runtimes *r, s32 tgid, u64 ts)
{
	struct runtime_process *p = map_get(&r->processes, (u32)tgid);

	while (p && ts < p->since)
		p = p->older;
	return p && (!p->until || ts < p->until) ? p : NULL;
}

/* A recording of hours sees every number that there is: what has ended long ago is forgotten. */
static void processes_sweep(struct runtimes *r, u64 ts)
{
	struct map_slot *slot;

	/* Taking one out may move another into its place: that one is found the next time. */
	for (size_t i = 0; (slot = map_next(&r->processes, &i));) {
		const struct runtime_process *p = slot->value;

		if (p->until && p->until + KEEP_NS < ts)
			process_free(map_del(&r->processes, slot->key));
	}
	r->sweep_at = 2 * r->processes.len + 1024;
}

static struct runtime_process *process_add(struct runtimes *r, s32 tgid, s32 ns_tgid, u64 ts)
{
	struct runtime_process *p, *before;

	if (r->processes.len >= r->sweep_at)
		processes_sweep(r, ts);
	before = map_get(&r->processes, (u32)tgid);
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	*p = (struct runtime_process){
		.tgid = tgid, .ns_tgid = ns_tgid, .since = ts, .older = before,
	};
	if (map_set(&r->processes, (u32)tgid, p)) {
		free(p);
		return NULL;
	}
	if (before && before->older && before->older->until + KEEP_NS < ts) {
		process_free(before->older);
		before->older = NULL;
	}
	return p;
}

static void process_end(struct runtimes *r, s32 tgid, u64 ts)
{
	struct runtime_process *p = current_process(r, tgid);

	if (!p)
		return;
	p->until = ts;
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

/* ---- looking ---- */

static void say(struct runtimes *r, u64 ts, const char *text)
{
	struct record rec = {.ts = ts, .type = REC_NOTE, .cpu = CORUN_NO_CPU};

	rec.note.text = text;
	r->ops.put(r->ctx, &rec);
}

static void tell_locks(struct runtimes *r, const struct runtime_process *p, u64 ts)
{
	struct record rec = {.ts = ts, .type = REC_LOCK, .cpu = CORUN_NO_CPU};

	for (u32 i = 0; i < p->how.n_gils; i++) {
		rec.lock.tgid = p->tgid;
		rec.lock.lock = p->how.gil[i];
		rec.lock.kind = LOCK_GIL;
		rec.lock.name = p->type->lock;
		r->ops.put(r->ctx, &rec);
	}
}

struct search {
	struct runtimes *runtimes;
	struct runtime_process *process;
	u64 ts;
	struct error *why;
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

static void say_unsound(struct search *s, const struct process_file *file)
{
	char text[sizeof(s->process->path) + 128];

	if (!runtime_file_complain(&s->runtimes->files, file->path))
		return;
	snprintf(text, sizeof(text), "%.*s is no sound ELF file of this machine's kind: a language runtime in it, "
		 "and its lock, would not be seen", (int)sizeof(s->process->path), file->path);
	say(s->runtimes, s->ts, text);
}

/* One mapped file: is a runtime in it? 0: go on looking, 1: found, -errno of find(). */
static int look_at_file(void *ctx, const struct process_file *file)
{
	struct search *s = ctx;
	struct runtime_process *p = s->process;
	const char *name = strrchr(file->path, '/') + 1;

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
		snprintf(p->path, sizeof(p->path), "%s", file->path);
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
	struct search search = {r, p, ts, &why};
	int code;

	if (p->settled || now < p->next_look)
		return;
	code = process_files(p->tgid, look_at_file, &search);
	p->looks++;
	p->next_look = now + (LOOK_PAUSE_NS << p->looks);
	if (code == 1) {
		p->settled = true;
		p->grew = true;
		tell_locks(r, p, ts);
		r->ops.publish(r->ctx, p->tgid, &p->how, false);
	} else {
		/* It is only starting; or there is none yet: ld.so, or dlopen(), may still bring one. */
		p->settled = p->looks >= (code == -EINVAL ? LOOKS_BAD : LOOKS_MAX);
	}
	if (p->settled && (code == 1 || code == -EINVAL) && why.code &&
	    runtime_file_complain(&r->files, p->path))
		say(r, ts, why.text);
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
	struct runtime_process *p = t ? current_process(r, t->tgid) : NULL;

	if (!p)
		return;
	look(r, p, sw->head.ts, now);
	if (!p->type)
		return;
	if (p->grew && !ev->gil && now >= p->next_look) {
		p->next_look = now + REFRESH_PAUSE_NS;
		p->grew = false;
		if (p->type->refresh(p)) {
			tell_locks(r, p, sw->head.ts);
			r->ops.publish(r->ctx, p->tgid, &p->how, false);
		}
	}
	if (!ev->gil && p->type->wait_seen)
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
	p = current_process(r, t->tgid);
	if (p && p->type)
		tell_thread(r, p, t, ev->head.ts, now);
}

static void thread_arrived(struct runtimes *r, const struct ev_thread *ev, u64 now)
{
	struct runtime_process *p = current_process(r, ev->tgid), *parent;
	struct thread_entry *from = map_get(&r->threads, (u32)ev->parent);

	if (!thread_add(r, ev->tid, ev->tgid, ev->ns_tid))
		return;
	if (ev->head.type == EV_SNAPSHOT) {
		if (!p)
			p = process_add(r, ev->tgid, ev->ns_tgid, ev->head.ts);
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
	parent = from ? current_process(r, from->tgid) : NULL;
	/* Once: it may be a runtime that has not waited yet, and its child never look like one. */
	if (parent && !parent->looks)
		look(r, parent, ev->head.ts, now);
	p = process_add(r, ev->tgid, ev->ns_tgid, ev->head.ts);
	if (!p || !parent || !parent->type || parent->type->fork(p, parent))
		return;
	p->type = parent->type;
	p->how = parent->how;
	p->settled = true;
	memcpy(p->path, parent->path, sizeof(p->path));
	tell_locks(r, p, ev->head.ts);
	r->ops.publish(r->ctx, p->tgid, &p->how, true);
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
	case EV_EXEC: {
		const struct ev_exec *ev = (const void *)head;

		process_end(r, ev->tgid, head->ts);
		thread_add(r, ev->tid, ev->tgid, ev->ns_tid);
		process_add(r, ev->tgid, ev->ns_tgid, head->ts);
		break;
	}
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

static u64 lock_of(const struct runtime_process *p, u64 word)
{
	for (u32 i = 0; i < p->how.n_gils; i++)
		if (word - p->how.gil[i] >= p->how.wait_from && word - p->how.gil[i] < p->how.wait_to)
			return p->how.gil[i];
	return 0;
}

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
	struct runtime_process *p = process_at(r, tgid, ev->block.sw.head.ts);
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
	set_owner(r, ev, tgid, wait);
	return true;
}

bool runtimes_place(const struct runtimes *r, s32 tgid, u64 code, u64 instr, char *text, size_t size)
{
	struct runtime_process *p = current_process(r, tgid);

	return p && p->type && p->type->place && p->type->place(p, code, instr, text, size);
}

bool runtimes_late(const struct runtimes *r, s32 tid, const struct ev_wait *wait, u64 *code, u64 *instr)
{
	struct thread_entry *t = map_get(&r->threads, (u32)tid);
	struct runtime_process *p = t ? current_process(r, t->tgid) : NULL;

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
