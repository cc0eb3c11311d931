/* SPDX-License-Identifier: MIT */
#include "record/tasks_go.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "record/go_file.h"
#include "record/go_wait.h"

#define FILES_MAX 32
/* Ids of marks are chosen by the programs, by counting from 1: goroutines' come from the other end. */
#define FIRST_ID 0x80000000u

/* runtime2.go. A change to or from the others (copying the stack) is none that anybody would see. */
enum go_status { GO_IDLE, GO_RUNNABLE, GO_RUNNING, GO_SYSCALL, GO_WAITING, GO_DEAD = 6, GO_COPYSTACK = 8,
		 GO_PREEMPTED = 9, GO_SCAN = 0x1000 };

/* Where the fields lie in ev_go.fields: the status at one of these, the others from there on. */
#define LAYOUTS 3
#define FIELD_GOID 8
#define FIELD_REASON 32

struct goroutine {
	u64 g, id, goid; /* goid 0: not known yet */
	s32 tid;         /* in a step there, or in a system call of it; 0: not */
	char function[80]; /* "" not known */
};

struct go_process {
	s32 tgid;
	struct map goroutines; /* g -> struct goroutine */
	struct map threads;    /* tid -> the goroutine in a step there */
};

struct go_program {
	u64 dev, ino, size, mtime_ns;
	struct go_file *file;    /* NULL: no Go program */
	u32 layouts;             /* those that no event has contradicted: bits */
	bool complained;
	struct go_waits waits;
};

struct tasks_go {
	struct tasks_go_ops ops;
	void *ctx;
	struct map processes; /* tgid -> struct go_process */
	struct go_program programs[FILES_MAX];
	u32 n_programs, counter;
};

int tasks_go_new(struct tasks_go **out, const struct tasks_go_ops *ops, void *ctx)
{
	struct tasks_go *go = calloc(1, sizeof(*go));

	if (!go)
		return -ENOMEM;
	go->ops = *ops;
	go->ctx = ctx;
	go->counter = FIRST_ID;
	*out = go;
	return 0;
}

static void process_free(struct go_process *p)
{
	struct map_slot *slot;

	if (!p)
		return;
	for (size_t i = 0; (slot = map_next(&p->goroutines, &i));)
		free(slot->value);
	map_free(&p->goroutines);
	map_free(&p->threads);
	free(p);
}

void tasks_go_free(struct tasks_go *go)
{
	struct map_slot *slot;

	if (!go)
		return;
	for (size_t i = 0; (slot = map_next(&go->processes, &i));)
		process_free(slot->value);
	map_free(&go->processes);
	for (u32 i = 0; i < go->n_programs; i++) {
		go_waits_free(&go->programs[i].waits);
		go_file_close(go->programs[i].file);
	}
	free(go);
}

/* ---- programs ---- */

static void say(struct tasks_go *go, u64 ts, const char *text)
{
	struct record rec = {.ts = ts, .type = REC_NOTE, .cpu = CORUN_NO_CPU};

	rec.note.text = text;
	go->ops.put(go->ctx, &rec);
}

/* A stack that is scanned lets go of its goroutine by a function of its own; a small one, which may have
 * been inlined: then the goroutine seems to go on until its thread takes the next. */
static void probe(struct tasks_go *go, struct go_program *program, int fd, const char *path, u64 cookie)
{
	static const struct { const char *function, *probe; } places[] = {
		{"runtime.casgstatus", "go_status"}, {"runtime.newproc1", "go_new"},
		{"runtime.casGToPreemptScan", "go_status"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct go_function f;

		if (!go_file_function(program->file, fd, places[i].function, &f))
			continue;
		/* Where the program stops is where it has mapped what the file calls f.address. */
		go->ops.probe(go->ctx, places[i].probe, path, f.offset, cookie | (f.address << 8));
	}
}

void tasks_go_program(struct tasks_go *go, const char *path)
{
	struct go_program *program = &go->programs[go->n_programs];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || go->n_programs == FILES_MAX) {
		close(fd);
		return;
	}
	*program = (struct go_program){
		.dev = st.st_dev, .ino = st.st_ino, .size = (u64)st.st_size, .layouts = (1u << LAYOUTS) - 1,
		.mtime_ns = (u64)st.st_mtim.tv_sec * NSEC_PER_SEC + (u64)st.st_mtim.tv_nsec,
	};
	for (u32 i = 0; i < go->n_programs; i++) {
		const struct go_program *known = &go->programs[i];

		if (known->dev == program->dev && known->ino == program->ino &&
		    known->size == program->size && known->mtime_ns == program->mtime_ns) {
			close(fd);
			return;
		}
	}
	/* Others are remembered too, so that each is looked at once. */
	if (go_file_open(&program->file, fd))
		program->file = NULL;
	go->n_programs++;
	if (program->file)
		probe(go, program, fd, path, go->n_programs - 1);
	close(fd);
}

/* ---- goroutines ---- */

