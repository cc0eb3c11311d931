/* SPDX-License-Identifier: MIT */
/* course.c - the course site around the lessons' pages: an index, and the course at a glance. */
#include "lesson/course.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/out.h"
#include "lesson/files.h"
#include "model/kind.h"

static const char *const page_head =
	"<!doctype html>\n<html%s>\n<meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
	"script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>%s</title>\n<style>\n";

/* Both languages stand in the page; the style shows the one of <html lang>. */
static void put_both(struct buf *html, const char *tag, const char *en, const char *ko)
{
	buf_printf(html, "<%s lang=\"en\">", tag);
	html_put(html, en);
	buf_printf(html, "</%s><%s lang=\"ko\">", tag, tag);
	html_put(html, ko);
	buf_printf(html, "</%s>", tag);
}

static void begin_page(struct buf *html, const char *language, const char *en, const char *ko,
		       const char *up)
{
	bool korean = language && !strcmp(language, "ko");

	buf_printf(html, page_head, !language ? "" : korean ? " lang=\"ko\"" : " lang=\"en\"", korean ? ko : en);
	buf_puts(html, course_style);
	buf_printf(html, "</style>\n<header><nav><a href=\"%sindex.html\">", up);
	put_both(html, "span", "Lessons", "수업");
	buf_printf(html, "</a> <a href=\"%sglance.html\">", up);
	put_both(html, "span", "The course at a glance", "한눈에 보는 수업");
	buf_puts(html, "</a></nav><div class=\"language\"><button data-lang=\"en\">English</button>"
		       "<button data-lang=\"ko\">한국어</button></div></header>\n<main>\n<h1>");
	put_both(html, "span", en, ko);
	buf_puts(html, "</h1>\n");
}

static int end_page(struct buf *html, const char *path, struct error *err)
{
	struct out *out = NULL;
	int code;

	buf_puts(html, "</main>\n<script>\n");
	buf_puts(html, course_script);
	buf_puts(html, "</script>\n");
	code = html->failed ? error_set(err, -ENOMEM, "out of memory") : out_open(&out, path, 0, err);
	if (!code) {
		out_put(out, html->data, html->len);
		code = out_commit(out, err);
	}
	buf_free(html);
	return code;
}

/* ---- the index ---- */

static void put_card(struct buf *html, const struct judgement *j)
{
	const struct lesson *l = j->lesson;

	buf_printf(html, "<a class=\"card\" href=\"%s/%s.html\"><b>", l->name, l->name);
	buf_printf(html, "%u. ", l->order);
	put_both(html, "span", l->title.in[LESSON_EN], l->title.in[LESSON_KO]);
	buf_puts(html, "</b>");
	put_both(html, "em", l->concept.in[LESSON_EN], l->concept.in[LESSON_KO]);
	put_both(html, "p", l->text[LESSON_EN].question, l->text[LESSON_KO].question);
	buf_puts(html, "</a>\n");
}

static int write_index(struct judgement *const *judged, u32 n, const char *folder, const char *language,
		       struct error *err)
{
	struct buf html = BUF_INIT;
	char path[4400];

	begin_page(&html, language, "What really runs at the same time", "정말로 동시에 실행되는 것은 무엇일까", "");
	put_both(&html, "p", "Each lesson asks a question first. Decide, then look: every picture is a recording by the "
		 "kernel, and its figures prove the answer.",
		 "수업마다 먼저 질문이 나옵니다. 답을 정한 다음에 그림을 보세요. 그림은 모두 커널이 기록한 것이고, 수치가 답을 "
		 "증명합니다.");
	buf_puts(&html, "<div class=\"cards\">\n");
	for (u32 i = 0; i < n; i++)
		if (judged[i])
			put_card(&html, judged[i]);
	buf_puts(&html, "</div>\n");
	snprintf(path, sizeof(path), "%.4000s/index.html", folder);
	return end_page(&html, path, err);
}

/* ---- the course at a glance ---- */

static double number_of(const cJSON *region, const char *a, const char *b)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(region, a), b);

	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

struct share {
	const char *label, *label_ko, *role;
	double part;
};

static int by_part(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	return x->part < y->part ? 1 : x->part > y->part ? -1 : 0;
}

/* The time in flight by what the threads did: the waits, the largest first. */
static u32 find_waits(const cJSON *region, double in_flight, struct share *shares)
{
	u32 n = 0;

	for (int kind = 0; kind < KINDS; kind++) {
		const struct kind_info *k = &kind_table[kind];
		double part = number_of(region, "time_ns", k->name) / in_flight;

		if (!k->parked && part >= 0.005)
			shares[n++] = (struct share){k->label, k->label_ko, k->role, part};
	}
	qsort(shares, n, sizeof(*shares), by_part);
	return n;
}

static void put_bar_piece(struct buf *html, const char *role, double part)
{
	if (part > 0)
		buf_printf(html, "<i class=\"%s\" style=\"width:%.2f%%\"></i>", role, 100 * part);
}

