/* SPDX-License-Identifier: MIT */
/* record/collect.c: events in the order of the ring, records in the order of time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "record/collect.h"

#define MAX 20000

struct got {
	struct record records[MAX];
	bool late[MAX];
	int n;
	int fail_with;
};

static int put(void *ctx, const struct record *rec, bool late)
{
	struct got *got = ctx;

	assert_true(got->n < MAX);
	got->records[got->n] = *rec;
	got->late[got->n++] = late;
	return got->fail_with;
}

static const struct collect_ops ops = {.put = put};

static struct collect *start(struct got *got)
{
	struct collect_config config = {0};
	struct collect *c;

	memset(got, 0, sizeof(*got));
	assert_int_equal(collect_new(&c, &config, &ops, got), 0);
	return c;
}

static struct ev_switch switch_event(u64 ts, u32 seq, u16 cpu, s32 prev, s32 next)
{
	struct ev_switch ev = {.head = {.ts = ts, .seq = seq, .cpu = cpu, .type = EV_SWITCH},
			       .prev = prev, .next = next, .flags = EV_PREEMPT};

	return ev;
}

/* Random streams of four CPUs, shuffled as a shared ring does: out comes one order, nothing missing. */
static void test_merges_in_order(void **state)
{
	static struct got got;

	(void)state;
	for (unsigned int seed = 1; seed < 30; seed++) {
		struct collect *c = start(&got);
		u64 ts[4] = {1000, 1000, 1000, 1000}, watermark = 0, last = 0;
		u32 seq[4] = {0}, next_seq[4];
		int switches = 0, wakings = 0, sent = 0, sent_wakes = 0;

		srand(seed);
		for (int i = 0; i < 4000; i++) {
			int cpu = rand() % 4;
			struct ev_switch ev;

			ts[cpu] += (u64)(1 + rand() % 2000000);
			ev = switch_event(ts[cpu], seq[cpu]++, (u16)cpu, 0, 1);
			if (rand() % 2) {
				/* Woken up to 200 ms ago: some of these are late. */
				ev.wake.ts = ts[cpu] - (u64)rand() % 200000000 % ts[cpu] + 1;
				if (ev.wake.ts > ts[cpu])
					ev.wake.ts = ts[cpu];
				sent_wakes++;
			}
			assert_int_equal(collect_event(c, &ev, sizeof(ev)), 0);
			sent++;
			/* The slowest CPU bounds what can still come. */
			watermark = ts[0];
			for (int k = 1; k < 4; k++)
				if (ts[k] < watermark)
					watermark = ts[k];
			if (!(i % 50))
				assert_int_equal(collect_advance(c, watermark), 0);
		}
		memcpy(next_seq, seq, sizeof(seq));
		assert_int_equal(collect_finish(c, UINT64_MAX - 1, next_seq, 4), 0);
		for (int i = 0; i < got.n; i++) {
			const struct record *rec = &got.records[i];

			assert_int_not_equal(rec->type, REC_LOST);
			switches += rec->type == REC_SWITCH;
			wakings += rec->type == REC_WAKING;
			if (got.late[i])
				continue;
			assert_true(rec->ts >= last);
			last = rec->ts;
		}
		assert_int_equal(switches, sent);
		assert_int_equal(wakings, sent_wakes);
		assert_int_equal(collect_lost(c), 0);
		collect_free(c);
	}
}

static const struct record *find_lost(const struct got *got)
{
	for (int i = 0; i < got->n; i++)
		if (got->records[i].type == REC_LOST)
			return &got->records[i];
	return NULL;
}

static void test_gap_is_told_with_its_times(void **state)
{
	static struct got got;
	struct collect *c = start(&got);
	u32 next_seq[2] = {6, 0};
	const struct record *lost;
	static const u32 seqs[] = {0, 1, 4, 5};
	static const u64 times[] = {1000, 2000, 9000, 9500};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct ev_switch ev = switch_event(times[i], seqs[i], 0, 1, 2);

		assert_int_equal(collect_event(c, &ev, sizeof(ev)), 0);
	}
	collect_finish(c, 10000, next_seq, 2);
	lost = find_lost(&got);
	assert_non_null(lost);
	assert_int_equal(lost->ts, 2001);
	assert_int_equal(lost->lost.until_ns, 9000);
	assert_int_equal(lost->lost.count, 2);
	assert_int_equal(collect_lost(c), 2);
	collect_free(c);
}

