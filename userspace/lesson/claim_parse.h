/* SPDX-License-Identifier: MIT */
/*
 * claim_parse.h - what the two halves of a claim's parser share: claim.c has the grammar, claim_path.c the values that
 * come out of the figures.
 */
#ifndef CORUN_LESSON_CLAIM_PARSE_H
#define CORUN_LESSON_CLAIM_PARSE_H

#include "lesson/claim.h"

#define NAME_MAX_BYTES 128

enum value_type { VALUE_NUMBER, VALUE_TEXT, VALUE_LIST };

struct value {
	enum value_type type;
	double number;
	bool time;                  /* of nanoseconds: shown as time */
	char text[NAME_MAX_BYTES];
	const cJSON **items; /* owned */
	size_t n_items;
};

struct parser {
	const char *text, *at;
	const struct claim_side *sides;
	size_t n_sides;
	bool dry;         /* syntax alone */
	int depth;
	int code;         /* -EINVAL: no claim; -ENODATA: cannot be judged, `reason` says why */
	bool skipped;
	char reason[200];
	struct error *err;
};

/* The claim is none: @what, at the place reached. */
void claim_wrong(struct parser *p, const char *what);
void claim_skip_space(struct parser *p);
/* Is @token next? Then go past it. */
bool claim_take(struct parser *p, const char *token);
void claim_expect(struct parser *p, const char *token);
bool claim_in_name(const char *at, bool first);
/* A name into @name, which has room for NAME_MAX_BYTES; false when there is none. */
bool claim_take_name(struct parser *p, char *name);

/* variant.key.key, the variant's name taken already. v->items is the caller's to free. */
void claim_take_path(struct parser *p, const char *name, struct value *v);
/* FUNCTION(..., up to the closing parenthesis; false: there is no such function. */
bool claim_call(struct parser *p, const char *function, struct value *v);

#endif
