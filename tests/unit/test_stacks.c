/* SPDX-License-Identifier: MIT */
/* record/stacks.c and what it is made of: this program's own stack, Python's line tables, kallsyms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/kernel_symbols.h"
#include "record/python.h"
#include "record/stacks.h"
#include "record/symbolize.h"
#include "record/unwind.h"

#define OWN __attribute__((noinline, no_sanitize("address", "undefined")))

/* ---- Python ---- */

static void test_python_lines(void **state)
{
	/* def f(a): / x = g(a) / return x, as 3.12 compiled it at line 10; and one of each kind */
	static const u8 f[] = {0x80, 0x00, 0xdc, 0x08, 0x09, 0x88, 0x21, 0x8b, 0x04, 0x80, 0x41, 0xd8, 0x0b,
			       0x0c, 0x80, 0x48};
	static const u8 kinds[] = {
		0xe9, 0x05,                   /* no column: 2 units, line -2 */
		0xf0, 0x50, 0x02, 0x00, 0x01, 0x01, /* long: 1 unit, line + (0x10 | 2 << 6) / 2 */
		0xfb,                         /* none: 4 units */
		0xe8, 0x02,                   /* no column: 1 unit, line + 1 */
	};

	(void)state;
	assert_int_equal(python_line(f, sizeof(f), 10, 0), 10);
	for (u32 unit = 1; unit < 12; unit++)
		assert_int_equal(python_line(f, sizeof(f), 10, unit), 11);
	assert_int_equal(python_line(f, sizeof(f), 10, 12), 12);
	assert_int_equal(python_line(f, sizeof(f), 10, 13), 12);
	assert_int_equal(python_line(f, sizeof(f), 10, 200), 0);
	assert_int_equal(python_line(kinds, sizeof(kinds), 100, 0), 98);
	assert_int_equal(python_line(kinds, sizeof(kinds), 100, 1), 98);
	assert_int_equal(python_line(kinds, sizeof(kinds), 100, 2), 98 + 72);
	for (u32 unit = 3; unit < 7; unit++)
		assert_int_equal(python_line(kinds, sizeof(kinds), 100, unit), 0);
	assert_int_equal(python_line(kinds, sizeof(kinds), 100, 7), 98 + 72 + 1);
	assert_int_equal(python_line(kinds, sizeof(kinds), 100, 8), 0);
}

static void test_python_lines_damaged(void **state)
{
	u8 table[64] = {0};

	(void)state;
	assert_int_equal(python_line(table, 0, 1, 0), 0);
	srand(1);
	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)rand() % sizeof(table);

		for (size_t i = 0; i < len; i++)
			table[i] = (u8)rand();
		python_line(table, len, rand(), (u32)rand() % 100);
	}
	table[0] = 0x05; /* no entry begins so */
	assert_int_equal(python_line(table, 1, 1, 0), 0);
	table[0] = 0xf0; /* a long form that ends before its number does */
	table[1] = 0x7f;
	assert_int_equal(python_line(table, 2, 1, 0), 0);
}

/* ---- the kernel ---- */