static void test_loss_at_the_end_is_told(void **state)
{
	static struct got got;
	struct collect *c = start(&got);
	struct ev_switch ev = switch_event(1000, 0, 0, 1, 2);
	u32 next_seq[2] = {4, 0};

	(void)state;
	collect_event(c, &ev, sizeof(ev));
	collect_finish(c, 5000, next_seq, 2);
	assert_non_null(find_lost(&got));
	assert_int_equal(find_lost(&got)->lost.count, 3);
	assert_int_equal(find_lost(&got)->lost.until_ns, 5000);
	collect_free(c);
}

/* While it goes on: what is lost is told at once, once, and not for the time in which nothing was. */
static void test_loss_is_told_before_the_cpu_speaks_again(void **state)
{
	static struct got got;
	struct collect *c = start(&got);
	struct ev_switch ev = switch_event(1000, 0, 0, 1, 2);
	u32 next_seq[2] = {1, 0};

	(void)state;
	collect_event(c, &ev, sizeof(ev));
	assert_int_equal(collect_settle(c, next_seq, 2, 4000, 4100), 0);
	assert_null(find_lost(&got));
	next_seq[0] = 4;
	assert_int_equal(collect_settle(c, next_seq, 2, 5000, 5100), 0);
	assert_non_null(find_lost(&got));
	assert_int_equal(find_lost(&got)->ts, 4001);
	assert_int_equal(find_lost(&got)->lost.until_ns, 5100);
	assert_int_equal(find_lost(&got)->lost.count, 3);
	/* Numbers that were read before an event came that has a later one. */
	ev = switch_event(6000, 4, 0, 1, 2);
	collect_event(c, &ev, sizeof(ev));
	assert_int_equal(collect_settle(c, next_seq, 2, 5900, 6100), 0);
	next_seq[0] = 5;
	assert_int_equal(collect_settle(c, next_seq, 2, 7000, 7100), 0);
	collect_finish(c, 8000, next_seq, 2);
	assert_int_equal(collect_lost(c), 3);
	collect_free(c);
}

/* An interrupt's event that overtakes the interrupted program's number is no loss. */
static void test_overtaken_number_is_no_loss(void **state)
{
	static struct got got;
	static const u32 seqs[] = {0, 2, 1, 3};
	struct collect *c = start(&got);
	u32 next_seq[1] = {4};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct ev_switch ev = switch_event(1000 + (u64)i, seqs[i], 0, 1, 2);

		collect_event(c, &ev, sizeof(ev));
	}
	collect_finish(c, 5000, next_seq, 1);
	assert_null(find_lost(&got));
	collect_free(c);
}

static void test_errors_stick(void **state)
{
	static struct got got;
	struct collect *c = start(&got);
	struct ev_switch ev = switch_event(1000, 0, 0, 1, 2);

	(void)state;
	got.fail_with = -ENOSPC;
	collect_event(c, &ev, sizeof(ev));
	assert_int_equal(collect_advance(c, UINT64_MAX), -ENOSPC);
	assert_int_equal(collect_advance(c, UINT64_MAX), -ENOSPC);
	assert_int_equal(collect_event(c, &ev, 10), -EINVAL);
	ev.head.type = 200;
	assert_int_equal(collect_event(c, &ev, sizeof(ev)), -EINVAL);
	collect_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merges_in_order),
		cmocka_unit_test(test_gap_is_told_with_its_times),
		cmocka_unit_test(test_loss_at_the_end_is_told),
		cmocka_unit_test(test_loss_is_told_before_the_cpu_speaks_again),
		cmocka_unit_test(test_overtaken_number_is_no_loss),
		cmocka_unit_test(test_errors_stick),
	};

	return cmocka_run_group_tests_name("collect", tests, NULL, NULL);
}
