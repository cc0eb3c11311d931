/* SPDX-License-Identifier: MIT */
/* page.c - a lesson's page: the viewer with the question, the texts and the claims in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/export.h"
#include "lesson/course.h"

void html_put(struct buf *html, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			buf_puts(html, "&lt;");
			break;
		case '&':
			buf_puts(html, "&amp;");
			break;
		case '"':
			buf_puts(html, "&quot;");
			break;
		default:
			buf_putc(html, *text);
		}
	}
}

/* ---- what stands under the picture, as HTML ---- */

static const struct {
	const char *proof, *claim, *measured, *wanted, *outcome[3], *files;
} says[LESSON_LANGUAGES] = {
	{"What this recording proves", "claim", "measured", "has to be", {"holds", "does not hold", "skipped"},
	 "Files"},
	{"이 기록이 증명하는 것", "주장", "측정값", "조건", {"맞다", "맞지 않다", "건너뜀"}, "파일"},
};

static void put_claims(struct buf *html, const struct judgement *j, enum lesson_language lang)
{
	buf_printf(html, "<h2>%s</h2><table class=\"claims\"><tr><th>%s</th><th>%s</th><th>%s</th><th></th></tr>",
		   says[lang].proof, says[lang].claim, says[lang].measured, says[lang].wanted);
	for (u32 i = 0; i < j->lesson->n_claims; i++) {
		const struct lesson_claim *claim = &j->lesson->claims[i];
		const struct claim_result *r = &j->claims[i];

		buf_puts(html, "<tr><td>");
		html_put(html, claim->text.in[lang]);
		buf_puts(html, "<br><code>");
		html_put(html, claim->claim);
		buf_puts(html, "</code></td><td>");
		html_put(html, r->measured);
		buf_puts(html, "</td><td>");
		html_put(html, r->wanted);
		buf_printf(html, "</td><td class=\"outcome%d\">%s", r->outcome, says[lang].outcome[r->outcome]);
		if (r->reason[0]) {
			buf_puts(html, ": ");
			html_put(html, r->reason);
		}
		buf_puts(html, "</td></tr>");
	}
	buf_puts(html, "</table>");
}

static void put_files(struct buf *html, const struct judgement *j, enum lesson_language lang)
{
	buf_printf(html, "<h2>%s</h2><ul>", says[lang].files);
	for (u32 i = 0; i < j->lesson->n_variants; i++) {
		const struct take *t = &j->takes[i];

		buf_puts(html, "<li>");
		html_put(html, t->variant->title.in[lang]);
		buf_puts(html, ": <code>");
		for (char **word = t->variant->command; *word; word++) {
			html_put(html, *word);
			buf_puts(html, word[1] ? " " : "");
		}
		buf_puts(html, "</code>");
		if (t->trace && !t->failure)
			buf_printf(html, " · <a href=\"%s.json\">%s.json</a> (ui.perfetto.dev) · "
				   "<a href=\"%s.corun\">%s.corun</a>", t->variant->name, t->variant->name,
				   t->variant->name, t->variant->name);
		if (t->skipped) {
			buf_puts(html, " · ");
			html_put(html, t->skipped);
		}
		buf_puts(html, "</li>");
	}
	buf_puts(html, "</ul>");
}

void lesson_body_html(const struct judgement *j, enum lesson_language lang, struct buf *html)
{
	static const enum lesson_section order[] = {
		SECTION_LOOK, SECTION_WHY, SECTION_RUN, SECTION_NEXT, SECTION_WORDS,
	};
	const struct lesson_text *text = &j->lesson->text[lang];

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		if (i == 2)
			put_claims(html, j, lang);
		buf_puts(html, "<h2>");
		html_put(html, text->heading[order[i]]);
		buf_puts(html, "</h2>");
		buf_puts(html, text->html[order[i]]);
	}
	put_files(html, j, lang);
}

static void put_body(struct buf *json, const struct judgement *j, enum lesson_language lang)
{
	struct buf html = BUF_INIT;

	lesson_body_html(j, lang, &html);
	buf_put_json(json, html.data ? html.data : "");
	json->failed |= html.failed;
	buf_free(&html);
}

