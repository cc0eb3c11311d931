/* SPDX-License-Identifier: MIT */
/* What a futex is part of: memory as glibc lays it out, as other programs use it, and any bytes at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "record/futex.h"

enum { WAIT = 0, LOCK_PI_OP = 6, WAIT_BITSET = 9, REQUEUE_PI = 11, LOCK_PI2 = 13, PRIVATE = 128, REALTIME = 256 };
#define WAITERS 0x80000000u
#define OWNER_DIED 0x40000000u
#define ME 4711

static u8 memory[EV_WORDS_LEN];

/* 32 bits at @at bytes from the word. */
static void word(int at, u32 value)
{
	memcpy(memory + EV_WORDS_BEFORE + at, &value, sizeof(value));
}

static void pointer(int at, u64 value)
{
	memcpy(memory + EV_WORDS_BEFORE + at, &value, sizeof(value));
}

static struct futex_found found(u64 address, u32 op, u32 val, bool timeout)
{
	struct futex_call call = {.address = address, .op = op, .val = val, .timeout = timeout, .words = memory};
	struct futex_found f;

	futex_classify(&call, &f);
	return f;
}

static void expect(struct futex_found f, enum lock_kind kind, u64 base, s32 owner)
{
	assert_int_equal(f.kind, kind);
	assert_int_equal(f.base, base);
	assert_int_equal(f.owner, owner);
}

static void expect_plain(struct futex_found f, u64 address)
{
	expect(f, LOCK_FUTEX, address, FUTEX_OWNER_UNKNOWN);
}

/* pthread_mutex_t of @kind, held by @owner. */
static void mutex(u32 kind, u32 lock, u32 count, u32 owner)
{
	memset(memory, 0, sizeof(memory));
	word(0, lock);
	word(4, count);
	word(8, owner);
	word(12, owner != 0);
	word(16, kind);
}

static void mutexes(void **state)
{
	(void)state;
	mutex(0, 2, 0, ME);
	expect(found(0x1000, WAIT | PRIVATE, 2, false), LOCK_MUTEX, 0x1000, ME);
	expect(found(0x1000, WAIT_BITSET | PRIVATE, 2, true), LOCK_MUTEX, 0x1000, ME); /* timedlock */
	expect_plain(found(0x1000, WAIT_BITSET | PRIVATE, 2, false), 0x1000); /* Rust's own */
	expect_plain(found(0x1000, WAIT | PRIVATE, 1, false), 0x1000);
	expect_plain(found(0x1004, WAIT | PRIVATE, 2, false), 0x1004);
	expect_plain(found(0x1000, WAIT, 2, false), 0x1000); /* shared, but it does not say so */
	mutex(1, 2, 3, ME);
	expect(found(0x1000, WAIT | PRIVATE, 2, false), LOCK_MUTEX, 0x1000, ME);
	mutex(1, 2, 0, ME); /* recursive, held no times */
	expect_plain(found(0x1000, WAIT | PRIVATE, 2, false), 0x1000);
	mutex(2, 2, 0, ME);
	expect(found(0x1000, WAIT | PRIVATE, 2, false), LOCK_MUTEX, 0x1000, ME);
	mutex(3, 2, 0, ME);
	word(20, 100); /* an adaptive one counts its spins; no other does */
	expect(found(0x1000, WAIT | PRIVATE, 2, false), LOCK_MUTEX, 0x1000, ME);
	word(16, 0);
	expect_plain(found(0x1000, WAIT | PRIVATE, 2, false), 0x1000);
	mutex(128, 2, 0, ME); /* between processes */
	expect(found(0x1000, WAIT, 2, false), LOCK_MUTEX, 0x1000, ME);
	expect_plain(found(0x1000, WAIT | PRIVATE, 2, false), 0x1000);
	mutex(0x400, 2, 0, ME); /* no such kind */
	expect_plain(found(0x1000, WAIT | PRIVATE, 2, false), 0x1000);
	mutex(0, 2, 0, 0x400000); /* no such tid */
	expect_plain(found(0x1000, WAIT | PRIVATE, 2, false), 0x1000);
}

/* Between the word and the name: taken by somebody whose name is not written yet, or free by now. */
static void mutex_without_a_name(void **state)
{
	struct futex_found f;

	(void)state;
	mutex(0, 2, 0, 0);
	f = found(0x1000, WAIT | PRIVATE, 2, false);
	expect(f, LOCK_MUTEX, 0x1000, FUTEX_OWNER_UNKNOWN);
	assert_false(f.must_live);
	mutex(0, 0, 0, 0);
	expect(found(0x1000, WAIT | PRIVATE, 2, false), LOCK_MUTEX, 0x1000, 0);
}

