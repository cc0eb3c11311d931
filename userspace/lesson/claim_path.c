/* SPDX-License-Identifier: MIT */
/* claim_path.c - the values of a claim that come out of the figures: paths, lists, functions. */
#include <ctype.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lesson/claim_parse.h"
#include "model/kind.h"

#define LIST_MAX 4096

/* ---- errors and characters ---- */

void claim_wrong(struct parser *p, const char *what)
{
	if (p->code == -EINVAL)
		return;
	p->code = error_set(p->err, -EINVAL, "%s at '%.30s' in the claim '%s'", what, p->at, p->text);
}

static void absent(struct parser *p, const char *side, const char *key, bool skipped)
{
	if (p->code || p->dry)
		return;
	p->code = -ENODATA;
	p->skipped = skipped;
	if (skipped)
		snprintf(p->reason, sizeof(p->reason), "%s: %s", side, key);
	else
		snprintf(p->reason, sizeof(p->reason), "%s has no '%s'", side, key);
}

void claim_skip_space(struct parser *p)
{
	while (isspace((unsigned char)*p->at))
		p->at++;
}

bool claim_take(struct parser *p, const char *token)
{
	claim_skip_space(p);
	if (strncmp(p->at, token, strlen(token)))
		return false;
	p->at += strlen(token);
	return true;
}

void claim_expect(struct parser *p, const char *token)
{
	char what[32];

	if (claim_take(p, token))
		return;
	snprintf(what, sizeof(what), "'%s' is missing", token);
	claim_wrong(p, what);
}

/* A minus inside a name stands between letters ("file-lock"); a minus that subtracts has spaces. */
bool claim_in_name(const char *at, bool first)
{
	if (isalnum((unsigned char)*at) || *at == '_')
		return true;
	return *at == '-' && !first && isalnum((unsigned char)at[1]);
}

bool claim_take_name(struct parser *p, char *name)
{
	size_t n = 0;

	while (claim_in_name(p->at, !n)) {
		if (n + 1 >= NAME_MAX_BYTES)
			return false;
		name[n++] = *p->at++;
	}
	name[n] = '\0';
	return n > 0;
}

/* ---- what is there ---- */

static const struct claim_side *find_side(struct parser *p, const char *name)
{
	for (size_t i = 0; i < p->n_sides; i++)
		if (!strcmp(p->sides[i].name, name)) {
			if (p->sides[i].skip)
				absent(p, name, p->sides[i].skip, true);
			return &p->sides[i];
		}
	claim_wrong(p, "no variant has this name");
	return NULL;
}

static bool is_state(const char *name)
{
	static const char *const states[] = {"running", "ready", "stopped", "unknown"};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (!strcmp(name, states[i]))
			return true;
	return kind_by_name(name) >= 0;
}

static bool list_add(struct value *v, const cJSON *item)
{
	if (v->n_items >= LIST_MAX)
		return false;
	if (!v->items)
		v->items = calloc(LIST_MAX, sizeof(const cJSON *));
	if (!v->items)
		return false;
	v->items[v->n_items++] = item;
	return true;
}

static bool matches(const cJSON *item, const char *glob)
{
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "name");

	if (!cJSON_IsString(name))
		name = cJSON_GetObjectItemCaseSensitive(item, "kind");
	return cJSON_IsString(name) && !fnmatch(glob, name->valuestring, 0);
}

/*
 * One step along a path: @key of each of @items, their elements where they are lists. What a state
 * or kind took is 0 where it did not occur, and so is the time at a height that was not reached.
 */
static bool descend(struct value *v, const char *key, const char *parent)
{
	static cJSON zero = {.type = cJSON_Number};
	struct value next = {.type = VALUE_LIST};
	bool usage = !strcmp(parent, "time_ns"), height = !strcmp(parent, "time_ns_at"), found = false;

	for (size_t i = 0; i < v->n_items; i++) {
		const cJSON *item = v->items[i], *child;

		if (cJSON_IsArray(item) && isdigit((unsigned char)key[0])) {
			child = cJSON_GetArrayItem(item, atoi(key));
			if (!child && height)
				child = &zero;
		} else {
			child = cJSON_GetObjectItemCaseSensitive(item, key);
			if (!child && usage && is_state(key))
				child = &zero;
		}
		if (!child)
			continue;
		found = true;
		list_add(&next, child);
	}
	free(v->items);
	v->items = next.items;
	v->n_items = next.n_items;
	return found;
}

