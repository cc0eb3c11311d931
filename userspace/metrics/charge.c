/* SPDX-License-Identifier: MIT */
/* charge.c - one ended state, added to what its thread, its call and its cause add up to. */
#include <stdlib.h>

#include "metrics/figures.h"

static void charge_call(struct figures *figures, const struct wait_info *wait, u64 ns)
{
	u64 key = (u64)(u16)(wait->rec.nr + 1) << 16 | (u64)wait->rec.fd_kind << 8 |
		  (u64)wait->kind;
	/* 0 is a key like any other for the map; only the value must not be NULL. */
	struct call_figures *call = map_get(&figures->calls, key);

	if (!call) {
		call = calloc(1, sizeof(*call));
		if (!call || map_set(&figures->calls, key, call)) {
			free(call);
			figures->failed = true;
			return;
		}
		call->nr = wait->rec.nr;
		call->fd_kind = wait->rec.fd_kind;
		call->kind = (u8)wait->kind;
	}
	call->waits++;
	call->wait_ns += ns;
	if (ns > call->max_ns)
		call->max_ns = ns;
	if (sites_add(&call->sites, wait->site, ns) || sites_add(&call->functions, wait->func, ns))
		figures->failed = true;
}

static void charge_preemption(struct figures *figures, const struct span *span, u64 ns)
{
	u64 key = (u64)span->thread->id << 32 | span->preempted_by;
	struct preemption *preemption = map_get(&figures->preemptions, key);

	if (!preemption) {
		preemption = calloc(1, sizeof(*preemption));
		if (!preemption || map_set(&figures->preemptions, key, preemption)) {
			free(preemption);
			figures->failed = true;
			return;
		}
		preemption->by = span->preempted_by;
		preemption->victim = span->thread->id;
	}
	preemption->times++;
	preemption->ns += ns;
}

void figures_charge(struct figures *figures, const struct span *span, u64 from, bool ended)
{
	int slot = usage_slot_of(span->state, span->wait ? span->wait->kind : KIND_OTHER);
	struct thread_figures *thread = figures_thread(figures, span->thread->id);
	u64 ns = span->end_ns - from;

	if (slot < 0 || !thread)
		return;
	thread->time.ns[slot] += ns;
	figures->time.ns[slot] += ns;
	switch (span->state) {
	case STATE_RUNNING:
		hist_add(&figures->slice, ns);
		if (thread->hists)
			hist_add(&thread->hists->slice, ns);
		if (thread->last_cpu >= 0 && span->cpu >= 0 && thread->last_cpu != span->cpu) {
			thread->migrations++;
			figures->migrations++;
		}
		thread->last_cpu = span->cpu;
		if (ended && span->thread->state == STATE_READY) {
			thread->involuntary++;
			figures->involuntary++;
		} else if (ended && (span->thread->state == STATE_WAITING ||
				     span->thread->state == STATE_STOPPED)) {
			thread->voluntary++;
			figures->voluntary++;
		}
		break;
	case STATE_READY:
		hist_add(&figures->delay, ns);
		if (thread->hists)
			hist_add(&thread->hists->delay, ns);
		thread->delays++;
		thread->delay_ns += ns;
		if (ns > thread->max_delay_ns)
			thread->max_delay_ns = ns;
		if (span->preempted)
			charge_preemption(figures, span, ns);
		break;
	case STATE_WAITING:
		if (span->wait)
			charge_call(figures, span->wait, ns);
		break;
	default:
		break;
	}
}
