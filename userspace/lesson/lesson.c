/* SPDX-License-Identifier: MIT */
/* lesson.c - lessons are folders: find them, read lesson.json, and say where a mistake in it is. */
#include "lesson/lesson.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lesson/claim.h"

#define FILE_LIMIT ((size_t)1 << 20)

const char *const lesson_language_codes[LESSON_LANGUAGES] = {"en", "ko"};

/* ---- finding ---- */

int lessons_folder(char *path, struct error *err)
{
	const char *given = getenv("CORUN_LESSONS");
	char self[4000], probe[4100];
	char *slash;
	ssize_t n;

	if (given && *given) {
		snprintf(path, 4096, "%s", given);
		return access(path, R_OK | X_OK) ? error_set(err, -errno, "CORUN_LESSONS: cannot read %s: %s", path,
							    strerror(errno)) : 0;
	}
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = '\0';
	/* In a checkout build/corun (or build/debug/corun ...) has samples/ above it. */
	for (int up = 0; up < 4 && (slash = strrchr(self, '/')); up++) {
		*slash = '\0';
		snprintf(probe, sizeof(probe), "%s/samples/README.md", self);
		if (!access(probe, R_OK)) {
			snprintf(path, 4096, "%s/samples", self);
			return 0;
		}
		snprintf(probe, sizeof(probe), "%s/share/corun/samples/README.md", self);
		if (!access(probe, R_OK)) {
			snprintf(path, 4096, "%s/share/corun/samples", self);
			return 0;
		}
	}
	return error_set(err, -ENOENT, "no lessons beside this program; CORUN_LESSONS=FOLDER names theirs");
}

int lesson_file(const char *path, struct buf *buf, struct error *err)
{
	FILE *file = fopen(path, "re");
	char block[8192];
	size_t n;

	if (!file)
		return error_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	while ((n = fread(block, 1, sizeof(block), file)) && buf->len <= FILE_LIMIT)
		buf_put(buf, block, n);
	fclose(file);
	if (buf->len > FILE_LIMIT)
		return error_set(err, -EFBIG, "%s has more than 1 MiB", path);
	buf_putc(buf, '\0');
	return buf->failed ? error_set(err, -ENOMEM, "out of memory") : 0;
}

/* ---- lesson.json ---- */

struct source {
	const char *path, *text;
	struct error *err;
	int code;
};

static int line_of(const struct source *s, const char *at)
{
	int line = 1;

	for (const char *c = s->text; c < at && *c; c++)
		line += *c == '\n';
	return line;
}

/* cJSON keeps no positions: the line is where @key stands first. */
__attribute__((format(printf, 3, 4))) static void bad(struct source *s, const char *key, const char *format, ...)
{
	char what[200], quoted[80];
	const char *at;
	va_list args;

	if (s->code)
		return;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(quoted, sizeof(quoted), "\"%s\"", key);
	at = strstr(s->text, quoted);
	s->code = error_set(s->err, -EINVAL, "%s:%d: %s", s->path, at ? line_of(s, at) : 1, what);
}

static char *copy(struct source *s, const char *text)
{
	char *copied = strdup(text);

	if (!copied && !s->code)
		s->code = error_set(s->err, -ENOMEM, "out of memory");
	return copied;
}

/* Keys that are not known are typing mistakes: said, not ignored. */
static void check_keys(struct source *s, const cJSON *object, const char *const *known, size_t n)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, object) {
		size_t i = 0;

		while (i < n && strcmp(item->string, known[i]))
			i++;
		if (i == n)
			bad(s, item->string, "the key '%s' is not known here", item->string);
	}
}

