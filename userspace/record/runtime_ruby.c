/* SPDX-License-Identifier: MIT */
/*
 * runtime_ruby.c - CRuby's GVL, the lock that lets one thread of a Ractor run at a time.
 *
 * thread_pthread.c of Ruby 3.1: the lock has an owner, a mutex and a queue of waiters. A waiter
 * sleeps on a condition variable in its own thread struct and is linked into the queue meanwhile;
 * the first in the queue (`timer`) sleeps 100 ms at a time and then asks the owner to let go. The
 * same condition variable serves Ruby's sleep: the link tells the two apart.
 *
 * Layout by version from Ruby's source (vm_core.h, ractor_core.h, thread_pthread.h), x86-64,
 * compared with a running 3.1.7. Where the lock stands in struct rb_ractor_struct depends on the C
 * library's types, so it is searched for: a list of threads that ends where it began, then
 * counters, the lock, the running context and the main thread. Self-check: the VM's main thread is
 * in that list and behind the lock, its tid is one of this process's, and the owner, if there is
 * one, is in the list.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/runtime_type.h"

#define RACTOR_SCAN 1024
#define THREADS_MAX 4096

struct ruby_layout {
	const char *version;          /* as it begins */
	u16 vm_main_ractor, vm_main_thread;
	u16 set_lock, set_main;       /* from the list of threads to the lock, to the main thread */
	u16 lock_mutex, lock_switch, lock_size;
	u16 thread_tid, thread_link, thread_cond, thread_cond_end;
};

static const struct ruby_layout layouts[] = {
	{
		.version = "3.1.", .vm_main_ractor = 32, .vm_main_thread = 40, .set_lock = 32,
		.set_main = 224, .lock_mutex = 8, .lock_switch = 80, .lock_size = 176,
		.thread_tid = 88, .thread_link = 104, .thread_cond = 120, .thread_cond_end = 168,
	},
};

struct ruby {
	const struct ruby_layout *layout;
	u64 set;                      /* address of the list of the main Ractor's threads */
	struct map seen;              /* tid -> time of a wait that was found to be for the GVL */
};

/* Each thread of the Ractor, until @thread returns something else than 0. -EINVAL: no sound list. */
static int each_thread(s32 tgid, u64 set, int (*thread)(void *ctx, u64 address), void *ctx)
{
	u64 at;
	int code = process_read_u64(tgid, set, &at);

	for (int n = 0; !code && at != set; n++) {
		if (!at || n == THREADS_MAX)
			return -EINVAL;
		code = thread(ctx, at);
		if (!code)
			code = process_read_u64(tgid, at, &at);
	}
	return code;
}

struct search {
	const struct ruby_layout *layout;
	s32 tgid, ns_tid;
	u64 main, owner, found;
	bool main_seen, owner_seen;
};

static s32 thread_tid(const struct search *s, u64 address)
{
	s32 tid;

	return process_read(s->tgid, address + s->layout->thread_tid, &tid, sizeof(tid)) ? -1 : tid;
}

static int check_thread(void *ctx, u64 address)
{
	struct search *s = ctx;

	s->main_seen |= address == s->main;
	s->owner_seen |= address == s->owner;
	return 0;
}

static bool is_set(struct search *s, u64 set)
{
	u64 behind;

	if (process_read_u64(s->tgid, set + s->layout->set_main, &behind) || behind != s->main ||
	    process_read_u64(s->tgid, set + s->layout->set_lock, &s->owner))
		return false;
	s->main_seen = s->owner_seen = false;
	return !each_thread(s->tgid, set, check_thread, s) && s->main_seen &&
	       (!s->owner || s->owner_seen);
}

/* 0; -EAGAIN: the VM is only starting; -EINVAL. */
static int find_set(struct runtime_process *p, struct ruby *ruby, u64 vm_at)
{
	const struct ruby_layout *l = ruby->layout;
	struct search s = {.layout = l, .tgid = p->tgid};
	u64 vm, ractor;

	if (process_read_u64(p->tgid, vm_at, &vm))
		return -EINVAL;
	if (!vm || process_read_u64(p->tgid, vm + l->vm_main_ractor, &ractor) ||
	    process_read_u64(p->tgid, vm + l->vm_main_thread, &s.main) || !ractor || !s.main)
		return -EAGAIN;
	if (!process_has_thread(p->tgid, thread_tid(&s, s.main)))
		return -EINVAL;
	for (u64 at = ractor; at < ractor + RACTOR_SCAN; at += 8) {
		if (is_set(&s, at)) {
			ruby->set = at;
			return 0;
		}
	}
	return -EINVAL;
}

