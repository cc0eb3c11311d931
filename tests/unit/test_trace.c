/* SPDX-License-Identifier: MIT */
/* trace/: what is written is read, as bytes and as text; what is cut or damaged is said so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "random_record.h"
#include "trace/format.h"
#include "trace/memory.h"
#include "trace/syscall.h"
#include "trace/text.h"
#include "trace/trace.h"

static char path[64]; /* this process's own */

static void test_bytes_round_trip(void **state)
{
	struct buf payload = BUF_INIT;
	struct record in, out;

	(void)state;
	srand(11);
	for (int i = 0; i < 100000; i++) {
		u64 last = 1000, again = 1000, ts = random_u64() >> 1;
		bool known;

		random_record(&in, ts);
		buf_clear(&payload);
		record_encode(&payload, &in, &last);
		assert_int_equal(record_decode((u8 *)payload.data, payload.len, &out, &again, &known),
				 payload.len);
		assert_true(known);
		assert_true(record_equal(&in, &out));
		assert_int_equal(last, again);
		/* One byte less is an error, never a read beyond the end. */
		again = 1000;
		assert_true(record_decode((u8 *)payload.data, payload.len - 1, &out, &again, &known) < 0);
	}
	buf_free(&payload);
}

static void test_text_round_trip(void **state)
{
	struct buf line = BUF_INIT, strings = BUF_INIT;
	struct error err = {0};
	struct record in, out;

	(void)state;
	srand(12);
	for (int i = 0; i < 50000; i++) {
		random_record(&in, random_u64() >> 2);
		buf_clear(&line);
		text_print(&line, &in);
		if (text_parse(line.data, &out, &strings, &err) != 1)
			fail_msg("%s: %s", line.data, err.text);
		if (!record_equal(&in, &out))
			fail_msg("%s", line.data);
	}
	buf_free(&line);
	buf_free(&strings);
}

static void test_text_errors_name_the_place(void **state)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{"1.0 nonsense", "unknown record"},
		{"1.0 switch cpu=x", "number"},
		{"1.0 switch prev=1 next", "key=value"},
		{"1.0 switch wrong=1", "no such field"},
		{"1.0 meta key=\"open", "no end"},
		{"x switch", "time"},
		{"1.0000000001 switch", "nine decimals"},
		{"1.0 switch prev=99999999999", "range"},
		{"1.0 switch call=nosuchcall", "unknown call"},
		{"1.0 switch flags=preempt|what", "unknown flag"},
		{"1.0 meta key=\"\\x00\"", "\\x takes"},
	};
	struct buf strings = BUF_INIT;
	struct record rec;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = {0};

		assert_int_equal(text_parse(cases[i].line, &rec, &strings, &err), -EINVAL);
		if (!strstr(err.text, cases[i].says) || !strstr(err.text, "column"))
			fail_msg("'%s' says: %s", cases[i].line, err.text);
	}
	assert_int_equal(text_parse("", &rec, &strings, NULL), 0);
	assert_int_equal(text_parse("  # comment", &rec, &strings, NULL), 0);
	buf_free(&strings);
}

static void test_every_name(void **state)
{
	(void)state;
	for (unsigned int t = 1; t < REC_TYPES; t++)
		assert_non_null(record_type_name(t));
	for (int nr = 0; nr < SYSCALL_NR_MAX; nr++)
		if (syscall_name(nr))
			assert_int_equal(syscall_number(syscall_name(nr)), nr);
	assert_int_equal(syscall_number("futex"), 202);
	assert_null(syscall_name(-1));
	assert_null(syscall_name(SYSCALL_NR_MAX));
}

/* A small file with ordered and late records; returns how many it holds, REC_END counted. */
static int write_sample(u64 *last_ts)
{
	struct trace_writer *writer;
	struct record rec;
	int n = 0;

	srand(13);
	assert_int_equal(trace_writer_open(&writer, path, true, NULL), 0);
	for (u64 ts = 1000; ts < 3000; ts += 10) {
		do
			random_record(&rec, ts);
		while (rec.type == REC_END);
		assert_int_equal(trace_writer_put(writer, &rec), 0);
		n++;
		if (ts % 100 == 0) {
			do
				random_record(&rec, ts - 505);
			while (rec.type == REC_END);
			trace_writer_put_late(writer, &rec);
			trace_writer_tick(writer, ts * 1000000000ULL);
			n++;
		}
		*last_ts = ts;
	}
	assert_int_equal(trace_writer_close(writer, *last_ts, 5, NULL), 0);
	return n + 1;
}

static int read_all(enum trace_status *status, u64 *last_ts)
{
	struct trace_reader *reader;
	const struct record *rec;
	int n = 0;

	*last_ts = 0;
	if (trace_reader_open(&reader, path, NULL))
		return -1;
	while (trace_reader_next(reader, &rec, NULL) > 0) {
		assert_true(rec->ts >= *last_ts);
		*last_ts = rec->ts;
		n++;
	}
	*status = trace_reader_status(reader);
	trace_reader_close(reader);
	return n;
}

