/* SPDX-License-Identifier: MIT */
#include "record/code_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/elf.h"

#define FILES_MAX 4096

/* By the mapping itself where this user may (proc(5): map_files), else by its path. */
static int open_mapped(s32 tgid, u64 start, u64 end, const char *path)
{
	char name[4200];
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/map_files/%llx-%llx", tgid, (unsigned long long)start,
		 (unsigned long long)end);
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		return fd;
	snprintf(name, sizeof(name), "/proc/%d/root%.4096s", tgid, path);
	return open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static struct code_file *add(struct code_files *files, int fd, const struct stat *st, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct code_file *f;

	if (files->n == files->cap) {
		u32 cap = files->cap ? 2 * files->cap : 32;
		struct code_file **list = realloc(files->list, cap * sizeof(*list));

		if (!list)
			return NULL;
		files->list = list;
		files->cap = cap;
	}
	f = calloc(1, sizeof(*f));
	if (f)
		f->name = strdup(slash ? slash + 1 : path);
	if (!f || !f->name) {
		free(f);
		return NULL;
	}
	f->fd = fd;
	f->sound = elf_sound(fd);
	f->dev = st->st_dev;
	f->ino = st->st_ino;
	files->list[files->n++] = f;
	f->id = files->n;
	return f;
}

struct code_file *code_file_get(struct code_files *files, s32 tgid, u64 start, u64 end,
				const char *path)
{
	struct code_file *f;
	struct stat st;
	int fd = open_mapped(tgid, start, end, path);

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || files->n >= FILES_MAX) {
		close(fd);
		return NULL;
	}
	for (u32 i = 0; i < files->n; i++) {
		f = files->list[i];
		if (f->dev == st.st_dev && f->ino == st.st_ino) {
			close(fd);
			return f;
		}
	}
	f = add(files, fd, &st, path);
	if (!f)
		close(fd);
	return f;
}

struct code_file *code_file_by_id(const struct code_files *files, u32 id)
{
	return id && id <= files->n ? files->list[id - 1] : NULL;
}

void code_files_free(struct code_files *files)
{
	for (u32 i = 0; i < files->n; i++) {
		close(files->list[i]->fd);
		free(files->list[i]->name);
		free(files->list[i]);
	}
	free(files->list);
	*files = (struct code_files){0};
}
