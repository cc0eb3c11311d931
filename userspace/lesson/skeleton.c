/* SPDX-License-Identifier: MIT */
#include "lesson/skeleton.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/out.h"
#include "lesson/files.h"
#include "lesson/work.h"

static const char *const files[][2] = {
	{"lesson.json", skeleton_json}, {"program.py", skeleton_program}, {"corun_marks.py", skeleton_marks},
	{"lesson.en.md", skeleton_en}, {"lesson.ko.md", skeleton_ko},
};

static int write_file(const char *folder, const char *name, const char *text, struct error *err)
{
	char path[600];
	struct out *out;
	int code;

	snprintf(path, sizeof(path), "%.300s/%s", folder, name);
	code = out_open(&out, path, 0, err);
	if (code)
		return code;
	out_puts(out, text);
	return out_commit(out, err);
}

int skeleton_write(const char *name, struct error *err)
{
	int code;

	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
			return error_set(err, -EINVAL, "a lesson's name has letters, digits, '-' and '_' alone");
	if (!isalpha((unsigned char)name[0]) || strlen(name) > 64)
		return error_set(err, -EINVAL, "a lesson's name begins with a letter and has at most 64 bytes");
	if (!access(name, F_OK))
		return error_set(err, -EEXIST, "%s is there already; choose another name", name);
	code = work_folder(name, err);
	for (size_t i = 0; !code && i < ARRAY_SIZE(files); i++)
		code = write_file(name, files[i][0], files[i][1], err);
	return code;
}
