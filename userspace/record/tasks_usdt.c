/* SPDX-License-Identifier: MIT */
#include "record/tasks_usdt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

#define LINES_MAX 64
#define WORDS_MAX 8
/* As for goroutines: ids of the program's own marks count from 1. */
#define FIRST_ID 0xc0000000u

struct usdt_line {
	char *path, *provider, *name, *kind;
	char wait[32];  /* of TASK_WAIT: the kind */
	u32 number;     /* in the file */
	u8 op, outcome; /* enum task_op */
	u8 id, text;    /* arguments, from 1; 0: none */
};

struct open_task {
	u64 id;
	s32 tgid;
};

struct tasks_usdt {
	struct tasks_usdt_ops ops;
	void *ctx;
	char *file;
	bool redact;
	struct usdt_line lines[LINES_MAX];
	u32 n_lines, counter;
	struct map open; /* hash of process or thread, kind and the program's id -> struct open_task */
};

/* ---- the configuration ---- */

struct action {
	const char *word;
	u8 op, outcome;
};

static const struct action actions[] = {
	{"begin", TASK_BEGIN, 0}, {"step", TASK_STEP, 0}, {"ready", TASK_READY, 0}, {"wait", TASK_WAIT, 0},
	{"end", TASK_END, 0}, {"exception", TASK_END, 1}, {"cancelled", TASK_END, 2},
};

static int parse_action(struct usdt_line *line, char *word)
{
	char *colon = strchr(word, ':');

	if (colon)
		*colon = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(word, actions[i].word))
			continue;
		line->op = actions[i].op;
		line->outcome = actions[i].outcome;
		if (!colon != (line->op != TASK_WAIT))
			return -EINVAL;
		snprintf(line->wait, sizeof(line->wait), "%s", colon ? colon + 1 : "");
		return 0;
	}
	return -EINVAL;
}

static int parse_argument(struct usdt_line *line, const char *word)
{
	u8 *to = !strncmp(word, "id=", 3) ? &line->id : !strncmp(word, "name=", 5) ? &line->text : NULL;
	const char *digits = strchr(word, '=');
	char *end;
	long n;

	if (!to)
		return -EINVAL;
	n = strtol(digits + 1, &end, 10);
	if (*end || n < 1 || n > 12)
		return -EINVAL;
	*to = (u8)n;
	return 0;
}

/* "FILE PROVIDER:PROBE ACTION KIND [id=N] [name=N]" */
static int parse_line(struct tasks_usdt *u, char *text, u32 number, struct error *err)
{
	struct usdt_line *line = &u->lines[u->n_lines];
	char *words[WORDS_MAX], *rest = NULL, *colon;
	int n = 0;

	text[strcspn(text, "#\n")] = '\0';
	for (char *word = strtok_r(text, " \t", &rest); word && n < WORDS_MAX; word = strtok_r(NULL, " \t", &rest))
		words[n++] = word;
	if (!n)
		return 0;
	if (u->n_lines == LINES_MAX)
		return error_set(err, -E2BIG, "%s has more than %d probes", u->file, LINES_MAX);
	*line = (struct usdt_line){.number = number};
	colon = n > 1 ? strchr(words[1], ':') : NULL;
	if (n < 4 || !colon || parse_action(line, words[2]))
		return error_set(err, -EINVAL, "%s:%u: write FILE PROVIDER:PROBE ACTION KIND, where ACTION is begin, "
				 "step, ready, wait:KIND, end, exception or cancelled", u->file, number);
	for (int i = 4; i < n; i++)
		if (parse_argument(line, words[i]))
			return error_set(err, -EINVAL, "%s:%u: '%s' is neither id=N nor name=N, N from 1 to 12", u->file,
					 number, words[i]);
	*colon = '\0';
	line->path = strdup(words[0]);
	line->provider = strdup(words[1]);
	line->name = strdup(colon + 1);
	line->kind = strdup(words[3]);
	u->n_lines++;
	return line->path && line->provider && line->name && line->kind ? 0 : -ENOMEM;
}

int tasks_usdt_new(struct tasks_usdt **out, const char *path, bool redact, const struct tasks_usdt_ops *ops,
		   void *ctx, struct error *err)
{
	struct tasks_usdt *u = calloc(1, sizeof(*u));
	FILE *file = fopen(path, "re");
	char text[4096];
	int code = 0;

	if (!u || !file) {
		code = u ? error_set(err, -errno, "cannot read %s: %s", path, strerror(errno)) : -ENOMEM;
		goto out;
	}
	*u = (struct tasks_usdt){.ops = *ops, .ctx = ctx, .redact = redact, .counter = FIRST_ID,
				 .file = strdup(path)};
	if (!u->file)
		code = -ENOMEM;
	for (u32 n = 1; !code && fgets(text, sizeof(text), file); n++)
		code = parse_line(u, text, n, err);
	if (!code && !u->n_lines)
		code = error_set(err, -EINVAL, "%s names no probe", path);
out:
	if (file)
		fclose(file);
	if (code) {
		tasks_usdt_free(u);
		return code;
	}
	*out = u;
	return 0;
}

