/* SPDX-License-Identifier: MIT */
/* model/task.c: tasks by their records and by their threads' states, against histories done by hand and
 * by chance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/model.h"

static struct buf told;

static void on_start(void *ctx, const struct task *t, u64 ts)
{
	(void)ctx;
	buf_printf(&told, "%d:start %s by %d;", (int)ts, t->name,
		   t->creator == NO_TASK ? -1 : (int)t->creator);
}

static void on_state(void *ctx, const struct task_span *s)
{
	(void)ctx;
	buf_printf(&told, "%u %s%s%s %d-%d%s%s;", s->task->id, state_names[s->state],
		   s->state == STATE_WAITING ? ":" : "",
		   s->state == STATE_WAITING ? kind_table[s->wait_kind].name : "", (int)s->start_ns,
		   (int)s->end_ns, s->thread ? " in step" : "", s->at[0] ? " at" : "");
}

static void on_step(void *ctx, const struct task_step *s)
{
	(void)ctx;
	buf_printf(&told, "%u step %d-%d %s>%s;", s->task->id, (int)s->start_ns, (int)s->end_ns, s->from,
		   s->to);
}

static void on_end(void *ctx, const struct task *t, u64 ts)
{
	(void)ctx;
	buf_printf(&told, "%d:end %u %d%s;", (int)ts, t->id, t->outcome, t->cut ? " cut" : "");
}

static void on_link(void *ctx, const struct task *t, u32 from, u64 ts)
{
	(void)ctx;
	buf_printf(&told, "%d:%u>%u;", (int)ts, from, t->id);
}

static const struct model_sink sink = {.task_start = on_start, .task_state = on_state,
				       .task_step = on_step, .task_end = on_end,
				       .task_link = on_link};

static void push(struct model *m, const struct record *rec)
{
	struct error err = {0};

	assert_int_equal(model_push(m, rec), 0);
	if (model_check(m, &err))
		fail_msg("%s", err.text);
}

static struct model *begin(void)
{
	struct record thread = {.ts = 1, .type = REC_THREAD};
	struct record window = {.ts = 1, .type = REC_WINDOW, .window.begin = 1};
	struct model *m;

	buf_clear(&told);
	assert_int_equal(model_new(&m, NULL), 0);
	assert_int_equal(model_add_sink(m, &sink, NULL), 0);
	for (s32 tid = 10; tid < 14; tid++) {
		thread.thread = (struct rec_thread){.tid = tid, .tgid = 10, .ns_tid = tid, .ns_tgid = 10,
						    .flags = THREAD_SNAPSHOT | THREAD_RUNNING,
						    .comm = "c", .args = ""};
		thread.cpu = (u16)(tid - 10);
		push(m, &thread);
	}
	push(m, &window);
	return m;
}

static void task(struct model *m, u64 ts, enum task_op op, u64 id, u64 ref, s32 tid, const char *text)
{
	struct record rec = {.ts = ts, .type = REC_TASK, .cpu = CORUN_NO_CPU};

	rec.task = (struct rec_task){.task = id, .ref = ref, .tid = tid, .tgid = 10, .op = (u8)op,
				     .kind = "k", .name = "", .what = "", .site = ""};
	if (op == TASK_BEGIN)
		rec.task.name = text;
	else if (op == TASK_WAIT) {
		rec.task.what = text;
		rec.task.site = "a.py:1";
	}
	push(m, &rec);
}

/* Thread 10 leaves its CPU: it blocks in a read of a pipe, or is preempted. */
static void leave(struct model *m, u64 ts, bool blocks)
{
	struct record rec = {.ts = ts, .type = REC_SWITCH, .cpu = 0};

	rec.sw = (struct rec_switch){.prev = 10, .prev_state = blocks,
				     .flags = blocks ? 0 : SWITCH_PREEMPT};
	rec.sw.wait.nr = 0;
	rec.sw.wait.fd_kind = FD_PIPE;
	push(m, &rec);
}

static void come(struct model *m, u64 ts)
{
	struct record rec = {.ts = ts, .type = REC_WAKING, .cpu = 1};

	rec.waking = (struct rec_waking){.tid = 10, .waker = 11, .context = WAKER_TASK};
	push(m, &rec);
	rec = (struct record){.ts = ts + 1, .type = REC_SWITCH, .cpu = 0};
	rec.sw.next = 10;
	rec.sw.wait.nr = -1;
	push(m, &rec);
}

static void finish(struct model *m, u64 ts)
{
	struct record window = {.ts = ts, .type = REC_WINDOW};

	push(m, &window);
	model_free(m);
}

static void expect(const char *text)
{
	assert_string_equal(told.data ? told.data : "", text);
}

