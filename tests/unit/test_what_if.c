/* SPDX-License-Identifier: MIT */
/* The replay: one by hand; any stream of records comes to an end; bad questions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "metrics/what_if.h"
#include <stdlib.h>

#define MS ((u64)1000000)

static void push(struct model *m, struct record rec)
{
	assert_int_equal(model_push(m, &rec), 0);
}

static void push_switch(struct model *m, u64 ms, s32 prev, s32 next, u32 state, u8 lock_kind)
{
	struct record rec = {.ts = (1000 + ms) * MS, .type = REC_SWITCH, .cpu = 0};

	rec.sw = (struct rec_switch){.prev = prev, .next = next, .prev_state = state};
	rec.sw.wait.nr = 202;
	rec.sw.wait.lock_kind = lock_kind;
	rec.sw.wait.lock = lock_kind ? 0x1000 : 0;
	push(m, rec);
}

static void push_waking(struct model *m, u64 ms, s32 tid, s32 waker)
{
	struct record rec = {.ts = (1000 + ms) * MS, .type = REC_WAKING, .cpu = 0};

	rec.waking = (struct rec_waking){tid, waker, waker ? WAKER_TASK : WAKER_HARDIRQ};
	push(m, rec);
}

static void begin(struct model **m, struct graph **g)
{
	struct record rec = {.ts = 1, .type = REC_META, .meta = {"cpus", "1"}};

	assert_int_equal(model_new(m, NULL), 0);
	assert_int_equal(graph_new(g, *m), 0);
	assert_int_equal(model_add_sink(*m, graph_sink(), *g), 0);
	push(*m, rec);
	rec = (struct record){.ts = 1000 * MS, .type = REC_THREAD, .cpu = 0};
	rec.thread = (struct rec_thread){.tid = 10, .tgid = 10, .flags = THREAD_SNAPSHOT | THREAD_RUNNING,
					 .comm = "a", .args = ""};
	push(*m, rec);
	rec = (struct record){.ts = 1000 * MS, .type = REC_WINDOW, .window = {1}};
	push(*m, rec);
	rec = (struct record){.ts = 1001 * MS, .type = REC_FORK, .cpu = 0};
	rec.fork = (struct rec_thread){.tid = 11, .tgid = 10, .parent = 10, .comm = "b", .args = ""};
	push(*m, rec);
}

/*
 * One CPU. 10 runs 0..10 (forks 11 at 1), then waits for the lock 0x1000; 11 runs 10..20 and lets go
 * of the lock at 16; 10 runs 20..25, sleeps until 30, runs 30..32. Work: 10: 10 + 5 + 2, 11: 10.
 *   as it was, 1 CPU: 10 runs 1; then both are ready, but 10 goes on to 10 in slices with 11. CPU busy:
 *     10 + 10 + 5 = 25 in any order, as one of them is always ready until 10 sleeps: 25 + 5 + 2 = 32.
 *     (11 comes to its point 6 of 10 while 10 still has work, or 10 waits while 11 runs: never idle.)
 *   2 CPUs: 11 runs 1..11, lets go at 7, before 10 asks for it: 10 runs 0..15, sleeps to 20: 22.
 *   2 CPUs without the lock: the same. 1 CPU: 11 runs 10..13, 10 13..16, 11 16..19, 10 19..21 and sleeps, 11 21..25, 10 26..28.
 */
static void by_hand(void **state)
{
	struct record end = {.ts = 1032 * MS, .type = REC_WINDOW};
	const struct what_if_recording one_cpu = {.cpus = 1}, two_cpus = {.cpus = 2};
	const struct what_if_recording throttled = {.cpus = 1, .throttled_ns = 2 * MS},
				       unknown = {.cpus = 1, .unknown = 0.06};
	struct what_if_options ask = {.cpus = 2};
	struct what_if answer;
	struct model *m;
	struct graph *g;

	(void)state;
	begin(&m, &g);
	push_switch(m, 10, 10, 11, TASK_BIT_INTERRUPTIBLE, LOCK_MUTEX);
	push_waking(m, 16, 10, 11);
	push_switch(m, 20, 11, 10, TASK_BIT_DEAD, LOCK_NONE);
	push_switch(m, 25, 10, 0, TASK_BIT_INTERRUPTIBLE, LOCK_NONE);
	push_waking(m, 30, 10, 0);
	push_switch(m, 30, 0, 10, 0, LOCK_NONE);
	push(m, end);
	assert_int_equal(model_finish(m), 0);
	assert_int_equal(what_if_ask(g, &one_cpu, &ask, &answer), 0);
	assert_int_equal(answer.recorded_ns, 32 * MS);
	assert_int_equal(answer.replayed_ns, 32 * MS);
	assert_int_equal(answer.duration_ns, 22 * MS);
	ask.no_lock = 0x1000;
	assert_int_equal(what_if_ask(g, &one_cpu, &ask, &answer), 0);
	assert_int_equal(answer.duration_ns, 22 * MS);
	ask.cpus = 1;
	assert_int_equal(what_if_ask(g, &one_cpu, &ask, &answer), 0);
	assert_int_equal(answer.duration_ns, 28 * MS);
	/* It was one CPU. Replayed on two it would take 22: over 5 % off, so nothing is said. */
	assert_int_equal(what_if_ask(g, &two_cpus, &ask, &answer), 0);
	assert_int_equal(answer.replayed_ns, 22 * MS);
	assert_int_equal(answer.refusal, WHAT_IF_MISSED);
	assert_int_equal(what_if_ask(g, &throttled, &ask, &answer), 0);
	assert_int_equal(answer.refusal, WHAT_IF_QUOTA);
	assert_int_equal(what_if_ask(g, &unknown, &ask, &answer), 0);
	assert_int_equal(answer.refusal, WHAT_IF_UNKNOWN);
	graph_free(g);
	model_free(m);
}

