/* SPDX-License-Identifier: MIT */
/* test_export.c - what is exported of a trace: selection, cuts, several traces, and the writers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "export/export.h"
#include "export/json.h"

static char folder[] = "/tmp/corun-test-export-XXXXXX";
static char path[2][128], result_path[128];

/* Two threads of one process and one of another; 101 waits 200 ns for a pipe and 50 for a mutex. */
static const char *const trace_text =
	"# corun text 1\n"
	"0.000000000 meta key=\"host\" value=\"%s\"\n"
	"0.000000000 meta key=\"boot_id\" value=\"%s\"\n"
	"0.000000000 meta key=\"mono_ns\" value=\"1000000000\"\n"
	"0.000000000 meta key=\"wall_ns\" value=\"%llu\"\n"
	"0.000000000 meta key=\"wall_error_ns\" value=\"500\"\n"
	"1.000000000 thread cpu=0 tid=100 tgid=100 flags=snapshot|running comm=\"main\"\n"
	"1.000000000 thread cpu=1 tid=101 tgid=100 flags=snapshot|running comm=\"worker\"\n"
	"1.000000000 thread cpu=2 tid=200 tgid=200 flags=snapshot|running comm=\"other\"\n"
	"1.000000000 window begin=1\n"
	"1.000000100 switch cpu=1 prev=101 state=0x1 call=read fd=pipe\n"
	"1.000000300 waking cpu=0 tid=101 waker=100 context=task\n"
	"1.000000300 switch cpu=1 next=101\n"
	"1.000000400 switch cpu=1 prev=101 state=0x1 call=futex lock-kind=mutex lock=0x10\n"
	"1.000000450 waking cpu=0 tid=101 waker=100 context=task\n"
	"1.000000450 switch cpu=1 next=101\n"
	"1.000001000 window\n"
	"1.000001000 end records=15\n";

