/* SPDX-License-Identifier: MIT */
#include "export/curves.h"

#include <stdlib.h>
#include <string.h>

#define ALWAYS (1u << CURVE_RUNNING | 1u << CURVE_FLIGHT)

void curves_init(struct curves *curves, u32 parked, curves_emit emit, void *ctx)
{
	*curves = (struct curves){.parked = parked, .emit = emit, .ctx = ctx};
	curves->all.process = NO_THREAD;
	curves->all.fresh = true;
}

void curves_free(struct curves *curves)
{
	for (u32 i = 0; i < curves->n_process; i++)
		free(curves->process[i]);
	free(curves->process);
	free(curves->touched);
	free(curves->moved);
	free(curves->threads);
}

/* Zeroed room for index @want in an array of @n elements. */
static bool grow_now(void **array, u32 *n, size_t size, u32 want)
{
	u32 cap = *n ? *n : 64;
	void *bigger;

	while (cap <= want)
		cap *= 2;
	bigger = realloc(*array, cap * size);
	if (!bigger)
		return false;
	memset((char *)bigger + *n * size, 0, (cap - *n) * size);
	*array = bigger;
	*n = cap;
	return true;
}

static inline bool grow(void **array, u32 *n, size_t size, u32 want)
{
	return want < *n || grow_now(array, n, size, want);
}

static struct count_curve *process_curve(struct curves *curves, u32 process)
{
	struct count_curve *curve;

	if (process < curves->n_process && curves->process[process])
		return curves->process[process];
	if (!grow((void **)&curves->process, &curves->n_process, sizeof(curve), process))
		return NULL;
	curve = calloc(1, sizeof(*curve));
	if (curve) {
		curve->process = process;
		curve->fresh = true;
	}
	curves->process[process] = curve;
	return curve;
}

static void touch(struct curves *curves, struct count_curve *curve, u32 bits)
{
	if (!curve->touched) {
		if (!grow((void **)&curves->touched, &curves->cap_touched, sizeof(curve),
			  curves->n_touched)) {
			curves->failed = true;
			return;
		}
		curves->touched[curves->n_touched++] = curve;
	}
	curve->touched |= bits;
}

static u32 curve_of(const struct thread *thread)
{
	switch (thread->state) {
	case STATE_RUNNING:
		return CURVE_RUNNING;
	case STATE_READY:
		return CURVE_READY;
	case STATE_WAITING:
		return CURVE_KIND + thread->wait.kind;
	case STATE_STOPPED:
		return CURVE_STOPPED;
	case STATE_UNKNOWN:
		return CURVE_UNKNOWN;
	default:
		return CURVES;
	}
}

static bool in_flight(const struct curves *curves, u32 curve)
{
	if (curve == CURVE_RUNNING || curve == CURVE_READY)
		return true;
	return curve >= CURVE_KIND && curve < CURVE_KIND + KINDS &&
	       !(curves->parked >> (curve - CURVE_KIND) & 1);
}

static void count(struct curves *curves, struct count_curve *curve, u32 in, u32 delta)
{
	u32 bits = 1u << in;

	curve->now[in] += delta;
	if (in_flight(curves, in)) {
		curve->now[CURVE_FLIGHT] += delta;
		bits |= 1u << CURVE_FLIGHT;
	}
	touch(curves, curve, bits);
}

static void move(struct curves *curves, const struct thread *thread)
{
	struct count_curve *curve = process_curve(curves, thread->process->id);
	u32 in = curve_of(thread), was = curves->threads[thread->id].in;

	curves->threads[thread->id].moved = false;
	if (!curve) {
		curves->failed = true;
		return;
	}
	if (was == in + 1)
		return;
	if (was) {
		count(curves, &curves->all, was - 1, -1u);
		count(curves, curve, was - 1, -1u);
	}
	if (in < CURVES) {
		count(curves, &curves->all, in, 1);
		count(curves, curve, in, 1);
	}
	curves->threads[thread->id].in = (u8)(in < CURVES ? in + 1 : 0);
}

static void flush(struct curves *curves)
{
	for (u32 i = 0; i < curves->n_moved; i++)
		move(curves, curves->moved[i]);
	curves->n_moved = 0;
	for (u32 i = 0; i < curves->n_touched; i++) {
		struct count_curve *curve = curves->touched[i];
		u32 changed = curve->fresh ? ALWAYS : 0;

		for (u32 bits = curve->touched; bits; bits &= bits - 1) {
			u32 c = (u32)__builtin_ctz(bits);

			if (curve->now[c] != curve->told[c]) {
				changed |= 1u << c;
				curve->told[c] = curve->now[c];
			}
		}
		curve->touched = 0;
		curve->fresh = false;
		if (changed)
			curves->emit(curves->ctx, curve->process, curves->ts, changed, curve->now);
	}
	curves->n_touched = 0;
}

void curves_advance(struct curves *curves, u64 ts)
{
	if (ts <= curves->ts)
		return;
	flush(curves);
	curves->ts = ts;
}

void curves_begin(struct curves *curves, u64 ts)
{
	curves->ts = ts;
	touch(curves, &curves->all, ALWAYS);
}

void curves_enter(struct curves *curves, const struct thread *thread, u64 ts)
{
	curves_advance(curves, ts);
	if (!grow((void **)&curves->threads, &curves->n_threads, sizeof(*curves->threads),
		  thread->id) ||
	    !grow((void **)&curves->moved, &curves->cap_moved, sizeof(thread), curves->n_moved)) {
		curves->failed = true;
		return;
	}
	if (curves->threads[thread->id].moved)
		return;
	curves->threads[thread->id].moved = true;
	curves->moved[curves->n_moved++] = thread;
}

void curves_end(struct curves *curves, u64 ts)
{
	curves_advance(curves, ts);
	curves->n_moved = 0;
	for (u32 i = 0; i <= curves->n_process; i++) {
		struct count_curve *curve = i ? curves->process[i - 1] : &curves->all;

		if (!curve)
			continue;
		memset(curve->now, 0, sizeof(curve->now));
		touch(curves, curve, (u32)((1ull << CURVES) - 1));
	}
	flush(curves);
}

const u32 *curves_told(const struct curves *curves, u32 process)
{
	const struct count_curve *curve = process < curves->n_process ? curves->process[process] : NULL;

	return curve && !curve->fresh ? curve->told : NULL;
}

static const char *const state_labels[CURVES] = {
	[CURVE_RUNNING] = "running", [CURVE_FLIGHT] = "in flight", [CURVE_READY] = "ready",
	[CURVE_STOPPED] = "stopped", [CURVE_UNKNOWN] = "unknown",
};

bool curve_is_kind(unsigned int curve)
{
	return curve - CURVE_KIND < KINDS;
}

const char *curve_label(unsigned int curve)
{
	return curve_is_kind(curve) ? kind_table[curve - CURVE_KIND].label : state_labels[curve];
}

const char *curve_name(unsigned int curve)
{
	if (curve == CURVE_FLIGHT)
		return "in_flight";
	return curve_is_kind(curve) ? kind_table[curve - CURVE_KIND].name : state_labels[curve];
}