static struct go_process *process_of(struct tasks_go *go, s32 tgid)
{
	struct go_process *p = map_get(&go->processes, (u32)tgid);

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p || map_set(&go->processes, (u32)tgid, p)) {
		free(p);
		return NULL;
	}
	p->tgid = tgid;
	return p;
}

static void goroutine_drop(struct go_process *p, struct goroutine *g)
{
	if (g->tid && map_get(&p->threads, (u32)g->tid) == g)
		map_del(&p->threads, (u32)g->tid);
	map_del(&p->goroutines, g->g);
	free(g);
}

static struct goroutine *goroutine_add(struct tasks_go *go, struct go_process *p, u64 address)
{
	struct goroutine *g = map_get(&p->goroutines, address);

	if (g)
		goroutine_drop(p, g); /* its end was not seen */
	g = calloc(1, sizeof(*g));
	if (!g || map_set(&p->goroutines, address, g)) {
		free(g);
		return NULL;
	}
	g->g = address;
	g->id = (u64)(u32)p->tgid << 42 | ++go->counter;
	return g;
}

/* ---- one change ---- */

struct change {
	struct tasks_go *go;
	struct go_process *process;
	struct go_program *program;
	const struct ev_go *ev;
	const __u64 *pcs; /* of a wait; else NULL */
	u64 bias;
	const u8 *fields; /* from the status on; NULL: where they lie is not known */
};

static void put(const struct change *c, const struct goroutine *g, enum task_op op, u64 ref, const char *what,
		const char *site)
{
	struct record rec = {.ts = c->ev->head.ts, .type = REC_TASK, .cpu = c->ev->head.cpu};

	rec.task = (struct rec_task){
		.task = g->id, .ref = ref, .tid = c->ev->tid, .tgid = c->ev->tgid, .op = (u8)op,
		.kind = "", .name = "", .what = what, .site = site,
	};
	c->go->ops.put(c->go->ctx, &rec);
}

static void put_name(const struct change *c, const struct goroutine *g, enum task_op op, u64 ref, const char *site)
{
	struct record rec = {.ts = c->ev->head.ts, .type = REC_TASK, .cpu = c->ev->head.cpu};
	char name[128];

	if (g->goid)
		snprintf(name, sizeof(name), g->function[0] ? "goroutine %" PRIu64 " (%s)" : "goroutine %" PRIu64,
			 g->goid, g->function);
	else
		snprintf(name, sizeof(name), "%s", g->function);
	rec.task = (struct rec_task){
		.task = g->id, .ref = ref, .tid = c->ev->tid, .tgid = c->ev->tgid, .op = (u8)op,
		.kind = "goroutine", .name = name, .what = "", .site = site,
	};
	c->go->ops.put(c->go->ctx, &rec);
}

/* Its number stands in the g from its first change after it was made. */
static void learn_goid(const struct change *c, struct goroutine *g)
{
	if (g->goid || !c->fields)
		return;
	memcpy(&g->goid, c->fields + FIELD_GOID, sizeof(g->goid));
	if (g->goid)
		put_name(c, g, TASK_NAME, 0, "");
}

static struct goroutine *current(const struct change *c)
{
	return map_get(&c->process->threads, (u32)c->ev->tid);
}

static void leave(const struct change *c, struct goroutine *g)
{
	if (g->tid && map_get(&c->process->threads, (u32)g->tid) == g)
		map_del(&c->process->threads, (u32)g->tid);
	g->tid = 0;
}

static void enter(const struct change *c, struct goroutine *g)
{
	struct goroutine *before = current(c);

	/* A thread is at one goroutine: that the one before has left it went unseen. */
	if (before && before != g) {
		leave(c, before);
		put(c, before, TASK_READY, 0, "", "");
	}
	leave(c, g);
	g->tid = c->ev->tid;
	if (map_set(&c->process->threads, (u32)g->tid, g))
		g->tid = 0;
	put(c, g, TASK_STEP, 0, "", "");
}

static struct goroutine *begin(const struct change *c)
{
	struct goroutine *creator = current(c), *g = goroutine_add(c->go, c->process, c->ev->g);
	const char *function;
	char site[160];

	if (!g)
		return NULL;
	function = c->ev->start ? go_file_name(c->program->file, c->ev->start - c->bias) : NULL;
	snprintf(g->function, sizeof(g->function), "%s", function ? function : "");
	if (!c->ev->made || !go_file_line(c->program->file, c->ev->made - c->bias, site, sizeof(site)))
		site[0] = '\0';
	put_name(c, g, TASK_BEGIN, creator ? creator->id : 0, site);
	return g;
}

static void waits(const struct change *c, struct goroutine *g)
{
	u64 pcs[EV_GO_FRAMES] = {0};
	const char *reason = "";
	const struct go_wait *wait;

	for (size_t i = 0; c->pcs && i < EV_GO_FRAMES && c->pcs[i]; i++)
		pcs[i] = c->pcs[i] - c->bias;
	if (c->fields)
		reason = go_file_reason(c->program->file, c->fields[FIELD_REASON], c->ev->tgid, c->bias);
	wait = go_waits_get(&c->program->waits, c->program->file, reason, pcs, EV_GO_FRAMES);
	leave(c, g);
	put(c, g, TASK_WAIT, 0, wait ? wait->what : "other", wait ? wait->site : "");
}

