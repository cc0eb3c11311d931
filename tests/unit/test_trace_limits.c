/* SPDX-License-Identifier: MIT */
/* The edges of the formats: the largest numbers, huge strings, files that are not ours to touch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/out.h"
#include "trace/fields.h"
#include "trace/format.h"
#include "trace/text.h"
#include "trace/trace.h"

static char folder[] = "/tmp/corun-limits-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static const char *in_folder(const char *name)
{
	static char path[2][100];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
	return path[turn];
}

static void test_largest_numbers(void **state)
{
	struct record rec = {.ts = UINT64_MAX, .type = REC_WINDOW, .cpu = CORUN_NO_CPU - 1};
	struct record again;
	struct buf bytes = BUF_INIT, line = BUF_INIT, strings = BUF_INIT;
	u64 last = 0;
	bool known = false;

	(void)state;
	record_encode(&bytes, &rec, &last);
	last = 0;
	assert_int_equal(record_decode((const u8 *)bytes.data, bytes.len, &again, &last, &known),
			 bytes.len);
	assert_true(known && record_equal(&rec, &again));
	text_print(&line, &rec);
	assert_int_equal(text_parse(line.data, &again, &strings, NULL), 1);
	assert_true(record_equal(&rec, &again));
	assert_int_equal(text_parse("18446744073.709551616 window", &again, &strings, NULL), -EINVAL);
	buf_free(&bytes);
	buf_free(&line);
	buf_free(&strings);
}

static char *long_text(size_t len)
{
	char *text = malloc(len + 1);

	assert_non_null(text);
	memset(text, 'x', len);
	text[len] = '\0';
	return text;
}

/* Two records that each fit a chunk, but not one chunk together. */
static void test_long_strings(void **state)
{
	const char *path = in_folder("long.corun");
	char *text = long_text(CHUNK_MAX - 100);
	struct record note = {.ts = 2, .type = REC_NOTE, .cpu = CORUN_NO_CPU};
	struct record small = {.ts = 1, .type = REC_WINDOW, .cpu = CORUN_NO_CPU};
	struct trace_writer *writer;
	struct trace_reader *reader;
	const struct record *rec;

	(void)state;
	note.note.text = text;
	small.window.begin = 1;
	for (int i = 0; i < 200; i++)
		text[i * 7] = (char)('a' + i % 26);
	assert_int_equal(trace_writer_open(&writer, path, false, NULL), 0);
	for (int i = 0; i < 50; i++)
		assert_int_equal(trace_writer_put(writer, &small), 0);
	assert_int_equal(trace_writer_put(writer, &note), 0);
	assert_int_equal(trace_writer_close(writer, 3, 0, NULL), 0);
	assert_int_equal(trace_reader_open(&reader, path, NULL), 0);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(trace_reader_next(reader, &rec, NULL), 1);
		assert_true(record_equal(rec, &small));
	}
	assert_int_equal(trace_reader_next(reader, &rec, NULL), 1);
	assert_true(record_equal(rec, &note));
	assert_int_equal(trace_reader_next(reader, &rec, NULL), 1);
	assert_int_equal(rec->type, REC_END);
	assert_int_equal(rec->end.records, 51);
	assert_int_equal(trace_reader_next(reader, &rec, NULL), 0);
	assert_int_equal(trace_reader_status(reader), TRACE_WHOLE);
	trace_reader_close(reader);
	unlink(path);
	free(text);
}

/* A record that no reader would take is an error, and what came before it stays readable. */
static void test_too_long_string(void **state)
{
	const char *path = in_folder("longer.corun");
	char *text = long_text(CHUNK_MAX);
	struct record note = {.ts = 2, .type = REC_NOTE, .cpu = CORUN_NO_CPU};
	struct record small = {.ts = 1, .type = REC_WINDOW, .cpu = CORUN_NO_CPU};
	struct trace_writer *writer;
	struct trace_reader *reader;
	const struct record *rec;

	(void)state;
	note.note.text = text;
	assert_int_equal(trace_writer_open(&writer, path, false, NULL), 0);
	assert_int_equal(trace_writer_put(writer, &small), 0);
	assert_int_equal(trace_writer_put(writer, &note), -EMSGSIZE);
	assert_int_equal(trace_writer_close(writer, 3, 0, NULL), -EMSGSIZE);
	assert_int_equal(trace_reader_open(&reader, path, NULL), 0);
	assert_int_equal(trace_reader_next(reader, &rec, NULL), 1);
	assert_true(record_equal(rec, &small));
	assert_int_equal(trace_reader_next(reader, &rec, NULL), 0);
	assert_int_equal(trace_reader_status(reader), TRACE_CUT);
	trace_reader_close(reader);
	unlink(path);
	free(text);
}

/* A link that leads to a pipe is replaced, not followed; the pipe's reader would get the data. */
static void test_planted_link(void **state)
{
	const char *fifo = in_folder("fifo"), *link = in_folder("link");
	struct out *out;
	struct stat st;

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(symlink(fifo, link), 0);
	assert_int_equal(out_open(&out, link, OUT_STREAM, NULL), -ELOOP);
	assert_int_equal(out_open(&out, link, 0, NULL), 0);
	out_puts(out, "text");
	assert_int_equal(out_commit(out, NULL), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_size, 4);
	assert_int_equal(out_open(&out, "/dev/null", 0, NULL), 0);
	assert_int_equal(out_commit(out, NULL), 0);
	unlink(fifo);
	unlink(link);
}

static void test_error_has_no_control_bytes(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, -EINVAL, "a\nb\x1b[2Jc\x7f");
	assert_string_equal(err.text, "a b?[2Jc?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_largest_numbers), cmocka_unit_test(test_long_strings),
		cmocka_unit_test(test_too_long_string), cmocka_unit_test(test_planted_link),
		cmocka_unit_test(test_error_has_no_control_bytes),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
