/* SPDX-License-Identifier: MIT */
/* Runtimes: CPython's layouts, ELF symbols, reading another process; whatever is hostile. */
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/elf.h"
#include "record/process.h"
#include "record/python_layout.h"
#include "record/runtime_type.h"

/* _Py_DebugOffsets as read from Debian's 3.14.10 and 3.15.2 and a build of 3.13.0, from the version on;
 * up to the code object's part. */
static const u64 offsets_3_13[] = {
	0x30d00f0, 0, 0x452b8, 0x260, 0x278, 0x2f998, 0x1c68, 0x1c60, 0x1cb0, 0x1ce8, 0x1de8, 0x1dd8,
	0x1de0, 0x10, 0x1e48, 0, 0x1e58, 0x1e50, 0x130, 0, 8, 0x10, 0x48, 0x98, 0xa0, 0xe8, 0x20, 0x50,
	8, 0, 0x38, 0x48, 0x46, 0xd0, 0x70, 0x78, 0x80, 0x88, 0x44, 0x34, 0x60, 0x68, 0xc8,
};
static const u64 offsets_3_14[] = {
	0x30e0af0, 0, 0x4d4c8, 0x310, 0x328, 0x37248, 0x1c70, 0x1c68, 0x1cb0, 0x1cc0, 0x1cf0, 0x1e08,
	0x1df8, 0x1e00, 0x10, 0x1e68, 0, 0x1e78, 0x1e70, 0x1f38, 0, 0x340, 0, 8, 0x10, 0x48, 0x98,
	0xa0, 0xe8, 0x20, 0x58, 8, 0, 0x38, 0x50, 0x4a, 0x40, 0, 0xd8, 0x70, 0x78, 0x80, 0x88, 0x44,
};
static const u64 offsets_3_15[] = {
	0x30f02f0, 0, 0x549c8, 0x390, 0x3a8, 0x373c0, 0x1c68, 0x1c60, 0x1ca8, 0x1cb8, 0x1ce8, 0x1da8,
	0x1d98, 0x1da0, 0x10, 0x1e38, 0, 0x1e48, 0x1e40, 0x1f08, 0, 0x378, 0, 8, 0x10, 0x48, 0x50,
	0x58, 0x60, 0xb0, 0xb8, 0x100, 0x20, 0x24, 0x28, 0x88, 0x120, 0, 0x58, 8, 0, 0x38, 0x50, 0x4a,
	0x40, 0, 0xd8, 0x70, 0x78, 0x80, 0x88, 0x44,
};

struct offsets {
	const u64 *words;
	size_t n;
	struct python_layout expected;
};

static const struct offsets described[] = {
	{offsets_3_13, ARRAY_SIZE(offsets_3_13),
	 {.minor = 13, .interpreters = 0x278, .interpreter_next = 0x1c60, .interpreter_gil = 0x10,
	  .threads = 0x1cb0, .thread_tid = 0xa0, .frame = {0x48}, .frame_locals = 0x48}},
	{offsets_3_14, ARRAY_SIZE(offsets_3_14),
	 {.minor = 14, .interpreters = 0x328, .interpreter_next = 0x1c68, .interpreter_gil = 0x10,
	  .threads = 0x1cb0, .thread_tid = 0xa0, .frame = {0x48}, .frame_locals = 0x50}},
	{offsets_3_15, ARRAY_SIZE(offsets_3_15),
	 {.minor = 15, .interpreters = 0x3a8, .interpreter_next = 0x1c60, .interpreter_gil = 0x10,
	  .threads = 0x1ca8, .thread_tid = 0xb8, .frame = {0x48}, .frame_locals = 0x50}},
};

static size_t block(const struct offsets *from, u64 *words)
{
	memset(words, 0, PYTHON_DEBUG_OFFSETS);
	memcpy(words, "xdebugpy", 8);
	memcpy(words + 1, from->words, from->n * sizeof(u64));
	return PYTHON_DEBUG_OFFSETS;
}