static void put_waits(struct buf *html, const cJSON *region, double duration_ns)
{
	double in_flight = number_of(region, "concurrency", "mean_window") * duration_ns;
	struct share waits[KINDS];
	double ready;
	u32 n;

	if (in_flight <= 0) {
		buf_puts(html, "<td></td><td></td>");
		return;
	}
	n = find_waits(region, in_flight, waits);
	ready = number_of(region, "time_ns", "ready") / in_flight;
	buf_puts(html, "<td class=\"bar\"><div>");
	put_bar_piece(html, "running", number_of(region, "time_ns", "running") / in_flight);
	put_bar_piece(html, "ready", ready);
	for (u32 i = 0; i < n; i++)
		put_bar_piece(html, waits[i].role, waits[i].part);
	buf_puts(html, "</div></td><td>");
	if (ready >= 0.05) {
		put_both(html, "span", "run queue", "대기열");
		buf_printf(html, "&nbsp;%.0f&nbsp;%% ", 100 * ready);
	}
	for (u32 i = 0; i < n && i < 2 && waits[i].part >= 0.05; i++) {
		put_both(html, "span", waits[i].label, waits[i].label_ko);
		buf_printf(html, "&nbsp;%.0f&nbsp;%% ", 100 * waits[i].part);
	}
	buf_puts(html, "</td>");
}

static const struct take *figure_take(const struct judgement *j)
{
	for (u32 i = 0; i < j->lesson->n_variants; i++)
		if (j->takes[i].variant == j->lesson->figure)
			return &j->takes[i];
	return NULL;
}

static void put_row(struct buf *html, const struct judgement *j)
{
	const struct lesson *l = j->lesson;
	const struct take *t = figure_take(j);

	buf_printf(html, "<tr><td>%u</td><td><a href=\"%s/%s.html\">", l->order, l->name, l->name);
	put_both(html, "span", l->title.in[LESSON_EN], l->title.in[LESSON_KO]);
	buf_puts(html, "</a><br>");
	put_both(html, "small", l->concept.in[LESSON_EN], l->concept.in[LESSON_KO]);
	buf_puts(html, "</td><td>");
	put_both(html, "span", l->figure->title.in[LESSON_EN], l->figure->title.in[LESSON_KO]);
	if (t && t->region) {
		const cJSON *tasks = cJSON_GetObjectItemCaseSensitive(t->region, "tasks");
		const cJSON *figures = l->of_tasks && tasks ? tasks : t->region;

		if (figures == tasks)
			put_both(html, "small", " (tasks)", " (태스크)");
		buf_printf(html, "</td><td class=\"number\">%.1f</td><td class=\"number\">%.1f</td>"
			   "<td class=\"number\">%.1f</td>", number_of(figures, "concurrency", "mean"),
			   number_of(figures, "parallelism", "mean"), number_of(figures, "demand", "mean"));
		put_waits(html, figures, number_of(t->region, "window", "duration_ns"));
	} else {
		buf_puts(html, "</td><td colspan=\"5\">");
		html_put(html, t && t->skipped ? t->skipped : "");
		buf_puts(html, "</td>");
	}
	buf_printf(html, "<td class=\"number\">%u / %u</td></tr>\n", j->held, l->n_claims);
}

static int write_glance(struct judgement *const *judged, u32 n, const char *folder, const char *language,
			struct error *err)
{
	static const char *const columns[][2] = {
		{"", ""}, {"lesson", "수업"}, {"recording", "기록"}, {"in flight", "진행 중"},
		{"running", "실행 중"}, {"demand", "수요"}, {"time in flight", "진행 중인 시간"},
		{"waited for", "기다린 것"}, {"claims", "주장"},
	};
	struct buf html = BUF_INIT;
	char path[4400];

	begin_page(&html, language, "The course at a glance", "한눈에 보는 수업", "");
	put_both(&html, "p", "In flight is concurrency, running is parallelism; what lies between the two was waited for.",
		 "진행 중인 수가 동시성, 실행 중인 수가 병렬성입니다. 둘 사이에 있는 것이 기다린 것입니다.");
	buf_puts(&html, "<table class=\"glance\">\n<tr>");
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		buf_puts(&html, "<th>");
		put_both(&html, "span", columns[i][0], columns[i][1]);
		buf_puts(&html, "</th>");
	}
	buf_puts(&html, "</tr>\n");
	for (u32 i = 0; i < n; i++)
		if (judged[i])
			put_row(&html, judged[i]);
	buf_puts(&html, "</table>\n");
	snprintf(path, sizeof(path), "%.4000s/glance.html", folder);
	return end_page(&html, path, err);
}

int course_write_index(struct judgement *const *judged, u32 n, const char *folder, const char *language,
		       struct error *err)
{
	int code = write_index(judged, n, folder, language, err);

	return code ? code : write_glance(judged, n, folder, language, err);
}

/* ---- a lesson without a recording ---- */

int course_write_text(const struct judgement *j, const char *path, const char *language,
		      struct error *err)
{
	const struct lesson *l = j->lesson;
	struct buf html = BUF_INIT;

	begin_page(&html, language, l->title.in[LESSON_EN], l->title.in[LESSON_KO], "../");
	put_both(&html, "p", "There is no recording: this machine could not run it.",
		 "기록이 없습니다. 이 컴퓨터에서는 실행할 수 없습니다.");
	for (u32 i = 0; i < l->n_variants; i++) {
		buf_puts(&html, "<p>");
		html_put(&html, j->takes[i].skipped ? j->takes[i].skipped : "");
		buf_puts(&html, "</p>");
	}
	put_both(&html, "p", l->text[LESSON_EN].question, l->text[LESSON_KO].question);
	for (int lang = 0; lang < LESSON_LANGUAGES; lang++) {
		buf_printf(&html, "<div lang=\"%s\">", lesson_language_codes[lang]);
		lesson_body_html(j, (enum lesson_language)lang, &html);
		buf_puts(&html, "</div>");
	}
	return end_page(&html, path, err);
}
