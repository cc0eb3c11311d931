/* SPDX-License-Identifier: MIT */
/* What a Go program's file says of its code: a small one made here, whole and damaged in any byte. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/go_file.h"
#include "record/go_wait.h"

#define TEXT 0x401000u
#define TEXT_AT 0x1000
#define TABLE_AT 0x2000

/* cmd/link/internal/ld/pcln.go: the head, then each part from where the head says. */
struct table {
	u32 magic;
	u8 zero[2], quantum, pointer;
	u64 n_functions, n_files, text, names_at, units_at, files_at, pcs_at, functions_at;
	char names[64];
	u32 units[2];
	char files[32];
	u8 pcs[32];
	u32 functions[5]; /* entry, _func; entry, _func; end */
	u32 func[2][10];
};

static size_t make_file(u8 *bytes)
{
	static const char sections[] = "\0.text\0.gopclntab\0.shstrtab";
	struct table *t = (void *)(bytes + TABLE_AT);
	Elf64_Ehdr *head = (void *)bytes;
	Elf64_Phdr *segment = (void *)(bytes + sizeof(*head));
	Elf64_Shdr *s = (void *)(bytes + 0x3000);

	memset(bytes, 0, 0x4000);
	*t = (struct table){
		.magic = 0xfffffff0, .quantum = 1, .pointer = 8, .n_functions = 2, .n_files = 2, .text = TEXT,
		.names_at = offsetof(struct table, names), .units_at = offsetof(struct table, units),
		.files_at = offsetof(struct table, files), .pcs_at = offsetof(struct table, pcs),
		.functions_at = offsetof(struct table, functions), .units = {0, 8},
		/* file 0; then for main.f: file 1, and the lines 10 (4 bytes) and 12 (12 bytes) */
		.pcs = {2, 32, 0, 4, 16, 0, 22, 4, 4, 12, 0, 22, 16, 0},
	};
	memcpy(t->names, "runtime.casgstatus\0main.f", 26);
	memcpy(t->files, "proc.go\0/home/app.go", 21);
	for (u32 i = 0; i < 2; i++) {
		t->functions[2 * i] = i * 16;
		t->functions[2 * i + 1] = (u32)(offsetof(struct table, func[i]) - offsetof(struct table, functions));
		t->func[i][0] = i * 16;
		t->func[i][1] = i * 19;      /* name */
		t->func[i][5] = i ? 3 : 0;   /* table of files */
		t->func[i][6] = i ? 6 : 11;  /* of lines */
	}
	t->functions[4] = 32;
	memcpy(bytes + TEXT_AT, "\x48\x83\xec\x40\x89\x5c\x24\x50\x90", 9); /* sub, mov %ebx, nop */
	memcpy(head->e_ident, ELFMAG "\2\1\1", 7);
	head->e_type = ET_EXEC;
	head->e_machine = EM_X86_64;
	head->e_version = 1;
	head->e_phoff = sizeof(*head);
	head->e_shoff = 0x3000;
	head->e_ehsize = sizeof(*head);
	head->e_phentsize = sizeof(*segment);
	head->e_phnum = 1;
	head->e_shentsize = sizeof(*s);
	head->e_shnum = 4;
	head->e_shstrndx = 3;
	*segment = (Elf64_Phdr){.p_type = PT_LOAD, .p_vaddr = 0x400000, .p_filesz = 0x4000, .p_memsz = 0x4000};
	s[1] = (Elf64_Shdr){.sh_name = 1, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, .sh_addr = TEXT,
			    .sh_offset = TEXT_AT, .sh_size = 32, .sh_addralign = 1};
	s[2] = (Elf64_Shdr){.sh_name = 7, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, .sh_addr = 0x402000,
			    .sh_offset = TABLE_AT, .sh_size = sizeof(*t), .sh_addralign = 1};
	s[3] = (Elf64_Shdr){.sh_name = 18, .sh_type = SHT_STRTAB, .sh_offset = 0x3800, .sh_size = sizeof(sections),
			    .sh_addralign = 1};
	memcpy(bytes + 0x3800, sections, sizeof(sections));
	return 0x4000;
}