static void test_kernel_symbols(void **state)
{
	static const char text[] =
		"ffffffff81000000 T _stext\nffffffff81000100 t __schedule\nffffffff81000200 T schedule\n"
		"ffffffff81000280 d some_data\nffffffff81000300 t anon_pipe_read.constprop.0\n"
		"ffffffff81000400 T vfs_read\nffffffffc0000100 t flock_wait\t[locks]\n"
		"ffffffffc0001000 t bpf_prog_0123_on_switch\t[bpf]\nnonsense\n";
	u64 pipe[] = {0xffffffffc0001050, 0xffffffff81000150, 0xffffffff81000210, 0xffffffff81000310,
		      0xffffffff81000410};
	/* The call was the last instruction: the return address is another function's. */
	u64 last[] = {0xffffffff81000150, 0xffffffff81000400};
	u64 plumbing[] = {0xffffffff81000150, 0xffffffff81000210};
	struct kernel_symbols *s;

	(void)state;
	assert_int_equal(kernel_symbols_parse(&s, text), 0);
	assert_string_equal(kernel_symbols_name(s, 0xffffffff81000100), "__schedule");
	assert_string_equal(kernel_symbols_name(s, 0xffffffff810003ff), "anon_pipe_read");
	assert_string_equal(kernel_symbols_name(s, 0xffffffffc0000101), "flock_wait");
	assert_null(kernel_symbols_name(s, 0x1000));
	assert_string_equal(kernel_symbols_wait(s, pipe, 5), "anon_pipe_read");
	assert_string_equal(kernel_symbols_wait(s, last, 2), "anon_pipe_read");
	assert_null(kernel_symbols_wait(s, plumbing, 2));
	assert_null(kernel_symbols_wait(s, pipe, 0));
	kernel_symbols_free(s);
	/* kptr_restrict: all addresses are 0 */
	assert_int_equal(kernel_symbols_parse(&s, "0000000000000000 T _stext\n"), -EPERM);
	assert_int_equal(kernel_symbols_parse(&s, ""), -EPERM);
}

/* ---- names ---- */

static void test_names(void **state)
{
	static const struct { const char *symbol, *name; } cut[] = {
		{"work", "work"}, {"work.isra.0", "work"}, {"work.constprop.1.cold", "work"},
		{"poll@@GLIBC_2.2.5", "poll"}, {"main.worker", "main.worker"}, {".cold", ".cold"},
		{"_ZN1A1fEv.part.0", "_ZN1A1fEv"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cut); i++)
		assert_int_equal(symbolize_name_length(cut[i].symbol), strlen(cut[i].name));
	assert_true(symbolize_is_runtime("libc.so.6"));
	assert_true(symbolize_is_runtime("ld-linux-x86-64.so.2"));
	assert_true(symbolize_is_runtime("libstdc++.so.6.0.30"));
	assert_false(symbolize_is_runtime("libcurl.so.4"));
	assert_false(symbolize_is_runtime("libmutter.so"));
	assert_true(symbolize_is_header("/usr/include/c++/12/bits/std_mutex.h"));
	assert_false(symbolize_is_header("/home/me/include/queue.h"));
	assert_true(symbolize_is_wait("__lll_lock_wait"));
	assert_false(symbolize_is_wait("semantic_check"));
}

#ifndef NO_LIBDW

/* ---- this program ---- */

union copy {
	struct ev_stack stack;
	u8 all[sizeof(struct ev_stack) + EV_STACK_BYTES];
};

/* What the probe does: registers, and the stack from the stack pointer on. */
static OWN void capture(union copy *c)
{
	struct ev_stack *s = &c->stack;
	const volatile u8 *from;
	u8 *to = c->all + sizeof(c->stack);

	memset(c, 0, sizeof(*c));
	__asm__ volatile("lea 0(%%rip), %%rax\n\tmov %%rax, 0(%0)\n\tmov %%rsp, 8(%0)\n\tmov %%rbp, 16(%0)\n\t"
			 "mov %%rbx, 24(%0)\n\tmov %%r12, 32(%0)\n\tmov %%r13, 40(%0)\n\t"
			 "mov %%r14, 48(%0)\n\tmov %%r15, 56(%0)"
			 : : "r"(s) : "rax", "memory");
	from = (const volatile u8 *)(uintptr_t)s->sp;
	for (size_t i = 0; i < EV_STACK_BYTES; i++)
		to[i] = from[i];
	s->len = EV_STACK_BYTES;
}

static volatile int sink;

static OWN void first_caller(union copy *c)
{
	capture(c);
	sink++;
}

static OWN void second_caller(union copy *c)
{
	capture(c);
	sink--;
}

struct told {
	u32 id[16];
	char text[16][512];
	int n;
};

static void put(void *ctx, const struct record *rec)
{
	struct told *t = ctx;

	if (rec->type == REC_NOTE)
		return;
	assert_int_equal(rec->type, REC_SITE);
	assert_true(t->n < 16);
	t->id[t->n] = rec->site.id;
	snprintf(t->text[t->n++], sizeof(t->text[0]), "%s", rec->site.text);
}

