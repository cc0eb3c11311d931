/* SPDX-License-Identifier: MIT */
/* perfetto_track.c - groups, processes and threads as tracks: named, ordered, described. */
#include <stdlib.h>

#include "export/perfetto.h"

void perfetto_descriptor(struct perfetto *p, const u8 *data, size_t len)
{
	u8 *packet = malloc(len + 16), *end;

	if (!packet) {
		p->failed = true;
		return;
	}
	end = pb_bytes(packet, PACKET_TRACK_DESCRIPTOR, data, len);
	perfetto_packet(p, packet, (size_t)(end - packet));
	free(packet);
}

void perfetto_track(struct perfetto *p, u64 id, u64 parent, const char *name, u32 rank,
		    const char *description)
{
	u8 *data, *at;

	name = perfetto_text(p, 0, name);
	description = perfetto_text(p, 1, description);
	at = data = malloc(strlen(name) + strlen(description) + 128);
	if (!data) {
		p->failed = true;
		return;
	}
	at = pb_int(at, TRACK_UUID, perfetto_uuid(p, id));
	at = pb_string(at, TRACK_NAME, name);
	if (parent)
		at = pb_int(at, TRACK_PARENT, perfetto_uuid(p, parent));
	at = pb_int(at, TRACK_CHILD_ORDER, EXPLICIT_ORDER);
	at = pb_int(at, TRACK_RANK, rank);
	if (description[0])
		at = pb_string(at, TRACK_DESCRIPTION, description);
	perfetto_descriptor(p, data, (size_t)(at - data));
	free(data);
}

static void describe_process(struct perfetto *p, const struct process *process)
{
	const char *name;
	u8 *data, *at, *inner;
	size_t len;

	if (!perfetto_grow(p, (void **)&p->processes, &p->n_processes, sizeof(bool), process->id) ||
	    p->processes[process->id])
		return;
	p->processes[process->id] = true;
	buf_clear(&p->words);
	if (p->part->label[0])
		buf_printf(&p->words, "%s: ", p->part->label);
	buf_puts(&p->words, process->name);
	name = perfetto_text(p, 0, p->words.failed ? "" : p->words.data);
	len = strlen(name);
	data = malloc(3 * len + 256);
	if (!data) {
		p->failed = true;
		return;
	}
	inner = data + 2 * len + 128;
	at = pb_int(inner, PROCESS_PID, (u64)rows_pid(&p->rows, process));
	at = pb_string(at, PROCESS_NAME, name);
	at = pb_bytes(pb_int(pb_int(data, TRACK_UUID, perfetto_uuid(p, UUID_PROCESS(process->id))), TRACK_RANK,
			     10 + process->id), TRACK_PROCESS, inner, (size_t)(at - inner));
	perfetto_descriptor(p, data, (size_t)(at - data));
	free(data);
}

u64 perfetto_process_track(struct perfetto *p, const struct process *process)
{
	describe_process(p, process);
	return UUID_PROCESS(process->id);
}

static void put_thread(struct perfetto *p, const struct thread *t)
{
	const struct row *row = rows_get(&p->rows, t);
	const char *name = perfetto_text(p, 0, thread_label(t));
	size_t len = strlen(name);
	u8 *data, *inner, *at;

	if (!row)
		return;
	data = malloc(2 * len + 256);
	if (!data) {
		p->failed = true;
		return;
	}
	inner = data + len + 128;
	at = pb_int(pb_int(inner, THREAD_PID, (u64)row->pid), THREAD_TID, (u64)row->tid);
	at = pb_string(at, THREAD_NAME, name);
	at = pb_bytes(pb_int(pb_int(data, TRACK_UUID, perfetto_uuid(p, UUID_THREAD(t->id))), TRACK_RANK, t->id),
		      TRACK_THREAD, inner, (size_t)(at - inner));
	perfetto_descriptor(p, data, (size_t)(at - data));
	free(data);
}

u64 perfetto_thread_track(struct perfetto *p, const struct thread *t)
{
	if (perfetto_grow(p, (void **)&p->threads, &p->n_threads, sizeof(*p->threads), t->id) &&
	    !p->threads[t->id].told) {
		p->threads[t->id].told = true;
		describe_process(p, t->process);
		put_thread(p, t);
	}
	return UUID_THREAD(t->id);
}

/* Names come late, and a later description replaces an earlier one. */
void perfetto_rename(struct perfetto *p, const struct thread *t)
{
	if (t->id < p->n_threads) {
		p->threads[t->id].ref = p->threads[t->id].ends[ARROW_WAKES] = p->threads[t->id].ends[ARROW_WOKEN] = 0;
		if (p->threads[t->id].told)
			put_thread(p, t);
	}
	perfetto_waits_clear(p);
}

/* The process order and our own groups, once a file or part. */
void perfetto_head(struct perfetto *p)
{
	u8 root[32], *at = pb_int(root, TRACK_UUID, 0);

	at = pb_int(at, TRACK_PROCESS_ORDER, EXPLICIT_PROCESS_ORDER);
	if (!p->part->index)
		perfetto_descriptor(p, root, (size_t)(at - root));
	buf_clear(&p->words);
	buf_puts(&p->words, p->part->label);
	buf_puts(&p->words, p->part->label[0] ? ": Concurrency and parallelism" :
						 "Concurrency and parallelism");
	perfetto_track(p, UUID_CURVES, 0, p->words.failed ? "" : p->words.data, 1,
		       "How many threads of the export run (parallelism), are in flight (concurrency: "
		       "running, ready, or waiting in a kind that is not parked), and wait in each kind.");
}
