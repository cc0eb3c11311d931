/* SPDX-License-Identifier: MIT */
/* hook_files.h - the Python sources of userspace/hook/, carried inside the program. */
#ifndef CORUN_RECORD_HOOK_FILES_H
#define CORUN_RECORD_HOOK_FILES_H

#include <stddef.h>

/* What Node and Ruby load first. */
#define HOOK_NODE "corun_node.js"
#define HOOK_RUBY "corun_ruby.rb"

struct hook_file {
	const char *name;
	const char *text;
	const size_t *len;
};

extern const struct hook_file hook_files[]; /* ends with a NULL name */

#endif
