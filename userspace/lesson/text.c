/* SPDX-License-Identifier: MIT */
/*
 * text.c - a lesson's text: Markdown with fixed sections, read by cmark (the reference
 * implementation of CommonMark). Raw HTML in it is left out, so that a text cannot run anything.
 */
#include <cmark.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lesson/lesson.h"

static const char *const headings[LESSON_LANGUAGES][SECTIONS] = {
	{"What do you expect?", "What to run", "What to look for", "Why", "Try next", "Words"},
	{"어떻게 될까요?", "실행하기", "눈여겨볼 것", "왜 그럴까요?", "더 해 보기", "용어"},
};

static void plain_text(cmark_node *node, struct buf *buf)
{
	for (cmark_node *n = node; n; n = cmark_node_next(n)) {
		const char *literal = cmark_node_get_literal(n);

		if (cmark_node_get_type(n) == CMARK_NODE_SOFTBREAK || cmark_node_get_type(n) == CMARK_NODE_LINEBREAK)
			buf_putc(buf, ' ');
		else if (literal)
			buf_puts(buf, literal);
		plain_text(cmark_node_first_child(n), buf);
	}
}

/* The text of @node alone; owned by the caller. */
static char *text_of(cmark_node *node)
{
	struct buf buf = BUF_INIT;
	char *text;

	plain_text(cmark_node_first_child(node), &buf);
	text = buf.failed ? NULL : strdup(buf.data ? buf.data : "");
	buf_free(&buf);
	return text;
}

static bool add_choice(struct lesson_text *t, cmark_node *item)
{
	size_t n = 0;
	char **more;

	while (t->choices && t->choices[n])
		n++;
	more = realloc(t->choices, (n + 2) * sizeof(*more));
	if (!more)
		return false;
	t->choices = more;
	more[n + 1] = NULL;
	more[n] = text_of(cmark_node_first_child(item));
	return more[n] != NULL;
}

static bool append(char **to, char *html)
{
	char *joined = NULL;

	if (html && asprintf(&joined, "%s%s", *to ? *to : "", html) < 0)
		joined = NULL;
	free(html);
	free(*to);
	*to = joined;
	return joined != NULL;
}

/* A paragraph of the question, or its ordered list of choices. */
static bool add_question(struct lesson_text *t, cmark_node *node)
{
	if (cmark_node_get_type(node) == CMARK_NODE_LIST) {
		for (cmark_node *item = cmark_node_first_child(node); item; item = cmark_node_next(item))
			if (!add_choice(t, item))
				return false;
		return true;
	}
	if (t->question && !append(&t->question, strdup(" ")))
		return false;
	return append(&t->question, text_of(node));
}

static int add_nodes(const char *path, enum lesson_language language, cmark_node *root, struct lesson_text *t,
		     struct error *err)
{
	int section = -1, last = -1;

	for (cmark_node *node = cmark_node_first_child(root); node; node = cmark_node_next(node)) {
		bool heading = cmark_node_get_type(node) == CMARK_NODE_HEADING;
		int line = cmark_node_get_start_line(node);

		if (heading && cmark_node_get_heading_level(node) == 2) {
			char *name = text_of(node);

			section = 0;
			while (name && section < SECTIONS && strcmp(name, headings[language][section]))
				section++;
			free(name);
			if (section != last + 1)
				return error_set(err, -EINVAL, "%s:%d: here the section '## %s' is expected", path,
						 line, last + 1 < SECTIONS ? headings[language][last + 1] : "(none)");
			last = section;
			t->heading[section] = strdup(headings[language][section]);
		} else if (!heading && section < 0) {
			return error_set(err, -EINVAL, "%s:%d: text before the first section", path, line);
		} else if (section == SECTION_QUESTION ? !add_question(t, node) :
			   section >= 0 && !append(&t->html[section], cmark_render_html(node, CMARK_OPT_DEFAULT))) {
			return error_set(err, -ENOMEM, "out of memory");
		}
	}
	if (last != SECTIONS - 1)
		return error_set(err, -EINVAL, "%s: the section '## %s' is missing", path, headings[language][last + 1]);
	for (int i = 0; i < SECTIONS; i++)
		if (i == SECTION_QUESTION ? !t->question : !t->html[i])
			return error_set(err, -EINVAL, "%s: the section '## %s' is empty", path, headings[language][i]);
	return 0;
}

int lesson_text_read(const char *path, enum lesson_language language, struct lesson_text *t, struct error *err)
{
	struct buf file = BUF_INIT;
	cmark_node *root;
	int code = lesson_file(path, &file, err);

	if (code) {
		buf_free(&file);
		return code;
	}
	root = cmark_parse_document(file.data, strlen(file.data), CMARK_OPT_DEFAULT);
	code = add_nodes(path, language, root, t, err);
	cmark_node_free(root);
	t->markdown = file.data;
	return code;
}

void lesson_text_free(struct lesson_text *t)
{
	for (char **choice = t->choices; choice && *choice; choice++)
		free(*choice);
	for (int i = 0; i < SECTIONS; i++) {
		free(t->html[i]);
		free(t->heading[i]);
	}
	free(t->choices);
	free(t->question);
	free(t->markdown);
	*t = (struct lesson_text){0};
}
