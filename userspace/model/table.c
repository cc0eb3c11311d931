/* SPDX-License-Identifier: MIT */
/* table.c - threads, processes, descriptors and call sites by their numbers. */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/state.h"

/* Room for one more in @array. */
bool table_grow(void **array, u32 n, u32 *cap, size_t size)
{
	u32 more = *cap ? *cap * 2 : 64;
	void *bigger;

	if (n < *cap)
		return true;
	bigger = realloc(*array, more * size);
	if (!bigger)
		return false;
	*array = bigger;
	*cap = more;
	return true;
}

static char *copy(struct model *m, const char *text)
{
	char *out = strdup(text);

	if (!out)
		m->failed = true;
	return out;
}

struct thr *table_thread(struct model *m, s32 tid)
{
	return map_get(&m->by_tid, (u32)tid);
}

struct thr *table_outsider(struct model *m, s32 tid)
{
	return map_get(&m->outsiders, (u32)tid);
}

static void free_strings(struct process *p)
{
	for (u32 k = 0; k < p->n_images; k++)
		free(p->images[k]);
	free(p->images);
	free(p->name);
}

static struct process *new_process(struct model *m, s32 tgid, s32 ns_tgid, bool outsider)
{
	struct process *p;
	u32 cap = m->cap_processes;

	if (!outsider && m->n_spare_processes) {
		p = m->processes[m->spare_processes[--m->n_spare_processes]];
		free_strings(p);
		*p = (struct process){.id = p->id, .name = copy(m, "")};
		if (p->name)
			goto fill;
		return NULL;
	}
	p = calloc(1, sizeof(*p));
	if (!p || !table_grow((void **)&m->processes, m->n_processes, &cap, sizeof(*m->processes)))
		goto fail;
	if (cap != m->cap_processes) {
		struct counts *counts = realloc(m->process_counts, cap * sizeof(*counts));

		if (!counts)
			goto fail;
		m->process_counts = counts;
		m->cap_processes = cap;
	}
	p->name = copy(m, "");
	if (!p->name)
		goto fail;
	p->id = m->n_processes;
	m->process_counts[p->id] = (struct counts){0};
	m->processes[m->n_processes++] = p;
fill:
	p->tgid = tgid;
	p->ns_tgid = ns_tgid;
	p->parent = NO_THREAD;
	p->outsider = outsider;
	return p;
fail:
	m->failed = true;
	free(p);
	return NULL;
}

struct process *table_process(struct model *m, s32 tgid, s32 ns_tgid, bool outsider)
{
	struct map *map = outsider ? &m->outsider_processes : &m->by_tgid;
	struct process *p = map_get(map, (u32)tgid);

	if (p)
		return p;
	p = new_process(m, tgid, ns_tgid, outsider);
	if (p && map_set(map, (u32)tgid, p))
		m->failed = true;
	return p;
}

/* Zeroed but for its id; it is in model.threads. */
static struct thr *new_thread(struct model *m, bool outsider)
{
	struct thr *t;

	if (!outsider && m->n_spare_threads) {
		t = m->threads[m->spare_threads[--m->n_spare_threads]];
		free(t->pub.name);
		*t = (struct thr){.pub.id = t->pub.id};
		return t;
	}
	t = calloc(1, sizeof(*t));
	if (!t || !table_grow((void **)&m->threads, m->n_threads, &m->cap_threads, sizeof(*m->threads))) {
		free(t);
		return NULL;
	}
	t->pub.id = m->n_threads;
	m->threads[m->n_threads++] = t;
	return t;
}

struct thr *table_add_thread(struct model *m, const struct rec_thread *rec, bool outsider)
{
	struct process *p = table_process(m, rec->tgid, rec->ns_tgid, outsider);
	struct thr *t = p ? new_thread(m, outsider) : NULL;

