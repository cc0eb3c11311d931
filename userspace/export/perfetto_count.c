/* SPDX-License-Identifier: MIT */
/*
 * perfetto_count.c - counters: of the whole set, and of each process.
 *
 * They are most of the events of a file, and a switch changes several at one instant: running, ready, in flight, a
 * kind of wait. What changes together is one sample, a TrackEvent that carries the values of several counters
 * (track_event.proto, extra_counter_values). Each group of counters is a packet sequence of its own, which is told
 * once which tracks they are and that its times are each since the one before (an incremental clock,
 * clock_snapshot.proto): 14 bytes for the first counter of a sample, 2 for each other.
 */
#include <stdio.h>
#include <stdlib.h>

#include "export/perfetto.h"

#define CLOCK_OWN 64 /* the first number that a sequence may give to a clock of its own */

/* With the eight extra values that the trace processor takes. */
#define GROUP_MAX 9
/* Which counters change together repeats itself soon; where it does not, they go one by one. */
#define GROUPS_MAX 256

struct counter_group {
	u32 sequence;
	u32 n;
	u8 curve[GROUP_MAX];
	u64 last_ns; /* in the file's time */
};

/* All of the set share one axis; a process has its own, below it, with other names: pinning by name (cmd_view.c) is for
 * the set's. */
static void describe(struct perfetto *p, u64 id, u64 parent, u32 curve)
{
	const char *before = parent != UUID_CURVES ? "threads " : curve_is_kind(curve) ? "waiting: " : "";
	u8 data[256], counter[64], *at;
	char name[64];

	snprintf(name, sizeof(name), "%s%s", before, curve_label(curve));
	at = pb_string(pb_string(counter, COUNTER_UNIT, "threads"), COUNTER_AXIS, "threads");
	at = pb_bytes(pb_int(data, TRACK_UUID, perfetto_uuid(p, id)), TRACK_COUNTER, counter,
		      (size_t)(at - counter));
	at = pb_string(at, TRACK_NAME, name);
	at = pb_int(pb_int(at, TRACK_PARENT, perfetto_uuid(p, parent)), TRACK_RANK, curve + 1);
	perfetto_descriptor(p, data, (size_t)(at - data));
}

/* A clock that counts from 0, where the file's does. */
static u8 *put_clocks(u8 *at)
{
	u8 own[16], file[16], *end;

	end = pb_int(pb_int(pb_int(own, CLOCK_ID, CLOCK_OWN), CLOCK_TIME, 0), CLOCK_INCREMENTAL, 1);
	at = pb_bytes(at, SNAPSHOT_CLOCK, own, (size_t)(end - own));
	end = pb_int(pb_int(file, CLOCK_ID, CLOCK_BOOTTIME), CLOCK_TIME, 0);
	return pb_bytes(at, SNAPSHOT_CLOCK, file, (size_t)(end - file));
}

/* Begin the group's sequence: its tracks, @base + their curve * @step, and its clock. */
static void begin(struct perfetto *p, struct counter_group *g, u64 base, u64 step)
{
	u8 clocks[64], event[GROUP_MAX * 16], defaults[GROUP_MAX * 16 + 32], packet[GROUP_MAX * 16 + 128], *at, *end;

	/* The strings' sequences are the first ones, one a trace. */
	g->sequence = 1 + p->part->count + p->part->index + p->n_groups++ * p->part->count;
	at = event;
	for (u32 i = 0; i < g->n; i++)
		at = pb_int(at, i ? EVENT_EXTRA_TRACK : EVENT_TRACK, perfetto_uuid(p, base + g->curve[i] * step));
	end = pb_bytes(pb_int(defaults, PACKET_CLOCK, CLOCK_OWN), PACKET_TRACK_EVENT, event,
		       (size_t)(at - event));
	at = pb_int(pb_int(packet, PACKET_SEQUENCE, g->sequence), PACKET_SEQUENCE_FLAGS, SEQUENCE_CLEARED);
	at = pb_bytes(at, PACKET_DEFAULTS, defaults, (size_t)(end - defaults));
	end = put_clocks(clocks);
	at = pb_bytes(at, PACKET_SNAPSHOT, clocks, (size_t)(end - clocks));
	perfetto_packet(p, packet, (size_t)(at - packet));
}

/* The curves of @first and then those of @rest, under @key. NULL when memory is out. */
static struct counter_group *group_new(struct perfetto *p, u64 key, u32 first, u32 rest)
{
	struct counter_group *g = calloc(1, sizeof(*g));