static u64 later(void *ctx)
{
	static u64 now;

	(void)ctx;
	return now += NSEC_PER_SEC;
}

static struct stacks *start(struct told *told)
{
	static const struct stacks_ops ops = {.put = put, .now = later};
	struct ev_thread self = {.head = {.type = EV_SNAPSHOT}, .tid = getpid(), .tgid = getpid()};
	struct stacks *s;

	*told = (struct told){0};
	assert_int_equal(stacks_new(&s, &ops, told), 0);
	stacks_event(s, &self.head);
	return s;
}

static void test_own_stack(void **state)
{
	struct ev_block block = {.sw = {.prev = getpid()}};
	static struct told told;
	struct stacks *s = start(&told);
	static union copy copies[4];
	u32 ids[4];

	(void)state;
	for (int i = 0; i < 2; i++) {
		first_caller(&copies[2 * i]);
		second_caller(&copies[2 * i + 1]);
	}
	for (int i = 0; i < 4; i++)
		ids[i] = stacks_user(s, &block, &copies[i].stack, sizeof(copies[i]));
	assert_true(ids[0] && ids[1]);
	/* Two callers of one function are two sites, also for what knows the chains already. */
	assert_int_not_equal(ids[0], ids[1]);
	stacks_finish(s);
	for (int i = 0; i < told.n; i++) {
		bool first = told.id[i] == ids[0] || told.id[i] == ids[2];

		assert_non_null(strstr(told.text[i], "(capture)\ntest_stacks.c:"));
		assert_non_null(strstr(told.text[i], first ? "(first_caller)" : "(second_caller)"));
		assert_null(strstr(told.text[i], first ? "(second_caller)" : "(first_caller)"));
	}
	stacks_free(s);
}

/* The same words at the same places are the same chain; other data beside them do not matter. */
static void test_chain_is_known_again(void **state)
{
	struct ev_block block = {.sw = {.prev = getpid()}};
	static struct told told;
	struct stacks *s = start(&told);
	static union copy copy, other;
	u32 id;

	(void)state;
	first_caller(&copy);
	other = copy;
	id = stacks_user(s, &block, &copy.stack, sizeof(copy));
	assert_true(id);
	other.stack.bx = ~0ull;
	assert_int_equal(stacks_user(s, &block, &other.stack, sizeof(other)), id);
	/* Of a thread that nobody told of nothing is known. */
	block.sw.prev = 1;
	assert_int_equal(stacks_user(s, &block, &copy.stack, sizeof(copy)), 0);
	stacks_free(s);
}

static void test_stack_of_garbage(void **state)
{
	struct ev_block block = {.sw = {.prev = getpid()}};
	static struct told told;
	struct stacks *s = start(&told);
	static union copy good, bad;

	(void)state;
	first_caller(&good);
	srand(2);
	for (int round = 0; round < 300; round++) {
		bad = good;
		for (int i = 0; i < 40; i++)
			bad.all[sizeof(bad.stack) + (size_t)rand() % EV_STACK_BYTES] = (u8)rand();
		bad.stack.sp += (u64)(rand() % 64) * 8;
		bad.stack.bp = (u64)rand() << 20;
		bad.stack.len = (u32)(rand() % (2 * EV_STACK_BYTES));
		if (round % 3 == 0)
			bad.stack.ip = (u64)rand() * (u64)rand();
		stacks_user(s, &block, &bad.stack, sizeof(bad));
	}
	stacks_free(s);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_python_lines),
		cmocka_unit_test(test_python_lines_damaged),
		cmocka_unit_test(test_kernel_symbols),
		cmocka_unit_test(test_names),
#ifndef NO_LIBDW
		cmocka_unit_test(test_own_stack),
		cmocka_unit_test(test_chain_is_known_again),
		cmocka_unit_test(test_stack_of_garbage),
#endif
	};

	return cmocka_run_group_tests_name("stacks", tests, NULL, NULL);
}
