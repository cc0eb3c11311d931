/* SPDX-License-Identifier: MIT */
/*
 * model/: a machine is simulated, with CPUs that switch and threads that sleep, wake, fork and die.
 * The model sees the records; it must say the same of every thread at every time. With events lost
 * it may say "unknown", never something wrong. With garbage it may say anything that adds up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/model.h"
#include "random_record.h"

/* ---- a sink that checks what it is told ---- */

struct checker {
	u64 spans_ns[4096]; /* by thread id */
	u64 last_end[4096];
	u64 window_begin, window_end, last_ts;
	u64 waits, wakeups, lock_waits;
};

static void on_begin(void *ctx, u64 ts)
{
	((struct checker *)ctx)->window_begin = ts;
}

static void on_start(void *ctx, const struct thread *t, u64 ts)
{
	struct checker *c = ctx;

	assert_true(t->id < 4096);
	assert_int_not_equal(t->state, STATE_NONE);
	assert_int_equal(t->start_ns, ts);
	c->last_end[t->id] = ts;
}

static void on_state(void *ctx, const struct span *span)
{
	struct checker *c = ctx;
	u32 id = span->thread->id;

	assert_true(span->end_ns > span->start_ns);
	assert_int_not_equal(span->state, STATE_NONE);
	/* Spans tile a life: each begins where the one before ended. */
	assert_int_equal(span->start_ns, c->last_end[id]);
	assert_true(span->end_ns >= c->last_ts);
	assert_true((span->state == STATE_WAITING) == (span->wait != NULL));
	c->last_ts = span->end_ns;
	c->last_end[id] = span->end_ns;
	c->spans_ns[id] += span->end_ns - span->start_ns;
	c->waits += span->state == STATE_WAITING;
}

static void on_wakeup(void *ctx, const struct wakeup *w)
{
	((struct checker *)ctx)->wakeups++;
	assert_non_null(w->wakee);
}

static void on_lock_wait(void *ctx, const struct lock_wait *w)
{
	((struct checker *)ctx)->lock_waits++;
	assert_true(w->end_ns > w->start_ns);
	assert_true(w->turns > 0);
}

static void on_end(void *ctx, u64 ts)
{
	((struct checker *)ctx)->window_end = ts;
}

static const struct model_sink checking = {
	.window_begin = on_begin, .thread_start = on_start, .state = on_state, .wakeup = on_wakeup,
	.lock_wait = on_lock_wait, .window_end = on_end,
};

static void check_lives(const struct model *m, const struct checker *c)
{
	for (u32 i = 0; i < model_n_threads(m); i++) {
		const struct thread *t = model_thread(m, i);

		if (t->outsider || !t->start_ns)
			continue;
		assert_true(t->end_ns >= t->start_ns);
		assert_int_equal(c->spans_ns[i], t->end_ns - t->start_ns);
	}
}

/* ---- the machine ---- */

#define THREADS 40
#define CPUS 4
#define EVENTS 3000

struct truth {
	enum thread_state state[THREADS];
};

struct machine {
	u64 now;
	struct truth truth;
	int on_cpu[CPUS]; /* thread or -1 */
	u64 told[CPUS];   /* when it had its last event: one CPU has no two at once */
	bool born[THREADS];
	struct record records[EVENTS + 64];
	struct truth after[EVENTS + 64];
	bool lost[EVENTS + 64];
	int n;
};

static void emit(struct machine *m, struct record rec)
{
	if (rec.cpu < CPUS) {
		m->now += m->told[rec.cpu] == m->now;
		m->told[rec.cpu] = m->now;
	}
	rec.ts = m->now;
	m->records[m->n] = rec;
	m->after[m->n++] = m->truth;
}

static s32 tid_of(int thread)
{
	return thread < 0 ? 0 : 100 + thread;
}

static int pick(const struct machine *m, enum thread_state state)
{
	int from = rand() % THREADS;

	for (int i = 0; i < THREADS; i++) {
		int t = (from + i) % THREADS;

		if (m->truth.state[t] == state)
			return t;
	}
	return -1;
}

static struct record waking(int thread, int cpu)
{
	struct record rec = {.type = REC_WAKING, .cpu = (u16)cpu};

	record_defaults(&rec);
	rec.waking.tid = tid_of(thread);
	rec.waking.context = WAKER_TASK;
	return rec;
}