	if (!t || !table_grow((void **)&m->alive, m->n_alive, &m->cap_alive, sizeof(*m->alive)) ||
	    map_set(outsider ? &m->outsiders : &m->by_tid, (u32)rec->tid, t)) {
		m->failed = true;
		return NULL;
	}
	t->pub.process = p;
	t->pub.tid = rec->tid;
	t->pub.tgid = rec->tgid;
	t->pub.ns_tid = rec->ns_tid;
	t->pub.outsider = outsider;
	t->pub.kernel = rec->flags & THREAD_KERNEL;
	t->pub.parent = NO_THREAD;
	t->pub.cpu = -1;
	t->pub.waker = t->pub.preempted_by = NO_THREAD;
	table_set_comm(t, rec->comm);
	if (!outsider) {
		t->alive_index = m->n_alive;
		m->alive[m->n_alive++] = t->pub.id;
		p->n_alive++;
	}
	if (!p->name[0])
		table_set_image(m, p, rec->args, rec->comm);
	return t;
}

void table_remove_thread(struct model *m, struct thr *t)
{
	u32 last = m->alive[m->n_alive - 1];

	m->alive[t->alive_index] = last;
	m->threads[last]->alive_index = t->alive_index;
	m->n_alive--;
	if (map_get(&m->by_tid, (u32)t->pub.tid) == t)
		map_del(&m->by_tid, (u32)t->pub.tid);
	if (--t->pub.process->n_alive == 0 &&
	    map_get(&m->by_tgid, (u32)t->pub.tgid) == t->pub.process)
		map_del(&m->by_tgid, (u32)t->pub.tgid);
}

/*
 * exec by a thread that is not the leader: it takes over tid = tgid; the leader, if its last switch
 * is still to come, leaves under the caller's number (exchange_tids(), fs/exec.c: de_thread()).
 */
void table_exec_swap(struct model *m, s32 tid, s32 old_tid)
{
	struct thr *caller = map_del(&m->by_tid, (u32)old_tid);
	struct thr *leader = map_del(&m->by_tid, (u32)tid);

	if (caller) {
		caller->pub.tid = tid;
		if (map_set(&m->by_tid, (u32)tid, caller))
			m->failed = true;
	}
	if (leader) {
		leader->pub.tid = old_tid;
		leader->exiting = true;
		if (map_set(&m->by_tid, (u32)old_tid, leader))
			m->failed = true;
	}
}

void table_set_comm(struct thr *t, const char *comm)
{
	snprintf(t->pub.comm, sizeof(t->pub.comm), "%s", comm);
}

/* ---- what people call a process ---- */

static size_t word_length(const char *word)
{
	return strcspn(word, " ");
}

static const char *next_word(const char *word)
{
	word += word_length(word);
	while (*word == ' ')
		word++;
	return word;
}

/* Last part of a path that is @len bytes long. */
static const char *base_of(const char *path, size_t *len)
{
	for (size_t i = *len; i > 0; i--) {
		if (path[i - 1] == '/' && i < *len) {
			*len -= i;
			return path + i;
		}
	}
	return path;
}

static bool is_interpreter(const char *word, size_t len)
{
	static const char *const known[] = {"python*", "pypy*", "ruby*", "perl*", "node", "nodejs",
					    "java", "bash", "sh", "dash", "zsh", "lua*", "php*"};
	char name[32];

	word = base_of(word, &len);
	if (len >= sizeof(name))
		return false;
	memcpy(name, word, len);
	name[len] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!fnmatch(known[i], name, 0))
			return true;
	return false;
}

/*
 * The script of an interpreter: its first argument that is no option. After -m and -jar the next
 * word names it; after -c there is no script. Words are parted by blanks, as the trace has them.
 */
