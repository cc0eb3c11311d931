/* SPDX-License-Identifier: MIT */
/*
 * work.h - a lesson's folder of work: its programs copied and built there, each variant recorded. All of it
 * as the invoking user, and the files are that user's.
 */
#ifndef CORUN_LESSON_WORK_H
#define CORUN_LESSON_WORK_H

#include "lesson/lesson.h"

/* Make @folder (with its parents), copy the lesson's files. */
int work_prepare(const struct lesson *lesson, const char *folder, struct error *err);
/* Build the C programs of @folder, each X.c as X; what the compiler says goes to standard error. */
int work_build(const char *folder, struct error *err);

/*
 * Record @variant in @folder: VARIANT.corun, and what it printed in VARIANT.log. It is killed after its
 * limit. 0 when there is a recording, however the program ended; -EINTR after Ctrl-C.
 */
int work_record(const struct lesson_variant *variant, const char *folder, struct error *err);

/* Copy @from to @to, whole or not at all. */
int work_copy(const char *from, const char *to, struct error *err);

/* mkdir -p, for the invoking user. */
int work_folder(const char *path, struct error *err);

#endif