static void do_switch(struct machine *m, int cpu)
{
	int prev = m->on_cpu[cpu], next = rand() % 4 ? pick(m, STATE_READY) : -1, how = rand() % 8;
	struct record rec = {.type = REC_SWITCH, .cpu = (u16)cpu};

	if (prev < 0 && next < 0)
		return;
	record_defaults(&rec);
	rec.sw.prev = tid_of(prev);
	rec.sw.next = tid_of(next);
	if (prev >= 0) {
		if (how < 3) {
			rec.sw.flags = SWITCH_PREEMPT;
			m->truth.state[prev] = STATE_READY;
		} else if (how == 7 && prev) {
			rec.sw.prev_state = TASK_BIT_DEAD;
			m->truth.state[prev] = STATE_NONE;
		} else if (how == 6) {
			rec.sw.prev_state = TASK_BIT_STOPPED;
			m->truth.state[prev] = STATE_STOPPED;
		} else if (how == 5) {
			/* Woken on its way to sleep. */
			emit(m, waking(prev, (cpu + 1) % CPUS));
			rec.sw.prev_state = TASK_BIT_INTERRUPTIBLE;
			rec.sw.wait.nr = 0;
			m->truth.state[prev] = STATE_READY;
		} else {
			rec.sw.prev_state = TASK_BIT_INTERRUPTIBLE;
			rec.sw.wait.nr = 35;
			m->truth.state[prev] = STATE_WAITING;
		}
	}
	if (next >= 0)
		m->truth.state[next] = STATE_RUNNING;
	m->on_cpu[cpu] = next;
	emit(m, rec);
	/* Preempted on its way to sleep, and woken there. */
	if (prev >= 0 && how == 0)
		emit(m, waking(prev, (cpu + 1) % CPUS));
}

static void do_wake(struct machine *m)
{
	int t = pick(m, rand() % 4 ? STATE_WAITING : STATE_STOPPED);

	if (t < 0)
		return;
	m->truth.state[t] = STATE_READY;
	emit(m, waking(t, rand() % CPUS));
}

static void do_fork(struct machine *m, int cpu)
{
	struct record rec = {.type = REC_FORK, .cpu = (u16)cpu};
	int parent = m->on_cpu[cpu], child = 0;

	while (child < THREADS && m->born[child])
		child++;
	if (parent < 0 || child == THREADS)
		return;
	record_defaults(&rec);
	rec.fork.tid = rec.fork.ns_tid = tid_of(child);
	rec.fork.tgid = rec.fork.ns_tgid = tid_of(0);
	rec.fork.parent = tid_of(parent);
	m->born[child] = true;
	m->truth.state[child] = STATE_READY;
	emit(m, rec);
}

static void run_machine(struct machine *m)
{
	struct record rec = {.type = REC_THREAD, .cpu = 0};

	*m = (struct machine){.now = 1000};
	for (int cpu = 0; cpu < CPUS; cpu++)
		m->on_cpu[cpu] = -1;
	record_defaults(&rec);
	rec.thread.tid = rec.thread.tgid = tid_of(0);
	rec.thread.flags = THREAD_SNAPSHOT | THREAD_RUNNING;
	m->born[0] = true;
	m->truth.state[0] = STATE_RUNNING;
	m->on_cpu[0] = 0;
	emit(m, rec);
	rec = (struct record){.type = REC_WINDOW, .cpu = CORUN_NO_CPU};
	rec.window.begin = 1;
	emit(m, rec);
	while (m->n < EVENTS) {
		m->now += (u64)(rand() % 5);
		switch (rand() % 8) {
		case 0:
			do_fork(m, rand() % CPUS);
			break;
		case 1:
		case 2:
			do_wake(m);
			break;
		default:
			do_switch(m, rand() % CPUS);
		}
	}
}

static struct model *new_model(struct checker *checker)
{
	struct model *m;

	assert_int_equal(model_new(&m, NULL), 0);
	assert_int_equal(model_add_sink(m, &checking, checker), 0);
	return m;
}

static enum thread_state says(const struct model *m, int thread)
{
	/* The latest thread of that number. */
	for (u32 i = model_n_threads(m); i-- > 0;)
		if (model_thread(m, i)->tid == tid_of(thread))
			return model_thread(m, i)->state;
	return STATE_NONE;
}

