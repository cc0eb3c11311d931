/* SPDX-License-Identifier: MIT */
/*
 * perfetto.h - the inside of the native Perfetto exporter: shared by perfetto*.c, nobody else.
 *
 * Field numbers are those of Perfetto's protos/perfetto/trace (trace_packet.proto,
 * ftrace_event_bundle.proto, track_descriptor.proto, track_event.proto, interned_data.proto, debug_annotation.proto,
 * clock_snapshot.proto, profile_common.proto).
 */
#ifndef CORUN_EXPORT_PERFETTO_H
#define CORUN_EXPORT_PERFETTO_H

#include "base/buf.h"
#include "export/arrows.h"
#include "export/curves.h"
#include "export/lanes.h"
#include "export/pb.h"
#include "export/rows.h"

enum { /* TracePacket */
	PACKET_FTRACE = 1, PACKET_PROCESS_TREE = 2, PACKET_CHROME_EVENTS = 5, PACKET_TIMESTAMP = 8, PACKET_SEQUENCE = 10,
	PACKET_SNAPSHOT = 6, PACKET_TRACK_EVENT = 11, PACKET_INTERNED = 12, PACKET_SEQUENCE_FLAGS = 13,
	PACKET_SYSTEM_INFO = 45, PACKET_CLOCK = 58, PACKET_DEFAULTS = 59, PACKET_TRACK_DESCRIPTOR = 60,
	SEQUENCE_CLEARED = 1, SEQUENCE_NEEDS = 2,
};

enum { /* ClockSnapshot, its Clock */
	SNAPSHOT_CLOCK = 1, CLOCK_ID = 1, CLOCK_TIME = 2, CLOCK_INCREMENTAL = 3,
	CLOCK_BOOTTIME = 6, /* what times without a clock are taken for */
};

enum { /* FtraceEventBundle, its CompactSched, FtraceEvent, SchedWakingFtraceEvent */
	BUNDLE_CPU = 1, BUNDLE_EVENT = 2, BUNDLE_COMPACT = 4,
	COMPACT_SWITCH_TIME = 1, COMPACT_SWITCH_STATE = 2, COMPACT_SWITCH_NEXT = 3,
	COMPACT_SWITCH_PRIO = 4, COMPACT_NAMES = 5, COMPACT_SWITCH_NAME = 6,
	COMPACT_WAKING_TIME = 7, COMPACT_WAKING_PID = 8, COMPACT_WAKING_CPU = 9,
	COMPACT_WAKING_PRIO = 10, COMPACT_WAKING_NAME = 11, COMPACT_WAKING_FLAGS = 12,
	FTRACE_TIMESTAMP = 1, FTRACE_PID = 2, FTRACE_SCHED_WAKING = 20,
	WAKING_COMM = 1, WAKING_PID = 2, WAKING_PRIO = 3, WAKING_SUCCESS = 4, WAKING_CPU = 5,
};

enum { /* TrackEvent, DebugAnnotation, InternedData */
	EVENT_CATEGORY = 3, EVENT_ANNOTATION = 4, EVENT_TYPE = 9, EVENT_NAME = 10, EVENT_TRACK = 11,
	EVENT_EXTRA_COUNTER = 12, EVENT_COUNTER = 30, EVENT_EXTRA_TRACK = 31, EVENT_FLOW = 47, EVENT_FLOW_END = 48,
	EVENT_CALLSTACK = 56,
	EVENT_BEGIN = 1, EVENT_END = 2, EVENT_INSTANT = 3, EVENT_COUNT = 4,
	ANNOTATION_NAME = 1, ANNOTATION_TEXT = 17,
	INTERNED_CATEGORY = 1, INTERNED_EVENT = 2, INTERNED_ANNOTATION = 3, INTERNED_FUNCTION = 5,
	INTERNED_FRAME = 6, INTERNED_CALLSTACK = 7, INTERNED_MAPPING = 19, INTERNED_TEXT = 29,
	FRAME_IID = 1, FRAME_NAME = 2, FRAME_MAPPING = 3, CALLSTACK_FRAME = 2,
};