/* ---- the page's data ---- */

static void put_words(struct buf *json, const char *key, const char *en, const char *ko)
{
	buf_printf(json, "\"%s\":{\"en\":", key);
	buf_put_json(json, en);
	buf_puts(json, ",\"ko\":");
	buf_put_json(json, ko);
	buf_puts(json, "},");
}

void lesson_page_json(const struct judgement *j, struct buf *json)
{
	const struct lesson *l = j->lesson;
	const struct lesson_text *en = &l->text[LESSON_EN], *ko = &l->text[LESSON_KO];

	buf_puts(json, "{");
	put_words(json, "question", en->question, ko->question);
	if (l->answer) {
		buf_puts(json, "\"choices\":[");
		for (u32 i = 0; en->choices[i]; i++) {
			buf_puts(json, i ? ",{\"en\":" : "{\"en\":");
			buf_put_json(json, en->choices[i]);
			buf_puts(json, ",\"ko\":");
			buf_put_json(json, ko->choices[i]);
			buf_puts(json, "}");
		}
		buf_printf(json, "],\"answer\":%u,", l->answer - 1);
	}
	put_words(json, "text", l->concept.in[LESSON_EN], l->concept.in[LESSON_KO]);
	put_words(json, "title", l->title.in[LESSON_EN], l->title.in[LESSON_KO]);
	buf_puts(json, "\"titles\":[");
	for (u32 i = 0, shown = 0; i < l->n_variants; i++) {
		if (!j->takes[i].region)
			continue;
		buf_puts(json, shown++ ? ",{\"en\":" : "{\"en\":");
		buf_put_json(json, l->variants[i].title.in[LESSON_EN]);
		buf_puts(json, ",\"ko\":");
		buf_put_json(json, l->variants[i].title.in[LESSON_KO]);
		buf_puts(json, "}");
	}
	buf_puts(json, "],\"body\":{\"en\":");
	put_body(json, j, LESSON_EN);
	buf_puts(json, ",\"ko\":");
	put_body(json, j, LESSON_KO);
	buf_puts(json, "}}");
}

/* ---- files ---- */

static int write_timelines(const struct judgement *j, const char *folder, struct error *err)
{
	struct export_options options = {0};
	struct export_result result;
	char path[4400];
	int code = 0;

	for (u32 i = 0; !code && i < j->lesson->n_variants; i++) {
		const struct take *t = &j->takes[i];
		const char *trace = t->trace;

		if (!t->region)
			continue;
		snprintf(path, sizeof(path), "%.4000s/%s.json", folder, t->variant->name);
		code = export_file(&export_chrome, &trace, 1, path, &options, NULL, &result, err);
	}
	return code;
}

int course_write_lesson(const struct judgement *j, const char *folder, const char *language,
			struct error *err)
{
	const char **traces = calloc(j->lesson->n_variants + 1, sizeof(*traces));
	/* The variants begin together, where their regions begin: what is compared is not their start-up. */
	struct export_options options = {.language = language, .region = "work"};
	struct export_result result;
	struct buf json = BUF_INIT;
	char path[4400];
	u32 n = 0;
	int code;

	if (!traces)
		return error_set(err, -ENOMEM, "out of memory");
	for (u32 i = 0; i < j->lesson->n_variants; i++)
		if (j->takes[i].region)
			traces[n++] = j->takes[i].trace;
	lesson_page_json(j, &json);
	snprintf(path, sizeof(path), "%.4000s/%s.html", folder, j->lesson->name);
	options.lesson_json = json.data;
	options.title = j->lesson->title.in[language && !strcmp(language, "ko") ? LESSON_KO : LESSON_EN];
	if (json.failed)
		code = error_set(err, -ENOMEM, "out of memory");
	else if (n)
		code = export_file(&export_html, traces, n, path, &options, NULL, &result, err);
	else
		code = course_write_text(j, path, language, err);
	if (!code)
		code = write_timelines(j, folder, err);
	buf_free(&json);
	free(traces);
	return code;
}
