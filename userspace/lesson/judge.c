/* SPDX-License-Identifier: MIT */
#include "lesson/judge.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lesson/held.h"
#include "metrics/report.h"

struct judgement *judgement_new(const struct lesson *lesson)
{
	struct judgement *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->lesson = lesson;
	j->takes = calloc(lesson->n_variants, sizeof(*j->takes));
	j->claims = calloc(lesson->n_claims, sizeof(*j->claims));
	if (!j->takes || !j->claims) {
		judgement_free(j);
		return NULL;
	}
	for (u32 i = 0; i < lesson->n_variants; i++)
		j->takes[i] = (struct take){.variant = &lesson->variants[i], .status = -1};
	return j;
}

void judgement_free(struct judgement *j)
{
	if (!j)
		return;
	for (u32 i = 0; j->takes && i < j->lesson->n_variants; i++) {
		struct take *t = &j->takes[i];

		free(t->trace);
		free(t->skipped);
		free(t->failure);
		cJSON_Delete(t->region);
		cJSON_Delete(t->whole);
		cJSON_Delete(t->witness);
	}
	free(j->takes);
	free(j->claims);
	free(j);
}

void last_words(const char *log, char *words, size_t size)
{
	FILE *file = log ? fopen(log, "re") : NULL;
	char line[400];

	words[0] = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[strspn(line, " \t\r")])
			snprintf(words, size, "%s", line);
	}
	if (file)
		fclose(file);
}

void judgement_missing(struct judgement *j, u32 i, bool failed, const char *format, ...)
{
	struct take *t = &j->takes[i];
	char *why = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&why, format, args) < 0)
		why = NULL;
	va_end(args);
	free(t->skipped);
	t->skipped = why ? why : strdup("?");
	if (failed) {
		free(t->failure);
		t->failure = strdup(t->skipped ? t->skipped : "?");
		j->broken++;
	}
}

/* ---- one trace ---- */

static cJSON *read_figures(const char *trace, const char *region, struct report **out, struct error *err)
{
	struct report_options options = {.region = region};
	struct buf text = BUF_INIT;
	cJSON *json = NULL;

	if (report_read(out, trace, &options, NULL, err))
		return NULL;
	report_json(*out, &text);
	if (!text.failed)
		json = cJSON_Parse(text.data);
	if (!json)
		error_set(err, -ENOMEM, "out of memory");
	buf_free(&text);
	return json;
}

/* Facts together as one object; a later one wins. What is no object is left out. */
static cJSON *read_witness(const struct report *r)
{
	cJSON *witness = cJSON_CreateObject();

	for (u32 i = 0; witness && i < r->n_facts; i++) {
		cJSON *fact = cJSON_Parse(r->facts[i]);

		while (cJSON_IsObject(fact) && fact->child) {
			cJSON *item = cJSON_DetachItemViaPointer(fact, fact->child);

			cJSON_DeleteItemFromObjectCaseSensitive(witness, item->string);
			cJSON_AddItemToObject(witness, item->string, item);
		}
		cJSON_Delete(fact);
	}
	return witness;
}

/* The log of who held a lock is a fact a hold: what a claim reads of it is how far the recording agrees. */
static int add_held(cJSON *witness, const char *trace, const struct report *r, struct error *err)
{
	struct held held;
	int code = held_compare(&held, trace, r->facts, r->n_facts, err);
	cJSON *item;

	if (code || !held.logged)
		return code;
	cJSON_DeleteItemFromObjectCaseSensitive(witness, "held");
	item = cJSON_AddObjectToObject(witness, "held");
	cJSON_AddNumberToObject(item, "waits", held.waits);
	cJSON_AddNumberToObject(item, "right", held.right);
	return 0;
}

static void check_status(struct judgement *j, u32 i, const char *log)
{
	const struct take *t = &j->takes[i];
	char words[300];

	last_words(log, words, sizeof(words));
	if (t->status == STATUS_CANNOT_RUN && t->variant->status != STATUS_CANNOT_RUN)
		judgement_missing(j, i, false, "%s", words[0] ? words : "it could not run where it was recorded");
	else if (t->status < 0)
		judgement_missing(j, i, true, "it did not end within %u s%s%s", t->variant->limit_s,
				  words[0] ? "; its last words: " : "", words);
	else if (t->status != t->variant->status)
		judgement_missing(j, i, true, "it ended with status %d instead of %d%s%s", t->status,
				  t->variant->status, words[0] ? "; its last words: " : "", words);
}

static const char *text_of(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

	return text ? text : "";
}

