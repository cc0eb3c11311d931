/* SPDX-License-Identifier: MIT */
/* lesson_json.c - lesson.json read, and where a mistake in it stands. */
#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lesson/claim.h"
#include "lesson/lesson.h"
#include "metrics/verdict.h"

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

static void check_classes(struct source *s, char *const *classes)
{
	for (; classes && *classes; classes++) {
		int k = 0;

		while (k < VERDICT_CLASSES && strcmp(*classes, verdict_class_name((enum verdict_class)k)))
			k++;
		if (k == VERDICT_CLASSES)
			bad(s, *classes, "'%s' is no class of a verdict", *classes);
	}
}

static void get_variants(struct source *s, struct lesson *l, const cJSON *list)
{
	static const char *const keys[] = {"name", "title", "command", "record", "verdict", "limit_s", "status"};
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
		v->verdict = get_list(s, item, "verdict", false);
		check_classes(s, v->verdict);
		v->limit_s = get_number(s, item, "limit_s", 30);
		v->status = (int)get_number(s, item, "status", 0);
		if (v->name && !lesson_plain_name(v->name))
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
		if (l->variants[i].name && !strcmp(l->variants[i].name, figure))
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

int lesson_json_read(struct lesson *l, struct error *err)
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