/* A list stands for its elements, unless an index follows. */
static void spread(struct value *v, const char *glob)
{
	struct value next = {.type = VALUE_LIST};

	for (size_t i = 0; i < v->n_items; i++) {
		const cJSON *item = v->items[i], *child;

		if (!cJSON_IsArray(item)) {
			list_add(&next, item);
			continue;
		}
		cJSON_ArrayForEach(child, item)
			if (!glob || matches(child, glob))
				list_add(&next, child);
	}
	free(v->items);
	v->items = next.items;
	v->n_items = next.n_items;
}

/* "[worker*]": the pattern into @glob; false when there is none. */
static bool take_glob(struct parser *p, char *glob)
{
	size_t n;

	if (*p->at != '[')
		return false;
	n = strcspn(++p->at, "]");
	if (!p->at[n] || n >= NAME_MAX_BYTES) {
		claim_wrong(p, "']' is missing");
		return false;
	}
	memcpy(glob, p->at, n);
	glob[n] = '\0';
	p->at += n + 1;
	return true;
}

static void walk(struct parser *p, const struct claim_side *side, struct value *v)
{
	char key[NAME_MAX_BYTES], parent[NAME_MAX_BYTES] = "", glob[NAME_MAX_BYTES];
	const char *path = p->at;
	bool list = false, there = true;

	if (!side->skip)
		list_add(v, side->region);
	while (*p->at == '.') {
		p->at++;
		if (!claim_take_name(p, key)) {
			claim_wrong(p, "a key is missing after '.'");
			return;
		}
		if (!p->dry && v->n_items) {
			if (!isdigit((unsigned char)key[0]) && cJSON_IsArray(v->items[0])) {
				list = true;
				spread(v, NULL);
			}
			/* No element, no key: an empty list is an answer. */
			if (v->n_items || !list)
				there = there && descend(v, key, parent);
		}
		v->time |= strstr(key, "_ns") != NULL;
		memcpy(parent, key, sizeof(parent));
		if (take_glob(p, glob)) {
			list = true;
			spread(v, glob);
		}
	}
	if (!there) {
		snprintf(key, sizeof(key), "%.*s", (int)(p->at - path > 1 ? p->at - path - 1 : 0), path + 1);
		absent(p, side->name, key, false);
	}
	if (v->n_items == 1 && cJSON_IsArray(v->items[0])) {
		list = true;
		spread(v, NULL);
	}
	v->type = VALUE_LIST;
	if (p->dry || p->code || list)
		return;
	if (v->n_items == 1 && cJSON_IsString(v->items[0])) {
		v->type = VALUE_TEXT;
		snprintf(v->text, sizeof(v->text), "%s", v->items[0]->valuestring);
	} else if (v->n_items == 1 && (cJSON_IsNumber(v->items[0]) || cJSON_IsBool(v->items[0]))) {
		v->type = VALUE_NUMBER;
		v->number = cJSON_IsBool(v->items[0]) ? cJSON_IsTrue(v->items[0]) : v->items[0]->valuedouble;
	} else {
		snprintf(key, sizeof(key), "%.*s", (int)(p->at - path > 1 ? p->at - path - 1 : 0), path + 1);
		absent(p, side->name, key, false);
	}
}

/* variant.key.key: the report's, "all." the whole recording's, "witness." the program's own. */
void claim_take_path(struct parser *p, const char *name, struct value *v)
{
	const struct claim_side *side = find_side(p, name);
	struct claim_side other;

	if (!side)
		return;
	if (*p->at != '.') {
		claim_wrong(p, "'.' and a key are missing after the variant");
		return;
	}
	if (!strncmp(p->at, ".status", 7) && !claim_in_name(p->at + 7, false)) {
		p->at += 7;
		v->number = side->status;
		return;
	}
	other = *side;
	if (!strncmp(p->at, ".all.", 5)) {
		p->at += 4;
		other.region = side->whole;
	} else if (!strncmp(p->at, ".witness.", 9)) {
		p->at += 8;
		other.region = side->witness;
	}
	walk(p, &other, v);
}