static void test_says_what_happened(void **state)
{
	static struct machine machine;

	(void)state;
	for (unsigned int seed = 1; seed <= 60; seed++) {
		struct checker checker = {0};
		struct model *m = new_model(&checker);
		struct error err = {0};

		srand(seed);
		run_machine(&machine);
		for (int i = 0; i < machine.n; i++) {
			assert_int_equal(model_push(m, &machine.records[i]), 0);
			if (model_check(m, &err))
				fail_msg("seed %u, record %d: %s", seed, i, err.text);
			/* Between records of one instant the machine is half way. */
			if (i + 1 < machine.n && machine.records[i + 1].ts == machine.records[i].ts)
				continue;
			for (int t = 0; t < THREADS; t++)
				if (says(m, t) != machine.after[i].state[t])
					fail_msg("seed %u, record %d: thread %d is %s, said to be %s", seed, i,
						 t, state_names[machine.after[i].state[t]],
						 state_names[says(m, t)]);
		}
		assert_int_equal(model_conflicts(m), 0);
		assert_int_equal(model_finish(m), 0);
		check_lives(m, &checker);
		assert_true(checker.waits > 0 && checker.wakeups > 0);
		model_free(m);
	}
}

/* Lose a run of records of one CPU; say so where the collector would. */
static void lose_some(struct machine *m)
{
	int cpu = rand() % CPUS, from = EVENTS / 4 + rand() % (EVENTS / 2), len = 1 + rand() % 40;
	u64 last = 0, until = m->records[m->n - 1].ts;
	struct record rec = {.type = REC_LOST, .cpu = (u16)cpu};
	int at, count = 0;

	for (int i = 0; i < from; i++)
		if (m->records[i].cpu == cpu)
			last = m->records[i].ts;
	for (int i = from; i < m->n; i++) {
		/* A wake-up that could not be told is kept by the probes and told with the thread's next
		 * event (emit_arrival in bpf/corun.bpf.c). */
		if (m->records[i].cpu != cpu || m->records[i].type == REC_LOST ||
		    m->records[i].type == REC_WAKING)
			continue;
		if (count == len) {
			until = m->records[i].ts;
			break;
		}
		m->lost[i] = true;
		count++;
	}
	rec.ts = last + 1;
	rec.lost.until_ns = until;
	rec.lost.count = (u64)count;
	for (at = 0; at < m->n && m->records[at].ts < rec.ts; at++)
		;
	memmove(m->records + at + 1, m->records + at, (size_t)(m->n - at) * sizeof(*m->records));
	memmove(m->after + at + 1, m->after + at, (size_t)(m->n - at) * sizeof(*m->after));
	memmove(m->lost + at + 1, m->lost + at, (size_t)(m->n - at) * sizeof(*m->lost));
	m->records[at] = rec;
	m->after[at] = m->after[at ? at - 1 : 0];
	m->lost[at] = false;
	m->n++;
}

static void test_never_wrong_when_events_are_lost(void **state)
{
	static struct machine machine;
	u64 known = 0, unknown = 0;

	(void)state;
	for (unsigned int seed = 1; seed <= 200; seed++) {
		struct checker checker = {0};
		struct model *m = new_model(&checker);
		struct error err = {0};

		srand(seed * 7919);
		run_machine(&machine);
		for (int gaps = 1 + rand() % 3; gaps > 0; gaps--)
			lose_some(&machine);
		for (int i = 0; i < machine.n; i++) {
			if (!machine.lost[i])
				assert_int_equal(model_push(m, &machine.records[i]), 0);
			if (model_check(m, &err))
				fail_msg("seed %u, record %d: %s", seed, i, err.text);
			if (i + 1 < machine.n && machine.records[i + 1].ts == machine.records[i].ts)
				continue;
			for (int t = 0; t < THREADS; t++) {
				enum thread_state said = says(m, t), is = machine.after[i].state[t];

				/* A thread whose fork was lost is not there yet. */
				if (said == STATE_UNKNOWN || (said == STATE_NONE && is != STATE_NONE)) {
					unknown++;
					continue;
				}
				known++;
				if (said != is)
					fail_msg("seed %u, record %d: thread %d is %s, said to be %s", seed, i,
						 t, state_names[is], state_names[said]);
			}
		}
		assert_int_equal(model_finish(m), 0);
		check_lives(m, &checker);
		model_free(m);
	}
	print_message("# known %llu, unknown %llu thread-instants\n", (unsigned long long)known,
		      (unsigned long long)unknown);
	assert_true(unknown > 0 && known > unknown);
}

