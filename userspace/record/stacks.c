/* SPDX-License-Identifier: MIT */
#include "record/stacks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "record/chain.h"
#include "record/kernel_symbols.h"
#include "record/symbolize.h"
#include "record/unwind.h"

#define SITES_MAX 65536
#define IMAGES_MAX 512        /* address spaces at a time */
#define LOOK_AGAIN_NS (20 * NSEC_PER_MSEC)

/* An address space, shared by what forked from it as long as nothing new is mapped. */
struct image {
	u32 users;
	struct unwind *unwind;
	struct chains chains;
	u64 looked;          /* when its mappings were read */
};

struct process {
	struct image *image; /* NULL: not looked at, or it could not be */
	u64 next_look;
};

enum site_kind { SITE_CODE, SITE_TEXT };

struct site {
	struct site *next;   /* with the same hash */
	u32 id;
	enum site_kind kind;
	u32 n_frames;
	struct unwind_frame *frames;
	char *text;
};

struct stacks {
	struct stacks_ops ops;
	void *ctx;
	struct code_files files;
	struct kernel_symbols *kernel; /* read when first needed */
	bool kernel_tried;
	struct map threads;      /* tid -> tgid */
	struct map processes;    /* tgid -> struct process */
	u32 n_images;
	struct map sites;        /* hash -> struct site */
	struct map places;       /* hash of (tgid, code, instr) -> id */
	struct map kernel_sites; /* hash of addresses -> id */
	struct site *list[SITES_MAX];
	u32 n_sites;
	u64 gone;                /* stacks of processes that could not be looked at any more */
	struct unwind_result result;
};

int stacks_new(struct stacks **out, const struct stacks_ops *ops, void *ctx)
{
	struct stacks *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->ops = *ops;
	s->ctx = ctx;
	/* libdwfl would ask servers of the network; COMMAND has its environment already. */
	unsetenv("DEBUGINFOD_URLS");
	*out = s;
	return 0;
}

/* ---- processes ---- */

static void image_put(struct stacks *s, struct image *image)
{
	if (!image || --image->users)
		return;
	chains_free(&image->chains);
	unwind_free(image->unwind);
	free(image);
	s->n_images--;
}

static void image_look(struct stacks *s, struct process *p, s32 tgid, u64 now)
{
	struct unwind *unwind;
	struct image *image;

	if (now < p->next_look || s->n_images >= IMAGES_MAX)
		return;
	p->next_look = now + LOOK_AGAIN_NS;
	if (unwind_new(&unwind, tgid, &s->files))
		return; /* gone: what is known of it, if anything, stays */
	image = calloc(1, sizeof(*image));
	if (!image) {
		unwind_free(unwind);
		return;
	}
	*image = (struct image){.users = 1, .unwind = unwind, .looked = now};
	s->n_images++;
	image_put(s, p->image);
	p->image = image;
}

static struct process *process_get(struct stacks *s, s32 tgid)
{
	struct process *p = map_get(&s->processes, (u32)tgid);

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (p && map_set(&s->processes, (u32)tgid, p)) {
		free(p);
		p = NULL;
	}
	return p;
}

static void process_drop(struct stacks *s, s32 tgid)
{
	struct process *p = map_del(&s->processes, (u32)tgid);

	if (p)
		image_put(s, p->image);
	free(p);
}

static void thread_arrived(struct stacks *s, const struct ev_thread *ev)
{
	s32 parent = (s32)(uintptr_t)map_get(&s->threads, (u32)ev->parent);
	struct process *from, *p;

	map_set(&s->threads, (u32)ev->tid, (void *)(uintptr_t)ev->tgid);
	if (ev->head.type != EV_FORK || !(ev->flags & EV_THREAD_NEW_PROCESS))
		return;
	process_drop(s, ev->tgid);
	from = map_get(&s->processes, (u32)parent);
	p = from && from->image ? process_get(s, ev->tgid) : NULL;
	if (!p)
		return;
	/* It begins with its parent's memory. */
	p->image = from->image;
	p->image->users++;
}