/* ---- functions ---- */

static double number_at(const cJSON *object, const char *a, const char *b)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, a);

	item = b ? cJSON_GetObjectItemCaseSensitive(item, b) : item;
	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static double wall(const struct claim_side *side)
{
	return number_at(side->region, "window", "duration_ns");
}

/* The integral of concurrency. */
static double in_flight(const struct claim_side *side)
{
	return number_at(side->region, "concurrency", "mean_window") * wall(side);
}

static double blocked(const struct claim_side *side)
{
	const cJSON *time = cJSON_GetObjectItemCaseSensitive(side->region, "time_ns"), *item;
	double sum = 0;

	cJSON_ArrayForEach(item, time)
		if (kind_by_name(item->string) >= 0)
			sum += item->valuedouble;
	return sum;
}

/* wall(V), in_flight(V), blocked(V), share(V, KIND). */
static bool call_of_side(struct parser *p, const char *function, struct value *v)
{
	char name[NAME_MAX_BYTES], kind[NAME_MAX_BYTES] = "";
	const struct claim_side *side;
	bool share = !strcmp(function, "share");

	if (!share && strcmp(function, "wall") && strcmp(function, "in_flight") &&
	    strcmp(function, "blocked"))
		return false;
	claim_skip_space(p);
	if (!claim_take_name(p, name)) {
		claim_wrong(p, "a variant is missing");
		return true;
	}
	side = find_side(p, name);
	if (share) {
		claim_expect(p, ",");
		claim_skip_space(p);
		if (!claim_take_name(p, kind) || !is_state(kind))
			claim_wrong(p, "a state or wait kind is missing");
	}
	if (!side || p->code || p->dry)
		return true;
	v->time = !share;
	if (share)
		v->number = in_flight(side) > 0 ? number_at(side->region, "time_ns", kind) / in_flight(side)
						: NAN;
	else if (function[0] == 'w')
		v->number = wall(side);
	else
		v->number = function[0] == 'i' ? in_flight(side) : blocked(side);
	return true;
}

static size_t count_distinct(const struct value *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n_items; i++) {
		size_t before = 0;

		while (before < i && !cJSON_Compare(v->items[before], v->items[i], true))
			before++;
		n += before == i;
	}
	return n;
}

/* sum(), min(), max(), count(), distinct() of a list. */
static bool call_of_list(struct parser *p, const char *function, struct value *v)
{
	static const char *const functions[] = {"sum", "min", "max", "count", "distinct"};
	struct value list = {0};
	char name[NAME_MAX_BYTES];
	size_t f = 0;

	while (f < ARRAY_SIZE(functions) && strcmp(function, functions[f]))
		f++;
	if (f == ARRAY_SIZE(functions))
		return false;
	claim_skip_space(p);
	if (!claim_take_name(p, name)) {
		claim_wrong(p, "a variant is missing");
		return true;
	}
	claim_take_path(p, name, &list);
	if (!p->code && !p->dry) {
		if (list.type != VALUE_LIST) {
			list.n_items = 0;
			claim_wrong(p, "this is not a list");
		} else if (f == 3) {
			v->number = (double)list.n_items;
		} else if (f == 4) {
			v->number = (double)count_distinct(&list);
		} else if (f && !list.n_items) {
			absent(p, name, "element for min() or max()", false);
		}
		v->time = list.time && f < 3;
		for (size_t i = 0; i < list.n_items && f < 3; i++) {
			double x = list.items[i]->valuedouble;

			v->number = f == 0 ? v->number + x : !i ? x : f == 1 ? fmin(v->number, x)
									    : fmax(v->number, x);
		}
	}
	free(list.items);
	return true;
}

bool claim_call(struct parser *p, const char *function, struct value *v)
{
	return call_of_side(p, function, v) || call_of_list(p, function, v);
}
