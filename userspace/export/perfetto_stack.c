/* SPDX-License-Identifier: MIT */
/*
 * perfetto_stack.c - call sites with their callers as interned call stacks (interned_data.proto,
 * profile_common.proto): a function name and a frame for each line, shared by the stacks.
 */
#include <stdlib.h>

#include "export/perfetto.h"

/* A frame has to lie in some mapping; which file a line is from stands in its name. */
#define MAPPING 1

static void tell_mapping(struct perfetto *p)
{
	u8 mapping[16];

	perfetto_intern(p, INTERNED_MAPPING, mapping, (size_t)(pb_int(mapping, 1, MAPPING) - mapping));
}

static u64 frame_id(struct perfetto *p, const char *line, size_t len)
{
	char *text = strndup(line, len);
	u64 before = p->frames.n, id;
	u8 frame[48], *at;

	if (!text) {
		p->failed = true;
		return 0;
	}
	/* The name's number is the frame's, too. */
	id = perfetto_string(p, &p->frames, text);
	free(text);
	if (p->frames.n == before)
		return id;
	if (id == 1)
		tell_mapping(p);
	at = pb_int(pb_int(pb_int(frame, FRAME_IID, id), FRAME_NAME, id), FRAME_MAPPING, MAPPING);
	perfetto_intern(p, INTERNED_FRAME, frame, (size_t)(at - frame));
	return id;
}

/* @site: lines, the innermost first; Perfetto wants the outermost first. */
static void tell_stack(struct perfetto *p, u64 id, const char *site)
{
	const char *end = site + strlen(site);
	struct buf stack = BUF_INIT;

	if (!buf_reserve(&stack, 16)) {
		p->failed = true;
		return;
	}
	stack.len = (size_t)(pb_int((u8 *)stack.data, 1, id) - (u8 *)stack.data);
	while (end > site) {
		const char *line = end;

		while (line > site && line[-1] != '\n')
			line--;
		if (line < end && buf_reserve(&stack, 16))
			stack.len = (size_t)(pb_int((u8 *)stack.data + stack.len, CALLSTACK_FRAME,
						    frame_id(p, line, (size_t)(end - line))) -
					     (u8 *)stack.data);
		end = line > site ? line - 1 : site;
	}
	p->failed |= stack.failed;
	if (!stack.failed)
		perfetto_intern(p, INTERNED_CALLSTACK, (u8 *)stack.data, stack.len);
	buf_free(&stack);
}

u64 perfetto_stack(struct perfetto *p, const char *site)
{
	/* Sites live as long as the model, each at one place: that is its number. */
	u64 key = (u64)(uintptr_t)site;
	uintptr_t id = (uintptr_t)map_get(&p->stacks.ids, key);

	if (id)
		return id;
	id = (uintptr_t)++p->stacks.n;
	p->failed |= map_set(&p->stacks.ids, key, (void *)id) != 0;
	tell_stack(p, id, site);
	return id;
}

void perfetto_stacks_clear(struct perfetto *p)
{
	perfetto_strings_free(&p->frames);
	perfetto_strings_free(&p->stacks);
}