void tasks_usdt_free(struct tasks_usdt *u)
{
	struct map_slot *slot;

	if (!u)
		return;
	for (u32 i = 0; i < u->n_lines; i++) {
		free(u->lines[i].path);
		free(u->lines[i].provider);
		free(u->lines[i].name);
		free(u->lines[i].kind);
	}
	for (size_t i = 0; (slot = map_next(&u->open, &i));)
		free(slot->value);
	map_free(&u->open);
	free(u->file);
	free(u);
}

int tasks_usdt_attach(struct tasks_usdt *u, struct error *err)
{
	for (u32 i = 0; i < u->n_lines; i++) {
		const struct usdt_line *line = &u->lines[i];
		int code = u->ops.probe(u->ctx, line->path, line->provider, line->name,
					EV_USDT_COOKIE(i, line->id, u->redact ? 0 : line->text));

		if (code)
			return error_set(err, code, code == -ENOENT ? "%s:%u: %s has no probe %s:%s" :
					 "%s:%u: cannot watch %s, probe %s:%s", u->file, line->number, line->path,
					 line->provider, line->name);
	}
	return 0;
}

/* ---- events ---- */

static u32 kind_of(const struct tasks_usdt *u, u32 number)
{
	u32 i = 0;

	while (strcmp(u->lines[i].kind, u->lines[number].kind))
		i++;
	return i;
}

/* A task is known by its id in its process; without one it is what its thread is at. */
static u64 key_of(const struct usdt_line *line, const struct ev_usdt *ev, u32 kind)
{
	u64 key = (u64)(u32)(line->id ? ev->tgid : ev->tid) << 8 | kind << 1 | (line->id != 0);

	return (key ^ (ev->id + 1) * 0x9e3779b97f4a7c15ull) | 1;
}

static void put(struct tasks_usdt *u, const struct ev_usdt *ev, const struct usdt_line *line, u8 op, u64 id,
		const char *name)
{
	struct record rec = {.ts = ev->head.ts, .type = REC_TASK, .cpu = ev->head.cpu};

	rec.task = (struct rec_task){
		.task = id, .tid = ev->tid, .tgid = ev->tgid, .op = op,
		.outcome = op == TASK_END ? line->outcome : 0, .kind = op == TASK_BEGIN ? line->kind : "",
		.name = name, .what = op == TASK_WAIT ? line->wait : "", .site = "",
	};
	u->ops.put(u->ctx, &rec);
}

static void begin(struct tasks_usdt *u, const struct ev_usdt *ev, const struct usdt_line *line, u64 key)
{
	struct open_task *t = map_get(&u->open, key);
	char name[192];

	if (!t) {
		t = malloc(sizeof(*t));
		if (!t || map_set(&u->open, key, t)) {
			free(t);
			return;
		}
	} else { /* its end was not told of */
		put(u, ev, line, TASK_END, t->id, "");
	}
	*t = (struct open_task){.id = (u64)(u32)ev->tgid << 42 | ++u->counter, .tgid = ev->tgid};
	if (line->text && *ev->text)
		snprintf(name, sizeof(name), "%.*s", (int)sizeof(ev->text), ev->text);
	else if (line->id)
		snprintf(name, sizeof(name), "%.60s %" PRIu64, line->kind, (u64)ev->id);
	else
		snprintf(name, sizeof(name), "%.60s", line->kind);
	put(u, ev, line, TASK_BEGIN, t->id, name);
	if (!line->id)
		put(u, ev, line, TASK_STEP, t->id, "");
}

/* What a process that has ended left open; the model ends it. */
static void forget(struct tasks_usdt *u, s32 tgid)
{
	u64 *keys = malloc((u->open.len + 1) * sizeof(*keys));
	struct map_slot *slot;
	size_t n = 0;

	for (size_t i = 0; keys && (slot = map_next(&u->open, &i));)
		if (((struct open_task *)slot->value)->tgid == tgid)
			keys[n++] = slot->key;
	while (n)
		free(map_del(&u->open, keys[--n]));
	free(keys);
}

static void probe_arrived(struct tasks_usdt *u, const struct ev_usdt *ev)
{
	const struct usdt_line *line;
	struct open_task *t;
	u64 key;

	if (ev->line >= u->n_lines)
		return;
	line = &u->lines[ev->line];
	key = key_of(line, ev, kind_of(u, ev->line));
	if (line->op == TASK_BEGIN) {
		begin(u, ev, line, key);
		return;
	}
	/* What began before it was recorded is not made up. */
	t = map_get(&u->open, key);
	if (!t)
		return;
	put(u, ev, line, line->op, t->id, "");
	if (line->op == TASK_END)
		free(map_del(&u->open, key));
}

void tasks_usdt_event(struct tasks_usdt *u, const struct ev_head *head)
{
	const struct ev_exit *exit = (const void *)head;

	if (head->type == EV_USDT)
		probe_arrived(u, (const void *)head);
	else if (head->type == EV_EXIT && exit->group_dead)
		forget(u, exit->tgid);
}

void tasks_usdt_lost(struct tasks_usdt *u, u64 ts)
{
	struct record rec = {.ts = ts, .type = REC_TASK, .cpu = CORUN_NO_CPU};
	struct map_slot *slot;

	rec.task = (struct rec_task){.op = TASK_LOST, .kind = "", .name = "", .what = "", .site = ""};
	for (size_t i = 0; (slot = map_next(&u->open, &i));) {
		rec.task.tgid = ((struct open_task *)slot->value)->tgid;
		u->ops.put(u->ctx, &rec);
	}
}