static void change(const struct change *c)
{
	const struct ev_go *ev = c->ev;
	struct goroutine *g = map_get(&c->process->goroutines, ev->g), *cause;

	if (ev->from == GO_IDLE || ev->from == GO_COPYSTACK || ev->to == GO_COPYSTACK)
		return;
	if (ev->from == GO_DEAD)
		g = begin(c);
	else if (!g)
		g = goroutine_add(c->go, c->process, ev->g); /* it ran before it was recorded */
	if (!g)
		return;
	switch (ev->to & ~GO_SCAN) {
	case GO_RUNNING:
	case GO_SYSCALL:
		/* In a system call it is at what its thread is at: its step goes on. */
		if (g->tid != ev->tid)
			enter(c, g);
		break;
	case GO_WAITING:
		waits(c, g);
		break;
	case GO_RUNNABLE:
	case GO_PREEMPTED:
		cause = current(c);
		leave(c, g);
		if (ev->from != GO_DEAD)
			put(c, g, TASK_READY, cause && cause != g ? cause->id : 0, "", "");
		break;
	case GO_DEAD:
		put(c, g, TASK_END, 0, "", "");
		goroutine_drop(c->process, g);
		return;
	}
	if (ev->from != GO_DEAD)
		learn_goid(c, g);
}

/* Where the fields lie: at the status there must stand what the runtime says that it is. */
static void find_fields(struct change *c)
{
	static const u8 nothing[EV_GO_FIELDS_LEN];
	struct go_program *program = c->program;
	const struct ev_go *ev = c->ev;

	if (ev->n_fields != EV_GO_FIELDS_LEN || ev->from == GO_IDLE || !memcmp(ev->fields, nothing, sizeof(nothing)))
		return;
	for (u32 i = 0; i < LAYOUTS; i++) {
		u32 status;

		memcpy(&status, ev->fields + 8 * i, sizeof(status));
		if ((status & ~(u32)GO_SCAN) != (ev->from & ~(u32)GO_SCAN))
			program->layouts &= ~(1u << i);
	}
	if (!program->layouts && !program->complained) {
		program->complained = true;
		say(c->go, ev->head.ts, "goroutines' numbers and what they wait for could not be read: the "
		    "program's Go is not as corun knows it");
	}
	for (u32 i = 0; i < LAYOUTS; i++)
		if (program->layouts == 1u << i)
			c->fields = ev->fields + 8 * i;
}

static void status_arrived(struct tasks_go *go, const struct ev_go *ev, const __u64 *pcs)
{
	struct change c = {.go = go, .ev = ev, .pcs = pcs};
	u64 number = ev->cookie & 0xff;

	if (number >= go->n_programs || !go->programs[number].file)
		return;
	c.program = &go->programs[number];
	c.process = process_of(go, ev->tgid);
	if (!c.process)
		return;
	c.bias = ev->ip - (ev->cookie >> 8);
	find_fields(&c);
	change(&c);
}

static void process_over(struct tasks_go *go, s32 tgid)
{
	process_free(map_del(&go->processes, (u32)tgid));
}

void tasks_go_event(struct tasks_go *go, const struct ev_head *head)
{
	char path[64];

	switch (head->type) {
	case EV_GO:
		status_arrived(go, (const void *)head, NULL);
		break;
	case EV_GO_WAIT:
		status_arrived(go, (const void *)head, ((const struct ev_go_wait *)(const void *)head)->pcs);
		break;
	case EV_EXEC:
	case EV_SNAPSHOT: {
		s32 tgid = head->type == EV_EXEC ? ((const struct ev_exec *)(const void *)head)->tgid :
						   ((const struct ev_thread *)(const void *)head)->tgid;

		if (head->type == EV_EXEC)
			process_over(go, tgid);
		else if (((const struct ev_thread *)(const void *)head)->tid != tgid)
			break;
		snprintf(path, sizeof(path), "/proc/%d/exe", tgid);
		tasks_go_program(go, path);
		break;
	}
	case EV_EXIT: {
		const struct ev_exit *ev = (const void *)head;

		if (ev->group_dead)
			process_over(go, ev->tgid);
		break;
	}
	}
}

void tasks_go_lost(struct tasks_go *go, u64 ts)
{
	struct record rec = {.ts = ts, .type = REC_TASK, .cpu = CORUN_NO_CPU};
	struct map_slot *slot;

	for (size_t i = 0; (slot = map_next(&go->processes, &i));) {
		struct go_process *p = slot->value;

		rec.task = (struct rec_task){.tgid = p->tgid, .op = TASK_LOST, .kind = "", .name = "",
					     .what = "", .site = ""};
		go->ops.put(go->ctx, &rec);
	}
}
