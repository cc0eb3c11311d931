/* SPDX-License-Identifier: MIT */
/* The docs' table of wait kinds (userspace/model/KINDS.md) against the code, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "model/kind.h"
#include "trace/syscall.h"
#include "trace/text.h"

static bool listed[SYSCALL_NR_MAX];

static int index_of(const char *(*name)(unsigned int), const char *word)
{
	for (unsigned int i = 0; i < 64; i++)
		if (!strcmp(name(i), word))
			return (int)i;
	return -1;
}

static char *trim(char *s)
{
	s += strspn(s, " ");
	for (size_t n = strlen(s); n && (s[n - 1] == ' ' || s[n - 1] == '\n'); n--)
		s[n - 1] = '\0';
	return s;
}

/* "nfds 1, fd tcp" */
static void set_facts(struct rec_wait *wait, bool *kernel, char *text)
{
	char *save = NULL;

	for (char *w = strtok_r(text, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		char key[32] = "", value[32] = "";
		int n = -1;

		sscanf(w, "%31s %31s", key, value);
		if (!key[0])
			continue;
		if (!strcmp(key, "fd"))
			n = wait->fd_kind = (u8)index_of(fd_kind_name, value);
		else if (!strcmp(key, "lock"))
			n = wait->lock_kind = (u8)index_of(lock_kind_name, value);
		else if (!strcmp(key, "nfds"))
			n = wait->nfds = (u8)atoi(value);
		else if (!strcmp(key, "cmd"))
			n = (int)(wait->args[1] = (u64)atoi(value));
		else if (!strcmp(key, "val"))
			n = (int)(wait->args[2] = (u64)atoi(value));
		else if (!strcmp(key, "word"))
			n = (int)(wait->word = (u32)atoi(value));
		else if (!strcmp(key, "vfork"))
			n = (int)(wait->args[0] = 0x4000);
		else if (!strcmp(key, "io"))
			n = wait->flags |= WAIT_IO;
		else if (!strcmp(key, "fault"))
			n = wait->flags |= WAIT_FAULT;
		else if (!strcmp(key, "kthread"))
			n = *kernel = true;
		if (n < 0 || n == 0xff)
			fail_msg("KINDS.md: \"%s %s\" is no fact", key, value);
	}
}

static int check_row(char *calls, char *with, const char *state, const char *kind)
{
	static const struct { const char *name; u32 bits; } states[] = {
		{"S", 0x1}, {"K", 0x102}, {"D", 0x2}, {"I", 0x402}};
	struct rec_wait wait = {0};
	bool kernel = false;
	char *save = NULL;
	int checks = 0;

	if (kind_by_name(kind) < 0)
		fail_msg("KINDS.md: no kind \"%s\"", kind);
	set_facts(&wait, &kernel, with);
	for (char *c = strtok_r(calls, ",", &save); c; c = strtok_r(NULL, ",", &save)) {
		c = trim(c);
		wait.nr = (s16)(strcmp(c, "none") ? syscall_number(c) : -1);
		if (wait.nr < 0 && strcmp(c, "none"))
			fail_msg("KINDS.md: no call \"%s\"", c);
		if (wait.nr >= 0)
			listed[wait.nr] = true;
		for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
			enum wait_kind got;

			if (strcmp(state, states[i].name) &&
			    (strcmp(state, "any") || states[i].bits & 0x400))
				continue;
			got = kernel ? kind_of_kernel_wait(&wait, states[i].bits) :
				       kind_of_wait(&wait, states[i].bits);
			if (strcmp(kind_table[got].name, kind))
				fail_msg("%s in %s: the docs say %s, the code %s", c,
					 states[i].name, kind, kind_table[got].name);
			checks++;
		}
	}
	return checks;
}

static void test_docs_agree(void **state)
{
	FILE *f = fopen("userspace/model/KINDS.md", "r");
	char line[512];
	int checks = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		char *cell[5], *p = line;
		int n = 0;

		if (strncmp(line, "| ", 2) || !strncmp(line, "| ---", 5) ||
		    !strncmp(line, "| calls", 7))
			continue;
		while (n < 5 && (cell[n] = strsep(&p, "|")))
			n++;
		assert_int_equal(n, 5);
		checks += check_row(cell[1], cell[2], trim(cell[3]), trim(cell[4]));
	}
	fclose(f);
	assert_true(checks > 200);
}

/* A call that the code treats in its own way stands in the docs. */
static void test_no_call_is_missing(void **state)
{
	static const u32 bits[] = {0x1, 0x2, 0x102};

	(void)state;
	for (int nr = 0; nr < SYSCALL_NR_MAX; nr++) {
		for (int fd = 0; fd < FD_KINDS; fd++) {
			for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
				struct rec_wait wait = {.nr = (s16)nr, .fd_kind = (u8)fd};
				struct rec_wait plain = {.nr = SYSCALL_NR_MAX, .fd_kind = (u8)fd};

				if (kind_of_wait(&wait, bits[i]) != kind_of_wait(&plain, bits[i]) &&
				    !listed[nr])
					fail_msg("KINDS.md does not list %s (%d)",
						 syscall_name(nr) ? syscall_name(nr) : "?", nr);
			}
		}
	}
}

static void test_sets_of_kinds(void **state)
{
	const char *bad = NULL;
	u32 set = 7;

	(void)state;
	assert_int_equal(kind_parse_set("join,file-lock", &set, &bad), 0);
	assert_int_equal(set, 1u << KIND_JOIN | 1u << KIND_FILE_LOCK);
	assert_int_equal(kind_parse_set("join,nonsense", &set, &bad), -EINVAL);
	assert_string_equal(bad, "nonsense");
	assert_int_equal(set, 1u << KIND_JOIN | 1u << KIND_FILE_LOCK);
	for (int i = 0; i < KINDS; i++)
		assert_int_equal(kind_by_name(kind_table[i].name), i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_docs_agree),
		cmocka_unit_test(test_no_call_is_missing),
		cmocka_unit_test(test_sets_of_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
