/* SPDX-License-Identifier: MIT */
/* The critical path: one by hand, and on any stream of records its stretches tile the window. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "metrics/path.h"
#include "random_record.h"

static void push(struct model *m, struct record rec)
{
	assert_int_equal(model_push(m, &rec), 0);
}

static void start(struct model **m, struct graph **g)
{
	assert_int_equal(model_new(m, NULL), 0);
	assert_int_equal(graph_new(g, *m), 0);
	assert_int_equal(model_add_sink(*m, graph_sink(), *g), 0);
}

static struct record switch_rec(u64 ts, u16 cpu, s32 prev, s32 next, u32 state)
{
	struct record rec = {.ts = ts, .type = REC_SWITCH, .cpu = cpu};

	rec.sw = (struct rec_switch){.prev = prev, .next = next, .prev_state = state};
	rec.sw.wait.nr = 0; /* read */
	rec.sw.wait.fd_kind = FD_PIPE;
	return rec;
}

static struct record waking(u64 ts, s32 tid, s32 waker, u8 context)
{
	struct record rec = {.ts = ts, .type = REC_WAKING, .cpu = 0};

	rec.waking = (struct rec_waking){.tid = tid, .waker = waker, .context = context};
	return rec;
}

static void begin(struct model *m)
{
	struct record rec = {.ts = 1000, .type = REC_THREAD, .cpu = 0};

	rec.thread = (struct rec_thread){.tid = 10, .tgid = 10, .ns_tid = 10, .ns_tgid = 10,
					 .flags = THREAD_SNAPSHOT | THREAD_RUNNING, .comm = "a", .args = ""};
	push(m, rec);
	rec = (struct record){.ts = 1000, .type = REC_WINDOW, .window = {1}};
	push(m, rec);
	rec = (struct record){.ts = 1100, .type = REC_FORK, .cpu = 0};
	rec.fork = (struct rec_thread){.tid = 11, .tgid = 10, .ns_tid = 11, .ns_tgid = 10, .parent = 10,
				       .comm = "b", .args = ""};
	push(m, rec);
	push(m, waking(1100, 11, 10, WAKER_TASK));
}

/*
 * 10 runs from 1000 and forks 11 at 1100. 10 waits in a pipe from 1200; 11 runs from 1150 to 1300,
 * waits for a device until 1400, is ready until 1410, wakes 10 at 1500, which runs from 1520 to 1600.
 * Back from 1600: 10 runs 80, is ready 20; 11 woke it: ran 1410..1500 = 90, ready 10, the device 100
 * (nobody traced ended it: outside), ran 1150..1300 = 150, ready 1100..1150 = 50; 10 forked it: ran
 * 1000..1100 = 100. running 80+90+150+100 = 420, ready 20+10+50 = 80, pipe 100: together 600.
 */