static void test_garbage_adds_up(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 100; seed++) {
		struct checker checker = {0};
		struct model *m = new_model(&checker);
		struct error err = {0};
		u64 ts = 5;

		srand(seed);
		for (int i = 0; i < 2000; i++) {
			struct record rec;

			random_record(&rec, ts += (u64)(rand() % 3));
			/* Few numbers, so that records meet. */
			switch (rec.type) {
			case REC_SWITCH:
				rec.sw.prev = rand() % 12;
				rec.sw.next = rand() % 12;
				rec.cpu = (u16)(rand() % 3);
				break;
			case REC_WAKING:
				rec.waking.tid = rand() % 12;
				rec.waking.waker = rand() % 12;
				break;
			case REC_FORK:
			case REC_THREAD:
				rec.thread.tid = 1 + rand() % 12;
				rec.thread.tgid = 1 + rand() % 4;
				break;
			case REC_EXEC:
				rec.exec.tid = rand() % 12;
				rec.exec.old_tid = rand() % 12;
				break;
			case REC_WINDOW:
				rec.window.begin = i < 1000;
				break;
			case REC_LOST:
				rec.lost.until_ns = rec.ts + (u64)(rand() % 50);
				break;
			default:
				break;
			}
			assert_int_equal(model_push(m, &rec), 0);
			if (model_check(m, &err))
				fail_msg("seed %u, record %d: %s", seed, i, err.text);
		}
		assert_int_equal(model_finish(m), 0);
		check_lives(m, &checker);
		model_free(m);
	}
}

/* Four time-outs of 5 ms with short runs between are one wait for the GIL. */
static void test_gil_turns_are_one_wait(void **state)
{
	struct checker checker = {0};
	struct model *m = new_model(&checker);
	struct record rec = {.ts = 1000, .type = REC_THREAD, .cpu = 0};
	u64 ts = 1000000;

	(void)state;
	record_defaults(&rec);
	rec.thread.tid = rec.thread.tgid = 7;
	rec.thread.flags = THREAD_RUNNING;
	model_push(m, &rec);
	rec = (struct record){.ts = 1000, .type = REC_WINDOW, .cpu = CORUN_NO_CPU};
	rec.window.begin = 1;
	model_push(m, &rec);
	for (int turn = 0; turn < 4; turn++) {
		rec = (struct record){.ts = ts, .type = REC_SWITCH};
		record_defaults(&rec);
		rec.sw.prev = 7;
		rec.sw.prev_state = TASK_BIT_INTERRUPTIBLE;
		rec.sw.wait.nr = 202;
		rec.sw.wait.lock_kind = LOCK_GIL;
		rec.sw.wait.lock = 0x1000;
		model_push(m, &rec);
		assert_int_equal(model_counts(m)->waiting[KIND_GIL], 1);
		ts += 5000000;
		rec = (struct record){.ts = ts, .type = REC_WAKING};
		record_defaults(&rec);
		rec.waking.tid = 7;
		rec.waking.context = turn == 3 ? WAKER_TASK : WAKER_HARDIRQ;
		model_push(m, &rec);
		/* Woken by the timer it only asks again: no demand. */
		assert_int_equal(model_gil_held_back(m), turn == 3 ? 0 : 1);
		ts += 1000;
		rec = (struct record){.ts = ts, .type = REC_SWITCH};
		record_defaults(&rec);
		rec.sw.next = 7;
		model_push(m, &rec);
		ts += 50000;
	}
	rec = (struct record){.ts = ts + 1000000, .type = REC_META};
	record_defaults(&rec);
	model_push(m, &rec);
	assert_int_equal(checker.lock_waits, 1);
	assert_int_equal(model_gil_held_back(m), 0);
	model_finish(m);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_says_what_happened),
		cmocka_unit_test(test_never_wrong_when_events_are_lost),
		cmocka_unit_test(test_garbage_adds_up),
		cmocka_unit_test(test_gil_turns_are_one_wait),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