static void describe(struct runtime_process *p, const struct ruby *ruby)
{
	const struct ruby_layout *l = ruby->layout;

	p->how = (struct ev_runtime){
		.gil = {ruby->set + l->set_lock},
		.told = {EV_GIL_UNTOLD},
		.n_gils = 1,
		.wait_from = l->lock_mutex,
		.wait_to = l->lock_size,
		.locked = -1,
		.tid = l->thread_tid,
		.own_from = l->thread_cond,
		.own_to = l->thread_cond_end,
		.own_link = l->thread_link,
	};
}

static int find(struct runtime_process *p, const u64 *at, struct error *why)
{
	struct ruby *ruby = calloc(1, sizeof(*ruby));
	char version[8] = "";
	int code = -EINVAL;

	if (!ruby)
		return -ENOMEM;
	p->data = ruby;
	if (at[1])
		process_read(p->tgid, at[1], version, sizeof(version) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (!strncmp(version, layouts[i].version, strlen(layouts[i].version)))
			ruby->layout = &layouts[i];
	if (!ruby->layout)
		return error_set(why, -EINVAL, "%s (Ruby %.7s): not a version whose GVL can be read; its "
				 "waits are shown as futex waits", p->path, version);
	code = find_set(p, ruby, at[0]);
	if (!code)
		describe(p, ruby);
	else
		error_set(why, code, "%s (Ruby %.7s): its memory is not as that version lays it out; its "
			  "GVL waits are shown as futex waits", p->path, version);
	return code;
}

static bool refresh(struct runtime_process *p)
{
	(void)p;
	return false;
}

static enum lock_kind part(const struct runtime_process *p, u64 offset)
{
	const struct ruby *ruby = p->data;

	/* Rounds over the end where the word is in the waiter's own thread struct. */
	return offset >= ruby->layout->lock_switch && offset < ruby->layout->lock_size
		       ? LOCK_GIL_SWITCH : LOCK_GIL;
}

static int is_thread(void *ctx, u64 address)
{
	struct search *s = ctx;

	if (thread_tid(s, address) != s->ns_tid)
		return 0;
	s->found = address;
	return 1;
}

static u64 thread(struct runtime_process *p, s32 ns_tid)
{
	const struct ruby *ruby = p->data;
	struct search s = {.layout = ruby->layout, .tgid = p->tgid, .ns_tid = ns_tid};

	each_thread(p->tgid, ruby->set, is_thread, &s);
	return s.found;
}

/* A wait from before the probes knew of the lock: its thread may still stand in the queue. */
static void wait_seen(struct runtime_process *p, const struct ev_futex *ev, s32 ns_tid)
{
	struct ruby *ruby = p->data;
	const struct ruby_layout *l = ruby->layout;
	u64 own = thread(p, ns_tid), word = ev->block.wait.args[0], next;

	if (!own || word - own < l->thread_cond || word - own >= l->thread_cond_end ||
	    process_read_u64(p->tgid, own + l->thread_link, &next) || !next ||
	    next == own + l->thread_link)
		return;
	map_set(&ruby->seen, (u32)ev->block.sw.prev, (void *)(uintptr_t)ev->block.sw.head.ts);
}

static void wait_known(struct runtime_process *p, const struct ev_futex *ev, struct rec_wait *wait)
{
	const struct ruby *ruby = p->data;

	if ((uintptr_t)map_get(&ruby->seen, (u32)ev->block.sw.prev) != ev->block.sw.head.ts)
		return;
	wait->lock_kind = LOCK_GIL;
	wait->lock = p->how.gil[0];
}

static int fork_ruby(struct runtime_process *child, const struct runtime_process *parent)
{
	struct ruby *ruby = malloc(sizeof(*ruby));

	if (!ruby)
		return -ENOMEM;
	*ruby = *(const struct ruby *)parent->data;
	ruby->seen = (struct map){0};
	child->data = ruby;
	return 0;
}

static void forget(struct runtime_process *p)
{
	struct ruby *ruby = p->data;

	if (ruby)
		map_free(&ruby->seen);
	free(ruby);
	p->data = NULL;
}

const struct runtime_type runtime_ruby = {
	.name = "CRuby",
	.lock = "GVL",
	.file = "ruby",
	.symbols = {"ruby_current_vm_ptr", "ruby_version"},
	.find = find,
	.refresh = refresh,
	.part = part,
	.wait_seen = wait_seen,
	.wait = wait_known,
	.thread = thread,
	.fork = fork_ruby,
	.forget = forget,
};