static void test_file_in_order(void **state)
{
	enum trace_status status;
	struct trace_reader *reader;
	const struct record *rec;
	u64 wrote, ended;
	int n = write_sample(&wrote), first = 0, second = 0;

	(void)state;
	assert_int_equal(read_all(&status, &ended), n);
	assert_int_equal(status, TRACE_WHOLE);
	assert_int_equal(ended, wrote);
	assert_int_equal(trace_reader_open(&reader, path, NULL), 0);
	while (trace_reader_next(reader, &rec, NULL) > 0)
		first++;
	assert_int_equal(trace_reader_rewind(reader), 0);
	while (trace_reader_next(reader, &rec, NULL) > 0)
		second++;
	assert_int_equal(first, second);
	trace_reader_close(reader);
}

static void truncated(char *data, long size, long cut)
{
	FILE *file = fopen(path, "w");

	(void)size;
	fwrite(data, 1, (size_t)cut, file);
	fclose(file);
}

static char *load(long *size)
{
	FILE *file = fopen(path, "r");
	char *data;

	fseek(file, 0, SEEK_END);
	*size = ftell(file);
	rewind(file);
	data = malloc((size_t)*size);
	assert_int_equal(fread(data, 1, (size_t)*size, file), *size);
	fclose(file);
	return data;
}

static void test_cut_at_every_byte(void **state)
{
	enum trace_status status;
	u64 last, ended;
	int whole = write_sample(&last), before = 0;
	long size;
	char *data = load(&size);

	(void)state;
	for (long cut = 0; cut < size; cut++) {
		int n;

		truncated(data, size, cut);
		n = read_all(&status, &ended);
		if (cut < TRACE_HEADER_LEN) {
			assert_int_equal(n, -1);
			continue;
		}
		assert_int_equal(status, TRACE_CUT);
		assert_true(n < whole);
		/* More of the file never reads less. */
		assert_true(n >= before);
		before = n;
	}
	free(data);
}

static void test_every_byte_damaged(void **state)
{
	enum trace_status status;
	u64 last, ended;
	int whole = write_sample(&last);
	long size;
	char *data = load(&size);

	(void)state;
	for (long i = 0; i < size; i++) {
		char was = data[i];
		int n;

		data[i] ^= 0x55;
		truncated(data, size, size);
		n = read_all(&status, &ended);
		/* Bytes 10 to 15 are the minor version and spare. */
		if (i >= 10 && i < TRACE_HEADER_LEN)
			assert_int_equal(n, whole);
		else
			assert_true(n == -1 || (n <= whole && status != TRACE_WHOLE));
		data[i] = was;
	}
	free(data);
	unlink(path);
}

static void test_bad_files(void **state)
{
	struct trace_reader *reader;
	struct trace_writer *writer;
	struct error err = {0};
	FILE *file;

	(void)state;
	assert_int_equal(trace_reader_open(&reader, "/nonexistent", &err), -ENOENT);
	assert_int_equal(trace_reader_open(&reader, "/tmp", &err), -EISDIR);
	assert_int_equal(trace_reader_open(&reader, "/dev/null", &err), -EINVAL);
	assert_non_null(strstr(err.text, "empty"));
	file = fopen(path, "w");
	fputs("CORUN\x1a\r\n\x02\0\0\0\0\0\0\0", file);
	fwrite("\0\0\0\0\0\0\0", 1, 7, file);
	fclose(file);
	assert_int_equal(trace_reader_open(&reader, path, &err), -EINVAL);
	assert_non_null(strstr(err.text, "version 2"));
	file = fopen(path, "w");
	fputs("{\"traceEvents\":[]}", file);
	fclose(file);
	assert_int_equal(trace_reader_open(&reader, path, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no corun trace"));
	assert_int_equal(trace_writer_open(&writer, path, false, &err), -EEXIST);
	assert_int_equal(trace_writer_open(&writer, "/nonexistent/x", false, &err), -ENOENT);
	unlink(path);
	assert_int_equal(symlink("/tmp/elsewhere", path), 0);
	assert_int_equal(trace_writer_open(&writer, path, true, &err), -ELOOP);
	unlink(path);
	assert_int_equal(trace_writer_open(&writer, "/dev/full", true, &err), -ENOSPC);
}

static void test_file_mode(void **state)
{
	struct trace_writer *writer;
	struct stat st;

	(void)state;
	assert_int_equal(trace_writer_open(&writer, path, false, NULL), 0);
	assert_int_equal(trace_writer_close(writer, 0, 0, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_round_trip),
		cmocka_unit_test(test_text_round_trip),
		cmocka_unit_test(test_text_errors_name_the_place),
		cmocka_unit_test(test_every_name),
		cmocka_unit_test(test_file_in_order),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_every_byte_damaged),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_file_mode),
	};

	snprintf(path, sizeof(path), "/tmp/corun-test-trace-%d.corun", (int)getpid());
	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