static void test_layout_that_describes_itself(void **state)
{
	u64 words[PYTHON_DEBUG_OFFSETS / 8];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(described); i++) {
		const struct python_layout *want = &described[i].expected;
		struct python_layout got;
		size_t size = block(&described[i], words);

		assert_int_equal(python_layout_parse(words, size, &got), 0);
		assert_int_equal(got.minor, want->minor);
		assert_false(got.free_threaded);
		assert_int_equal(got.gil, PYTHON_NONE);
		assert_int_equal(got.interpreters, want->interpreters);
		assert_int_equal(got.interpreter_next, want->interpreter_next);
		assert_int_equal(got.interpreter_gil, want->interpreter_gil);
		assert_int_equal(got.threads, want->threads);
		assert_int_equal(got.thread_next, 8);
		assert_int_equal(got.thread_tid, want->thread_tid);
		assert_int_equal(got.frame[0], want->frame[0]);
		assert_int_equal(got.frame_code, 0);
		assert_int_equal(got.frame_back, 8);
		assert_int_equal(got.frame_locals, want->frame_locals);
		assert_int_equal(got.code_file, 0x70);
		assert_int_equal(got.code_name, 0x78);
		assert_int_equal(got.string_data, 40);
	}
}

/* A free-threaded build's GIL begins with one more word. */
static void test_layout_free_threaded(void **state)
{
	u64 words[PYTHON_DEBUG_OFFSETS / 8];
	size_t size = block(&described[0], words);
	struct python_layout got;

	(void)state;
	words[2] = 1;
	words[17] += 8;
	words[18] += 8;
	assert_int_equal(python_layout_parse(words, size, &got), 0);
	assert_true(got.free_threaded);
	assert_int_equal(got.object_head, 32);
}

/*
 * A process that looks like such a Python: this one. No GIL unless it was asked for, and its frames
 * are told to the probes all the same.
 */
static void test_python_without_a_gil(void **state)
{
	enum { INTERPRETERS = 0x278 / 8, GIL = 0x10 / 8, NEXT = 0x1c60 / 8, THREADS = 0x1cb0 / 8, TID = 0xa0 / 8 };
	static u64 runtime[PYTHON_DEBUG_OFFSETS / 8], interpreter[0x2000 / 8], thread[64];
	static struct {
		s32 enabled, pad;
		u64 interval, holder;
		s32 locked, pad2;
	} gil = {.interval = 5000};
	struct runtime_process p = {.tgid = getpid(), .ns_tgid = getpid(), .path = "/usr/bin/python3.13t"};
	const u64 at[RUNTIME_SYMBOLS] = {(u64)(uintptr_t)runtime};
	struct error why = {0};

	(void)state;
	block(&described[0], runtime);
	runtime[2] = 1;
	runtime[17] += 8;
	runtime[18] += 8;
	runtime[INTERPRETERS] = (u64)(uintptr_t)interpreter;
	assert_int_equal(runtime_python.find(&p, at, &why), -EAGAIN); /* not set up yet */
	runtime_python.forget(&p);
	interpreter[GIL] = (u64)(uintptr_t)&gil;
	assert_int_equal(runtime_python.find(&p, at, &why), -EAGAIN); /* nor a thread */
	runtime_python.forget(&p);
	interpreter[THREADS] = (u64)(uintptr_t)thread;
	thread[TID] = 1;
	why = (struct error){0};
	assert_int_equal(runtime_python.find(&p, at, &why), -EINVAL); /* which is none of this process */
	runtime_python.forget(&p);
	thread[TID] = (u64)gettid();
	why = (struct error){0};
	assert_int_equal(runtime_python.find(&p, at, &why), 0);
	assert_string_equal(why.text, "/usr/bin/python3.13t is a free-threaded Python 3.13: it has no GIL");
	assert_int_equal(p.how.n_gils, 0);
	assert_int_equal(p.how.n_frame, 2);
	assert_int_equal(runtime_python.thread(&p, gettid()), (u64)(uintptr_t)thread);
	/* Importing an extension that needs it turns it on. */
	gil.enabled = 1;
	assert_true(runtime_python.refresh(&p));
	assert_int_equal(p.how.n_gils, 1);
	assert_int_equal(p.how.gil[0], (u64)(uintptr_t)&gil.interval);
	assert_false(runtime_python.refresh(&p));
	runtime_python.forget(&p);
}

/*
 * More interpreters with GILs of their own than the probes can read: the oldest are read, the others known;
 * where one ends, the next one takes its place. The list has the newest first.
 */