static const char *script_of(const char *args, size_t *len)
{
	const char *word = args;

	if (!is_interpreter(word, word_length(word)))
		return NULL;
	for (word = next_word(word); *word; word = next_word(word)) {
		*len = word_length(word);
		if (*len == 2 && !strncmp(word, "-c", 2))
			return NULL;
		if ((*len == 2 && !strncmp(word, "-m", 2)) || (*len == 4 && !strncmp(word, "-jar", 4)) ||
		    (*len == 3 && !strncmp(word, "-cp", 3)))
			continue;
		if (*word != '-')
			return base_of(word, len);
	}
	return NULL;
}

void table_set_image(struct model *m, struct process *p, const char *args, const char *comm)
{
	size_t len = 0;
	const char *script = script_of(args, &len);
	char *name = script ? strndup(script, len) : copy(m, comm);
	char **images;

	if (!name) {
		m->failed = true;
		return;
	}
	free(p->name);
	p->name = name;
	if (!*args)
		return;
	images = realloc(p->images, (p->n_images + 1) * sizeof(*images));
	if (!images) {
		m->failed = true;
		return;
	}
	p->images = images;
	images[p->n_images] = copy(m, args);
	if (images[p->n_images])
		p->n_images++;
}

/* ---- descriptors, call sites ---- */

void table_add_desc(struct model *m, const struct rec_desc *rec)
{
	struct desc *d = map_get(&m->descs, rec->id);

	/* A descriptor is told again when the probes have forgotten it; its words stay where they
	 * are, because waits point at them. */
	if (d)
		return;
	d = calloc(1, sizeof(*d));
	if (!d || map_set(&m->descs, rec->id, d)) {
		free(d);
		m->failed = true;
		return;
	}
	d->name = copy(m, rec->name);
	d->local = copy(m, rec->local);
}

void table_add_site(struct model *m, const struct rec_site *rec)
{
	char *text;

	if (map_get(&m->sites, rec->id))
		return;
	text = copy(m, rec->text);
	if (text && map_set(&m->sites, rec->id, text)) {
		free(text);
		m->failed = true;
	}
}

/* Everything in @wait that stands for something else. */
void table_resolve_wait(struct model *m, struct wait_info *wait)
{
	struct desc *d = wait->rec.desc ? map_get(&m->descs, wait->rec.desc) : NULL;
	const char *site = wait->rec.site ? map_get(&m->sites, wait->rec.site) : NULL;
	const char *func = wait->rec.func ? map_get(&m->sites, wait->rec.func) : NULL;
	struct thr *owner = NULL;

	wait->desc = d && d->name ? d->name : "";
	wait->local = d && d->local ? d->local : "";
	wait->site = site ? site : "";
	wait->func = func ? func : "";
	/* A shared lock's holder may be a thread that is not traced. */
	if (wait->rec.flags & WAIT_OWNER && wait->rec.owner > 0) {
		owner = table_thread(m, wait->rec.owner);
		if (!owner)
			owner = table_outsider(m, wait->rec.owner);
	}
	wait->owner = owner ? owner->pub.id : NO_THREAD;
}

void table_free(struct model *m)
{
	struct map_slot *slot;

	for (u32 i = 0; i < m->n_threads; i++) {
		free(m->threads[i]->pub.name);
		free(m->threads[i]);
	}
	for (u32 i = 0; i < m->n_processes; i++) {
		free_strings(m->processes[i]);
		free(m->processes[i]);
	}
	for (size_t i = 0; (slot = map_next(&m->descs, &i));) {
		struct desc *d = slot->value;

		free(d->name);
		free(d->local);
		free(d);
	}
	for (size_t i = 0; (slot = map_next(&m->sites, &i));)
		free(slot->value);
	for (u32 i = 0; i < m->n_regions; i++)
		free(m->regions[i].name);
	map_free(&m->by_tid);
	map_free(&m->by_tgid);
	map_free(&m->outsiders);
	map_free(&m->outsider_processes);
	map_free(&m->descs);
	map_free(&m->sites);
	free(m->threads);
	free(m->processes);
	free(m->process_counts);
	free(m->alive);
	free(m->spare_threads);
	free(m->spare_processes);
	free(m->regions);
}