static void get_words(struct source *s, const cJSON *object, const char *key, struct lesson_words *words,
		      bool needed)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (!item && !needed)
		return;
	for (int l = 0; l < LESSON_LANGUAGES; l++) {
		const cJSON *text = cJSON_GetObjectItemCaseSensitive(item, lesson_language_codes[l]);

		if (!cJSON_IsString(text) || !text->valuestring[0])
			bad(s, key, "'%s' has to be {\"en\": \"...\", \"ko\": \"...\"}", key);
		else
			words->in[l] = copy(s, text->valuestring);
	}
}

static char *get_string(struct source *s, const cJSON *object, const char *key, bool needed)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (cJSON_IsString(item) && item->valuestring[0])
		return copy(s, item->valuestring);
	if (item || needed)
		bad(s, key, "'%s' has to be a text", key);
	return NULL;
}

static u32 get_number(struct source *s, const cJSON *object, const char *key, u32 otherwise)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (!item)
		return otherwise;
	if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > 1e6) {
		bad(s, key, "'%s' has to be a number", key);
		return otherwise;
	}
	return (u32)item->valuedouble;
}

static char **get_list(struct source *s, const cJSON *object, const char *key, bool needed)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, key), *item;
	char **words = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(*words));
	size_t n = 0;

	if (!words || (!list && !needed))
		return words;
	if (!cJSON_IsArray(list) || !cJSON_GetArraySize(list))
		bad(s, key, "'%s' has to be a list of texts", key);
	cJSON_ArrayForEach(item, list) {
		if (cJSON_IsString(item))
			words[n++] = copy(s, item->valuestring);
		else
			bad(s, key, "'%s' has to be a list of texts", key);
	}
	return words;
}

static bool plain_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
			return false;
	return isalpha((unsigned char)name[0]);
}

static void get_variants(struct source *s, struct lesson *l, const cJSON *list)
{
	static const char *const keys[] = {"name", "title", "command", "record", "limit_s", "status"};
	const cJSON *item;

	if (!cJSON_IsArray(list) || !cJSON_GetArraySize(list)) {
		bad(s, "variants", "'variants' has to be a list");
		return;
	}
	l->variants = calloc((size_t)cJSON_GetArraySize(list), sizeof(*l->variants));
	if (!l->variants) {
		s->code = -ENOMEM;
		return;
	}
	cJSON_ArrayForEach(item, list) {
		struct lesson_variant *v = &l->variants[l->n_variants++];

		check_keys(s, item, keys, ARRAY_SIZE(keys));
		v->name = get_string(s, item, "name", true);
		get_words(s, item, "title", &v->title, true);
		v->command = get_list(s, item, "command", true);
		v->record = get_list(s, item, "record", false);
		v->limit_s = get_number(s, item, "limit_s", 30);
		v->status = (int)get_number(s, item, "status", 0);
		if (v->name && !plain_name(v->name))
			bad(s, v->name, "a variant's name has letters, digits, '-' and '_' alone");
		for (u32 i = 0; v->name && i + 1 < l->n_variants; i++)
			if (l->variants[i].name && !strcmp(l->variants[i].name, v->name))
				bad(s, v->name, "two variants are named '%s'", v->name);
	}
}

static void check_claim(struct source *s, const struct lesson *l, const char *text)
{
	struct claim_side *sides = calloc(l->n_variants + 1, sizeof(*sides));
	struct error why = {0};

	if (!sides || !text || s->code) {
		free(sides);
		return;
	}
	for (u32 i = 0; i < l->n_variants; i++)
		sides[i].name = l->variants[i].name;
	if (claim_check(text, sides, l->n_variants, &why)) {
		char quoted[80];
		const char *at;

		snprintf(quoted, sizeof(quoted), "%.60s", text);
		at = strstr(s->text, quoted);
		s->code = error_set(s->err, -EINVAL, "%s:%d: %s", s->path, at ? line_of(s, at) : 1, why.text);
	}
	free(sides);
}