/* The word itself has the owner: linux/futex.h, FUTEX_TID_MASK. */
static void owner_words(void **state)
{
	struct futex_found f;

	(void)state;
	mutex(16, WAITERS | ME, 0, ME);
	f = found(0x1000, WAIT, WAITERS | ME, false);
	expect(f, LOCK_MUTEX, 0x1000, ME);
	assert_true(f.own_memory && f.must_live);
	expect_plain(found(0x1000, WAIT | PRIVATE, WAITERS | ME, false), 0x1000);
	mutex(16, WAITERS | OWNER_DIED, 0, ME); /* nobody any more */
	f = found(0x1000, WAIT, WAITERS | ME, false);
	expect(f, LOCK_MUTEX, 0x1000, 0);
	assert_false(f.must_live);
	mutex(32, WAITERS | ME, 0, ME);
	expect(found(0x1000, LOCK_PI_OP | PRIVATE, 0, false), LOCK_MUTEX, 0x1000, ME);
	expect(found(0x1000, LOCK_PI2 | PRIVATE, 0, true), LOCK_MUTEX, 0x1000, ME);
	mutex(32, WAITERS | OWNER_DIED | ME, 0, ME);
	expect(found(0x1000, LOCK_PI_OP, 0, false), LOCK_MUTEX, 0x1000, ME);
	assert_int_equal(found(0x2000, REQUEUE_PI | PRIVATE, 5, false).kind, LOCK_CONDITION);
}

/* pthread_rwlock_t whose word at +@at is waited on. */
static void rwlock(int at, u32 readers, u32 writer)
{
	memset(memory, 0, sizeof(memory));
	word(-at, readers);
	word(8 - at, 3);
	word(12 - at, 3);
	word(24 - at, writer);
}

static void rwlocks(void **state)
{
	(void)state;
	rwlock(8, 3, ME); /* a reader waits for the write phase's end */
	expect(found(0x1008, WAIT_BITSET | PRIVATE | REALTIME, 3, false), LOCK_RWLOCK, 0x1000, ME);
	rwlock(8, 2 << 3 | 2, 0); /* the first writer waits for two readers: nobody's name is known */
	expect(found(0x1008, WAIT_BITSET | PRIVATE | REALTIME, 2, false), LOCK_RWLOCK, 0x1000, FUTEX_OWNER_UNKNOWN);
	rwlock(12, 3, ME);
	expect(found(0x100c, WAIT_BITSET | PRIVATE | REALTIME, 3, false), LOCK_RWLOCK, 0x1000, ME);
	rwlock(8, 0, 0); /* nobody is in the way */
	expect_plain(found(0x1008, WAIT_BITSET | PRIVATE | REALTIME, 3, false), 0x1008);
}

static void conditions(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory)); /* until 2.40: +40, group 0 */
	word(-40, 8);
	word(-32, 4);
	word(-24, 2); /* g_refs[0] */
	word(-16, 1); /* g_size[0] */
	word(-4, 8);  /* wrefs: one waiter */
	expect(found(0x1028, WAIT_BITSET | PRIVATE | REALTIME, 0, false), LOCK_CONDITION, 0x1000, FUTEX_OWNER_UNKNOWN);
	word(-4, 0); /* nobody waits on it */
	expect_plain(found(0x1028, WAIT_BITSET | PRIVATE | REALTIME, 0, false), 0x1028);
	memset(memory, 0, sizeof(memory)); /* since 2.41: +32, group 0, any value */
	word(-32, 8);
	word(-24, 4);
	word(-16, 1);
	word(-4, 8);
	expect(found(0x1020, WAIT_BITSET | PRIVATE | REALTIME, 6, false), LOCK_CONDITION, 0x1000, FUTEX_OWNER_UNKNOWN);
	word(-4, 9); /* shared: its call is not private */
	expect_plain(found(0x1020, WAIT_BITSET | PRIVATE | REALTIME, 6, false), 0x1020);
}

