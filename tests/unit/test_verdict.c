/* SPDX-License-Identifier: MIT */
/* metrics/verdict.c: the rule, line by line, and both sides of each threshold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/utf8.h"
#include "metrics/verdict.h"

/* Two CPUs, one second, all of it active. */
static struct verdict_facts facts(double in_flight, double demand)
{
	return (struct verdict_facts){
		.duration_ns = 1000000000, .active_ns = 1000000000, .in_flight = in_flight,
		.running = demand < 2 ? demand : 2, .demand = demand, .usable_cpus = 2, .cpus = 2,
		.affinity_cpus = 2, .run_share = in_flight ? demand / in_flight : 0,
		.lock_kind = KIND_MUTEX, .wait_kind = KIND_NETWORK,
	};
}

static void expect(struct verdict_facts f, enum verdict_class class, const char *cause)
{
	struct verdict v;

	verdict_judge(&f, &v);
	assert_string_equal(verdict_class_name(v.class), verdict_class_name(class));
	assert_string_equal(verdict_cause_name(&v), cause);
}

static void test_few_in_flight(void **state)
{
	struct verdict_facts f = facts(1, 1);

	(void)state;
	expect(f, VERDICT_SERIAL, "");
	f.run_share = 0.5;
	f.wait_share = 0.5;
	expect(f, VERDICT_IO_BOUND, "network");
	f.wait_share = 0.49;
	expect(f, VERDICT_SERIAL, "");
	f.poll_share = 1; /* beside one that works all the time */
	expect(f, VERDICT_SERIAL, "");
	f.active_ns = 500000001;
	expect(f, VERDICT_SERIAL, "");
	f.active_ns = 500000000;
	expect(f, VERDICT_IO_BOUND, "event-loop");
	f.poll_share = 0.5;
	expect(f, VERDICT_IO_BOUND, "event-loop");
	f.poll_share = 0.49;
	expect(f, VERDICT_SERIAL, "");
	f.poll_share = 0.5;
	f.active_ns = 49999999;
	expect(f, VERDICT_IDLE, "event-loop");
	f.poll_share = 0;
	expect(f, VERDICT_IDLE, "");
	f.active_ns = 50000000;
	expect(f, VERDICT_SERIAL, "");
}

static void test_cpus(void **state)
{
	struct verdict_facts f = facts(4, 4);

	(void)state;
	expect(f, VERDICT_OVERSUBSCRIBED, "");
	f.demand = 2.4;
	expect(f, VERDICT_PARALLEL, "");
	f.running = 1.4; /* others had the CPUs: the class stays */
	expect(f, VERDICT_PARALLEL, "other-load");
	f.demand = 1.4;
	f.wait_share = 0.2;
	expect(f, VERDICT_NOT_PARALLEL, "network");
	f = facts(2, 2);
	f.usable_cpus = f.affinity_cpus = 1;
	expect(f, VERDICT_NOT_PARALLEL, "cpu-affinity");
	f.cpus = 1;
	expect(f, VERDICT_NOT_PARALLEL, "one-cpu");
	f.cpus = 2;
	f.quota_cpus = f.usable_cpus = 0.2;
	expect(f, VERDICT_NOT_PARALLEL, "cpu-quota");
	f = facts(8, 8);
	f.cpus = 8;
	f.affinity_cpus = 8;
	f.quota_cpus = f.usable_cpus = 2;
	expect(f, VERDICT_OVERSUBSCRIBED, "cpu-quota");
}

static void test_locks(void **state)
{
	struct verdict_facts f = facts(4, 1);

	(void)state;
	f.gil_share = 0.75;
	expect(f, VERDICT_NOT_PARALLEL, "gil");
	f.lock_share = 0.76;
	expect(f, VERDICT_NOT_PARALLEL, "mutex");
	/* On one CPU the lock is the cause, not the CPU. */
	f.usable_cpus = f.affinity_cpus = 1;
	f.demand = 1.3;
	expect(f, VERDICT_NOT_PARALLEL, "mutex");
	/* A lock that matters little does not hide that two run. */
	f = facts(4, 1.6);
	f.lock_share = 0.33;
	expect(f, VERDICT_PARALLEL, "");
	f.lock_share = 0.34;
	expect(f, VERDICT_NOT_PARALLEL, "mutex");
	f = facts(8, 0.5);
	f.wait_share = 0.6;
	f.gil_share = 0.1;
	expect(f, VERDICT_IO_BOUND, "network");
}

static void check_columns(const char *text)
{
	for (size_t len; *text; text += len + 1) {
		len = strcspn(text, "\n");
		if (utf8_columns(text, len) > 80)
			print_error("%.*s\n", (int)len, text);
		assert_in_range(utf8_columns(text, len), 1, 80);
	}
}

/* Every class has words in both languages, and no number in them is none. */
static void test_words(void **state)
{
	(void)state;
	for (int class = 0; class < VERDICT_CLASSES; class++) {
		for (int cause = 0; cause < CAUSES; cause++) {
			struct verdict v = {.class = (enum verdict_class)class,
					    .cause = (enum verdict_cause)cause, .kind = KIND_RWLOCK};

			v.facts = facts(123.4, 99.9);
			v.facts.usable_cpus = 64.5;
			v.facts.quota_cpus = 64.55;
			v.facts.cpus = v.facts.affinity_cpus = 128;
			struct buf text = BUF_INIT;

			verdict_text(&v, false, &text);
			verdict_text(&v, true, &text);
			check_columns(text.data);
			verdict_json(&v, &text);
			assert_false(text.failed);
			assert_null(strstr(text.data, "nan"));
			assert_null(strstr(text.data, "inf "));
			assert_true(text.len > 60);
			buf_free(&text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_few_in_flight),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_locks),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
