/* SPDX-License-Identifier: MIT */
/* files.c - the Makefile runs the compiler at the top of the repo: paths are from there. */
#include "lesson/files.h"

#define EMBED(symbol, file)                                                                        \
	__asm__(".section .rodata\n"                                                               \
		".global " #symbol "\n" #symbol ":\n"                                              \
		".incbin \"" file "\"\n"                                                           \
		".byte 0\n"                                                                        \
		".previous\n")

EMBED(course_style, "viewer/course.css");
EMBED(course_script, "viewer/course.js");
EMBED(skeleton_json, "userspace/lesson/skeleton/lesson.json");
EMBED(skeleton_program, "userspace/lesson/skeleton/program.py");
EMBED(skeleton_marks, "userspace/hook/corun_marks.py");
EMBED(skeleton_en, "userspace/lesson/skeleton/lesson.en.md");
EMBED(skeleton_ko, "userspace/lesson/skeleton/lesson.ko.md");