static void test_many_interpreters(void **state)
{
	enum { N = EV_GILS + 4, INTERPRETERS = 0x278 / 8, GIL = 0x10 / 8, NEXT = 0x1c60 / 8, THREADS = 0x1cb0 / 8,
	       TID = 0xa0 / 8 };
	static u64 runtime[PYTHON_DEBUG_OFFSETS / 8], interpreter[N][0x2000 / 8], thread[64];
	static struct {
		u64 interval, holder;
		s32 locked, pad;
	} gil[N];
	struct runtime_process p = {.tgid = getpid(), .ns_tgid = getpid(), .path = "/usr/bin/python3.13"};
	const u64 at[RUNTIME_SYMBOLS] = {(u64)(uintptr_t)runtime};
	struct error why = {0};

	(void)state;
	block(&described[0], runtime);
	thread[TID] = (u64)gettid();
	for (int i = 0; i < N; i++) {
		gil[i].interval = 5000;
		interpreter[i][GIL] = (u64)(uintptr_t)&gil[i];
		interpreter[i][NEXT] = i ? (u64)(uintptr_t)interpreter[i - 1] : 0;
	}
	interpreter[0][THREADS] = (u64)(uintptr_t)thread;
	runtime[INTERPRETERS] = (u64)(uintptr_t)interpreter[N - 2];
	assert_int_equal(runtime_python.find(&p, at, &why), 0);
	assert_int_equal(p.how.n_gils, EV_GILS);
	assert_int_equal(p.n_further, 3);
	for (int i = 0; i < EV_GILS; i++)
		assert_int_equal(p.how.gil[i], (u64)(uintptr_t)&gil[i]);
	assert_int_equal(p.further[0], (u64)(uintptr_t)&gil[EV_GILS]);
	assert_false(runtime_python.refresh(&p));
	/* One more, which is only being set up; then it is. */
	gil[N - 1].locked = -1;
	runtime[INTERPRETERS] = (u64)(uintptr_t)interpreter[N - 1];
	assert_false(runtime_python.refresh(&p));
	assert_true(p.grew);
	gil[N - 1].locked = 0;
	assert_true(runtime_python.refresh(&p));
	assert_int_equal(p.n_further, 4);
	assert_int_equal(p.further[3], (u64)(uintptr_t)&gil[N - 1]);
	/* The second has ended. */
	interpreter[2][NEXT] = (u64)(uintptr_t)interpreter[0];
	assert_true(runtime_python.refresh(&p));
	assert_int_equal(p.how.n_gils, EV_GILS);
	assert_int_equal(p.how.gil[0], (u64)(uintptr_t)&gil[0]);
	assert_int_equal(p.how.gil[1], (u64)(uintptr_t)&gil[2]);
	assert_int_equal(p.how.gil[EV_GILS - 1], (u64)(uintptr_t)&gil[EV_GILS]);
	assert_int_equal(p.n_further, 3);
	/* A list without an end is none: what was known stays. */
	interpreter[0][NEXT] = (u64)(uintptr_t)interpreter[N - 1];
	assert_false(runtime_python.refresh(&p));
	assert_int_equal(p.how.n_gils, EV_GILS);
	/* All but the first have ended. */
	interpreter[0][NEXT] = 0;
	runtime[INTERPRETERS] = (u64)(uintptr_t)interpreter[0];
	assert_true(runtime_python.refresh(&p));
	assert_int_equal(p.how.n_gils, 1);
	assert_int_equal(p.n_further, 0);
	runtime_python.forget(&p);
	free(p.further);
}

static void test_layout_damaged(void **state)
{
	u64 words[PYTHON_DEBUG_OFFSETS / 8];
	struct python_layout got;

	(void)state;
	assert_int_equal(python_layout_parse("xdebugp?", 8, &got), -ENOENT);
	memset(words, 0, sizeof(words));
	assert_int_equal(python_layout_parse(words, sizeof(words), &got), -ENOENT);
	memcpy(words, "xdebugpy", 8);
	assert_int_equal(python_layout_parse(words, sizeof(words), &got), -EINVAL);
	memset(words + 1, 0xff, sizeof(words) - 8);
	assert_int_equal(python_layout_parse(words, sizeof(words), &got), -EINVAL);
	/* Any one word that is no offset: refused, or not used. */
	for (size_t i = 1; i <= ARRAY_SIZE(offsets_3_13); i++) {
		size_t size = block(&described[0], words);
		int code;

		words[i] = 0x4141414141414141;
		code = python_layout_parse(words, size, &got);
		assert_true(!code || code == -EINVAL);
		if (!code)
			assert_true(got.interpreters <= 1 << 24 && got.threads <= 1 << 24 &&
				    got.interpreter_gil <= 1 << 24);
	}
}

