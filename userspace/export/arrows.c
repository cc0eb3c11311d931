/* SPDX-License-Identifier: MIT */
#include "export/arrows.h"

#include <stdlib.h>
#include <string.h>

void arrows_note(struct arrows *arrows, const struct wakeup *w)
{
	if (!w->causal || !w->waker || w->waker->outsider || w->waker->state != STATE_RUNNING ||
	    w->waker->since_ns >= w->ts)
		return;
	if (w->wakee->id >= arrows->n) {
		u32 n = w->wakee->id * 2 + 64;
		struct arrow *bigger = realloc(arrows->of, n * sizeof(*bigger));

		if (!bigger) {
			arrows->failed = true;
			return;
		}
		memset(bigger + arrows->n, 0, (n - arrows->n) * sizeof(*bigger));
		arrows->of = bigger;
		arrows->n = n;
	}
	arrows->of[w->wakee->id] = (struct arrow){w->ts, w->waker->id, true};
}

u32 arrows_take(struct arrows *arrows, u32 thread, u64 ts)
{
	struct arrow *arrow = thread < arrows->n ? &arrows->of[thread] : NULL;

	if (!arrow || !arrow->set || ts < arrow->ts)
		return NO_THREAD;
	arrow->set = false;
	return ts == arrow->ts ? arrow->waker : NO_THREAD;
}

void arrows_free(struct arrows *arrows)
{
	free(arrows->of);
	*arrows = (struct arrows){0};
}