void stacks_event(struct stacks *s, const struct ev_head *head)
{
	switch (head->type) {
	case EV_FORK:
	case EV_SNAPSHOT:
		thread_arrived(s, (const void *)head);
		break;
	case EV_EXEC: {
		const struct ev_exec *ev = (const void *)head;

		map_set(&s->threads, (u32)ev->tid, (void *)(uintptr_t)ev->tgid);
		process_drop(s, ev->tgid);
		break;
	}
	case EV_EXIT: {
		const struct ev_exit *ev = (const void *)head;

		if (ev->group_dead)
			process_drop(s, ev->tgid);
		break;
	}
	}
}

/* ---- sites ---- */

static u64 hash_bytes(u64 h, const void *data, size_t len)
{
	const u8 *p = data;

	/* FNV-1a */
	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h | 1;
}

#define HASH_START 0xcbf29ce484222325ull

static struct site *site_new(struct stacks *s, enum site_kind kind)
{
	struct site *site = s->n_sites < SITES_MAX ? calloc(1, sizeof(*site)) : NULL;

	if (!site)
		return NULL;
	s->list[s->n_sites++] = site;
	site->id = s->n_sites;
	site->kind = kind;
	return site;
}

/* The same code at the same places: one site, whatever process it is. */
static u32 code_site(struct stacks *s, const struct unwind_frame *frames, u32 n)
{
	u64 h = HASH_START;
	struct site *site;

	for (u32 i = 0; i < n; i++) {
		h = hash_bytes(h, &frames[i].address, sizeof(frames[i].address));
		h = hash_bytes(h, &frames[i].file, sizeof(frames[i].file));
	}
	for (site = map_get(&s->sites, h); site; site = site->next) {
		bool same = site->n_frames == n;

		for (u32 i = 0; same && i < n; i++)
			same = site->frames[i].address == frames[i].address &&
			       site->frames[i].file == frames[i].file;
		if (same)
			return site->id;
	}
	site = site_new(s, SITE_CODE);
	if (!site)
		return 0;
	site->frames = malloc(n * sizeof(*frames));
	if (!site->frames)
		return 0;
	memcpy(site->frames, frames, n * sizeof(*frames));
	site->n_frames = n;
	site->next = map_get(&s->sites, h);
	map_set(&s->sites, h, site);
	return site->id;
}

static u32 text_site(struct stacks *s, const char *text)
{
	u64 h = hash_bytes(HASH_START, text, strlen(text));
	struct site *site = map_get(&s->sites, h);

	for (; site; site = site->next)
		if (site->text && !strcmp(site->text, text))
			return site->id;
	site = site_new(s, SITE_TEXT);
	if (!site)
		return 0;
	site->text = strdup(text);
	site->next = map_get(&s->sites, h);
	map_set(&s->sites, h, site);
	return site->id;
}

/* ---- where a thread is ---- */

static u32 runtime_place(struct stacks *s, s32 tgid, u64 code, u64 instr)
{
	const u64 key[] = {(u32)tgid, code, instr};
	u64 h = hash_bytes(HASH_START, key, sizeof(key));
	void *known = map_get(&s->places, h);
	char text[256];
	u32 id;

	if (known)
		return (u32)(uintptr_t)known;
	if (!s->ops.place || !s->ops.place(s->ctx, tgid, code, instr, text, sizeof(text)))
		return 0;
	id = text_site(s, text);
	if (id && s->places.len < SITES_MAX)
		map_set(&s->places, h, (void *)(uintptr_t)id);
	return id;
}

/* Unwind in what is known of the process, or look at it anew where that knows nothing. */
static u32 unwind_site(struct stacks *s, struct process *p, s32 tgid, const struct ev_stack *st, u64 now)
{
	struct unwind_result *r = &s->result;
	u32 id;

	r->n_frames = 0;
	if (p->image)
		unwind_stack(p->image->unwind, st, r);
	if (!p->image || r->strange) {
		struct image *before = p->image;

		image_look(s, p, tgid, now);
		if (p->image && p->image != before)
			unwind_stack(p->image->unwind, st, r);
	}
	if (!p->image || !r->n_frames) {
		s->gone += !p->image;
		return 0;
	}
	id = code_site(s, r->frames, r->n_frames);
	if (id && !r->strange)
		chains_add(&p->image->chains, st, r, id);
	return id;
}