enum { /* TrackDescriptor, ProcessDescriptor, ThreadDescriptor, CounterDescriptor */
	TRACK_UUID = 1, TRACK_NAME = 2, TRACK_PROCESS = 3, TRACK_THREAD = 4, TRACK_PARENT = 5,
	TRACK_COUNTER = 8, TRACK_CHILD_ORDER = 11, TRACK_RANK = 12, TRACK_DESCRIPTION = 14,
	TRACK_PROCESS_ORDER = 19,
	PROCESS_PID = 1, PROCESS_NAME = 6,
	THREAD_PID = 1, THREAD_TID = 2, THREAD_NAME = 5,
	COUNTER_UNIT = 6, COUNTER_AXIS = 7,
	EXPLICIT_ORDER = 3, EXPLICIT_PROCESS_ORDER = 1,
};

/*
 * Ids of tracks. They are in every event: small ones for groups and the set's counters, from 128 on
 * each fourth for threads, processes, processes' counters and lanes.
 */
#define UUID_PART ((u64)1 << 40)
#define UUID_CURVES 1
#define UUID_LOCKS 2
#define UUID_LOST 3
#define UUID_PATH 4
#define UUID_COUNTER 16 /* + curve */
#define UUID_THREAD(id) (128 + (u64)(id) * 4)
#define UUID_PROCESS(id) (129 + (u64)(id) * 4)
#define UUID_PROCESS_COUNTER(id, curve) (130 + ((u64)(id) * 32 + (curve)) * 4)
#define UUID_LANE(id) (131 + (u64)(id) * 4)

/* Strings that are told once and then go by a number, of one kind. */
struct strings {
	u32 field;      /* INTERNED_* */
	struct map ids; /* hash of the text -> its number; 64 bits: no clash in a lifetime */
	u64 n;
};

enum arrow_end { ARROW_WAKES, ARROW_WOKEN };

/* What a slice may say of itself. */
enum note {
	NOTE_CALL, NOTE_ON, NOTE_LOCK, NOTE_HELD_BY, NOTE_KERNEL, NOTE_SITE, NOTE_RELEASED_BY,
	NOTE_WOKEN_BY, NOTES,
};

/* Switches and wake-ups of one CPU, not yet written. */
struct sched_cpu {
	struct buf time, state, next, prio, name;      /* packed arrays of switches */
	struct buf wtime, wpid, wcpu, wprio, wname, wflags; /* ... of wake-ups */
	struct buf names;                              /* the bundle's table of names */
	struct { u32 bundle, index; } *index;          /* by thread id: its place in that table */
	u32 n_index, bundle;
	u32 n, n_names;
	u64 last_ts, last_wake;                        /* times are deltas */
	u64 end_ns;                                    /* of the last running span */
	u32 end_state;
	bool begun;
};

struct perfetto {
	struct out *out;
	struct model *model;
	const struct export_part *part;
	struct buf data, body, words, name;
	struct buf clean[2]; /* perfetto_text() */
	struct map locks;   /* lane id + 1: its track is described */
	u64 regions;
	struct rows rows;
	u32 sequence;
	bool begun, failed, has_path;
	u64 begin_ns;       /* of the export, in the file's time */
	char release[100];  /* of the kernel */
	struct buf meta;    /* ChromeEventBundle: what the recording says of itself */
	u64 lost;
	struct strings categories, events, texts, frames, stacks;
	u32 notes;          /* bit a note: its name is told */
	struct sched_cpu *cpus;
	u32 n_cpus;
	u64 *ready;         /* by thread id: when it was last told to become ready, + 1 */
	u32 n_ready;
	struct {
		bool told;  /* the file knows its track */
		u64 ref;    /* number of "name (tid)"; 0: none yet */
		u64 ends[2]; /* ... by enum arrow_end */
	} *threads;         /* by id */
	bool *processes;    /* by id: the file knows its track */
	u32 n_threads, n_processes;
	struct map groups;  /* of counters: perfetto_count.c has their keys */
	u32 n_groups, n_set_groups;
	u32 counters;       /* bit a curve of the set: the file knows its track */
	struct wait_bytes *waits; /* WAIT_TEXTS of them */
	struct arrows arrows;
	u64 flows;
	bool cleared;       /* the next packet starts the numbers of strings anew */
};