static void get_claims(struct source *s, struct lesson *l, const cJSON *list)
{
	static const char *const keys[] = {"claim", "text", "skip_if", "because"};
	const cJSON *item;

	if (!cJSON_IsArray(list) || !cJSON_GetArraySize(list)) {
		bad(s, "claims", "'claims' has to be a list: a lesson proves something");
		return;
	}
	l->claims = calloc((size_t)cJSON_GetArraySize(list), sizeof(*l->claims));
	if (!l->claims) {
		s->code = -ENOMEM;
		return;
	}
	cJSON_ArrayForEach(item, list) {
		struct lesson_claim *c = &l->claims[l->n_claims++];

		check_keys(s, item, keys, ARRAY_SIZE(keys));
		c->claim = get_string(s, item, "claim", true);
		get_words(s, item, "text", &c->text, true);
		c->skip_if = get_string(s, item, "skip_if", false);
		get_words(s, item, "because", &c->because, c->skip_if != NULL);
		check_claim(s, l, c->claim);
		check_claim(s, l, c->skip_if);
	}
}

static void get_lesson(struct source *s, struct lesson *l, const cJSON *json)
{
	static const char *const keys[] = {"order", "title", "concept", "answer", "variants", "figure", "of", "claims"};
	char *figure, *of;

	check_keys(s, json, keys, ARRAY_SIZE(keys));
	l->order = get_number(s, json, "order", 1000);
	get_words(s, json, "title", &l->title, true);
	get_words(s, json, "concept", &l->concept, true);
	l->answer = get_number(s, json, "answer", 0);
	get_variants(s, l, cJSON_GetObjectItemCaseSensitive(json, "variants"));
	if (s->code)
		return;
	get_claims(s, l, cJSON_GetObjectItemCaseSensitive(json, "claims"));
	figure = get_string(s, json, "figure", true);
	for (u32 i = 0; figure && i < l->n_variants; i++)
		if (!strcmp(l->variants[i].name, figure))
			l->figure = &l->variants[i];
	if (figure && !l->figure)
		bad(s, "figure", "'figure' has to name a variant, '%s' is none", figure);
	free(figure);
	of = get_string(s, json, "of", false);
	l->of_tasks = of && !strcmp(of, "tasks");
	if (of && !l->of_tasks && strcmp(of, "threads"))
		bad(s, "of", "'of' has to be \"threads\" or \"tasks\"");
	free(of);
}

static int read_json(struct lesson *l, struct error *err)
{
	struct source s = {.err = err};
	struct buf text = BUF_INIT;
	const char *end = NULL;
	cJSON *json;
	char path[4200];
	int code;

	snprintf(path, sizeof(path), "%s/lesson.json", l->folder);
	code = lesson_file(path, &text, err);
	if (code || !text.data) {
		buf_free(&text);
		return code;
	}
	s.path = path;
	s.text = text.data;
	json = cJSON_ParseWithOpts(text.data, &end, true);
	if (!json) {
		s.code = error_set(err, -EINVAL, "%s:%d: this is no JSON, at '%.20s'", path,
				   line_of(&s, end ? end : text.data),
				   end && strcspn(end, "\n") ? end : "the line's end");
	} else {
		get_lesson(&s, l, json);
	}
	cJSON_Delete(json);
	buf_free(&text);
	return s.code;
}

/* ---- lessons ---- */

static int check_texts(const struct lesson *l, struct error *err)
{
	size_t n[LESSON_LANGUAGES] = {0};

	for (int i = 0; i < LESSON_LANGUAGES; i++)
		while (l->text[i].choices && l->text[i].choices[n[i]])
			n[i]++;
	if (n[LESSON_EN] != n[LESSON_KO])
		return error_set(err, -EINVAL, "%s: the question has %zu choices in English and %zu in Korean",
				 l->folder, n[LESSON_EN], n[LESSON_KO]);
	if (l->answer > n[LESSON_EN] || (!l->answer && n[LESSON_EN]))
		return error_set(err, -EINVAL, "%s/lesson.json: 'answer' has to be one of the question's %zu choices",
				 l->folder, n[LESSON_EN]);
	return 0;
}

