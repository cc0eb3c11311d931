/* SPDX-License-Identifier: MIT */
/*
 * page.c - one or several traces as one HTML page that opens anywhere, without a network: the viewer
 * (viewer/, carried inside the program) with the data in it. viewer/PAGE.md describes the data.
 */
#include "export/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/page_data.h"
#include "export/page_files.h"
#include "metrics/compare.h"

/* The page may run its own scripts and styles and nothing else: no request leaves it. */
static const char head[] =
	"<!doctype html>\n<html%s>\n<meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	"style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:; form-action 'none'; "
	"base-uri 'none'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>";

/* In the order in which they build on each other. */
static const char *const scripts[] = {
	viewer_words, viewer_data, viewer_levels, viewer_look, viewer_raster, viewer_draw, viewer_path, viewer_panel,
	viewer_play, viewer_lesson, viewer_picture, viewer_page, viewer_start,
};

/* Any bytes as the text of an element. */
static void put_text(struct out *out, const char *text)
{
	char byte[2] = "";

	for (; *text; text++) {
		byte[0] = *text;
		out_puts(out, *text == '<' ? "&lt;" : *text == '&' ? "&amp;" : byte);
	}
}

/* Of what is shown, if it tiles it: a region that ran several times has gaps. */
static struct path *path_of(struct report *report)
{
	for (u32 i = 0; i < meter_n_stretches(report->meter); i++)
		if (meter_stretch(report->meter, i) == report->figures)
			return report->figures->times > 1 ? NULL : report->paths[i];
	return NULL;
}

static int put_trace(struct out *out, const char *trace, struct report *report, struct error *err)
{
	const struct figures *shown = report->figures, *whole = meter_stretch(report->meter, 0);
	struct page_stretch stretch = {shown->begin_ns - whole->begin_ns, shown->end_ns - whole->begin_ns};
	struct path *path = path_of(report);
	struct buf json = BUF_INIT;
	int code;

	out_puts(out, "<script type=\"text/plain\" class=\"spans\">");
	code = page_data(out, trace, &stretch, &json, err);
	out_puts(out, "</script>\n<script type=\"text/plain\" class=\"path\">");
	if (!code)
		code = page_path(out, path, err);
	path_drop_segments(path); /* not in the JSON once more */
	out_puts(out, "</script>\n<script type=\"application/json\" class=\"trace\">");
	if (!code) {
		buf_puts(&json, ",\"file\":");
		buf_put_json(&json, basename(trace));
		buf_puts(&json, ",\"report\":");
		report_json(report, &json);
		buf_puts(&json, "}");
		if (json.failed)
			code = error_set(err, -ENOMEM, "out of memory");
		else
			out_put(out, json.data, json.len);
	}
	out_puts(out, "</script>\n");
	buf_free(&json);
	return code;
}

/* What stands over several traces. */
static int put_comparison(struct out *out, const struct compare_side *sides, u32 n, struct error *err)
{
	struct buf json = BUF_INIT, text = BUF_INIT;
	int code = 0;

	buf_puts(&json, "{\"text\":");
	compare_sentence(sides, n, false, &text);
	buf_put_json(&json, text.data ? text.data : "");
	buf_clear(&text);
	buf_puts(&json, ",\"text_ko\":");
	compare_sentence(sides, n, true, &text);
	buf_put_json(&json, text.data ? text.data : "");
	buf_puts(&json, "}");
	if (json.failed || text.failed) {
		code = error_set(err, -ENOMEM, "out of memory");
	} else {
		out_puts(out, "<script type=\"application/json\" class=\"comparison\">");
		out_put(out, json.data, json.len);
		out_puts(out, "</script>\n");
	}
	buf_free(&json);
	buf_free(&text);
	return code;
}

static int put_traces(struct out *out, const char *const *traces, u32 n, const char *region, struct error *err)
{
	struct report **reports = calloc(n + 1, sizeof(*reports));
	struct compare_side *sides = calloc(n + 1, sizeof(*sides));
	struct report_options options = {.path_segments = true, .region = region};
	int code = 0;

	if (!reports || !sides) {
		free(reports);
		free(sides);
		return error_set(err, -ENOMEM, "out of memory");
	}
	for (u32 i = 0; !code && i < n; i++) {
		code = report_read(&reports[i], traces[i], &options, NULL, err);
		sides[i] = (struct compare_side){reports[i], basename(traces[i])};
		if (!code)
			code = put_trace(out, traces[i], reports[i], err);
	}
	if (!code && n > 1)
		code = put_comparison(out, sides, n, err);
	for (u32 i = 0; i < n; i++)
		report_free(reports[i]);
	free(reports);
	free(sides);
	return code;
}

/* A lesson's question, as its author wrote it: "<" may stand in JSON's strings only, and is written
 * so that no element can end there. */
static int put_lesson(struct out *out, const char *path, struct error *err)
{
	FILE *file = fopen(path, "re");
	int c;

	if (!file)
		return error_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	out_puts(out, "<script type=\"application/json\" class=\"lesson\">");
	while ((c = getc(file)) != EOF) {
		char byte = (char)c;

		if (c == '<')
			out_puts(out, "\\u003c");
		else
			out_put(out, &byte, 1);
	}
	out_puts(out, "</script>\n");
	fclose(file);
	return 0;
}

static int page_write(struct out *out, const char *const *traces, u32 n,
		      const struct export_options *options, struct error *err)
{
	struct buf text = BUF_INIT;
	int code;

	buf_printf(&text, head, !options->language ? "" : strcmp(options->language, "ko") ? " lang=\"en\"" : " lang=\"ko\"");
	out_puts(out, text.data ? text.data : "");
	buf_free(&text);
	if (options->title)
		put_text(out, options->title);
	for (u32 i = 0; !options->title && i < n; i++) {
		out_puts(out, i ? " / " : "");
		put_text(out, basename(traces[i]));
	}
	out_puts(out, "</title>\n<style>\n");
	out_puts(out, viewer_style);
	out_puts(out, "</style>\n<body>\n<noscript>This page draws with JavaScript, which is switched off "
		 "here.</noscript>\n<div id=\"app\"></div>\n");
	code = put_traces(out, traces, n, options->region, err);
	if (!code && options->lesson)
		code = put_lesson(out, options->lesson, err);
	if (!code && options->lesson_json) {
		out_puts(out, "<script type=\"application/json\" class=\"lesson\">");
		out_puts(out, options->lesson_json);
		out_puts(out, "</script>\n");
	}
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		out_puts(out, "<script>\n");
		out_puts(out, scripts[i]);
		out_puts(out, "</script>\n");
	}
	return code;
}

const struct export_format export_html = {
	.name = "html",
	.extension = ".html",
	.summary = "the offline viewer: one page, no network",
	.write = page_write,
};