/* Where 3.14 looks for a script, as read from Debian's 3.14.10; damaged in every word. */
static void test_debugger_that_describes_itself(void **state)
{
	static const u64 support[] = {0x18, 0x130, 0x1f8c, 0, 4, 512};
	u64 words[PYTHON_DEBUG_OFFSETS / 8];
	struct python_debugger got;

	(void)state;
	block(&described[1], words);
	assert_int_equal(python_debugger_parse(words, sizeof(words), &got), -EINVAL);
	memcpy(words + 89, support, sizeof(support));
	assert_int_equal(python_debugger_parse(words, sizeof(words), &got), 0);
	assert_int_equal(got.interpreter, 16);
	assert_int_equal(got.breaker, 0x18);
	assert_int_equal(got.support, 0x130);
	assert_int_equal(got.enabled, 0x1f8c);
	assert_int_equal(got.pending, 0);
	assert_int_equal(got.script, 4);
	for (size_t i = 0; i < ARRAY_SIZE(support); i++) {
		words[89 + i] = 0x41414141;
		assert_int_equal(python_debugger_parse(words, sizeof(words), &got), -EINVAL);
		words[89 + i] = support[i];
	}
	assert_int_equal(python_debugger_parse(words, 94 * 8, &got), -EINVAL);
	words[0]++;
	assert_int_equal(python_debugger_parse(words, sizeof(words), &got), -EINVAL);
}

static void test_layout_of_each_version(void **state)
{
	(void)state;
	assert_null(python_layout(7));
	assert_null(python_layout(13));
	for (unsigned int minor = 8; minor <= 12; minor++) {
		const struct python_layout *l = python_layout(minor);

		assert_non_null(l);
		assert_int_equal(l->minor, minor);
		assert_true(l->n_frame >= 1 && l->frame[0] && l->code_name == l->code_file + 8);
		assert_int_equal(l->object_head, 16);
	}
}

/* ---- ELF ---- */

static const u64 landmark = 0x1122334455667788;
const u64 *corun_test_landmark(void);
const u64 *corun_test_landmark(void)
{
	return &landmark;
}

