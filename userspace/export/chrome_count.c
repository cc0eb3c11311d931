/* SPDX-License-Identifier: MIT */
/*
 * chrome_count.c - counters as JSON. The Perfetto UI makes a track of each key of args: one event
 * tells all that changed at an instant. Older viewers stack the keys of an event and want all of
 * them each time: --compat writes an event a counter.
 */
#include "export/chrome.h"

/* "running", "in flight", "ready" before "waiting: GIL": viewers sort by name. */
static char *put_label(char *p, u32 curve)
{
	const char *label = curve_label(curve);

	if (curve_is_kind(curve))
		p = put_lit(p, "waiting: ");
	return put_bytes(p, label, strlen(label));
}

/* One key takes less than 64 bytes. */
#define COUNTER_ROOM (128 + CURVES * 64)

static void put_counters(struct chrome *c, s64 pid, u64 ts, u32 changed, const u32 *now)
{
	char *p = json_room(&c->json, COUNTER_ROOM);
	bool first = true;

	p = put_lit(p, ",\n{\"ph\":\"C\",\"name\":\"threads\",\"pid\":");
	p = put_u64(p, (u64)pid);
	p = put_lit(p, ",\"ts\":");
	p = put_us(p, chrome_time(c, ts));
	p = put_lit(p, ",\"args\":{");
	for (; changed; changed &= changed - 1) {
		u32 curve = (u32)__builtin_ctz(changed);

		if (!first)
			*p++ = ',';
		first = false;
		*p++ = '"';
		p = put_label(p, curve);
		p = put_lit(p, "\":");
		p = put_u64(p, now[curve]);
	}
	p = put_lit(p, "}}");
	json_wrote(&c->json, p);
}

static void put_single_counters(struct chrome *c, s64 pid, u64 ts, u32 changed, const u32 *now)
{
	for (; changed; changed &= changed - 1) {
		u32 curve = (u32)__builtin_ctz(changed);
		char *p = json_room(&c->json, COUNTER_ROOM);

		p = put_lit(p, ",\n{\"ph\":\"C\",\"name\":\"");
		p = put_label(p, curve);
		p = put_lit(p, "\",\"pid\":");
		p = put_u64(p, (u64)pid);
		p = put_lit(p, ",\"ts\":");
		p = put_us(p, chrome_time(c, ts));
		p = put_lit(p, ",\"args\":{\"threads\":");
		p = put_u64(p, now[curve]);
		p = put_lit(p, "}}");
		json_wrote(&c->json, p);
	}
}

static void put(struct chrome *c, s64 pid, u64 ts, u32 changed, const u32 *now)
{
	if (c->compat)
		put_single_counters(c, pid, ts, changed, now);
	else
		put_counters(c, pid, ts, changed, now);
}

void chrome_curve(void *ctx, u32 process, u64 ts, u32 changed, const u32 *now)
{
	struct chrome *c = ctx;

	if (process == NO_THREAD) {
		put(c, rows_group(&c->rows, ROW_CURVES), ts, changed, now);
		return;
	}
	changed &= CURVES_OF_PROCESS;
	if (changed)
		put(c, rows_pid(&c->rows, model_process(c->model, process)), ts, changed, now);
}
