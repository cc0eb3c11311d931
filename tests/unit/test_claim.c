/* SPDX-License-Identifier: MIT */
/* lesson/claim.c: the language of claims, on figures that can be added up by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "lesson/claim.h"

static const char region[] =
	"{\"window\":{\"duration_ns\":1000},\"concurrency\":{\"mean_window\":2.0,\"max\":3},"
	"\"demand\":{\"mean\":1.25},\"parallelism\":{\"time_ns_at\":[100,900]},"
	"\"time_ns\":{\"running\":900,\"ready\":100,\"gil\":1000,\"join\":500},"
	"\"threads\":[{\"name\":\"worker-1\",\"tgid\":7,\"time_ns\":{\"running\":400}},"
	"{\"name\":\"worker-2\",\"tgid\":7,\"time_ns\":{\"running\":450}},"
	"{\"name\":\"main\",\"tgid\":8,\"time_ns\":{\"running\":50}}],"
	"\"locks\":[{\"kind\":\"gil\",\"wait_ns\":1100,\"holders\":[{\"tid\":1,\"wait_ns\":600},"
	"{\"tid\":2,\"wait_ns\":500}]},{\"kind\":\"mutex\",\"wait_ns\":5,\"holders\":[]}],"
	"\"verdict\":{\"class\":\"concurrent-not-parallel\"},\"syscalls\":[]}";
static const char whole[] = "{\"window\":{\"duration_ns\":5000},\"threads\":[{\"end_ns\":4000},{\"end_ns\":4500}]}";
static const char witness[] = "{\"sum\":42,\"right\":true,\"order\":\"ABC\"}";

static struct claim_side sides[3];

static int setup(void **state)
{
	(void)state;
	sides[0] = (struct claim_side){.name = "two", .region = cJSON_Parse(region), .whole = cJSON_Parse(whole),
				       .witness = cJSON_Parse(witness), .status = 0};
	sides[1] = (struct claim_side){.name = "free-threaded", .skip = "no such Python here", .status = 77};
	sides[2] = sides[0];
	sides[2].name = "again";
	return sides[0].region && sides[0].whole && sides[0].witness ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	cJSON_Delete((cJSON *)sides[0].region);
	cJSON_Delete((cJSON *)sides[0].whole);
	cJSON_Delete((cJSON *)sides[0].witness);
	return 0;
}

static struct claim_result judge(const char *text)
{
	struct claim_result r;
	struct error err = {0};

	if (claim_judge(text, sides, 3, &r, &err))
		fail_msg("%s: %s", text, err.text);
	return r;
}

static void holds(const char *text)
{
	struct claim_result r = judge(text);

	if (r.outcome != CLAIM_HOLDS)
		fail_msg("'%s' does not hold: %s %s %s", text, r.measured, r.wanted, r.reason);
}

static void fails(const char *text)
{
	if (judge(text).outcome != CLAIM_FAILS)
		fail_msg("'%s' does not fail", text);
}

static void wrong(const char *text, const char *why)
{
	struct claim_result r;
	struct error err = {0};

	if (claim_judge(text, sides, 3, &r, &err) != -EINVAL || !strstr(err.text, why))
		fail_msg("'%s' gave '%s', not '%s'", text, err.text, why);
}

static void test_numbers(void **state)
{
	(void)state;
	holds("two.demand.mean <= 1.25");
	fails("two.demand.mean < 1.25");
	holds("two.concurrency.max == 3");
	holds("two.concurrency.max != 4");
	holds("1 + 2 * 3 == 7");
	holds("(1 + 2) * 3 == 9");
	holds("7 - 2 - 1 == 4");
	holds("8 / 4 / 2 == 1");
	holds("-2 < -1");
	holds("wall(two) / wall(again) == 1");
	/* Nothing divided by nothing is no number: no claim about it holds. */
	fails("0 / 0 >= 0");
	fails("0 / 0 <= 0");
}

static void test_what_did_not_occur(void **state)
{
	(void)state;
	holds("two.time_ns.sleep == 0");
	holds("two.time_ns.file-lock == 0");
	holds("two.parallelism.time_ns_at.1 == 900");
	holds("two.parallelism.time_ns_at.7 == 0");
	holds("share(two, network) == 0");
	fails("two.time_ns.nonsense == 0");
	fails("two.nothing >= 0");
	assert_string_equal(judge("two.nothing >= 0").reason, "two has no 'nothing'");
}

