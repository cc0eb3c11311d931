/* SPDX-License-Identifier: MIT */
/*
 * Any records in any order: the model, the figures, the reports and the timeline take them all. What
 * must hold whatever the records say: every nanosecond of every thread is in one state, and the JSON
 * has no number that is none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "export/export.h"
#include "metrics/report.h"
#include "trace/text.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static u64 integral(const struct curve *curve)
{
	u64 sum = 0;

	for (u32 k = 0; k < curve->n; k++)
		sum += k * curve->at[k];
	return sum;
}

static void check_identity(const struct figures *f)
{
	struct usage threads = {0};

	for (u32 i = 0; i < f->n_threads; i++)
		if (f->threads[i])
			usage_add(&threads, &f->threads[i]->time);
	if (memcmp(&threads, &f->time, sizeof(threads)) || usage_alive(&f->time) != integral(&f->alive) ||
	    f->time.ns[USAGE_RUNNING] != integral(&f->parallelism))
		abort();
}

/* Outside of strings a letter is the first of true, false, null, or an exponent. */
static void check_json(const char *json)
{
	bool string = false;

	for (const char *p = json; *p; p++) {
		if (string && *p == '\\')
			p++;
		else if (*p == '"')
			string = !string;
		else if (!string && (!strncmp(p, "nan", 3) || !strncmp(p, "inf", 3)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct report_options options = {0};
	struct report_look look = {size & 1, size & 2};
	struct export_options timeline = {.compat = size & 4};
	struct export_result result;
	struct buf text = BUF_INIT;
	struct report *report;
	char path[40];
	const char *trace = path;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || dprintf(fd, TRACE_TEXT_MAGIC "\n") < 0 ||
	    (size && write(fd, data, size) != (ssize_t)size))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!report_read(&report, path, &options, NULL, NULL)) {
		check_identity(report->figures);
		report_json(report, &text);
		if (text.data)
			check_json(text.data);
		report_text(report, &look, &text);
		report_free(report);
		for (size_t i = 0; export_formats[i]; i++)
			export_file(export_formats[i], &trace, 1, "build/fuzz/out", &timeline, NULL,
				    &result, NULL);
	}
	buf_free(&text);
	close(fd);
	return 0;
}
