/* SPDX-License-Identifier: MIT */
/*
 * claim.h - claims are data: an expression over the figures of a lesson's recordings, judged.
 *
 *     claim_judge("wall(sync) / wall(async) >= 2.5", sides, 2, &result);
 *
 * samples/README.md describes the language. Pure: no files, no output.
 */
#ifndef CORUN_LESSON_CLAIM_H
#define CORUN_LESSON_CLAIM_H

#include <cjson/cJSON.h>

#include "base/error.h"
#include "base/types.h"

/* What a claim may read of one variant. All is lent. */
struct claim_side {
	const char *name;      /* of the variant */
	const cJSON *region;   /* `corun report --json --region work` */
	const cJSON *whole;    /* the same of the whole recording */
	const cJSON *witness;  /* one object: what the program wrote as facts */
	double status;         /* the program's exit status */
	const char *skip;      /* why nothing can be said of it, or NULL */
};

enum claim_outcome {
	CLAIM_HOLDS,
	CLAIM_FAILS,
	CLAIM_SKIPPED,
};

struct claim_result {
	enum claim_outcome outcome;
	char measured[136]; /* the left side, times as "306 ms" */
	char wanted[136];   /* ">= 2.5": the comparison and the right side */
	char reason[200];  /* skipped: why; failed because something was not there: what; else "" */
};

/*
 * 0 and @result; or -EINVAL with @err where @text is no claim: syntax, a variant that is not among
 * @sides, a function or a wait kind that does not exist.
 */
int claim_judge(const char *text, const struct claim_side *sides, size_t n_sides,
		struct claim_result *result, struct error *err);

/* Is @text a claim over variants of these names? As above; nothing is looked up. */
int claim_check(const char *text, const struct claim_side *sides, size_t n_sides, struct error *err);

#endif
