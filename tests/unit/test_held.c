/* SPDX-License-Identifier: MIT */
/* lesson/held.c: a recording of two threads and a mutex, against logs of who held it that agree, lie or say nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lesson/held.h"

/* 101 waits for the mutex at 0x7000 from 5.0000005 s on; the kernel's futex word says 100 has it. */
static const char recording[] =
	"# corun text 1\n"
	"5.000000000 thread cpu=0 tid=100 tgid=100 flags=snapshot|running comm=\"two\"\n"
	"5.000000000 window begin=1\n"
	"5.000000200 fork cpu=0 tid=101 tgid=100 parent=100 comm=\"two\"\n"
	"5.000000201 waking cpu=0 tid=101 waker=100 context=task\n"
	"5.000000300 switch cpu=1 next=101\n"
	"5.000000500 switch cpu=1 prev=101 state=0x1 call=futex args=0x7000,0x80,0x2,0x0 wait=owner lock-kind=mutex "
	"lock=0x7000 word=2 owner=100\n"
	"5.000000700 waking cpu=0 tid=101 waker=100 context=task\n"
	"5.000000800 switch cpu=1 next=101\n"
	"5.000001000 window\n"
	"6.000000000 end\n";
static char path[] = "/tmp/corun-held-XXXXXX";

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0 || write(fd, recording, sizeof(recording) - 1) != sizeof(recording) - 1)
		return -1;
	return close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static void check(const char *const *facts, u32 n, u32 logged, u32 waits, u32 right)
{
	struct error err = {0};
	struct held held;

	assert_int_equal(held_compare(&held, path, (char *const *)facts, n, &err), 0);
	assert_int_equal(held.logged, logged);
	assert_int_equal(held.waits, waits);
	assert_int_equal(held.right, right);
}

#define HOLD(lock, tid, from, to) \
	"{\"held\": {\"lock\": \"" lock "\", \"tid\": " tid ", \"from_ns\": " from ", \"to_ns\": " to "}}"

static void agrees(void **state)
{
	static const char *const log[] = {
		HOLD("0x7000", "101", "5000000790", "5000000900"), "{\"sum\": 1}", "[]", "{\"held\": 7}", "nothing",
		HOLD("0x7000", "100", "5000000100", "5000000690"), HOLD("0x7000", "100", "5000000010", "5000000050"),
	};

	(void)state;
	check(log, ARRAY_SIZE(log), 3, 1, 1);
}

static void lies(void **state)
{
	static const char *const log[] = {HOLD("0x7000", "102", "5000000100", "5000000690")};

	(void)state;
	check(log, ARRAY_SIZE(log), 1, 1, 0);
}

/* Another lock; over before the wait, begun after it; numbers that are none. */
static void says_nothing(void **state)
{
	static const char *const log[] = {
		HOLD("0x7008", "100", "5000000100", "5000000690"), HOLD("0x7000", "100", "5000000100", "5000000499"),
		HOLD("0x7000", "100", "5000000501", "5000000690"), HOLD("0x7000", "\"x\"", "-1", "null"),
		"{\"held\": {\"lock\": \"\"}}", HOLD("0x7000", "1e300", "1e300", "1e300"),
	};

	(void)state;
	check(log, ARRAY_SIZE(log), ARRAY_SIZE(log), 0, 0);
	check(NULL, 0, 0, 0, 0);
}

static void no_recording(void **state)
{
	static char *const log[] = {HOLD("0x7000", "100", "1", "2")};
	struct error err = {0};
	struct held held;

	(void)state;
	assert_int_equal(held_compare(&held, "/nowhere", log, 1, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees),
		cmocka_unit_test(lies),
		cmocka_unit_test(says_nothing),
		cmocka_unit_test(no_recording),
	};

	return cmocka_run_group_tests_name("held", tests, setup, teardown);
}
