/* SPDX-License-Identifier: MIT */
#include "record/hook_attach.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "record/hook.h"
#include "record/hook_files.h"

/* The folder is the user's whose process it is, and the process can reach it by that name. */
static int share_folder(const struct marks *marks, s32 tgid)
{
	struct stat process, here, there;
	char path[128];

	snprintf(path, sizeof(path), "/proc/%d", tgid);
	if (stat(path, &process))
		return -errno;
	snprintf(path, sizeof(path), "/proc/%d/root%s", tgid, marks_folder(marks));
	if (fstat(marks_dirfd(marks), &here) || stat(path, &there) || here.st_dev != there.st_dev ||
	    here.st_ino != there.st_ino)
		return -EXDEV;
	if (process.st_uid && process.st_uid != here.st_uid && fchown(marks_dirfd(marks), process.st_uid, process.st_gid))
		return -errno;
	return hook_write_files(marks, process.st_uid, process.st_gid);
}

static int write_script(const struct marks *marks, s32 tgid, char *path, size_t size)
{
	const struct hook_file *script = hook_files;
	struct buf text = BUF_INIT;
	struct hook_file file;
	char name[32];
	size_t len;
	int code;

	while (strcmp(script->name, "corun_attach.py"))
		script++;
	snprintf(name, sizeof(name), "attach-%d.py", tgid);
	buf_printf(&text, "corun_folder = '%s'\n", marks_folder(marks));
	buf_put(&text, script->text, *script->len);
	len = text.len;
	file = (struct hook_file){name, text.data, &len};
	code = text.failed ? -ENOMEM : hook_write_file(marks_dirfd(marks), &file);
	buf_free(&text);
	if (!code && (size_t)snprintf(path, size, "%s/%s", marks_folder(marks), name) >= size)
		code = -ENAMETOOLONG;
	return code;
}

static int explain(s32 tgid, int code, struct error *why)
{
	if (code == -EOPNOTSUPP)
		return error_set(why, code, "asyncio's tasks of process %d are not visible in a running Python older "
				 "than 3.14; start it with corun record -- to see them", tgid);
	if (code == -EACCES)
		return error_set(why, code, "asyncio's tasks of process %d are not visible: its Python was told to let "
				 "nobody in (PYTHON_DISABLE_REMOTE_DEBUG)", tgid);
	if (code == -EXDEV)
		return error_set(why, code, "asyncio's tasks of process %d are not visible: it is in a container, out of "
				 "the recorder's reach", tgid);
	return error_set(why, code, "asyncio's tasks of process %d are not visible: %s", tgid, strerror(-code));
}

int hook_attach(struct hook_attach *h, const struct marks *marks, s32 tgid, struct error *why)
{
	struct attach_python *at = &h->at[h->n];
	char path[PYTHON_SCRIPT_MAX];
	int code = h->n == HOOK_ATTACH_MAX ? -ENOSPC : attach_python_find(tgid, at);

	if (!code)
		code = share_folder(marks, tgid);
	if (!code)
		code = write_script(marks, tgid, path, sizeof(path));
	if (!code)
		code = attach_python_run(at, path);
	if (code)
		return explain(tgid, code, why);
	h->n++;
	return 0;
}

s32 hook_attach_cancel(struct hook_attach *h)
{
	while (h->n) {
		const struct attach_python *at = &h->at[--h->n];

		if (attach_python_cancel(at))
			return at->tgid;
	}
	return -1;
}
