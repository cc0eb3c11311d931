/* SPDX-License-Identifier: MIT */
#include "trace/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/fields.h"

static void *grow(void *array, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? *cap * 2 : 64;
	void *bigger;

	if (n < *cap)
		return array;
	bigger = realloc(array, more * size);
	if (bigger)
		*cap = more;
	return bigger;
}

/* All strings of one record in one block. */
static int own_strings(struct record_memory *m, struct record *rec)
{
	const struct field *f;
	size_t len = 0;
	char *block, *p;
	void *bigger;

	for (f = record_infos[rec->type].fields; f->name; f++)
		if (f->type == FIELD_STRING)
			len += strlen(*(const char **)((char *)rec + f->offset)) + 1;
	if (!len)
		return 0;
	bigger = grow(m->strings, m->n_strings, &m->cap_strings, sizeof(*m->strings));
	block = malloc(len);
	if (bigger)
		m->strings = bigger;
	if (!bigger || !block) {
		free(block);
		return -ENOMEM;
	}
	m->strings[m->n_strings++] = p = block;
	for (f = record_infos[rec->type].fields; f->name; f++) {
		const char **at = (const char **)((char *)rec + f->offset);

		if (f->type != FIELD_STRING)
			continue;
		p = stpcpy(p, *at) + 1;
		*at = p - strlen(*at) - 1;
	}
	return 0;
}

int memory_add(struct record_memory *m, const struct record *rec)
{
	void *bigger = grow(m->records, m->n, &m->cap, sizeof(*m->records));

	if (!bigger)
		return -ENOMEM;
	m->records = bigger;
	m->records[m->n] = *rec;
	if (own_strings(m, &m->records[m->n]))
		return -ENOMEM;
	m->n++;
	return 0;
}

/* Merge sort: stable, and linear on what is sorted already. */
void memory_sort(struct record_memory *m)
{
	struct record *from = m->records, *spare;
	size_t i;

	for (i = 1; i < m->n && from[i - 1].ts <= from[i].ts; i++)
		;
	if (i >= m->n)
		return;
	spare = malloc(m->n * sizeof(*spare));
	if (!spare) {
		/* Slow but sure: insertion. */
		for (i = 1; i < m->n; i++) {
			struct record rec = from[i];
			size_t j = i;

			for (; j && from[j - 1].ts > rec.ts; j--)
				from[j] = from[j - 1];
			from[j] = rec;
		}
		return;
	}
	for (size_t width = 1; width < m->n; width *= 2) {
		struct record *swap;

		for (size_t low = 0; low < m->n; low += 2 * width) {
			size_t mid = low + width < m->n ? low + width : m->n;
			size_t high = low + 2 * width < m->n ? low + 2 * width : m->n;
			size_t a = low, b = mid;

			for (size_t k = low; k < high; k++)
				spare[k] = b >= high || (a < mid && from[a].ts <= from[b].ts) ?
						   from[a++] :
						   from[b++];
		}
		swap = from;
		from = spare;
		spare = swap;
	}
	m->records = from;
	m->cap = m->n;
	free(spare);
}

int memory_read_text(struct record_memory *m, int fd, const char *path, struct error *err)
{
	int copy = dup(fd);
	FILE *file = copy < 0 ? NULL : fdopen(copy, "r");
	struct buf strings = BUF_INIT;
	char *line = NULL;
	size_t cap = 0, number = 0;
	ssize_t len;
	int code = 0;

	if (!file) {
		if (copy >= 0)
			close(copy);
		return -errno;
	}
	rewind(file);
	while (code >= 0 && (len = getline(&line, &cap, file)) >= 0) {
		struct error why = {0};
		struct record rec;

		number++;
		if (strlen(line) != (size_t)len) {
			code = error_set(err, -EINVAL, "%s, line %zu: a NUL byte", path, number);
			break;
		}
		line[strcspn(line, "\r\n")] = '\0';
		if (!strcmp(line, TRACE_TEXT_CUT))
			m->status = TRACE_CUT;
		else if (!strcmp(line, TRACE_TEXT_DAMAGED))
			m->status = TRACE_DAMAGED;
		code = text_parse(line, &rec, &strings, &why);
		if (code > 0)
			code = memory_add(m, &rec);
		else if (code < 0)
			error_set(err, code, "%s, line %zu, %s", path, number, error_text(&why, code));
	}
	if (code >= 0 && ferror(file))
		code = -EIO;
	free(line);
	buf_free(&strings);
	fclose(file);
	if (code >= 0)
		memory_sort(m);
	return code < 0 ? code : 0;
}

void memory_free(struct record_memory *m)
{
	for (size_t i = 0; i < m->n_strings; i++)
		free(m->strings[i]);
	free(m->strings);
	free(m->records);
	*m = (struct record_memory){0};
}