static void test_shares(void **state)
{
	(void)state;
	holds("in_flight(two) == 2000");
	holds("share(two, gil) == 0.5");
	holds("blocked(two) == 1500");
	holds("(two.time_ns.running + two.time_ns.ready) / in_flight(two) == 0.5");
}

static void test_lists(void **state)
{
	(void)state;
	holds("count(two.threads) == 3");
	holds("sum(two.threads.time_ns.running) == 900");
	holds("sum(two.threads[worker*].time_ns.running) == 850");
	holds("min(two.threads[worker*].time_ns.running) == 400");
	holds("max(two.threads.time_ns.running) == 450");
	holds("count(two.threads[nobody]) == 0");
	holds("sum(two.threads[nobody].time_ns.running) == 0");
	holds("distinct(two.threads.tgid) == 2");
	holds("distinct(two.threads[worker*].tgid) == 1");
	holds("sum(two.locks[gil].wait_ns) == 1100");
	holds("sum(two.locks.holders.wait_ns) == 1100");
	holds("two.threads.1.time_ns.running == 450");
	holds("count(two.syscalls) == 0");
	holds("sum(two.threads.time_ns.gil) == 0");
	fails("max(two.threads[nobody].time_ns.running) >= 0");
	wrong("two.threads[worker*].tgid == 7", "cannot be compared");
	wrong("two.threads[worker*].tgid + 1 == 7", "only numbers");
	wrong("sum(two.demand.mean) == 1", "not a list");
}

static void test_texts_and_witness(void **state)
{
	(void)state;
	holds("two.witness.sum == 42");
	holds("two.witness.right == 1");
	holds("two.witness.order == 'ABC'");
	holds("two.witness.order ~ \"A*\"");
	fails("two.witness.order ~ 'B*'");
	holds("two.verdict.class != \"parallel\"");
	holds("two.status == 0");
	holds("max(two.all.threads.end_ns) - min(two.all.threads.end_ns) == 500");
	wrong("two.witness.order >= 1", "cannot be compared");
}

static void test_skipped(void **state)
{
	struct claim_result r = judge("free-threaded.demand.mean >= 1.8");

	(void)state;
	assert_int_equal(r.outcome, CLAIM_SKIPPED);
	assert_string_equal(r.reason, "free-threaded: no such Python here");
	assert_int_equal(judge("wall(two) / wall(free-threaded) >= 1").outcome, CLAIM_SKIPPED);
	/* What is no claim is wrong even of a variant that could not run. */
	wrong("share(free-threaded, nonsense) >= 1", "wait kind is missing");
}

static void test_syntax(void **state)
{
	(void)state;
	wrong("", "a value is missing");
	wrong("1", "a comparison");
	wrong("1 >=", "a value is missing");
	wrong("1 >= 2 3", "something follows");
	wrong("(1 >= 2", "')' is missing");
	wrong("three.demand.mean > 1", "no variant has this name");
	wrong("two > 1", "'.' and a key are missing");
	wrong("two. > 1", "a key is missing");
	wrong("two.threads[x.tgid > 1", "']' is missing");
	wrong("mean(two) > 1", "no such function");
	wrong("'a == 'a'", "a comparison");
	wrong("\"a == 1", "the text does not end");
	wrong("((((((((((((((((((((((((((((((((((((1)))))))))))))))))))))))))))))))))))) > 0", "too deep");
}

static void test_check_looks_nothing_up(void **state)
{
	const struct claim_side names[] = {{.name = "two"}};
	struct error err = {0};

	(void)state;
	assert_int_equal(claim_check("sum(two.threads[w*].x) / wall(two) >= two.witness.y", names, 1, &err), 0);
	assert_int_equal(claim_check("two.verdict.class == 'parallel'", names, 1, &err), 0);
	assert_int_equal(claim_check("other.x == 1", names, 1, &err), -EINVAL);
	assert_int_equal(claim_check("two.x = 1", names, 1, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_what_did_not_occur),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_texts_and_witness),
		cmocka_unit_test(test_skipped),
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_check_looks_nothing_up),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
