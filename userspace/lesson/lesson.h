/* SPDX-License-Identifier: MIT */
/*
 * lesson.h - a lesson as its folder tells it: lesson.json and the two texts (samples/README.md).
 */
#ifndef CORUN_LESSON_LESSON_H
#define CORUN_LESSON_LESSON_H

#include "base/buf.h"
#include "base/error.h"
#include "base/types.h"

enum lesson_language { LESSON_EN, LESSON_KO, LESSON_LANGUAGES };

/* A text in both languages; owned by its lesson. */
struct lesson_words {
	char *in[LESSON_LANGUAGES];
};

struct lesson_variant {
	char *name;                 /* letters, digits, '-', '_' */
	struct lesson_words title;
	char **command;             /* ends with a NULL */
	char **record;              /* options for `corun record`; ends with a NULL */
	char **verdict;             /* classes, one of which its region must have; ends with a NULL */
	u32 limit_s;
	int status;                 /* exit status that it must have */
};

struct lesson_claim {
	char *claim;
	struct lesson_words text;
	char *skip_if;              /* or NULL */
	struct lesson_words because;
};

/* The sections of lesson.LL.md, in this order after the title. */
enum lesson_section {
	SECTION_QUESTION,
	SECTION_RUN,
	SECTION_LOOK,
	SECTION_WHY,
	SECTION_NEXT,
	SECTION_WORDS,
	SECTIONS,
};

struct lesson_text {
	char *question;             /* plain, without the choices */
	char **choices;             /* ends with a NULL; plain */
	char *html[SECTIONS];       /* what follows the heading; that of the question is unused */
	char *heading[SECTIONS];
	char *markdown;             /* the whole file */
};

struct lesson {
	char *name, *folder;
	u32 order;
	struct lesson_words title, concept;
	u32 answer;                 /* 1 ...; 0: the question has no choices */
	struct lesson_variant *variants;
	u32 n_variants;
	struct lesson_variant *figure;
	bool of_tasks;              /* its figures at a glance are those of tasks, not of threads */
	struct lesson_claim *claims;
	u32 n_claims;
	struct lesson_text text[LESSON_LANGUAGES];
};

extern const char *const lesson_language_codes[LESSON_LANGUAGES]; /* "en", "ko" */

/* The folder that holds the lessons: $CORUN_LESSONS, beside the build, or where it was installed.
 * @path has room for 4096 bytes. -ENOENT with @err. */
int lessons_folder(char *path, struct error *err);

/* All lessons in @folder, in the course's order; free with lessons_free(). */
int lessons_read(const char *folder, struct lesson ***lessons, u32 *n, struct error *err);
void lessons_free(struct lesson **lessons, u32 n);

/* One: -ENOENT where there is none of this name, -EINVAL with file and line of a mistake in @err. */
int lesson_read(const char *folder, const char *name, struct lesson **lesson, struct error *err);
void lesson_free(struct lesson *lesson);

/* lesson.json in the lesson's folder; what was read so far belongs to @lesson also when it fails. */
int lesson_json_read(struct lesson *lesson, struct error *err);
/* Letters, digits, '-' and '_', a letter first. */
bool lesson_plain_name(const char *name);

/* The texts (text.c). */
int lesson_text_read(const char *path, enum lesson_language language, struct lesson_text *text,
		     struct error *err);
void lesson_text_free(struct lesson_text *text);

/* A small text file, whole. */
int lesson_file(const char *path, struct buf *buf, struct error *err);

#endif
