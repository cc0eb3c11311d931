/* SPDX-License-Identifier: MIT */
/* perfetto_string.c - strings that are told once and then go by a number, and what is made of them. */
#include <stdlib.h>

#include "export/perfetto.h"

/* Sleeps of ever other lengths would make ever more strings: forget them all now and then. */
#define STRINGS_MAX 65536

static const char *const note_names[NOTES] = {
	[NOTE_CALL] = "call", [NOTE_ON] = "on", [NOTE_LOCK] = "lock", [NOTE_HELD_BY] = "held_by",
	[NOTE_KERNEL] = "kernel", [NOTE_SITE] = "site", [NOTE_RELEASED_BY] = "released_by",
	[NOTE_WOKEN_BY] = "woken_by",
};

static u64 text_hash(const char *text)
{
	u64 hash = 0xcbf29ce484222325ULL; /* FNV-1a */

	while (*text)
		hash = (hash ^ (u8)*text++) * 0x100000001b3ULL;
	return hash ? hash : 1;
}

const char *perfetto_text(struct perfetto *p, unsigned int which, const char *text)
{
	struct buf *clean = &p->clean[which];

	buf_clear(clean);
	buf_put_utf8(clean, text);
	buf_puts(clean, "");
	p->failed |= clean->failed;
	return clean->failed ? "" : clean->data;
}

void perfetto_intern(struct perfetto *p, u32 field, const u8 *entry, size_t len)
{
	u8 *interned, *at;

	buf_clear(&p->body);
	if (!buf_reserve(&p->body, 2 * len + 128))
		return;
	interned = (u8 *)p->body.data + len + 64;
	at = pb_int((u8 *)p->body.data, PACKET_SEQUENCE, p->sequence);
	at = pb_int(at, PACKET_SEQUENCE_FLAGS, p->cleared ? SEQUENCE_CLEARED : SEQUENCE_NEEDS);
	p->cleared = false;
	at = pb_bytes(at, PACKET_INTERNED, interned,
		      (size_t)(pb_bytes(interned, field, entry, len) - interned));
	perfetto_packet(p, (u8 *)p->body.data, (size_t)(at - (u8 *)p->body.data));
}

/* Field 1 is the number, 2 the text, in EventName, EventCategory and InternedString alike. */
static void tell_string(struct perfetto *p, u32 field, u64 id, const char *text)
{
	size_t len;
	u8 *entry;

	text = perfetto_text(p, 0, text);
	len = strlen(text);
	entry = malloc(len + 32);
	if (!entry) {
		p->failed = true;
		return;
	}
	perfetto_intern(p, field, entry, (size_t)(pb_bytes(pb_int(entry, 1, id), 2, text, len) - entry));
	free(entry);
}

u64 perfetto_string(struct perfetto *p, struct strings *strings, const char *text)
{
	u64 key = text_hash(text);
	uintptr_t id = (uintptr_t)map_get(&strings->ids, key);

	if (id)
		return id;
	id = (uintptr_t)++strings->n;
	p->failed |= map_set(&strings->ids, key, (void *)id) != 0;
	tell_string(p, strings->field, id, text);
	return id;
}

void perfetto_strings_free(struct strings *strings)
{
	map_free(&strings->ids);
	strings->n = 0;
}

void perfetto_strings_fresh(struct perfetto *p)
{
	if (p->events.n + p->texts.n >= STRINGS_MAX) {
		perfetto_strings_free(&p->categories);
		perfetto_strings_free(&p->events);
		perfetto_strings_free(&p->texts);
		perfetto_stacks_clear(p);
		perfetto_waits_clear(p);
		for (u32 i = 0; i < p->n_threads; i++)
			p->threads[i].ref = p->threads[i].ends[ARROW_WAKES] = p->threads[i].ends[ARROW_WOKEN] = 0;
		p->cleared = true;
		p->notes = 0;
	}
}

u8 *perfetto_note(struct perfetto *p, u8 *at, enum note note, u64 text)
{
	u8 inner[32], *end;

	if (!(p->notes & 1u << note)) {
		p->notes |= 1u << note;
		tell_string(p, INTERNED_ANNOTATION, note + 1, note_names[note]);
	}
	end = pb_int(pb_int(inner, ANNOTATION_NAME, note + 1), ANNOTATION_TEXT, text);
	return pb_bytes(at, EVENT_ANNOTATION, inner, (size_t)(end - inner));
}

u8 *perfetto_note_text(struct perfetto *p, u8 *at, enum note note, const char *text)
{
	return text[0] ? perfetto_note(p, at, note, perfetto_string(p, &p->texts, text)) : at;
}

u8 *perfetto_note_thread(struct perfetto *p, u8 *at, enum note note, u32 thread)
{
	const struct thread *t = model_thread(p->model, thread);

	if (!perfetto_grow(p, (void **)&p->threads, &p->n_threads, sizeof(*p->threads), thread))
		return at;
	if (!p->threads[thread].ref) {
		buf_clear(&p->words);
		buf_printf(&p->words, "%s (%d)", thread_label(t), t->tid);
		if (p->words.failed)
			return at;
		p->threads[thread].ref = perfetto_string(p, &p->texts, p->words.data);
	}
	return perfetto_note(p, at, note, p->threads[thread].ref);
}

u64 perfetto_arrow_end(struct perfetto *p, enum arrow_end end, const struct thread *other)
{
	static const char *const words[] = {[ARROW_WAKES] = "wakes ", [ARROW_WOKEN] = "woken by "};
	u64 *name;

	if (!perfetto_grow(p, (void **)&p->threads, &p->n_threads, sizeof(*p->threads), other->id))
		return 0;
	name = &p->threads[other->id].ends[end];
	if (!*name) {
		buf_clear(&p->words);
		buf_puts(&p->words, words[end]);
		buf_puts(&p->words, thread_label(other));
		*name = perfetto_string(p, &p->events, p->words.failed ? "" : p->words.data);
	}
	return *name;
}