u32 stacks_user(struct stacks *s, const struct ev_block *block, const struct ev_stack *st, size_t len)
{
	s32 tid = block->sw.prev, tgid = (s32)(uintptr_t)map_get(&s->threads, (u32)tid);
	struct process *p = tgid ? process_get(s, tgid) : NULL;
	u64 code = st->code, instr = st->instr;
	u32 site;

	if (!p)
		return 0;
	if (code || (s->ops.late && s->ops.late(s->ctx, tid, &block->wait, &code, &instr)))
		return runtime_place(s, tgid, code, instr);
	if (st->len > len - sizeof(*st) || !st->len)
		return 0;
	site = p->image ? chains_find(&p->image->chains, st) : 0;
	return site ? site : unwind_site(s, p, tgid, st, s->ops.now(s->ctx));
}

u32 stacks_kernel(struct stacks *s, const struct ev_stack *st)
{
	u32 n = st->n_kernel < EV_KERNEL_FRAMES ? st->n_kernel : EV_KERNEL_FRAMES, id;
	u64 h = hash_bytes(HASH_START, st->kernel, n * sizeof(st->kernel[0]));
	void *known = map_get(&s->kernel_sites, h);
	const char *name;

	if (known)
		return (u32)(uintptr_t)known;
	if (!s->kernel_tried)
		kernel_symbols_read(&s->kernel);
	s->kernel_tried = true;
	name = s->kernel ? kernel_symbols_wait(s->kernel, (const void *)st->kernel, n) : NULL;
	id = name ? text_site(s, name) : 0;
	if (id && s->kernel_sites.len < SITES_MAX)
		map_set(&s->kernel_sites, h, (void *)(uintptr_t)id);
	return id;
}

/* ---- the end ---- */

static void note(struct stacks *s, const char *text)
{
	struct record rec = {.ts = s->ops.now(s->ctx), .type = REC_NOTE, .cpu = CORUN_NO_CPU};

	rec.note.text = text;
	s->ops.put(s->ctx, &rec);
}

static void note_unsound(struct stacks *s)
{
	char text[160];

	for (u32 i = 0; i < s->files.n; i++) {
		if (s->files.list[i]->sound)
			continue;
		snprintf(text, sizeof(text), "%.64s is no sound ELF file of this machine's kind: no call site in it "
			 "is named", s->files.list[i]->name);
		note(s, text);
	}
}

static void put_notes(struct stacks *s)
{
	char text[160];

	note_unsound(s);
	if (s->kernel_tried && !s->kernel)
		note(s, "the kernel's functions are not named: /proc/kallsyms hides their addresses "
			"(kernel.kptr_restrict)");
	if (s->gone) {
		snprintf(text, sizeof(text), "the call sites of %llu waits are not known: their processes had "
			 "ended before their code could be looked at", (unsigned long long)s->gone);
		note(s, text);
	}
	if (s->n_sites == SITES_MAX)
		note(s, "more call sites than can be kept: of those met last the waits have none");
}

void stacks_finish(struct stacks *s)
{
	struct record rec = {.type = REC_SITE, .cpu = CORUN_NO_CPU};
	struct buf text = BUF_INIT;

	for (u32 i = 0; i < s->n_sites; i++) {
		const struct site *site = s->list[i];

		buf_clear(&text);
		if (site->kind == SITE_CODE)
			symbolize(&s->files, site->frames, site->n_frames, &text);
		else
			buf_puts(&text, site->text ? site->text : "");
		rec.site.id = site->id;
		rec.site.text = text.failed || !text.data ? "" : text.data;
		s->ops.put(s->ctx, &rec);
	}
	buf_free(&text);
	put_notes(s);
}

void stacks_free(struct stacks *s)
{
	struct map_slot *slot;

	if (!s)
		return;
	for (size_t i = 0; (slot = map_next(&s->processes, &i));) {
		struct process *p = slot->value;

		image_put(s, p->image);
		free(p);
	}
	for (u32 i = 0; i < s->n_sites; i++) {
		free(s->list[i]->frames);
		free(s->list[i]->text);
		free(s->list[i]);
	}
	symbolize_free(&s->files);
	code_files_free(&s->files);
	kernel_symbols_free(s->kernel);
	map_free(&s->threads);
	map_free(&s->processes);
	map_free(&s->sites);
	map_free(&s->places);
	map_free(&s->kernel_sites);
	free(s);
}