static void write_trace(int which, const char *host, const char *boot, unsigned long long wall)
{
	FILE *file;

	snprintf(path[which], sizeof(path[which]), "%s/%d.txt", folder, which);
	file = fopen(path[which], "w");
	assert_non_null(file);
	/* The one format of this file, and a literal: the compiler just cannot see it. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	fprintf(file, trace_text, host, boot, wall);
#pragma GCC diagnostic pop
	fclose(file);
}

static int set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	write_trace(0, "one", "a", 5000000000ull);
	snprintf(result_path, sizeof(result_path), "%s/out.json", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path[0]);
	unlink(path[1]);
	unlink(result_path);
	return rmdir(folder);
}

/* Export and return the file; the caller frees. */
static char *export(const struct export_options *options, u32 n, struct export_result *result)
{
	const char *const traces[] = {path[0], path[1]};
	struct export_result unused;
	struct error err = {0};
	char *text = calloc(1, 1 << 16);
	FILE *file;

	assert_int_equal(export_file(&export_chrome, traces, n, result_path, options, NULL,
				     result ? result : &unused, &err), 0);
	file = fopen(result_path, "r");
	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
	fclose(file);
	return text;
}

/* Slices: 7 of threads, 1 of the contended mutex, 1 of the critical path. */
static int times(const char *text, const char *what)
{
	int n = 0;

	for (const char *p = text; (p = strstr(p, what)); p++)
		n++;
	return n;
}

static void everything(void **state)
{
	struct export_options options = {0};
	char *text = export(&options, 1, NULL);

	(void)state;
	assert_int_equal(times(text, "\"ph\":\"X\""), 7 + 1 + 1);
	assert_int_equal(times(text, "\"ph\":\"T\""), 7);
	assert_int_equal(times(text, "\"ph\":\"s\""), 2);
	assert_non_null(strstr(text, "\"ts\":0.000,\"args\":{\"running\":3,\"in flight\":3}"));
	free(text);
	options.compat = true;
	text = export(&options, 1, NULL);
	assert_int_equal(times(text, "\"ph\":\"X\""), 7 + 1 + 1);
	assert_int_equal(times(text, "\"ph\":\"T\""), 0);
	free(text);
}

static void a_stretch(void **state)
{
	const struct export_options options = {.from_ns = 200, .to_ns = 350};
	char *text = export(&options, 1, NULL);

	(void)state;
	/* The wait is cut at 200, the run after it at 350; time still counts from the window. */
	assert_non_null(strstr(text, "\"name\":\"pipe\",\"pid\":100,\"tid\":101,\"ts\":0.200,\"dur\":0.100"));
	assert_non_null(strstr(text, "\"name\":\"On CPU\",\"pid\":100,\"tid\":101,\"ts\":0.300,\"dur\":0.050"));
	assert_int_equal(times(text, "\"ph\":\"X\""), 4 + 1);
	/* What stands at `from` is right from the first sample. */
	assert_non_null(strstr(text, "\"ts\":0.200,\"args\":{\"running\":2,\"in flight\":3,\"waiting: pipe\":1}"));
	assert_non_null(strstr(text, "\"from_ns\":200,\"to_ns\":350"));
	free(text);
}

static void some_threads(void **state)
{
	const s32 tgid = 200, tid = 101;
	struct export_options options = {.tgids = &tgid, .n_tgids = 1};
	struct export_result result;
	char *text = export(&options, 1, &result);

	(void)state;
	assert_int_equal(times(text, "\"ph\":\"X\""), 1);
	assert_int_equal(result.threads, 1);
	assert_non_null(strstr(text, "\"args\":{\"running\":1,\"in flight\":1}"));
	free(text);

	options = (struct export_options){.tids = &tid, .n_tids = 1};
	text = export(&options, 1, &result);
	assert_int_equal(times(text, "\"ph\":\"X\""), 5 + 1);
	/* Its waker is not drawn: no arrow, but its name. */
	assert_int_equal(times(text, "\"ph\":\"s\""), 0);
	assert_non_null(strstr(text, "\"woken_by\":\"main (100)\""));
	free(text);

	options = (struct export_options){.comm = "wor*"};
	text = export(&options, 1, &result);
	assert_int_equal(result.threads, 1);
	assert_int_equal(times(text, "\"ph\":\"X\""), 5 + 1);
	free(text);

	options = (struct export_options){.comm = "nobody"};
	text = export(&options, 1, &result);
	assert_int_equal(result.threads, 0);
	free(text);
}

static void long_waits(void **state)
{
	const struct export_options options = {.min_wait_ns = 100};
	char *text = export(&options, 1, NULL);

	(void)state;
	assert_int_equal(times(text, "\"name\":\"pipe\""), 1);
	assert_int_equal(times(text, "\"cat\":\"mutex\""), 0);
	assert_int_equal(times(text, "waiting: mutex\":1"), 1); /* of all; of a process only what is in flight */
	free(text);
}

static void two_hosts(void **state)
{
	const struct export_options options = {0};
	struct export_result result;
	char *text;

	(void)state;
	/* Another host, 2 us later by its wall clock: each is sure to 500 ns. */
	write_trace(1, "two", "b", 5000002000ull);
	text = export(&options, 2, &result);
	assert_int_equal(result.unsure_ns, 1000);
	assert_int_equal(times(text, "\"ph\":\"X\""), 2 * (7 + 1 + 1));
	assert_non_null(strstr(text, "\"name\":\"one: main\""));
	assert_non_null(strstr(text, "\"name\":\"two: main\""));
	assert_non_null(strstr(text, "\"ts\":2.000,\"args\":{\"running\":3,\"in flight\":3}"));
	assert_int_equal(times(text, "\"tid\":101,\"ts\":2.000"), 0); /* a number of its own */
	free(text);
	/* The same boot: the wall clock may have been set meanwhile, the order is exact. */
	write_trace(1, "one", "a", 5000002000ull);
	text = export(&options, 2, &result);
	assert_int_equal(result.unsure_ns, 0);
	assert_non_null(strstr(text, "\"name\":\"one #2: main\""));
	assert_null(strstr(text, "\"ts\":2.000,"));
	free(text);
}

static void numbers(void **state)
{
	static const u64 values[] = {0, 9, 10, 99, 100, 999, 1000, 9999, 10000, 99999, 100000,
				     99999999, 100000000, 123456789012345ull, UINT64_MAX};
	char got[40], want[40];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		*put_u64(got, values[i]) = '\0';
		snprintf(want, sizeof(want), "%llu", (unsigned long long)values[i]);
		assert_string_equal(got, want);
		*put_us(got, values[i]) = '\0';
		snprintf(want, sizeof(want), "%llu.%03llu", (unsigned long long)values[i] / 1000,
			 (unsigned long long)values[i] % 1000);
		assert_string_equal(got, want);
	}
}

static int stop(void *ctx, u64 done, u64 total)
{
	(void)ctx;
	assert_true(done <= total);
	return 1;
}

/* A full disk, and an export that is interrupted: told, and nothing under the final name. */
static void nothing_half(void **state)
{
	const char *const traces[] = {path[0]};
	const struct export_options options = {0};
	struct export_result result;
	struct error err = {0};
	const s32 tid = 101;
	FILE *file;

	(void)state;
	for (size_t i = 0; export_formats[i]; i++) {
		assert_int_equal(export_file(export_formats[i], traces, 1, "/dev/full", &options, NULL,
					     &result, &err), -ENOSPC);
		assert_non_null(strstr(err.text, "No space left"));
	}
	/* Progress is asked for every 65536 records. */
	file = fopen(path[0], "a");
	assert_non_null(file);
	for (int i = 0; i < 70000; i++)
		fprintf(file, "1.000001000 note text=\"x\"\n");
	fclose(file);
	unlink(result_path);
	for (size_t i = 0; export_formats[i]; i++) {
		const struct export_options part = {.tids = &tid, .n_tids = 1};

		assert_int_equal(export_file(export_formats[i], traces, 1, result_path, i % 2 ? &part : &options, stop,
					     &result, &err), -EINTR);
		assert_int_not_equal(access(result_path, F_OK), 0);
	}
	write_trace(0, "one", "a", 5000000000ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything), cmocka_unit_test(a_stretch),
		cmocka_unit_test(some_threads), cmocka_unit_test(long_waits),
		cmocka_unit_test(two_hosts), cmocka_unit_test(numbers),
		cmocka_unit_test(nothing_half),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