/* Between steps by its own word, in a step by its thread's state. */
static void test_states(void **state)
{
	struct model *m = begin();

	(void)state;
	task(m, 10, TASK_BEGIN, 5, 0, 10, "a");
	task(m, 20, TASK_STEP, 5, 0, 10, "");
	leave(m, 30, true);
	come(m, 40);
	leave(m, 50, false);
	task(m, 60, TASK_WAIT, 5, 0, 10, "network:1.2.3.4:5");
	task(m, 70, TASK_READY, 5, 0, 10, "");
	task(m, 80, TASK_END, 5, 0, 10, "");
	finish(m, 100);
	expect("10:start a by -1;0 ready 10-20;0 running 20-30 in step;0 waiting:pipe 30-40 in step;"
	       "0 ready 40-41 in step;0 running 41-50 in step;0 step 20-60 >a.py:1;0 ready 50-60 in step;"
	       "0 waiting:network 60-70 at;0 ready 70-80 at;80:end 0 0;");
}

/* An eager task runs inside its creator's step: the creator is ready, for its thread is busy. */
static void test_nested(void **state)
{
	struct model *m = begin();

	(void)state;
	task(m, 10, TASK_BEGIN, 1, 0, 10, "outer");
	task(m, 10, TASK_STEP, 1, 0, 10, "");
	task(m, 20, TASK_BEGIN, 2, 1, 10, "inner");
	task(m, 20, TASK_STEP, 2, 0, 10, "");
	leave(m, 25, true);
	come(m, 28);
	task(m, 30, TASK_WAIT, 2, 1, 10, "join");
	task(m, 40, TASK_LINK, 1, 2, 10, "");
	task(m, 40, TASK_END, 1, 0, 10, "");
	finish(m, 50);
	expect("10:start outer by -1;20:start inner by 0;0 running 10-20 in step;1 running 20-25 in step;"
	       "1 waiting:pipe 25-28 in step;1 ready 28-29 in step;1 step 20-30 >a.py:1;"
	       "0 ready 20-30 in step;1 running 29-30 in step;40:1>0;0 step 10-40 >;"
	       "0 running 30-40 in step;40:end 0 0;1 waiting:join 30-50 at;50:end 1 0 cut;");
}

/* Lost marks, a dead thread, contradictions: unknown, never guessed. */
static void test_unknown(void **state)
{
	struct record rec = {.ts = 40, .type = REC_TASK};
	struct model *m = begin();

	(void)state;
	task(m, 10, TASK_STEP, 7, 0, 11, "");
	rec.task = (struct rec_task){.op = TASK_LOST, .tgid = 10, .kind = "", .name = "", .what = "",
				     .site = ""};
	push(m, &rec);
	task(m, 50, TASK_END, 99, 0, 11, "");
	task(m, 60, TASK_STEP, 7, 0, 11, "");
	rec = (struct record){.ts = 70, .type = REC_SWITCH, .cpu = 1};
	rec.sw = (struct rec_switch){.prev = 11, .prev_state = TASK_BIT_DEAD};
	rec.sw.wait.nr = -1;
	push(m, &rec);
	task(m, 80, TASK_STEP, 7, 0, 4242, "");
	assert_int_equal(model_n_tasks(m), 1);
	finish(m, 90);
	expect("10:start  by -1;0 step 10-40 >;0 running 10-40 in step;0 unknown 40-60;0 running 60-70 in step;"
	       "0 step 60-70 >;0 unknown 70-80;0 unknown 80-90;90:end 0 0 cut;");
}

/* A million tasks come and go: nothing is left of them. Whatever the order, the sums hold. */
static void test_by_chance(void **state)
{
	u64 number = 0;
	u32 ids;
	struct model *m;

	(void)state;
	for (unsigned int seed = 1; seed <= 20; seed++) {
		srand(seed);
		m = begin();
		for (u64 ts = 10; ts < 5000; ts++) {
			enum task_op op = (enum task_op)(1 + rand() % (TASK_OPS - 1));

			task(m, ts, op, (u64)rand() % 30, (u64)rand() % 30, 10 + rand() % 5, "sleep");
			if (rand() % 10 == 0)
				leave(m, ts, rand() % 2);
			if (rand() % 10 == 0)
				come(m, ts);
		}
		finish(m, 6000);
	}
	m = begin();
	for (u64 ts = 10; number < 100000; ts += 2) {
		task(m, ts, TASK_BEGIN, ++number, 0, 10, "n");
		task(m, ts + 1, TASK_END, number, 0, 10, "");
		buf_clear(&told);
	}
	ids = model_n_tasks(m);
	assert_int_equal(ids, 100000);
	assert_int_equal(model_task_counts(m)->alive, 0);
	finish(m, 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_by_chance),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	buf_free(&told);
	return failed;
}
