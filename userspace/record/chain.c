/* SPDX-License-Identifier: MIT */
#include "record/chain.h"

#include <stdlib.h>
#include <string.h>

#define CHAINS_MAX 16384

struct chain_word {
	u32 at;         /* bytes from the stack pointer */
	bool relative;  /* value is an offset from the stack pointer */
	u64 value;
};

struct chain {
	struct chain *next; /* with the same innermost address */
	u32 site;
	bool frame_pointer; /* bp points into the stack, at this distance */
	u64 bp;
	u32 n_words;
	struct chain_word words[];
};

static bool fits(const struct chain *c, const struct ev_stack *st)
{
	if (c->frame_pointer ? st->bp - st->sp != c->bp : st->bp - st->sp < st->len)
		return false;
	for (u32 i = 0; i < c->n_words; i++) {
		const struct chain_word *w = &c->words[i];
		u64 value;

		if (w->at + sizeof(value) > st->len)
			return false;
		memcpy(&value, st->user + w->at, sizeof(value));
		if (value - (w->relative ? st->sp : 0) != w->value)
			return false;
	}
	return true;
}

u32 chains_find(const struct chains *chains, const struct ev_stack *st)
{
	for (const struct chain *c = map_get(&chains->map, st->ip); c; c = c->next)
		if (fits(c, st))
			return c->site;
	return 0;
}

void chains_add(struct chains *chains, const struct ev_stack *st, const struct unwind_result *r, u32 site)
{
	struct chain *c;

	if (chains->n >= CHAINS_MAX)
		return;
	c = calloc(1, sizeof(*c) + r->n_reads * sizeof(c->words[0]));
	if (!c)
		return;
	c->site = site;
	c->bp = st->bp - st->sp;
	c->frame_pointer = c->bp < st->len;
	for (u32 i = 0; i < r->n_reads; i++) {
		u64 value = r->reads[i].value;
		struct chain_word *w = &c->words[c->n_words];
		bool call = false;

		for (u32 k = 0; k < r->n_frames && !call; k++)
			call = r->frames[k].pc == value;
		if (!call && value - st->sp >= st->len)
			continue; /* a saved register that holds data */
		w->at = (u32)(r->reads[i].address - st->sp);
		w->relative = !call;
		w->value = value - (call ? 0 : st->sp);
		c->n_words++;
	}
	c->next = map_get(&chains->map, st->ip);
	if (map_set(&chains->map, st->ip, c))
		free(c);
	else
		chains->n++;
}

void chains_free(struct chains *chains)
{
	struct map_slot *slot;

	for (size_t i = 0; (slot = map_next(&chains->map, &i));) {
		struct chain *chain = slot->value, *next;

		for (; chain; chain = next) {
			next = chain->next;
			free(chain);
		}
	}
	map_free(&chains->map);
}