static void semaphores_and_barriers(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	word(4, 2);
	expect(found(0x1000, WAIT_BITSET | PRIVATE | REALTIME, 0, false), LOCK_SEMAPHORE, 0x1000, FUTEX_OWNER_UNKNOWN);
	expect(found(0x1000, WAIT_BITSET | PRIVATE, 0, true), LOCK_SEMAPHORE, 0x1000, FUTEX_OWNER_UNKNOWN);
	expect_plain(found(0x1000, WAIT_BITSET | PRIVATE, 0, false), 0x1000); /* as Rust waits */
	word(4, 0); /* nobody waits on it */
	expect_plain(found(0x1000, WAIT_BITSET | PRIVATE | REALTIME, 0, false), 0x1000);
	memset(memory, 0, sizeof(memory)); /* the second of three has entered round 3 */
	word(-4, 5);
	word(0, 3);
	word(4, 3);
	expect(found(0x1004, WAIT | PRIVATE, 3, false), LOCK_BARRIER, 0x1000, FUTEX_OWNER_UNKNOWN);
	word(-4, 3); /* nobody has entered */
	expect_plain(found(0x1004, WAIT | PRIVATE, 3, false), 0x1004);
}

static void joins(void **state)
{
	struct futex_found f;

	(void)state;
	memset(memory, 0, sizeof(memory));
	pointer(-16, 0x7f0000001000);
	pointer(-8, 0x7f0000002000);
	word(0, ME);
	pointer(8, 0x7f0000003010);
	pointer(16, 0x7f0000003010);
	f = found(0x7f0000003000, WAIT_BITSET | REALTIME, ME, false);
	expect(f, LOCK_JOIN, 0x7f0000003000, ME);
	assert_true(f.own_memory);
	expect_plain(found(0x7f0000003000, WAIT_BITSET | REALTIME | PRIVATE, ME, false), 0x7f0000003000);
	word(0, ME + 1); /* another thread lives there now */
	expect_plain(found(0x7f0000003000, WAIT_BITSET | REALTIME, ME, false), 0x7f0000003000);
}

static void calls(void **state)
{
	struct ev_wait wait = {.nr = 202, .args = {0x1000, WAIT | PRIVATE, 2, 0}};
	struct futex_call call;
	struct futex_found f;

	(void)state;
	assert_true(futex_call_of(&wait, NULL, &call));
	assert_int_equal(call.address, 0x1000);
	assert_int_equal(call.op, WAIT | PRIVATE);
	assert_false(call.timeout);
	futex_classify(&call, &f); /* its memory could not be read: nothing is claimed */
	expect_plain(f, 0x1000);
	wait = (struct ev_wait){.nr = 455, .args = {0x2000, 7, 0xffffffff, 0x82}}; /* futex_wait(2) */
	assert_true(futex_call_of(&wait, NULL, &call));
	assert_int_equal(call.val, 7);
	assert_int_equal(call.op, WAIT_BITSET | PRIVATE);
	wait.nr = 0;
	assert_false(futex_call_of(&wait, NULL, &call));
}

/* Any memory around any call: an owner that could be a tid or none, a base near the word, never a crash. */
static void any_bytes(void **state)
{
	static const u32 ops[] = {WAIT, WAIT_BITSET, LOCK_PI_OP, LOCK_PI2, REQUEUE_PI, 1, 127};
	u32 named = 0;

	(void)state;
	srand(1);
	for (int run = 0; run < 2000000; run++) {
		u32 op = ops[rand() % 7] | (rand() % 2 ? PRIVATE : 0) | (rand() % 2 ? REALTIME : 0);
		u64 address = 0x10000 + 4 * (u64)(rand() % 16);
		bool pi = (op & 127) == LOCK_PI_OP || (op & 127) == LOCK_PI2 || (op & 127) == REQUEUE_PI;
		struct futex_found f;

		for (size_t i = 0; i < sizeof(memory); i++)
			memory[i] = (u8)rand();
		f = found(address, op, rand() % 2 ? 2 : (u32)rand(), rand() % 2);
		assert_true(f.kind != LOCK_NONE);
		assert_true(f.base <= address && f.base + EV_WORDS_BEFORE > address);
		assert_true(f.owner >= FUTEX_OWNER_UNKNOWN);
		named += f.kind != LOCK_FUTEX && !pi;
	}
	/* Noise does not look like a lock: by its bits, not one in a million. */
	assert_true(named <= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mutexes), cmocka_unit_test(mutex_without_a_name), cmocka_unit_test(owner_words),
		cmocka_unit_test(rwlocks), cmocka_unit_test(conditions), cmocka_unit_test(semaphores_and_barriers),
		cmocka_unit_test(joins), cmocka_unit_test(calls), cmocka_unit_test(any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
