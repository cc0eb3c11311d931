/* SPDX-License-Identifier: MIT */
/*
 * perfetto_count.c - counters: of the whole set, and of each process.
 *
 * They are most of the events of a file. A counter is therefore a packet sequence of its own, which
 * is told once what its track is and that its times are each since the one before (an incremental
 * clock, clock_snapshot.proto): a sample is 14 bytes, not 18.
 */
#include <stdio.h>

#include "export/perfetto.h"

#define CLOCK_OWN 64 /* the first number that a sequence may give to a clock of its own */

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

/* Begin the counter's sequence: its track and its clock. */
static void begin(struct perfetto *p, struct counter *c, u64 track)
{
	u8 clocks[64], event[16], defaults[32], packet[128], *at, *end;

	/* The strings' sequences are the first ones, one a trace. */
	c->sequence = 1 + p->part->count + p->part->index + p->n_counters++ * p->part->count;
	at = pb_int(event, EVENT_TRACK, perfetto_uuid(p, track));
	end = pb_bytes(pb_int(defaults, PACKET_CLOCK, CLOCK_OWN), PACKET_TRACK_EVENT, event,
		       (size_t)(at - event));
	at = pb_int(pb_int(packet, PACKET_SEQUENCE, c->sequence), PACKET_SEQUENCE_FLAGS, SEQUENCE_CLEARED);
	at = pb_bytes(at, PACKET_DEFAULTS, defaults, (size_t)(end - defaults));
	end = put_clocks(clocks);
	at = pb_bytes(at, PACKET_SNAPSHOT, clocks, (size_t)(end - clocks));
	perfetto_packet(p, packet, (size_t)(at - packet));
}

static void put(struct perfetto *p, struct counter *c, u64 ts, u32 value)
{
	u64 now = perfetto_time(p, ts), since = now - c->last_ns;
	/* Tags take a byte, that of EVENT_COUNTER two. */
	size_t event = 2 + 2 + pb_size(value);
	u8 *at = perfetto_begin(p, 1 + pb_size(since) + 1 + pb_size(c->sequence) + 2 + event);

	if (!at)
		return;
	c->last_ns = now;
	at = pb_int(pb_int(at, PACKET_TIMESTAMP, since), PACKET_SEQUENCE, c->sequence);
	at = pb_varint(pb_varint(at, PACKET_TRACK_EVENT << 3 | 2), event);
	pb_int(pb_int(at, EVENT_TYPE, EVENT_COUNT), EVENT_COUNTER, value);
}

static void count(struct perfetto *p, struct counter *c, u64 track, u64 parent, u32 curve, u64 ts,
		  u32 value)
{
	if (!c->sequence) {
		describe(p, track, parent, curve);
		begin(p, c, track);
	}
	put(p, c, ts, value);
}

static void process_curve(struct perfetto *p, u32 process, u64 ts, u32 changed, const u32 *now)
{
	if (!perfetto_grow(p, (void **)&p->process_counters, &p->n_process_counters,
			   sizeof(*p->process_counters), process))
		return;
	changed &= CURVES_OF_PROCESS;
	if (!changed)
		return;
	perfetto_process_track(p, model_process(p->model, process));
	for (; changed; changed &= changed - 1) {
		u32 curve = (u32)__builtin_ctz(changed);

		count(p, &p->process_counters[process].of[curve], UUID_PROCESS_COUNTER(process, curve),
		      UUID_PROCESS(process), curve, ts, now[curve]);
	}
}

void perfetto_curve(void *ctx, u32 process, u64 ts, u32 changed, const u32 *now)
{
	struct perfetto *p = ctx;

	if (process != NO_THREAD) {
		process_curve(p, process, ts, changed, now);
		return;
	}
	for (; changed; changed &= changed - 1) {
		u32 curve = (u32)__builtin_ctz(changed);

		count(p, &p->counters[curve], UUID_COUNTER + curve, UUID_CURVES, curve, ts, now[curve]);
	}
}