/*
 * One CPU. 10 runs 0..10 and is preempted; 11 runs 10..14 and asks for the lock, which 10 holds; 10 runs 14..18,
 * lets go, and 11 takes its CPU and the lock. At 22 it is preempted; 10 runs 22..25 and asks for the lock; 11 runs
 * 25..28, lets go, and ends at 30; 10 runs 30..34 with the lock.
 * Holds: 11's, 18..22 and 25..28: 7 ms. That is what 10's two are taken to be: of the first the end is known, it
 * began 7 ms of running before, at 7; of the second the begin is known, it ends with its thread.
 *   2 CPUs: 11 runs 1..5, finds the lock free, has it until 12, ends at 14. 10 runs 0..7, finds it held, and at 12
 *     has to run for 1 us to see that it is free; 7 ms with it, 3 without, 4 with it: 26.001.
 *   Passed on as recorded, 11 would wait until 10 lets go at 14, and 10 from 17 until 11 does at 21: 25.
 */
static void locks_go_to_who_comes_first(void **state)
{
	const struct what_if_recording one_cpu = {.cpus = 1};
	const struct what_if_options ask = {.cpus = 2};
	struct replay_setting as_recorded = {.cpus = 2};
	struct record end = {.ts = 1034 * MS, .type = REC_WINDOW};
	const struct hold_event *e;
	struct what_if answer;
	struct holds *holds;
	struct model *m;
	struct graph *g;
	u64 ns;
	u32 n;

	(void)state;
	begin(&m, &g);
	push_switch(m, 10, 10, 11, 0, LOCK_NONE);
	push_switch(m, 14, 11, 10, TASK_BIT_INTERRUPTIBLE, LOCK_MUTEX);
	push_waking(m, 18, 11, 10);
	push_switch(m, 18, 10, 11, 0, LOCK_NONE);
	push_switch(m, 22, 11, 10, 0, LOCK_NONE);
	push_switch(m, 25, 10, 11, TASK_BIT_INTERRUPTIBLE, LOCK_MUTEX);
	push_waking(m, 28, 10, 11);
	push_switch(m, 30, 11, 10, TASK_BIT_DEAD, LOCK_NONE);
	push_switch(m, 34, 10, 0, TASK_BIT_DEAD, LOCK_NONE);
	push(m, end);
	assert_int_equal(model_finish(m), 0);
	assert_int_equal(holds_find(&holds, g), 0);
	e = holds_of(holds, 0, &n);
	assert_int_equal(n, 4);
	assert_true(e[0].what == HOLD_TAKE && e[0].at_ns == 1007 * MS && e[0].waited == NO_NODE);
	assert_true(e[1].what == HOLD_RELEASE && e[1].at_ns == 1018 * MS);
	assert_true(e[2].what == HOLD_TAKE && e[2].at_ns == 1025 * MS && e[2].waited != NO_NODE);
	assert_true(e[3].what == HOLD_RELEASE && e[3].at_ns == 1034 * MS);
	holds_free(holds);
	assert_int_equal(what_if_ask(g, &one_cpu, &ask, &answer), 0);
	assert_in_range(answer.replayed_ns, 34 * MS, 34 * MS + 10000);
	assert_int_equal(answer.refusal, WHAT_IF_ANSWERED);
	assert_int_equal(answer.duration_ns, 26 * MS + 1000);
	assert_int_equal(replay_run(g, &as_recorded, &ns), 0);
	assert_int_equal(ns, 25 * MS);
	graph_free(g);
	model_free(m);
}

