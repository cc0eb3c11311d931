/* SPDX-License-Identifier: MIT */
/* lesson.c - lessons are folders: find them and read what is in them. */
#include "lesson/lesson.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_LIMIT ((size_t)1 << 20)

const char *const lesson_language_codes[LESSON_LANGUAGES] = {"en", "ko"};

/* ---- finding ---- */

int lessons_folder(char *path, struct error *err)
{
	const char *given = getenv("CORUN_LESSONS");
	char self[4000], probe[4100];
	char *slash;
	ssize_t n;

	if (given && *given) {
		snprintf(path, 4096, "%s", given);
		return access(path, R_OK | X_OK) ? error_set(err, -errno, "CORUN_LESSONS: cannot read %s: %s", path,
							    strerror(errno)) : 0;
	}
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = '\0';
	/* In a checkout build/corun (or build/debug/corun ...) has samples/ above it. */
	for (int up = 0; up < 4 && (slash = strrchr(self, '/')); up++) {
		*slash = '\0';
		snprintf(probe, sizeof(probe), "%s/samples/README.md", self);
		if (!access(probe, R_OK)) {
			snprintf(path, 4096, "%s/samples", self);
			return 0;
		}
		snprintf(probe, sizeof(probe), "%s/share/corun/samples/README.md", self);
		if (!access(probe, R_OK)) {
			snprintf(path, 4096, "%s/share/corun/samples", self);
			return 0;
		}
	}
	return error_set(err, -ENOENT, "no lessons beside this program; CORUN_LESSONS=FOLDER names theirs");
}

int lesson_file(const char *path, struct buf *buf, struct error *err)
{
	FILE *file = fopen(path, "re");
	char block[8192];
	size_t n;

	if (!file)
		return error_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	while ((n = fread(block, 1, sizeof(block), file)) && buf->len <= FILE_LIMIT)
		buf_put(buf, block, n);
	fclose(file);
	if (buf->len > FILE_LIMIT)
		return error_set(err, -EFBIG, "%s has more than 1 MiB", path);
	buf_putc(buf, '\0');
	return buf->failed ? error_set(err, -ENOMEM, "out of memory") : 0;
}

/* ---- lessons ---- */

bool lesson_plain_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
			return false;
	return isalpha((unsigned char)name[0]);
}

static int check_texts(const struct lesson *l, struct error *err)
{
	size_t n[LESSON_LANGUAGES] = {0};

	for (int i = 0; i < LESSON_LANGUAGES; i++)
		while (l->text[i].choices && l->text[i].choices[n[i]])
			n[i]++;
	if (n[LESSON_EN] != n[LESSON_KO])
		return error_set(err, -EINVAL, "%s: the question has %zu choices in English and %zu in Korean",
				 l->folder, n[LESSON_EN], n[LESSON_KO]);
	if (l->answer > n[LESSON_EN] || (!l->answer && n[LESSON_EN]))
		return error_set(err, -EINVAL, "%s/lesson.json: 'answer' has to be one of the question's %zu choices",
				 l->folder, n[LESSON_EN]);
	return 0;
}

int lesson_read(const char *folder, const char *name, struct lesson **out, struct error *err)
{
	struct lesson *l;
	char path[4200];
	int code;

	snprintf(path, sizeof(path), "%.3900s/%.200s/lesson.json", folder, name);
	if (!lesson_plain_name(name) || access(path, F_OK))
		return error_set(err, -ENOENT, "there is no lesson '%s'; corun lesson list shows all", name);
	l = calloc(1, sizeof(*l));
	if (!l)
		return error_set(err, -ENOMEM, "out of memory");
	*strrchr(path, '/') = '\0';
	l->name = strdup(name);
	l->folder = strdup(path);
	code = l->name && l->folder ? lesson_json_read(l, err) : -ENOMEM;
	for (int i = 0; !code && i < LESSON_LANGUAGES; i++) {
		snprintf(path, sizeof(path), "%s/lesson.%s.md", l->folder, lesson_language_codes[i]);
		code = lesson_text_read(path, (enum lesson_language)i, &l->text[i], err);
	}
	if (!code)
		code = check_texts(l, err);
	if (code) {
		lesson_free(l);
		return code;
	}
	*out = l;
	return 0;
}

static int by_order(const void *a, const void *b)
{
	const struct lesson *x = *(struct lesson *const *)a, *y = *(struct lesson *const *)b;

	return x->order != y->order ? (x->order > y->order) - (x->order < y->order)
				    : strcmp(x->name, y->name);
}

int lessons_read(const char *folder, struct lesson ***out, u32 *n, struct error *err)
{
	DIR *dir = opendir(folder);
	struct lesson **list = NULL;
	struct dirent *entry;
	char path[4500];
	int code = 0;

	*n = 0;
	if (!dir)
		return error_set(err, -errno, "cannot read %s: %s", folder, strerror(errno));
	while (!code && (entry = readdir(dir))) {
		struct lesson **more;

		snprintf(path, sizeof(path), "%.4000s/%s/lesson.json", folder, entry->d_name);
		if (!lesson_plain_name(entry->d_name) || access(path, F_OK))
			continue;
		more = realloc(list, (*n + 1) * sizeof(*list));
		if (!more) {
			code = error_set(err, -ENOMEM, "out of memory");
			break;
		}
		list = more;
		code = lesson_read(folder, entry->d_name, &list[*n], err);
		*n += !code;
	}
	closedir(dir);
	if (code) {
		lessons_free(list, *n);
		return code;
	}
	if (list)
		qsort(list, *n, sizeof(*list), by_order);
	*out = list;
	return 0;
}

void lessons_free(struct lesson **lessons, u32 n)
{
	for (u32 i = 0; i < n; i++)
		lesson_free(lessons[i]);
	free(lessons);
}

static void free_words(struct lesson_words *words)
{
	for (int i = 0; i < LESSON_LANGUAGES; i++)
		free(words->in[i]);
}

static void free_list(char **list)
{
	for (char **word = list; word && *word; word++)
		free(*word);
	free(list);
}

void lesson_free(struct lesson *l)
{
	if (!l)
		return;
	for (u32 i = 0; i < l->n_variants; i++) {
		struct lesson_variant *v = &l->variants[i];

		free(v->name);
		free_words(&v->title);
		free_list(v->command);
		free_list(v->record);
		free_list(v->verdict);
	}
	for (u32 i = 0; i < l->n_claims; i++) {
		struct lesson_claim *c = &l->claims[i];

		free(c->claim);
		free_words(&c->text);
		free(c->skip_if);
		free_words(&c->because);
	}
	for (int i = 0; i < LESSON_LANGUAGES; i++)
		lesson_text_free(&l->text[i]);
	free_words(&l->title);
	free_words(&l->concept);
	free(l->variants);
	free(l->claims);
	free(l->name);
	free(l->folder);
	free(l);
}