int lesson_read(const char *folder, const char *name, struct lesson **out, struct error *err)
{
	struct lesson *l;
	char path[4200];
	int code;

	snprintf(path, sizeof(path), "%.3900s/%.200s/lesson.json", folder, name);
	if (!plain_name(name) || access(path, F_OK))
		return error_set(err, -ENOENT, "there is no lesson '%s'; corun lesson list shows all", name);
	l = calloc(1, sizeof(*l));
	if (!l)
		return error_set(err, -ENOMEM, "out of memory");
	*strrchr(path, '/') = '\0';
	l->name = strdup(name);
	l->folder = strdup(path);
	code = l->name && l->folder ? read_json(l, err) : -ENOMEM;
	for (int i = 0; !code && i < LESSON_LANGUAGES; i++) {
		snprintf(path, sizeof(path), "%s/lesson.%s.md", l->folder, lesson_language_codes[i]);
		code = lesson_text_read(path, (enum lesson_language)i, &l->text[i], err);
	}
	if (!code)
		code = check_texts(l, err);
	if (code) {
		lesson_free(l);
		return code;
	}
	*out = l;
	return 0;
}

static int by_order(const void *a, const void *b)
{
	const struct lesson *x = *(struct lesson *const *)a, *y = *(struct lesson *const *)b;

	return x->order != y->order ? (x->order > y->order) - (x->order < y->order)
				    : strcmp(x->name, y->name);
}

int lessons_read(const char *folder, struct lesson ***out, u32 *n, struct error *err)
{
	DIR *dir = opendir(folder);
	struct lesson **list = NULL;
	struct dirent *entry;
	char path[4500];
	int code = 0;

	*n = 0;
	if (!dir)
		return error_set(err, -errno, "cannot read %s: %s", folder, strerror(errno));
	while (!code && (entry = readdir(dir))) {
		struct lesson **more;

		snprintf(path, sizeof(path), "%.4000s/%s/lesson.json", folder, entry->d_name);
		if (!plain_name(entry->d_name) || access(path, F_OK))
			continue;
		more = realloc(list, (*n + 1) * sizeof(*list));
		if (!more) {
			code = error_set(err, -ENOMEM, "out of memory");
			break;
		}
		list = more;
		code = lesson_read(folder, entry->d_name, &list[*n], err);
		*n += !code;
	}
	closedir(dir);
	if (code) {
		lessons_free(list, *n);
		return code;
	}
	if (list)
		qsort(list, *n, sizeof(*list), by_order);
	*out = list;
	return 0;
}

void lessons_free(struct lesson **lessons, u32 n)
{
	for (u32 i = 0; i < n; i++)
		lesson_free(lessons[i]);
	free(lessons);
}

static void free_words(struct lesson_words *words)
{
	for (int i = 0; i < LESSON_LANGUAGES; i++)
		free(words->in[i]);
}

static void free_list(char **list)
{
	for (char **word = list; word && *word; word++)
		free(*word);
	free(list);
}

void lesson_free(struct lesson *l)
{
	if (!l)
		return;
	for (u32 i = 0; i < l->n_variants; i++) {
		struct lesson_variant *v = &l->variants[i];

		free(v->name);
		free_words(&v->title);
		free_list(v->command);
		free_list(v->record);
	}
	for (u32 i = 0; i < l->n_claims; i++) {
		struct lesson_claim *c = &l->claims[i];

		free(c->claim);
		free_words(&c->text);
		free(c->skip_if);
		free_words(&c->because);
	}
	for (int i = 0; i < LESSON_LANGUAGES; i++)
		lesson_text_free(&l->text[i]);
	free_words(&l->title);
	free_words(&l->concept);
	free(l->variants);
	free(l->claims);
	free(l->name);
	free(l->folder);
	free(l);
}
