/* SPDX-License-Identifier: MIT */
#include "export/parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* Where the window opens, or without one the first record of the clock; and rewind. */
static int find_begin(struct part *part, struct error *err)
{
	const struct record *rec;
	int code;

	while ((code = trace_reader_next(part->reader, &rec, err)) > 0) {
		if (rec->ts && !part->begin_ns)
			part->begin_ns = rec->ts;
		if (rec->type == REC_WINDOW && rec->window.begin) {
			part->begin_ns = rec->ts;
			break;
		}
	}
	if (code < 0)
		return code;
	code = trace_reader_rewind(part->reader);
	return code ? error_set(err, code, "a trace that goes into one file with others is read "
				"twice, and this one cannot be: put it into a file first") : 0;
}

static u64 number(const struct trace_reader *reader, const char *key, bool *has)
{
	const char *value = trace_reader_meta(reader, key);

	*has = value && *value >= '0' && *value <= '9';
	return *has ? strtoull(value, NULL, 10) : 0;
}

static int open_part(struct part *part, const char *path, struct error *err)
{
	int code = trace_reader_open(&part->reader, path, err);
	const char *host, *boot;
	bool has_mono, has_error;
	u64 error;

	if (code)
		return code;
	host = trace_reader_meta(part->reader, "host");
	boot = trace_reader_meta(part->reader, "boot_id");
	part->host = strdup(host ? host : "");
	part->boot_id = strdup(boot ? boot : "");
	if (!part->host || !part->boot_id)
		return error_set(err, -ENOMEM, "out of memory");
	part->mono_ns = number(part->reader, "mono_ns", &has_mono);
	part->wall_ns = number(part->reader, "wall_ns", &part->has_wall);
	part->has_wall &= has_mono;
	error = number(part->reader, "wall_error_ns", &has_error);
	part->error_ns = has_error ? (s64)error : -1;
	return find_begin(part, err);
}

static bool same_boot(const struct part *a, const struct part *b)
{
	return a->boot_id[0] && !strcmp(a->boot_id, b->boot_id);
}

/* CLOCK_REALTIME less CLOCK_MONOTONIC; for the traces of one boot that of the first of them, for
 * the wall clock may have been set between two recordings. */
static u64 wall_offset(const struct parts *parts, u32 index)
{
	for (u32 i = 0; i <= index; i++)
		if (i == index || same_boot(&parts->part[i], &parts->part[index]))
			return parts->part[i].wall_ns - parts->part[i].mono_ns;
	return 0;
}

static s64 unsure(const struct part *a, const struct part *b)
{
	if (same_boot(a, b))
		return 0;
	return a->error_ns < 0 || b->error_ns < 0 ? -1 : a->error_ns + b->error_ns;
}

static void find_unsure(struct parts *parts)
{
	for (u32 i = 0; i < parts->n; i++) {
		struct part *part = &parts->part[i];

		for (u32 j = 0; j < parts->n && part->pub.unsure_ns >= 0; j++) {
			s64 pair = unsure(part, &parts->part[j]);

			if (j != i && (pair < 0 || pair > part->pub.unsure_ns))
				part->pub.unsure_ns = pair;
		}
		if (parts->unsure_ns >= 0 && (part->pub.unsure_ns < 0 ||
					      part->pub.unsure_ns > parts->unsure_ns))
			parts->unsure_ns = part->pub.unsure_ns;
	}
}

/* "web-1", or "web-1 #2" when an earlier trace is of the same host. */
static int make_label(const struct parts *parts, u32 index)
{
	struct part *part = &parts->part[index];
	struct buf label = BUF_INIT;
	u32 times = 1;

	for (u32 i = 0; i < index; i++)
		times += !strcmp(parts->part[i].host, part->host);
	if (parts->n > 1) {
		buf_puts(&label, part->host[0] ? part->host : "trace");
		if (times > 1)
			buf_printf(&label, " #%u", times);
	}
	buf_puts(&label, "");
	part->label = label.data;
	return label.failed ? -ENOMEM : 0;
}

static int align(struct parts *parts, struct error *err)
{
	u64 first = UINT64_MAX;

	for (u32 i = 0; i < parts->n; i++) {
		const struct part *part = &parts->part[i];

		if (parts->n > 1 && !part->has_wall)
			return error_set(err, -EINVAL, "trace %u carries no wall clock: it cannot be "
					 "laid beside others", i + 1);
		if (wall_offset(parts, i) + part->begin_ns < first)
			first = wall_offset(parts, i) + part->begin_ns;
	}
	for (u32 i = 0; i < parts->n; i++) {
		struct part *part = &parts->part[i];

		part->pub = (struct export_part){
			.index = i, .count = parts->n, .host = part->host, .boot_id = part->boot_id,
			.zero_ns = parts->n > 1 ? first - wall_offset(parts, i) : part->begin_ns,
		};
		if (part->has_wall)
			part->pub.wall_zero_ns = part->pub.zero_ns + wall_offset(parts, i);
		if (make_label(parts, i))
			return error_set(err, -ENOMEM, "out of memory");
		part->pub.label = part->label;
	}
	find_unsure(parts);
	return 0;
}

int parts_open(struct parts *parts, const char *const *traces, u32 n, struct error *err)
{
	int code = 0;

	*parts = (struct parts){.part = calloc(n ? n : 1, sizeof(*parts->part)), .n = n};
	if (!parts->part)
		return error_set(err, -ENOMEM, "out of memory");
	for (u32 i = 0; !code && i < n; i++) {
		code = open_part(&parts->part[i], traces[i], err);
		if (!code)
			parts->size += trace_reader_size(parts->part[i].reader);
	}
	return code ? code : align(parts, err);
}

void parts_close(struct parts *parts)
{
	for (u32 i = 0; parts->part && i < parts->n; i++) {
		trace_reader_close(parts->part[i].reader);
		free(parts->part[i].host);
		free(parts->part[i].boot_id);
		free(parts->part[i].label);
	}
	free(parts->part);
}