static void by_hand(void **state)
{
	static const struct { u64 start; u32 thread; u8 state, edge; bool outside; } want[] = {
		{1000, 0, STATE_RUNNING, PATH_FORK, false}, {1100, 1, STATE_READY, PATH_SAME, false},
		{1150, 1, STATE_RUNNING, PATH_SAME, false}, {1300, 1, STATE_WAITING, PATH_SAME, true},
		{1400, 1, STATE_READY, PATH_SAME, false},   {1410, 1, STATE_RUNNING, PATH_WAKE, false},
		{1500, 0, STATE_READY, PATH_SAME, false},   {1520, 0, STATE_RUNNING, PATH_END, false},
	};
	static const struct figures_piece pieces[] = {{1050, 1180, 1}, {1350, 1550, NO_THREAD}};
	struct record end = {.ts = 1600, .type = REC_WINDOW};
	struct model *m;
	struct graph *g;
	struct path *p;

	(void)state;
	start(&m, &g);
	begin(m);
	push(m, switch_rec(1150, 1, 0, 11, 0));
	push(m, switch_rec(1200, 0, 10, 0, TASK_BIT_INTERRUPTIBLE));
	push(m, switch_rec(1300, 1, 11, 0, TASK_BIT_INTERRUPTIBLE));
	push(m, waking(1400, 11, 0, WAKER_HARDIRQ));
	push(m, switch_rec(1410, 1, 0, 11, 0));
	push(m, waking(1500, 10, 11, WAKER_TASK));
	push(m, switch_rec(1520, 0, 0, 10, 0));
	push(m, end);
	assert_int_equal(model_finish(m), 0);
	assert_int_equal(path_find(&p, g, NULL, 0, true), 0);
	assert_int_equal(p->n_segments, ARRAY_SIZE(want));
	for (u32 i = 0; i < p->n_segments; i++) {
		assert_int_equal(p->segments[i].start_ns, want[i].start);
		assert_int_equal(p->segments[i].thread, want[i].thread);
		assert_int_equal(p->segments[i].state, want[i].state);
		assert_int_equal(p->segments[i].edge, want[i].edge);
		assert_int_equal(p->segments[i].outside, want[i].outside);
	}
	assert_int_equal(p->time.ns[USAGE_RUNNING], 420);
	assert_int_equal(p->time.ns[USAGE_READY], 80);
	assert_int_equal(p->time.ns[USAGE_KIND + KIND_PIPE], 100);
	assert_int_equal(p->outside_ns, 100);
	assert_int_equal(p->hops, 2);
	path_free(p);
	/*
	 * A region that ran twice: 1050..1180, marked by 11, and 1350..1550, marked by nobody known. The second
	 * one ends with 10, which runs then: 30, ready 20; 11 ran 90, ready 10, waited for the device 50. The
	 * first one with 11: ran 30, ready 50; 10 forked it and ran 50.
	 */
	assert_int_equal(path_find(&p, g, pieces, ARRAY_SIZE(pieces), true), 0);
	assert_int_equal(p->length_ns, 130 + 200);
	assert_int_equal(p->time.ns[USAGE_RUNNING], 30 + 90 + 30 + 50);
	assert_int_equal(p->time.ns[USAGE_READY], 20 + 10 + 50);
	assert_int_equal(usage_alive(&p->time), p->length_ns);
	assert_int_equal(p->outside_ns, 50);
	assert_int_equal(p->segments[0].start_ns, 1050);
	assert_int_equal(p->segments[0].thread, 0);
	assert_int_equal(p->segments[0].edge, PATH_FORK);
	assert_int_equal(p->segments[2].thread, 1);
	assert_int_equal(p->segments[2].end_ns, 1180);
	assert_int_equal(p->segments[2].edge, PATH_END);
	assert_int_equal(p->segments[3].start_ns, 1350);
	path_free(p);
	graph_free(g);
	model_free(m);
}

static void check_tiles(const struct model *m, const struct graph *g)
{
	u64 at = model_window_begin(m), threads = 0;
	struct path *p;

	assert_int_equal(path_find(&p, g, NULL, 0, true), 0);
	for (u32 i = 0; i < p->n_segments; i++) {
		const struct path_segment *s = &p->segments[i];

		assert_int_equal(s->start_ns, at);
		assert_true(s->end_ns > s->start_ns);
		at = s->end_ns;
		threads += s->thread == NO_THREAD ? s->end_ns - s->start_ns : 0;
	}
	assert_int_equal(at, model_window_end(m));
	assert_int_equal(usage_alive(&p->time), p->end_ns - p->begin_ns);
	for (u32 i = 0; i < p->n_threads; i++)
		threads += usage_alive(&p->threads[i].time);
	assert_int_equal(threads, p->end_ns - p->begin_ns);
	path_free(p);
}