static int open_self(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

struct found {
	u64 value, start, base;
};

static int find_self(void *ctx, const struct process_file *file)
{
	struct elf_symbol symbols[] = {{.name = "corun_test_landmark"}, {.name = "no such symbol"}};
	struct found *found = ctx;
	int fd;

	if (!file->is_program)
		return 0;
	fd = process_open(file);
	assert_true(fd >= 0);
	assert_int_equal(elf_find(fd, symbols, 2, &found->base), 0);
	close(fd);
	assert_int_equal(symbols[1].value, 0);
	found->value = symbols[0].value;
	found->start = file->start;
	return 1;
}

static void test_symbol_of_this_process(void **state)
{
	struct found found = {0};

	(void)state;
	assert_int_equal(process_files(getpid(), find_self, &found), 1);
	assert_true(found.value - found.base + found.start == (u64)(uintptr_t)corun_test_landmark);
}

static void test_elf_that_is_none(void **state)
{
	struct elf_symbol symbol = {.name = "main"};
	char path[] = "/tmp/corun-elf-XXXXXX";
	int fd = mkstemp(path);
	u64 base;

	(void)state;
	unlink(path);
	assert_int_equal(elf_find(fd, &symbol, 1, &base), -EINVAL);
	assert_int_equal(write(fd, "\177ELF", 4), 4);
	assert_int_equal(elf_find(fd, &symbol, 1, &base), -EINVAL);
	/* 2 GB of nothing behind it */
	assert_int_equal(ftruncate(fd, (off_t)2 << 30), 0);
	assert_int_equal(elf_find(fd, &symbol, 1, &base), -EINVAL);
	close(fd);
}

/* This program, damaged: each header byte in turn, then cut. Nothing may crash or hang. */
/* libelf believes a file: these two would cost it 8 and 19 GB, and a minute. */
static void test_elf_that_says_too_much(void **state)
{
	const off_t size = (off_t)2 << 30, sections = (off_t)1 << 30;
	struct elf_symbol symbol = {.name = "main"};
	char path[] = "/tmp/corun-elf-XXXXXX";
	Elf64_Ehdr head = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT}, .e_type = ET_DYN,
		.e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_shoff = (u64)sections, .e_phoff = 64,
		.e_ehsize = 64, .e_phentsize = 56, .e_phnum = 1, .e_shentsize = 64,
	};
	Elf64_Phdr segment = {.p_type = PT_LOAD, .p_filesz = 4096, .p_memsz = 4096};
	Elf64_Shdr table = {.sh_size = (u64)(size - sections) / 64};
	int fd = mkstemp(path);
	u64 base;

	(void)state;
	unlink(path);
	assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(pwrite(fd, &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(pwrite(fd, &segment, sizeof(segment), 64), sizeof(segment));
	/* section 0 says how many there are: 16 million */
	assert_int_equal(pwrite(fd, &table, sizeof(table), sections), sizeof(table));
	assert_int_equal(elf_find(fd, &symbol, 1, &base), -EINVAL);
	assert_false(elf_sound(fd));
	/* 300 tables, all at the same place */
	head.e_shnum = 302;
	assert_int_equal(pwrite(fd, &head, sizeof(head), 0), sizeof(head));
	memset(&table, 0, sizeof(table));
	for (int i = 0; i < 302; i++) {
		assert_int_equal(pwrite(fd, &table, sizeof(table), sections + 64 * i), sizeof(table));
		table = (Elf64_Shdr){
			.sh_type = i ? SHT_SYMTAB : SHT_STRTAB, .sh_offset = 2 << 20, .sh_link = 1,
			.sh_size = i ? 63 << 20 : 4096, .sh_entsize = sizeof(Elf64_Sym),
		};
	}
	assert_int_equal(elf_find(fd, &symbol, 1, &base), -EINVAL);
	/* one of them is sound, and holds nothing */
	head.e_shnum = 3;
	assert_int_equal(pwrite(fd, &head, sizeof(head), 0), sizeof(head));
	assert_true(elf_sound(fd));
	assert_int_equal(elf_find(fd, &symbol, 1, &base), -ENOENT);
	close(fd);
}

static void test_elf_damaged(void **state)
{
	struct elf_symbol symbol = {.name = "corun_test_landmark"};
	char path[] = "/tmp/corun-elf-XXXXXX";
	int self = open_self(), fd = mkstemp(path);
	off_t size = lseek(self, 0, SEEK_END);
	u8 *copy = malloc((size_t)size);
	u64 base;

	(void)state;
	unlink(path);
	assert_non_null(copy);
	assert_int_equal(pread(self, copy, (size_t)size, 0), size);
	assert_int_equal(pwrite(fd, copy, (size_t)size, 0), size);
	assert_int_equal(elf_find(fd, &symbol, 1, &base), 0);
	for (off_t i = 4; i < 64 + 13 * 56 && i < size; i++) {
		u8 bad = (u8)~copy[i];

		assert_int_equal(pwrite(fd, &bad, 1, i), 1);
		elf_find(fd, &symbol, 1, &base);
		assert_int_equal(pwrite(fd, &copy[i], 1, i), 1);
	}
	/* the section headers stand at the end */
	for (off_t i = size - 2048; i < size; i += 3) {
		u8 bad = (u8)~copy[i];

		assert_int_equal(pwrite(fd, &bad, 1, i), 1);
		elf_find(fd, &symbol, 1, &base);
		assert_int_equal(pwrite(fd, &copy[i], 1, i), 1);
	}
	for (off_t cut = size; cut > 100; cut = cut * 3 / 4) {
		assert_int_equal(ftruncate(fd, cut), 0);
		elf_find(fd, &symbol, 1, &base);
	}
	free(copy);
	close(fd);
	close(self);
}

/* ---- another process ---- */

static void test_process_memory(void **state)
{
	u64 value = 0, page[512];
	pid_t child;

	(void)state;
	assert_int_equal(process_read_u64(getpid(), (u64)(uintptr_t)&landmark, &value), 0);
	assert_true(value == landmark);
	assert_int_equal(process_read_u64(getpid(), 8, &value), -EFAULT);
	assert_int_equal(process_read(getpid(), UINT64_MAX - 100, page, sizeof(page)), -EFAULT);
	assert_true(process_has_thread(getpid(), getpid()));
	assert_false(process_has_thread(getpid(), 1));
	assert_false(process_has_thread(getpid(), -1));
	child = fork();
	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	assert_int_equal(process_read_u64(child, (u64)(uintptr_t)&landmark, &value), -ESRCH);
	assert_false(process_has_thread(child, child));
	assert_int_equal(process_files(child, find_self, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout_that_describes_itself),
		cmocka_unit_test(test_layout_free_threaded),
		cmocka_unit_test(test_python_without_a_gil),
		cmocka_unit_test(test_many_interpreters),
		cmocka_unit_test(test_layout_damaged),
		cmocka_unit_test(test_debugger_that_describes_itself),
		cmocka_unit_test(test_layout_of_each_version),
		cmocka_unit_test(test_symbol_of_this_process),
		cmocka_unit_test(test_elf_that_is_none),
		cmocka_unit_test(test_elf_that_says_too_much),
		cmocka_unit_test(test_elf_damaged),
		cmocka_unit_test(test_process_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
