/* SPDX-License-Identifier: MIT */
/* files.h - files carried inside the program, NUL-terminated: the index's style and script, and what a new lesson
 * begins with. */
#ifndef CORUN_LESSON_FILES_H
#define CORUN_LESSON_FILES_H

extern const char course_style[], course_script[];
extern const char skeleton_json[], skeleton_program[], skeleton_marks[], skeleton_en[], skeleton_ko[];

#endif
