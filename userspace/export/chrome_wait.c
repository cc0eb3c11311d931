/* SPDX-License-Identifier: MIT */
#include "export/chrome_wait.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/words.h"
#include "trace/syscall.h"
#include "trace/text.h"

bool wait_same(const struct wait_info *a, const struct wait_info *b)
{
	const struct rec_wait *x = &a->rec, *y = &b->rec;

	return a->kind == b->kind && a->owner == b->owner && a->desc == b->desc &&
	       a->local == b->local && a->site == b->site && a->func == b->func &&
	       x->nr == y->nr && x->lock == y->lock &&
	       x->flags == y->flags && x->fd_kind == y->fd_kind && x->lock_kind == y->lock_kind &&
	       x->nfds == y->nfds && x->timeout_ns == y->timeout_ns;
}

u32 wait_hash(const struct wait_info *w)
{
	u64 h = (u64)(uintptr_t)w->desc ^ (u64)(uintptr_t)w->site << 7 ^ w->rec.lock << 3;

	h ^= (u64)w->owner << 32 ^ (u64)w->kind << 17 ^ (u64)(u16)w->rec.nr << 50;
	h ^= w->rec.timeout_ns << 13 ^ w->rec.flags;
	h *= 0x9e3779b97f4a7c15ULL;
	return (u32)(h >> 40) % WAIT_TEXTS;
}

const char *wait_call(const struct wait_info *w)
{
	const char *name = w->rec.nr >= 0 ? syscall_name(w->rec.nr) : NULL;

	return !name || (w->rec.lock_kind && !strcmp(name, "futex")) ? "" : name;
}

static void put_key(struct buf *b, const char *key)
{
	buf_puts(b, b->len ? ",\"" : "\"");
	buf_puts(b, key);
	buf_puts(b, "\":");
}

static void put_text(struct buf *b, const char *key, const char *value)
{
	if (!value[0])
		return;
	put_key(b, key);
	buf_put_json(b, value);
}

static bool has_holder(enum wait_kind kind)
{
	return kind == KIND_GIL || kind == KIND_MUTEX || kind == KIND_RWLOCK;
}

static void put_lock(struct wait_texts *texts, const struct wait_info *w)
{
	struct buf *b = &texts->args;

	/* As text: 64-bit numbers lose bits in JSON. */
	put_key(b, "lock");
	buf_printf(b, "\"0x%" PRIx64 "\"", w->rec.lock);
	if (w->owner != NO_THREAD) {
		const struct row *holder = rows_ref(texts->rows, w->owner);

		if (holder && holder->ref) {
			put_key(b, "held_by");
			buf_put(b, holder->ref, holder->ref_len);
		}
	} else if (has_holder(w->kind)) {
		put_text(b, "held_by", "not known");
	}
}

static void make_args(struct wait_texts *texts, const struct wait_info *w)
{
	struct buf *b = &texts->args;
	const char *call = wait_call(w);
	char number[8];

	buf_clear(b);
	if (w->rec.nr >= 0 && !syscall_name(w->rec.nr)) {
		snprintf(number, sizeof(number), "%d", w->rec.nr);
		call = number;
	}
	put_text(b, "call", call);
	if (w->rec.fd_kind && strcmp(fd_kind_name(w->rec.fd_kind), kind_table[w->kind].name))
		put_text(b, "descriptor", fd_kind_name(w->rec.fd_kind));
	put_text(b, "on", w->desc);
	put_text(b, "local", w->local);
	if (w->rec.nfds) {
		put_key(b, "descriptors");
		buf_put_u64(b, w->rec.nfds);
	}
	if (w->rec.flags & WAIT_TIMED) {
		put_key(b, "timeout_ns");
		buf_put_u64(b, w->rec.timeout_ns);
	}
	if (w->rec.lock_kind)
		put_lock(texts, w);
	put_text(b, "site", w->site);
	put_text(b, "kernel", w->func);
}

/* The category is the kind as figures call it, the name is for people. */
static void make_name(struct wait_texts *texts, const struct wait_info *w)
{
	struct buf words = BUF_INIT;

	words_wait(&words, texts->rows->model, w);
	buf_clear(&texts->name);
	buf_puts(&texts->name, kind_table[w->kind].name);
	buf_puts(&texts->name, "\",\"name\":");
	buf_put_json(&texts->name, words.failed ? "" : words.data);
	texts->failed |= words.failed;
	buf_free(&words);
}

const struct wait_text *wait_text(struct wait_texts *texts, const struct wait_info *w)
{
	static const struct wait_text bare = {.name = "other\",\"name\":\"\"", .name_len = 16, .args = ""};
	struct wait_text *t = &texts->table[wait_hash(w)];

	if (t->name && wait_same(&t->of, w))
		return t;
	make_name(texts, w);
	make_args(texts, w);
	free(t->name);
	t->name = NULL;
	if (!texts->name.failed && !texts->args.failed)
		t->name = malloc(texts->name.len + texts->args.len);
	if (!t->name) {
		texts->failed = true;
		return &bare;
	}
	memcpy(t->name, texts->name.data, texts->name.len);
	t->args = t->name + texts->name.len;
	if (texts->args.len)
		memcpy(t->args, texts->args.data, texts->args.len);
	t->name_len = (u32)texts->name.len;
	t->args_len = (u32)texts->args.len;
	t->of = *w;
	return t;
}

void wait_texts_clear(struct wait_texts *texts)
{
	for (u32 i = 0; i < WAIT_TEXTS; i++) {
		free(texts->table[i].name);
		texts->table[i].name = NULL;
	}
}

void wait_texts_free(struct wait_texts *texts)
{
	wait_texts_clear(texts);
	buf_free(&texts->name);
	buf_free(&texts->args);
}