static inline u64 perfetto_time(const struct perfetto *p, u64 ts)
{
	u64 since = ts - p->part->zero_ns;

	return (s64)since > 0 ? since : 0;
}

static inline u64 perfetto_uuid(const struct perfetto *p, u64 number)
{
	return p->part->index * UUID_PART + number;
}

/* Room for a packet of @len bytes, which the caller fills to the last; NULL when memory is out. */
u8 *perfetto_begin(struct perfetto *p, size_t len);
/* Write one packet: @len bytes of fields at @fields. */
void perfetto_packet(struct perfetto *p, const u8 *fields, size_t len);
/* Zeroed room for index @want; false when memory is out. */
bool perfetto_grow(struct perfetto *p, void **array, u32 *n, size_t size, u32 want);

/* perfetto_sched.c */
void perfetto_running(struct perfetto *p, const struct span *span);
void perfetto_ready(struct perfetto *p, const struct span *span);
void perfetto_wakeup(struct perfetto *p, const struct wakeup *wakeup);
void perfetto_sched_end(struct perfetto *p);
void perfetto_sched_free(struct perfetto *p);

/* perfetto_string.c */
/* @text as UTF-8, which protobuf's strings are; lent until the next call with the same @which (0 or 1). */
const char *perfetto_text(struct perfetto *p, unsigned int which, const char *text);
u64 perfetto_string(struct perfetto *p, struct strings *strings, const char *text);
void perfetto_strings_free(struct strings *strings);
/* Between two events: if there are too many strings, forget them all. */
void perfetto_strings_fresh(struct perfetto *p);
/* An entry of InternedData, @len bytes. */
void perfetto_intern(struct perfetto *p, u32 field, const u8 *entry, size_t len);
/* Add to an event at @at: at most 24 bytes. @text: its number. An empty text adds nothing. */
u8 *perfetto_note(struct perfetto *p, u8 *at, enum note note, u64 text);
u8 *perfetto_note_text(struct perfetto *p, u8 *at, enum note note, const char *text);
u8 *perfetto_note_thread(struct perfetto *p, u8 *at, enum note note, u32 thread);
/* Number of the name of an arrow's end: "wakes @other", "woken by @other". */
u64 perfetto_arrow_end(struct perfetto *p, enum arrow_end end, const struct thread *other);

/* perfetto_stack.c: the number of a call stack, from a site's lines. */
u64 perfetto_stack(struct perfetto *p, const char *site);
void perfetto_stacks_clear(struct perfetto *p);

/* perfetto_count.c */
void perfetto_curve(void *ctx, u32 process, u64 ts, u32 changed, const u32 *now);
void perfetto_count_free(struct perfetto *p);

/* perfetto_track.c */
void perfetto_head(struct perfetto *p);
void perfetto_descriptor(struct perfetto *p, const u8 *data, size_t len);
void perfetto_track(struct perfetto *p, u64 uuid, u64 parent, const char *name, u32 rank,
		    const char *description);
u64 perfetto_process_track(struct perfetto *p, const struct process *process);
u64 perfetto_thread_track(struct perfetto *p, const struct thread *t);
void perfetto_rename(struct perfetto *p, const struct thread *t);

/* perfetto_slice.c */
int perfetto_waits_init(struct perfetto *p);
void perfetto_waits_clear(struct perfetto *p);
void perfetto_slice(struct perfetto *p, u64 track, const struct span *span);
/* A slice that says no more than its name. */
void perfetto_plain(struct perfetto *p, u64 track, const char *category, const char *name,
		    u64 start, u64 end);

/* perfetto_lane.c */
void perfetto_lost(struct perfetto *p, const struct record *rec);
void perfetto_lock(void *ctx, const struct lock_lane *lane, u64 start, u64 end);
void perfetto_path(void *ctx, const struct path_segment *segment);
void perfetto_task_start(void *ctx, const struct task *task, u64 ts);
void perfetto_task_state(void *ctx, const struct task_span *span);
void perfetto_region(void *ctx, const struct region *region);

#endif
