/* SPDX-License-Identifier: MIT */
/*
 * hook.h - how the command gets to know that it is recorded: its environment.
 *
 * CORUN_MARKS (the folder for rings) and CORUN_FACTS (a descriptor) are for programs that mark
 * themselves; the Python hook's folder is put in front of PYTHONPATH, the
 * hooks of Node and Ruby in front of NODE_OPTIONS and RUBYOPT.
 */
#ifndef CORUN_RECORD_HOOK_H
#define CORUN_RECORD_HOOK_H

#include <sys/types.h>

#include "record/marks.h"

/* What our own environment was; the command inherits it over fork. */
struct hook {
	struct {
		const char *name;
		char *before; /* owned; NULL: it was not set */
	} saved[5];
	size_t n_saved;
	int facts; /* the descriptor that the command inherits */
};

/* Whose hooks the command gets. */
struct hook_kinds {
	bool python, node, ruby;
};

/* Set them in our own environment, before the fork. 0 or -errno; what was set stands until hook_leave() in
 * any case. */
int hook_enter(struct hook *hook, const struct marks *marks, struct hook_kinds kinds);
/* Does this process, which runs already, use asyncio? */
bool hook_uses_asyncio(s32 tgid);
/* Write one of hook_files (hook_files.h) into @folder, for the user whom the command runs as. */
struct hook_file;
int hook_write_file(int folder, const struct hook_file *file);
/* All of them, into a folder of their own, if that was not done yet; for @uid and @gid. */
int hook_write_files(const struct marks *marks, uid_t uid, gid_t gid);
/* Processes that got the hooks of Node or Ruby go on when nobody records any more: a Node or Ruby that they start does
 * not run without the file that its environment names. It stays in the folder, and does nothing. */
void hook_outlives(struct marks *marks);
/* Put our environment back, after the fork. */
void hook_leave(struct hook *hook);

#endif
