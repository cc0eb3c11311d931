/* SPDX-License-Identifier: MIT */
/*
 * course.h - what students open: a page for each lesson, an index, and the course at a glance. Plain
 * files that work from file:// and ask no network for anything.
 */
#ifndef CORUN_LESSON_COURSE_H
#define CORUN_LESSON_COURSE_H

#include "lesson/judge.h"

/*
 * Write into @folder (the lesson's own): NAME.html, the question first and the variants side by side, and
 * VARIANT.json for the Perfetto UI. @language: "en" or "ko", in which it opens; NULL: the browser's.
 */
int course_write_lesson(const struct judgement *j, const char *folder, const char *language,
			struct error *err);

/* Write @folder/index.html and glance.html; lesson pages are at NAME/NAME.html. A NULL among @judged is left out. */
int course_write_index(struct judgement *const *judged, u32 n, const char *folder,
		       const char *language, struct error *err);

/* The page of a lesson that could not be recorded: its texts, and why. */
int course_write_text(const struct judgement *j, const char *path, const char *language,
		      struct error *err);

/* What stands under the picture: the texts but for the question, the claims, the files. */
void lesson_body_html(const struct judgement *j, enum lesson_language lang, struct buf *html);

/* The questions, texts and claims of a lesson as the page's data (viewer/PAGE.md). */
void lesson_page_json(const struct judgement *j, struct buf *json);

/* @text as HTML's text. */
void html_put(struct buf *html, const char *text);

#endif
