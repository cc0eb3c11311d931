/* SPDX-License-Identifier: MIT */
/* page_files.c - the files of viewer/, carried inside the program. The Makefile says where they are. */
#include "export/page_files.h"

#define EMBED(symbol, file)                                                                        \
	__asm__(".section .rodata\n"                                                               \
		".global " #symbol "\n" #symbol ":\n"                                              \
		".incbin \"" VIEWER "/" file "\"\n"                                                \
		".byte 0\n"                                                                        \
		".previous\n")

EMBED(viewer_style, "style.css");
EMBED(viewer_words, "words.js");
EMBED(viewer_data, "data.js");
EMBED(viewer_levels, "levels.js");
EMBED(viewer_verdict, "verdict.js");
EMBED(viewer_look, "look.js");
EMBED(viewer_raster, "raster.js");
EMBED(viewer_draw, "draw.js");
EMBED(viewer_lanes, "lanes.js");
EMBED(viewer_joint, "joint.js");
EMBED(viewer_panel, "panel.js");
EMBED(viewer_details, "details.js");
EMBED(viewer_play, "play.js");
EMBED(viewer_cooks, "cooks.js");
EMBED(viewer_lesson, "lesson.js");
EMBED(viewer_picture, "picture.js");
EMBED(viewer_arrows, "arrows.js");
EMBED(viewer_page, "page.js");
EMBED(viewer_user, "user.js");
EMBED(viewer_input, "input.js");
EMBED(viewer_svg, "svg.js");
EMBED(viewer_save, "save.js");
EMBED(viewer_start, "start.js");