/* The verdict that comes first: over the tasks where they say more than the threads. */
static const cJSON *leading_verdict(const cJSON *region)
{
	const cJSON *tasks = cJSON_GetObjectItemCaseSensitive(region, "tasks");
	const cJSON *verdict = cJSON_GetObjectItemCaseSensitive(tasks, "verdict");

	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(verdict, "leads"))
		       ? verdict : cJSON_GetObjectItemCaseSensitive(region, "verdict");
}

/*
 * The class is asked for as it is where there are CPUs enough, so that it is the same on every machine. What would
 * run in parallel is, for want of CPUs, told as oversubscribed, or as concurrent by their number.
 */
static bool fits(const char *wanted, const char *class, const char *cause)
{
	bool parallel = !strcmp(wanted, "parallel"), oversubscribed = !strcmp(class, "oversubscribed");
	bool few_cpus = !strcmp(cause, "one-cpu") || !strncmp(cause, "cpu-", 4);

	return !strcmp(wanted, class) || (parallel && (oversubscribed || few_cpus)) ||
	       (!strcmp(wanted, "oversubscribed") && few_cpus);
}

/* What the lesson teaches stands on it: another class is a failure of the variant; its claims are judged all the same. */
static void check_verdict(struct judgement *j, u32 i)
{
	struct take *t = &j->takes[i];
	const cJSON *verdict = leading_verdict(t->region);
	char *const *wanted = t->variant->verdict;

	if (!wanted || !*wanted)
		return;
	t->verdict = text_of(verdict, "class");
	while (*wanted && !fits(*wanted, text_of(verdict, "class"), text_of(verdict, "cause")))
		wanted++;
	if (*wanted)
		return;
	if (asprintf(&t->failure, "its verdict is '%s' instead of '%s'", text_of(verdict, "class"),
		     t->variant->verdict[0]) < 0)
		t->failure = NULL;
	j->broken++;
}

void judgement_take(struct judgement *j, u32 i, const char *trace, const char *log)
{
	struct report *whole = NULL, *region = NULL;
	struct take *t = &j->takes[i];
	struct error err = {0};

	t->trace = strdup(trace);
	t->whole = read_figures(trace, NULL, &whole, &err);
	if (!t->whole) {
		judgement_missing(j, i, true, "%s", error_text(&err, -EINVAL));
		return;
	}
	t->status = whole->exit_status;
	t->witness = read_witness(whole);
	if (add_held(t->witness, trace, whole, &err))
		judgement_missing(j, i, true, "%s", error_text(&err, -EINVAL));
	check_status(j, i, log);
	if (!t->skipped && whole->lost_events)
		judgement_missing(j, i, false, "%" PRIu64 " events were lost", whole->lost_events);
	else if (!t->skipped && whole->status != TRACE_WHOLE)
		judgement_missing(j, i, false, "the recording is %s",
				  whole->status == TRACE_CUT ? "cut" : "damaged");
	report_free(whole);
	if (t->skipped)
		return;
	t->region = read_figures(trace, "work", &region, &err);
	if (!t->region)
		judgement_missing(j, i, true, "%s", error_text(&err, -EINVAL));
	else
		check_verdict(j, i);
	report_free(region);
}

/* ---- claims ---- */

int judgement_judge(struct judgement *j, struct error *err)
{
	const struct lesson *l = j->lesson;
	struct claim_side *sides = calloc(l->n_variants + 1, sizeof(*sides));
	int code = 0;

	if (!sides)
		return error_set(err, -ENOMEM, "out of memory");
	for (u32 i = 0; i < l->n_variants; i++) {
		const struct take *t = &j->takes[i];

		sides[i] = (struct claim_side){
			.name = l->variants[i].name, .region = t->region, .whole = t->whole,
			.witness = t->witness, .status = t->status, .skip = t->skipped,
		};
	}
	for (u32 i = 0; !code && i < l->n_claims; i++) {
		const struct lesson_claim *c = &l->claims[i];
		struct claim_result *r = &j->claims[i], skip;

		code = claim_judge(c->claim, sides, l->n_variants, r, err);
		if (!code && c->skip_if && r->outcome != CLAIM_SKIPPED) {
			code = claim_judge(c->skip_if, sides, l->n_variants, &skip, err);
			if (!code && skip.outcome == CLAIM_HOLDS) {
				r->outcome = CLAIM_SKIPPED;
				snprintf(r->reason, sizeof(r->reason), "%s", c->because.in[LESSON_EN]);
			}
		}
		j->held += !code && r->outcome == CLAIM_HOLDS;
		j->failed += !code && r->outcome == CLAIM_FAILS;
		j->skipped += !code && r->outcome == CLAIM_SKIPPED;
	}
	free(sides);
	return code;
}

bool judgement_good(const struct judgement *j)
{
	return !j->failed && !j->broken;
}
