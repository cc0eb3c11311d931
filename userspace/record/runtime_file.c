/* SPDX-License-Identifier: MIT */
#include "record/runtime_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool same_file(const struct runtime_file *known, const struct runtime_type *type,
		      const struct stat *st)
{
	return known->type == type && known->dev == st->st_dev && known->ino == st->st_ino &&
	       known->size == (u64)st->st_size &&
	       known->mtime_ns == (u64)st->st_mtim.tv_sec * NSEC_PER_SEC + (u64)st->st_mtim.tv_nsec;
}

static struct runtime_file *read_file(struct runtime_files *files, int fd, const struct stat *st,
				      const struct runtime_type *type)
{
	struct runtime_file *known = &files->known[files->n++ % RUNTIME_FILES];
	struct elf_symbol symbols[RUNTIME_SYMBOLS];
	size_t n = 0;

	*known = (struct runtime_file){
		.type = type,
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = (u64)st->st_size,
		.mtime_ns = (u64)st->st_mtim.tv_sec * NSEC_PER_SEC + (u64)st->st_mtim.tv_nsec,
	};
	for (; n < RUNTIME_SYMBOLS && type->symbols[n]; n++)
		symbols[n].name = type->symbols[n];
	known->code = elf_find(fd, symbols, n, &known->base);
	for (size_t i = 0; i < n && !known->code; i++) {
		known->value[i] = symbols[i].value;
		known->offset[i] = symbols[i].offset;
	}
	return known;
}

int runtime_file_get(struct runtime_files *files, const struct process_file *file,
		     const struct runtime_type *type, struct runtime_file **out)
{
	struct runtime_file *known = NULL;
	struct stat st;
	int fd = process_open(file);

	if (fd < 0)
		return fd;
	if (!fstat(fd, &st)) {
		u32 n = files->n < RUNTIME_FILES ? files->n : RUNTIME_FILES;

		for (u32 i = 0; i < n && !known; i++)
			if (same_file(&files->known[i], type, &st))
				known = &files->known[i];
		if (!known)
			known = read_file(files, fd, &st, type);
	}
	close(fd);
	if (!known || known->code || !known->value[0])
		return known && known->code ? known->code : -ENOENT;
	*out = known;
	return 0;
}

void runtime_file_place(const struct runtime_file *known, const struct process_file *file,
			u64 at[RUNTIME_SYMBOLS])
{
	for (size_t i = 0; i < RUNTIME_SYMBOLS; i++)
		at[i] = known->value[i] ? known->value[i] - known->base + file->start : 0;
}

bool runtime_file_complain(struct runtime_files *files, const char *path)
{
	for (u32 i = 0; i < files->n_complaints; i++)
		if (!strcmp(files->complaints[i], path))
			return false;
	if (files->n_complaints == RUNTIME_FILES)
		return false;
	files->complaints[files->n_complaints] = strdup(path);
	if (!files->complaints[files->n_complaints])
		return false;
	files->n_complaints++;
	return true;
}

void runtime_files_free(struct runtime_files *files)
{
	for (u32 i = 0; i < files->n_complaints; i++)
		free(files->complaints[i]);
}