/* So do those of a few pieces of it. */
static void check_pieces(const struct model *m, const struct graph *g)
{
	u64 at = model_window_begin(m), end = model_window_end(m), length = 0;
	struct figures_piece pieces[4];
	struct path *p;
	u32 n = 0;

	for (; n < ARRAY_SIZE(pieces); n++) {
		u64 room = (end - at) / 3;

		if (room < 2)
			break;
		pieces[n].begin_ns = at + (u64)rand() % room;
		pieces[n].end_ns = pieces[n].begin_ns + 1 + (u64)rand() % room;
		pieces[n].thread = rand() % 2 ? (u32)rand() % 8 : NO_THREAD;
		length += pieces[n].end_ns - pieces[n].begin_ns;
		at = pieces[n].end_ns;
	}
	if (!n)
		return;
	assert_int_equal(path_find(&p, g, pieces, n, true), 0);
	assert_int_equal(p->length_ns, length);
	assert_int_equal(usage_alive(&p->time), length);
	for (u32 i = 0, piece = 0; i < p->n_segments; i++) {
		const struct path_segment *s = &p->segments[i];

		at = i && p->segments[i - 1].end_ns < pieces[piece].end_ns ? p->segments[i - 1].end_ns :
		     pieces[i ? ++piece : 0].begin_ns;
		assert_int_equal(s->start_ns, at);
		assert_true(s->end_ns <= pieces[piece].end_ns);
	}
	assert_int_equal(p->segments[p->n_segments - 1].end_ns, pieces[n - 1].end_ns);
	path_free(p);
}

/* Switches and wake-ups between a few threads that contradict each other as often as not. */
static struct record some_record(u64 ts)
{
	static const u8 contexts[] = {WAKER_TASK, WAKER_TASK, WAKER_HARDIRQ, WAKER_SOFTIRQ_SELF, 0};
	s32 a = 10 + rand() % 6, b = 10 + rand() % 6;
	struct record rec;

	switch (rand() % 8) {
	case 0:
		rec = (struct record){.ts = ts, .type = REC_FORK};
		rec.fork = (struct rec_thread){.tid = a, .tgid = 10, .parent = b, .comm = "", .args = ""};
		return rec;
	case 1:
	case 2:
	case 3:
		return waking(ts, a, b, contexts[rand() % 5]);
	default:
		rec = switch_rec(ts, (u16)(rand() % 3), rand() % 3 ? a : 0, rand() % 3 ? b : 0,
				 rand() % 12 ? (u32)(rand() % 3) : TASK_BIT_DEAD);
		if (!(rand() % 3)) {
			rec.sw.wait.lock_kind = rand() % 2 ? LOCK_GIL : LOCK_MUTEX;
			rec.sw.wait.lock = 0x1000 + (u64)(rand() % 2);
			rec.sw.wait.flags = WAIT_OWNER;
			rec.sw.wait.owner = 10 + rand() % 6;
			rec.sw.wait.nr = 202;
		}
		return rec;
	}
}

static void any_stream_tiles(void **state)
{
	(void)state;
	for (int run = 0; run < 300; run++) {
		struct model *m;
		struct graph *g;
		u64 ts = 1200;

		srand((unsigned int)run);
		start(&m, &g);
		begin(m);
		for (int i = 0; i < 400; i++) {
			struct record rec;

			ts += (u64)(rand() % 4 ? rand() % 50 : 0);
			if (run % 4)
				rec = some_record(ts);
			else
				random_record(&rec, ts);
			push(m, rec);
		}
		assert_int_equal(model_finish(m), 0);
		check_tiles(m, g);
		check_pieces(m, g);
		graph_free(g);
		model_free(m);
	}
}

/* More nodes than stay in memory: what lies in the file reads like the rest. */
static void spills(void **state)
{
	struct model *m;
	struct graph *g;
	u64 ts = 2000;

	(void)state;
	start(&m, &g);
	begin(m);
	for (int i = 0; i < 600000; i++, ts += 10) {
		push(m, switch_rec(ts, 0, 10, 0, TASK_BIT_INTERRUPTIBLE));
		push(m, waking(ts + 2, 10, 0, WAKER_HARDIRQ));
		push(m, switch_rec(ts + 3, 0, 0, 10, 0));
	}
	assert_int_equal(model_finish(m), 0);
	assert_true(graph_n_nodes(g) > 64 * 16384);
	check_tiles(m, g);
	graph_free(g);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_hand),
		cmocka_unit_test(any_stream_tiles),
		cmocka_unit_test(spills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
