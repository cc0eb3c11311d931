/* SPDX-License-Identifier: MIT */
/* skeleton.h - the beginning of a lesson: a program, a claim and two texts that already run. */
#ifndef CORUN_LESSON_SKELETON_H
#define CORUN_LESSON_SKELETON_H

#include "base/error.h"

/* Make the folder @name (in the current one) with a lesson in it. -EEXIST where it is there already. */
int skeleton_write(const char *name, struct error *err);

#endif