	if (!g || map_set(&p->groups, key, g)) {
		free(g);
		p->failed = true;
		return NULL;
	}
	for (; first; first &= first - 1)
		g->curve[g->n++] = (u8)__builtin_ctz(first);
	for (; rest; rest &= rest - 1)
		g->curve[g->n++] = (u8)__builtin_ctz(rest);
	return g;
}

static void put(struct perfetto *p, struct counter_group *g, u64 ts, const u32 *now)
{
	u64 time = perfetto_time(p, ts), since = time - g->last_ns;
	/* Tags take a byte, that of EVENT_COUNTER two. */
	size_t event = 2 + 1;
	u8 *at;

	for (u32 i = 0; i < g->n; i++)
		event += 1 + pb_size(now[g->curve[i]]);
	at = perfetto_begin(p, 1 + pb_size(since) + 1 + pb_size(g->sequence) + 2 + event);
	if (!at)
		return;
	g->last_ns = time;
	at = pb_int(pb_int(at, PACKET_TIMESTAMP, since), PACKET_SEQUENCE, g->sequence);
	at = pb_varint(pb_varint(at, PACKET_TRACK_EVENT << 3 | 2), event);
	at = pb_int(pb_int(at, EVENT_TYPE, EVENT_COUNT), EVENT_COUNTER, now[g->curve[0]]);
	for (u32 i = 1; i < g->n; i++)
		at = pb_int(at, EVENT_EXTRA_COUNTER, now[g->curve[i]]);
}

/* A process has two counters, which mostly change together: one group. */
static void process_curve(struct perfetto *p, u32 process, u64 ts, const u32 *now)
{
	u64 key = (u64)1 << 63 | process;
	struct counter_group *g = map_get(&p->groups, key);
	u64 parent = UUID_PROCESS(process);

	if (!g) {
		g = group_new(p, key, CURVES_OF_PROCESS, 0);
		if (!g)
			return;
		perfetto_process_track(p, model_process(p->model, process));
		for (u32 i = 0; i < g->n; i++)
			describe(p, UUID_PROCESS_COUNTER(process, g->curve[i]), parent, g->curve[i]);
		begin(p, g, UUID_PROCESS_COUNTER(process, 0), UUID_PROCESS_COUNTER(0, 1) - UUID_PROCESS_COUNTER(0, 0));
	}
	put(p, g, ts, now);
}

/*
 * The group of @changed, or of a part of it: *@changed is left with the rest. Of the extra values the trace processor
 * keeps those before the first 0 and takes the others for 0 (CountExtraCounterValues in its trace_token_buffer.cc):
 * the zeros stand last.
 */
static struct counter_group *set_group(struct perfetto *p, u32 *changed, const u32 *now)
{
	u32 some = 0, zeros = 0, left = *changed;
	struct counter_group *g;
	u64 key;

	for (u32 n = 0; left && n < GROUP_MAX; n++, left &= left - 1) {
		some |= left & -left;
		if (!now[__builtin_ctz(left)])
			zeros |= left & -left;
	}
	key = some | (u64)zeros << 32;
	g = map_get(&p->groups, key);
	if (!g && p->n_set_groups >= GROUPS_MAX) {
		some = *changed & -*changed;
		left = *changed & ~some;
		zeros = 0; /* of one counter it says nothing */
		key = some;
		g = map_get(&p->groups, key);
	}
	*changed = left;
	if (g)
		return g;
	g = group_new(p, key, some & ~zeros, zeros);
	if (!g)
		return NULL;
	p->n_set_groups++;
	for (u32 i = 0; i < g->n; i++)
		if (!(p->counters & 1u << g->curve[i]))
			describe(p, UUID_COUNTER + g->curve[i], UUID_CURVES, g->curve[i]);
	p->counters |= some;
	begin(p, g, UUID_COUNTER, 1);
	return g;
}

void perfetto_curve(void *ctx, u32 process, u64 ts, u32 changed, const u32 *now)
{
	struct perfetto *p = ctx;

	if (process != NO_THREAD) {
		if (changed & CURVES_OF_PROCESS)
			process_curve(p, process, ts, now);
		return;
	}
	while (changed) {
		struct counter_group *g = set_group(p, &changed, now);

		if (g)
			put(p, g, ts, now);
	}
}

void perfetto_count_free(struct perfetto *p)
{
	struct map_slot *slot;

	for (size_t i = 0; (slot = map_next(&p->groups, &i));)
		free(slot->value);
	map_free(&p->groups);
}