/*
 * One CPU. 10 runs 0..2 and forks 11 and 12 at 1; 11 runs 2..3 and 12 runs 3..4, then each waits for the GIL, which 10 has;
 * 10 runs 4..34 and gives it to 11, 34..64, which gives it back and ends; 10 runs 64..94 and gives it to 12, 94..154.
 * Work: 62, 31 and 61 ms. Without the GIL on two CPUs all three begin at once and are kept abreast: 77, and at most a slice
 * more. (12 behind the other two, as it was in the recording, would come to 93.)
 */
static void without_the_gil(void **state)
{
	const struct what_if_recording one_cpu = {.cpus = 1};
	const struct what_if_options ask = {.cpus = 2, .no_gil = true};
	struct record end = {.ts = 1154 * MS, .type = REC_WINDOW};
	struct record fork = {.ts = 1001 * MS, .type = REC_FORK};
	struct what_if answer;
	struct model *m;
	struct graph *g;

	(void)state;
	begin(&m, &g);
	fork.fork = (struct rec_thread){.tid = 12, .tgid = 10, .parent = 10, .comm = "c", .args = ""};
	push(m, fork);
	push_switch(m, 2, 10, 11, 0, LOCK_NONE);
	push_switch(m, 3, 11, 12, TASK_BIT_INTERRUPTIBLE, LOCK_GIL);
	push_switch(m, 4, 12, 10, TASK_BIT_INTERRUPTIBLE, LOCK_GIL);
	push_waking(m, 34, 11, 10);
	push_switch(m, 34, 10, 11, TASK_BIT_INTERRUPTIBLE, LOCK_GIL);
	push_waking(m, 64, 10, 11);
	push_switch(m, 64, 11, 10, TASK_BIT_DEAD, LOCK_NONE);
	push_waking(m, 94, 12, 10);
	push_switch(m, 94, 10, 12, TASK_BIT_DEAD, LOCK_NONE);
	push_switch(m, 154, 12, 0, TASK_BIT_DEAD, LOCK_NONE);
	push(m, end);
	assert_int_equal(model_finish(m), 0);
	assert_int_equal(what_if_ask(g, &one_cpu, &ask, &answer), 0);
	assert_int_equal(answer.replayed_ns, 154 * MS);
	assert_in_range(answer.duration_ns, 77 * MS, 77 * MS + REPLAY_SLICE_NS);
	graph_free(g);
	model_free(m);
}

static void any_stream_ends(void **state)
{
	struct replay_setting set = {.cpus = 2};

	(void)state;
	for (unsigned int run = 0; run < 300; run++) {
		u64 ms = 1, one = 0, many = 0, running = 0;
		struct holds *holds;
		struct model *m;
		struct graph *g;
		int code;

		srand(run);
		begin(&m, &g);
		for (int i = 0; i < 300; i++) {
			s32 a = 10 + rand() % 3, b = 10 + rand() % 3;

			ms += (u64)(rand() % 3);
			if (rand() % 2)
				push_waking(m, ms, a, rand() % 3 ? b : 0);
			else
				push_switch(m, ms, rand() % 3 ? a : 0, b, (u32)(rand() % 2),
					    rand() % 2 ? LOCK_MUTEX : LOCK_NONE);
		}
		assert_int_equal(model_finish(m), 0);
		for (u32 i = 0; i < graph_n_nodes(g); i++)
			if (graph_node(g, i)->state == STATE_RUNNING)
				running += graph_node(g, i)->end_ns - graph_node(g, i)->start_ns;
		set.cpus = 1;
		assert_int_equal(holds_find(&holds, g), 0);
		set.holds = run % 2 ? holds : NULL;
		code = replay_run(g, &set, &one);
		assert_true(code == 0 || code == -EDEADLK);
		/* All the work is done, and on one CPU not faster than it takes. */
		if (!code)
			assert_true(one >= running);
		set.cpus = 64;
		code = replay_run(g, &set, &many);
		assert_true(code == 0 || code == -EDEADLK);
		holds_free(holds);
		graph_free(g);
		model_free(m);
	}
}

static void questions(void **state)
{
	static const char *const wrong[] = {"", "cpus=", "cpus=0", "cpus=-1", "cpus=1x", "no-lock=0",
					    "no-lock=zz", "gil", "cpus=2,", ",cpus=2", "io=1"};
	struct what_if_options o;
	const char *bad;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(what_if_parse(wrong[i], &o, &bad), -EINVAL);
	assert_int_equal(what_if_parse("cpus=8,no-gil,no-lock=0x7f00,io=0", &o, &bad), 0);
	assert_int_equal(o.cpus, 8);
	assert_true(o.no_gil && o.no_io);
	assert_int_equal(o.no_lock, 0x7f00);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_hand),
		cmocka_unit_test(locks_go_to_who_comes_first),
		cmocka_unit_test(without_the_gil),
		cmocka_unit_test(any_stream_ends),
		cmocka_unit_test(questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
