/* SPDX-License-Identifier: MIT */
/* claim.c - a recursive descent over the claim, which calculates as it goes. */
#include <ctype.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lesson/claim_parse.h"

#define DEPTH_MAX 32

/* ---- the grammar ---- */

static void take_sum(struct parser *p, struct value *v);

static void take_factor(struct parser *p, struct value *v)
{
	char name[NAME_MAX_BYTES], *end;

	*v = (struct value){0};
	claim_skip_space(p);
	if (++p->depth > DEPTH_MAX) {
		claim_wrong(p, "it is too deep");
	} else if (claim_take(p, "(")) {
		take_sum(p, v);
		claim_expect(p, ")");
	} else if (claim_take(p, "-")) {
		take_factor(p, v);
		v->number = -v->number;
	} else if (*p->at == '"' || *p->at == '\'') {
		char quote = *p->at++;
		size_t n = strcspn(p->at, quote == '"' ? "\"" : "'");

		v->type = VALUE_TEXT;
		if (!p->at[n] || n >= sizeof(v->text)) {
			claim_wrong(p, "the text does not end");
		} else {
			memcpy(v->text, p->at, n);
			v->text[n] = '\0';
			p->at += n + 1;
		}
	} else if (isdigit((unsigned char)*p->at) || *p->at == '.') {
		v->number = strtod(p->at, &end);
		if (end == p->at)
			claim_wrong(p, "this is no number");
		p->at = end;
	} else if (!claim_take_name(p, name)) {
		claim_wrong(p, "a value is missing");
	} else if (*p->at == '(') {
		p->at++;
		if (!claim_call(p, name, v))
			claim_wrong(p, "there is no such function");
		claim_expect(p, ")");
	} else {
		claim_take_path(p, name, v);
	}
	p->depth--;
}

/* Operands of a calculation have to be numbers. */
static bool numbers(struct parser *p, struct value *a, struct value *b)
{
	bool good = a->type == VALUE_NUMBER && b->type == VALUE_NUMBER;

	if (!good && !p->code && !p->dry)
		claim_wrong(p, "only numbers can be calculated with; of a list: sum(), min(), max(), count()");
	free(b->items);
	b->items = NULL;
	return good;
}

static void take_term(struct parser *p, struct value *v)
{
	take_factor(p, v);
	for (;;) {
		bool times = claim_take(p, "*");
		struct value right;

		if (!times && !claim_take(p, "/"))
			return;
		take_factor(p, &right);
		if (!numbers(p, v, &right))
			continue;
		v->number = times ? v->number * right.number : v->number / right.number;
		v->time = times ? v->time || right.time : v->time && !right.time;
	}
}

static void take_sum(struct parser *p, struct value *v)
{
	take_term(p, v);
	for (;;) {
		bool plus = claim_take(p, "+");
		struct value right;

		if (!plus && !claim_take(p, "-"))
			return;
		take_term(p, &right);
		if (!numbers(p, v, &right))
			continue;
		v->number += plus ? right.number : -right.number;
		v->time |= right.time;
	}
}

static void show_time(double ns, char *text, size_t size)
{
	static const struct { double from, unit; const char *name; } units[] = {
		{1e9, 1e9, "s"}, {1e6, 1e6, "ms"}, {1e3, 1e3, "us"}, {0, 1, "ns"},
	};
	size_t i = 0;

	while (units[i].from > fabs(ns))
		i++;
	snprintf(text, size, "%.*f %s", i < 3 && fabs(ns / units[i].unit) < 10 ? 2 : 0, ns / units[i].unit, units[i].name);
}

static void show(const struct value *v, char *text, size_t size)
{
	if (v->type == VALUE_TEXT)
		snprintf(text, size, "%s", v->text);
	else if (v->time)
		show_time(v->number, text, size);
	else if (v->number == floor(v->number) && fabs(v->number) < 1e15)
		snprintf(text, size, "%.0f", v->number);
	else
		snprintf(text, size, fabs(v->number) < 10 ? "%.3f" : "%.1f", v->number);
}

static const char *const comparisons[] = {">=", "<=", "==", "!=", ">", "<", "~"};

static bool holds(struct parser *p, const char *op, const struct value *a, const struct value *b)
{
	int order;

	if (a->type != b->type || a->type == VALUE_LIST || (op[0] == '~' && a->type != VALUE_TEXT)) {
		claim_wrong(p, "these cannot be compared");
		return false;
	}
	if (op[0] == '~')
		return !fnmatch(b->text, a->text, 0);
	if (a->type == VALUE_NUMBER && (isnan(a->number) || isnan(b->number)))
		return false;
	order = a->type == VALUE_TEXT ? strcmp(a->text, b->text)
				      : (a->number > b->number) - (a->number < b->number);
	if (op[0] == '=')
		return !order;
	if (op[0] == '!')
		return order;
	return (op[1] && !order) || (op[0] == '>' ? order > 0 : order < 0);
}

static int parse(struct parser *p, struct claim_result *r)
{
	struct value left, right = {0};
	const char *op = NULL;

	*r = (struct claim_result){0};
	take_sum(p, &left);
	for (size_t i = 0; !op && i < ARRAY_SIZE(comparisons); i++)
		if (claim_take(p, comparisons[i]))
			op = comparisons[i];
	if (!op)
		claim_wrong(p, "a comparison (>= <= > < == != ~) is missing");
	else
		take_sum(p, &right);
	claim_skip_space(p);
	if (*p->at)
		claim_wrong(p, "something follows the claim");
	if (op && !p->code && !p->dry) {
		r->outcome = holds(p, op, &left, &right) ? CLAIM_HOLDS : CLAIM_FAILS;
		left.time = right.time = left.time || right.time;
		show(&left, r->measured, sizeof(r->measured));
		snprintf(r->wanted, sizeof(r->wanted), "%s ", op);
		show(&right, r->wanted + strlen(r->wanted), sizeof(r->wanted) - strlen(r->wanted));
	}
	free(left.items);
	free(right.items);
	if (p->code == -ENODATA) {
		r->outcome = p->skipped ? CLAIM_SKIPPED : CLAIM_FAILS;
		snprintf(r->reason, sizeof(r->reason), "%s", p->reason);
	}
	return p->code == -EINVAL ? -EINVAL : 0;
}

int claim_judge(const char *text, const struct claim_side *sides, size_t n_sides,
		struct claim_result *result, struct error *err)
{
	struct parser p = {.text = text, .at = text, .sides = sides, .n_sides = n_sides, .err = err};

	return parse(&p, result);
}

int claim_check(const char *text, const struct claim_side *sides, size_t n_sides, struct error *err)
{
	struct parser p = {.text = text, .at = text, .sides = sides, .n_sides = n_sides, .dry = true,
			   .err = err};
	struct claim_result result;

	return parse(&p, &result);
}
