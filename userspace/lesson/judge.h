/* SPDX-License-Identifier: MIT */
/*
 * judge.h - a lesson's recordings read, and its claims judged.
 */
#ifndef CORUN_LESSON_JUDGE_H
#define CORUN_LESSON_JUDGE_H

#include "lesson/claim.h"
#include "lesson/lesson.h"

#define STATUS_CANNOT_RUN 77 /* as in automake's tests: not here, and standard error says why */

/* One variant, recorded (or not). */
struct take {
	const struct lesson_variant *variant;
	char *trace;      /* path; NULL: there is none */
	char *skipped;    /* why its claims cannot be judged, or NULL */
	char *failure;    /* what went wrong with it, or NULL; but for another verdict it is `skipped` too */
	const char *verdict; /* the region's class, which the variant has to have; NULL: not asked for, not known */
	cJSON *region, *whole, *witness;
	int status;       /* of the program; -1: not known */
};

struct judgement {
	const struct lesson *lesson;
	struct take *takes;           /* one a variant */
	struct claim_result *claims;  /* one a claim */
	u32 held, failed, skipped;    /* claims */
	u32 broken;                   /* variants with a failure */
};

struct judgement *judgement_new(const struct lesson *lesson);
void judgement_free(struct judgement *j);

/* The take of variant @i is in @trace (copied). @log: where its words went, or NULL. Never fails: what is wrong
 * with it is in the take. */
void judgement_take(struct judgement *j, u32 i, const char *trace, const char *log);
/* ... or there is none. */
void judgement_missing(struct judgement *j, u32 i, bool failed, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* All takes are there: judge. 0, or -EINVAL with @err where a claim cannot be understood. */
int judgement_judge(struct judgement *j, struct error *err);

/* Every claim holds or was skipped for a reason, and every variant did what it had to. */
bool judgement_good(const struct judgement *j);

/* The last line in the file @log; "" when there is none. */
void last_words(const char *log, char *words, size_t size);

#endif
