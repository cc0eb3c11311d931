/* SPDX-License-Identifier: MIT */
/*
 * page.c - one or several traces as one HTML page that opens anywhere, without a network: the viewer
 * (viewer/, carried inside the program) with the data in it. viewer/PAGE.md describes the data.
 */
#include "export/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export/narrow.h"
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
	viewer_words, viewer_data, viewer_levels, viewer_verdict, viewer_look, viewer_raster, viewer_draw, viewer_lanes,
	viewer_joint, viewer_panel, viewer_details, viewer_play, viewer_cooks, viewer_lesson, viewer_picture, viewer_arrows,
	viewer_page, viewer_user, viewer_input, viewer_svg, viewer_save, viewer_start,
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

/* What of the recording the page is, if not all. */
static void put_part(const struct export_options *options, struct buf *json)
{
	struct buf text = BUF_INIT;

	if (options->min_wait_ns)
		buf_printf(json, ",\"min_wait_ns\":%llu", (unsigned long long)options->min_wait_ns);
	narrow_describe(options, &text);
	if (text.len) {
		buf_puts(json, ",\"part\":");
		buf_put_json(json, text.data);
	}
	json->failed |= text.failed;
	buf_free(&text);
}

static int put_trace(struct out *out, const char *trace, const char *name,
		     const struct export_options *options, struct report *report, struct error *err)
{
	const struct figures *shown = report->figures, *whole = meter_stretch(report->meter, 0);
	struct export_options part = *options; /* of a region its stretch alone */
	struct path *path = path_of(report);
	struct buf json = BUF_INIT;
	int code;

	part.from_ns = shown->begin_ns - whole->begin_ns;
	part.to_ns = shown->end_ns - whole->begin_ns;
	out_puts(out, "<script type=\"text/plain\" class=\"spans\">");
	code = page_data(out, trace, &part, &json, err);
	out_puts(out, "</script>\n<script type=\"text/plain\" class=\"path\">");
	if (!code)
		code = page_path(out, path, err);
	path_drop_segments(path); /* not in the JSON once more */
	out_puts(out, "</script>\n<script type=\"application/json\" class=\"trace\">");
	if (!code) {
		put_part(options, &json);
		buf_puts(&json, ",\"file\":");
		buf_put_json(&json, basename(name));
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

/* @traces are what is shown, @names what it is a part of. */
static int put_traces(struct out *out, char *const *traces, const char *const *names, u32 n,
		      const struct export_options *options, struct error *err)
{
	struct report **reports = calloc(n + 1, sizeof(*reports));
	struct compare_side *sides = calloc(n + 1, sizeof(*sides));
	struct report_options ask = {.path_segments = true, .region = options->region};
	int code = 0;

	if (!reports || !sides) {
		free(reports);
		free(sides);
		return error_set(err, -ENOMEM, "out of memory");
	}
	for (u32 i = 0; !code && i < n; i++) {
		code = report_read(&reports[i], traces[i], &ask, NULL, err);
		sides[i] = (struct compare_side){reports[i], compare_name(names[i])};
		if (!code && !sides[i].name)
			code = error_set(err, -ENOMEM, "out of memory");
		if (!code)
			code = export_goes_on(options, 0, 1, err);
		if (!code)
			code = put_trace(out, traces[i], names[i], options, reports[i], err);
	}
	if (!code && n > 1)
		code = put_comparison(out, sides, n, err);
	for (u32 i = 0; i < n; i++) {
		report_free(reports[i]);
		free(sides[i].name);
	}
	free(reports);
	free(sides);
	return code;
}

/* Where all of @trace is asked for, itself; else a part of it in a new file, which the caller deletes. */
static int find_part(char **path, const char *trace, const struct export_options *options,
		     struct error *err)
{
	struct trace_reader *reader = NULL;
	const char *folder = getenv("TMPDIR");
	struct buf name = BUF_INIT;
	int code = trace_reader_open(&reader, trace, err), fd;
	bool asked;

	if (code)
		return code;
	asked = narrow_asked(options, trace_reader_meta(reader, "target"));
	trace_reader_close(reader);
	if (asked)
		buf_printf(&name, "%s/corun-part-XXXXXX", folder && folder[0] ? folder : "/tmp");
	else
		buf_puts(&name, trace);
	if (name.failed)
		return error_set(err, -ENOMEM, "out of memory");
	if (asked) {
		fd = mkstemp(name.data);
		if (fd < 0) {
			code = error_set(err, -errno, "cannot make a file in %s: %s", folder, strerror(errno));
			buf_free(&name);
			return code;
		}
		close(fd);
	}
	*path = name.data;
	return asked ? narrow_write(trace, name.data, options, err) : 0;
}

static int put_parts(struct out *out, const char *const *traces, u32 n,
		     const struct export_options *options, struct error *err)
{
	char **parts = calloc(n + 1, sizeof(*parts));
	int code = 0;

	if (!parts)
		return error_set(err, -ENOMEM, "out of memory");
	for (u32 i = 0; !code && i < n; i++)
		code = find_part(&parts[i], traces[i], options, err);
	if (!code)
		code = put_traces(out, parts, traces, n, options, err);
	for (u32 i = 0; i < n; i++) {
		if (parts[i] && strcmp(parts[i], traces[i]))
			unlink(parts[i]);
		free(parts[i]);
	}
	free(parts);
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
	code = put_parts(out, traces, n, options, err);
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
