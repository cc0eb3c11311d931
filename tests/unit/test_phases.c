/* SPDX-License-Identifier: MIT */
/* Phases: they tile the window and add up to it, whatever happened; a level is one phase. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "metrics/phases.h"
#include "metrics/series.h"

/* @n threads run, @ready more would, for @dt ns from *@at on. */
static void add(struct series *s, u64 *at, u64 dt, u32 n, u32 ready)
{
	struct counts counts = {.alive = n + ready, .running = n, .ready = ready};

	series_add(s, *at, dt, &counts, n + ready, n + ready);
	*at += dt;
}

static void one_level(void **state)
{
	struct phases phases;
	struct series *s;
	u64 at = 1000;

	(void)state;
	assert_int_equal(series_new(&s, at), 0);
	/* A burst each 100 us of a window of 10 ms repeats too fast to be a phase of its own. */
	for (int i = 0; i < 100; i++) {
		add(s, &at, 50000, 1, 0);
		add(s, &at, 50000, 2, 0);
	}
	assert_int_equal(phases_find(&phases, s, at - 1000), 0);
	assert_int_equal(phases.n, 1);
	assert_int_equal(phases.list[0].time.ns[USAGE_RUNNING], 15000000);
	phases_free(&phases);
	series_free(s);
}

/* One nanosecond, and none: a phase, and none. */
static void smallest(void **state)
{
	struct phases phases;
	struct series *s;
	u64 at = 7;

	(void)state;
	assert_int_equal(series_new(&s, at), 0);
	assert_int_equal(phases_find(&phases, s, 0), 0);
	assert_int_equal(phases.n, 0);
	phases_free(&phases);
	add(s, &at, 1, 3, 0);
	assert_int_equal(phases_find(&phases, s, 1), 0);
	assert_int_equal(phases.n, 1);
	assert_int_equal(phases.list[0].end_ns, 1);
	phases_free(&phases);
	series_free(s);
}

/*
 * 10 ms alone, 80 ms six of which two run, 10 ms alone. The bins are 131072 ns wide (the first power of
 * two of which 1024 are 100 ms), so that a bound may be off by one bin.
 */
static void straggler(void **state)
{
	const u64 ms = 1000000, bin = 131072;
	struct phases phases;
	struct series *s;
	u64 at = 0;

	(void)state;
	assert_int_equal(series_new(&s, at), 0);
	add(s, &at, 10 * ms, 1, 0);
	add(s, &at, 80 * ms, 2, 4);
	add(s, &at, 10 * ms, 1, 0);
	assert_int_equal(s->width_ns, bin);
	assert_int_equal(phases_find(&phases, s, at), 0);
	assert_int_equal(phases.n, 3);
	assert_in_range(phases.list[1].begin_ns, 10 * ms - bin, 10 * ms + bin);
	assert_in_range(phases.list[1].end_ns, 90 * ms - bin, 90 * ms + bin);
	phases_free(&phases);
	series_free(s);
}

static void random_windows(void **state)
{
	(void)state;
	srand(4);
	for (int round = 0; round < 60; round++) {
		u64 begin = (u64)rand(), at = begin, ran = 0, end = 0, sum = 0;
		int pieces = rand() % 300;
		struct phases phases;
		struct series *s;

		assert_int_equal(series_new(&s, at), 0);
		for (int i = 0; i < pieces; i++) {
			u64 dt = (u64)rand() % (1u << rand() % 28) + 1;
			u32 n = (u32)(rand() % 5);

			ran += n * dt;
			add(s, &at, dt, n, (u32)(rand() % 3));
		}
		assert_int_equal(phases_find(&phases, s, at - begin), 0);
		for (u32 i = 0; i < phases.n; i++) {
			const struct phase *p = &phases.list[i];

			assert_int_equal(p->begin_ns, end);
			assert_true(p->end_ns > p->begin_ns);
			assert_true(p->active_ns <= p->end_ns - p->begin_ns);
			assert_true((double)(p->end_ns - p->begin_ns) >=
				    0.999 * PHASE_SHARE * (double)(at - begin));
			end = p->end_ns;
			sum += p->time.ns[USAGE_RUNNING];
		}
		assert_int_equal(end, at - begin);
		assert_int_equal(sum, ran);
		phases_free(&phases);
		series_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_level),
		cmocka_unit_test(smallest),
		cmocka_unit_test(straggler),
		cmocka_unit_test(random_windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
