/* SPDX-License-Identifier: MIT */
#include "record/hook.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/owner.h"
#include "record/attach_python.h"
#include "record/hook_files.h"

#define HOOK_FOLDER "python"

/* The facts' descriptor in the command: out of the way of those that shells and programs count on. */
#define FACTS_FD_MIN 100

static int set(struct hook *h, const char *name, const char *value)
{
	const char *before = getenv(name);

	h->saved[h->n_saved].name = name;
	h->saved[h->n_saved].before = before ? strdup(before) : NULL;
	if (before && !h->saved[h->n_saved].before)
		return -ENOMEM;
	h->n_saved++;
	return setenv(name, value, 1) ? -errno : 0;
}

int hook_write_file(int folder, const struct hook_file *file)
{
	int fd = openat(folder, file->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t n;
	int code;

	if (fd < 0)
		return -errno;
	n = write(fd, file->text, *file->len);
	code = n == (ssize_t)*file->len ? 0 : n < 0 ? -errno : -ENOSPC;
	owner_give(fd);
	close(fd);
	return code;
}

int hook_write_files(const struct marks *marks, uid_t uid, gid_t gid)
{
	int folder, code = 0;

	if (mkdirat(marks_dirfd(marks), HOOK_FOLDER, 0700))
		return errno == EEXIST ? 0 : -errno;
	folder = openat(marks_dirfd(marks), HOOK_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	for (const struct hook_file *file = hook_files; file->name && !code; file++) {
		code = hook_write_file(folder, file);
		if (!code && fchownat(folder, file->name, uid, gid, AT_SYMLINK_NOFOLLOW))
			code = -errno;
	}
	if (!code && fchown(folder, uid, gid))
		code = -errno;
	close(folder);
	return code;
}

/* The files for the user whom the command runs as. */
static int write_for_command(const struct marks *marks)
{
	uid_t uid;
	gid_t gid;

	if (!owner_invoker(&uid, &gid)) {
		uid = geteuid();
		gid = getegid();
	}
	return hook_write_files(marks, uid, gid);
}

/* @name: @text, and behind it, after @between, what it was. */
static int set_in_front(struct hook *h, const char *name, const char *text, char between)
{
	const char *before = getenv(name);
	struct buf value = BUF_INIT;
	int code;

	buf_puts(&value, text);
	if (before && *before) {
		buf_putc(&value, between);
		buf_puts(&value, before);
	}
	code = value.failed ? -ENOMEM : set(h, name, value.data);
	buf_free(&value);
	return code;
}

int hook_enter(struct hook *h, const struct marks *marks, struct hook_kinds kinds)
{
	char number[16], path[128];
	int code;

	*h = (struct hook){.facts = -1};
	code = set(h, "CORUN_MARKS", marks_folder(marks));
	if (!code && marks_facts(marks) >= 0) {
		h->facts = fcntl(marks_facts(marks), F_DUPFD, FACTS_FD_MIN);
		snprintf(number, sizeof(number), "%d", h->facts);
		if (h->facts >= 0)
			code = set(h, "CORUN_FACTS", number);
	}
	if (!code && (kinds.python || kinds.node || kinds.ruby))
		code = write_for_command(marks);
	snprintf(path, sizeof(path), "%s/" HOOK_FOLDER, marks_folder(marks));
	if (!code && kinds.python)
		code = set_in_front(h, "PYTHONPATH", path, ':');
	snprintf(path, sizeof(path), "--require %s/" HOOK_FOLDER "/" HOOK_NODE, marks_folder(marks));
	if (!code && kinds.node)
		code = set_in_front(h, "NODE_OPTIONS", path, ' ');
	snprintf(path, sizeof(path), "-r%s/" HOOK_FOLDER "/" HOOK_RUBY, marks_folder(marks));
	if (!code && kinds.ruby)
		code = set_in_front(h, "RUBYOPT", path, ' ');
	return code;
}

void hook_outlives(struct marks *marks)
{
	static const char *const names[] = {HOOK_NODE, HOOK_RUBY, NULL};

	marks_keep(marks, names);
}

void hook_leave(struct hook *h)
{
	for (size_t i = 0; i < h->n_saved; i++) {
		if (h->saved[i].before)
			setenv(h->saved[i].name, h->saved[i].before, 1);
		else
			unsetenv(h->saved[i].name);
		free(h->saved[i].before);
	}
	h->n_saved = 0;
	if (h->facts >= 0)
		close(h->facts);
	h->facts = -1;
}

bool hook_uses_asyncio(s32 tgid)
{
	char path[64], line[4352];
	bool found = false;
	FILE *maps;

	/* asyncio's C half is a file of its own that is mapped when it is imported, or built in (Debian's 3.15). */
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)tgid);
	maps = fopen(path, "re");
	while (maps && !found && fgets(line, sizeof(line), maps))
		found = strstr(line, "/_asyncio.") != NULL;
	if (maps)
		fclose(maps);
	return found || attach_python_runs_loop(tgid);
}