static int open_bytes(const u8 *bytes, size_t size)
{
	int fd = memfd_create("go", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	return fd;
}

static void test_whole(void **state)
{
	static u8 bytes[0x4000];
	struct go_function f;
	struct go_file *file;
	char text[100];
	int fd;

	(void)state;
	fd = open_bytes(bytes, make_file(bytes));
	assert_int_equal(go_file_open(&file, fd), 0);
	/* The nop behind what moves arguments to the stack, not the entry: it costs one trap less. */
	assert_true(go_file_function(file, fd, "runtime.casgstatus", &f));
	assert_int_equal(f.address, TEXT + 8);
	assert_int_equal(f.offset, TEXT_AT + 8);
	/* Nothing but what is known goes before: the entry. */
	assert_true(go_file_function(file, fd, "main.f", &f));
	assert_int_equal(f.address, TEXT + 16);
	assert_false(go_file_function(file, fd, "main.g", &f));
	assert_string_equal(go_file_name(file, TEXT + 15), "runtime.casgstatus");
	assert_string_equal(go_file_name(file, TEXT + 16), "main.f");
	assert_null(go_file_name(file, TEXT + 32));
	assert_null(go_file_name(file, TEXT - 1));
	assert_true(go_file_line(file, TEXT + 18, text, sizeof(text)));
	assert_string_equal(text, "app.go:10 (main.f)");
	assert_true(go_file_line(file, TEXT + 30, text, sizeof(text)));
	assert_string_equal(text, "app.go:12 (main.f)");
	assert_string_equal(go_file_reason(file, 2, getpid(), 0), "");
	go_file_close(file);
	close(fd);
}

static void test_no_go_program(void **state)
{
	static u8 bytes[0x4000];
	struct go_file *file;
	int fd = open_bytes((const u8 *)"#!/bin/sh\n", 10);

	(void)state;
	assert_int_equal(go_file_open(&file, fd), -ENOENT);
	close(fd);
	make_file(bytes);
	bytes[TABLE_AT] = 0xfb; /* Go 1.2 to 1.15 */
	fd = open_bytes(bytes, sizeof(bytes));
	assert_int_equal(go_file_open(&file, fd), -ENOENT);
	close(fd);
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_int_equal(go_file_open(&file, fd), -ENOENT);
	close(fd);
}

/* Whatever stands in it: nothing outside of it is touched, and every walk ends. */
static void test_damaged(void **state)
{
	static u8 bytes[0x4000];
	struct go_waits waits = {0};
	u64 pcs[4] = {TEXT + 18, TEXT + 5, TEXT + 30, 0};

	(void)state;
	srand(7);
	for (int round = 0; round < 4000; round++) {
		size_t size = make_file(bytes);
		struct go_function f;
		struct go_file *file;
		char text[64];
		int fd;

		for (int n = rand() % 4; n >= 0; n--) {
			size_t at = round % 4 ? TABLE_AT + (size_t)rand() % sizeof(struct table) : (size_t)rand() % size;

			bytes[at] = rand() % 3 ? (u8)rand() : 0xff;
		}
		fd = open_bytes(bytes, size);
		if (!go_file_open(&file, fd)) {
			go_file_function(file, fd, "runtime.casgstatus", &f);
			go_file_function(file, fd, "none", &f);
			for (u64 address = TEXT; address < TEXT + 40; address += 7) {
				go_file_name(file, address);
				go_file_line(file, address, text, sizeof(text));
			}
			go_waits_get(&waits, file, "chan receive", pcs, 4);
			go_waits_free(&waits);
			go_file_close(file);
		}
		close(fd);
	}
}

static void test_waits(void **state)
{
	static u8 bytes[0x4000];
	const u64 pcs[3] = {TEXT + 5, TEXT + 18, 0};
	struct go_waits waits = {0};
	const struct go_wait *wait;
	struct go_file *file;
	int fd;

	(void)state;
	fd = open_bytes(bytes, make_file(bytes));
	assert_int_equal(go_file_open(&file, fd), 0);
	wait = go_waits_get(&waits, file, "chan receive", pcs, 3);
	assert_string_equal(wait->what, "condition:chan receive");
	assert_string_equal(wait->site, "app.go:10 (main.f)");
	assert_ptr_equal(go_waits_get(&waits, file, "chan receive", pcs, 3), wait);
	assert_string_equal(go_waits_get(&waits, file, "sleep", pcs, 3)->what, "sleep:sleep");
	assert_string_equal(go_waits_get(&waits, file, "", pcs, 3)->what, "other");
	assert_string_equal(go_waits_get(&waits, file, "what nobody knows", pcs, 0)->what, "other:what nobody knows");
	go_waits_free(&waits);
	go_file_close(file);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_no_go_program),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
